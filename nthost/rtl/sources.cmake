# SPDX-License-Identifier: MIT
list(APPEND wdm_sources rtl/dbgprint.c rtl/format.c)
