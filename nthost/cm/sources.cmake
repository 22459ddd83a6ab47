# SPDX-License-Identifier: MIT
list(APPEND wdm_sources cm/query.c cm/relative.c cm/tree.c cm/zw.c)
