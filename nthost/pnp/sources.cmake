# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  pnp/bind.c pnp/enumerate.c pnp/guids.c pnp/interface.c pnp/interfacelist.c pnp/node.c pnp/notify.c pnp/property.c
  pnp/query.c pnp/remove.c pnp/report.c pnp/root.c pnp/start.c pnp/worker.c)
