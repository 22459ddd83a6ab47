# SPDX-License-Identifier: MIT
list(APPEND host_sources image/names.c)
list(APPEND wdm_sources image/kernel.c image/load.c)
