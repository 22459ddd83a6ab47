# SPDX-License-Identifier: MIT
list(APPEND wdm_sources usbd/handle.c usbd/parse.c usbd/request.c usbd/trace.c usbd/validate.c)
