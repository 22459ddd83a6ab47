# SPDX-License-Identifier: MIT
list(APPEND wdm_sources po/idle.c po/request.c po/system.c)
