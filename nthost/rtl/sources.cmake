# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  rtl/ansi.c rtl/bitmap.c rtl/crtmisc.c rtl/crtprintf.c rtl/crttext.c rtl/dbgprint.c rtl/format.c rtl/guid.c rtl/integer.c
  rtl/memory.c rtl/string.c rtl/time.c rtl/utf8.c rtl/version.c)
