# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  ex/fastmutex.c ex/list.c ex/lookaside.c ex/misc.c ex/pool.c ex/poolblock.c ex/poolcheck.c ex/resource.c ex/rundown.c
  ex/trace.c ex/work.c)
