# SPDX-License-Identifier: MIT
list(APPEND wdm_sources ob/defer.c ob/handle.c ob/names.c ob/object.c)
