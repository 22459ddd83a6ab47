# SPDX-License-Identifier: MIT
list(APPEND wdm_sources ex/pool.c ex/poolblock.c ex/poolcheck.c ex/work.c)
