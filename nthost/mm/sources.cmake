# SPDX-License-Identifier: MIT
list(APPEND wdm_sources mm/mdl.c mm/misc.c)
