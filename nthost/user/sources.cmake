# SPDX-License-Identifier: MIT
list(APPEND wdm_sources user/boot.c user/device.c user/file.c user/interface.c user/registry.c user/text.c)
list(APPEND host_sources user/faulttext.c user/sweep.c)
