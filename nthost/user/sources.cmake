# SPDX-License-Identifier: MIT
list(APPEND wdm_sources user/boot.c user/device.c user/file.c user/interface.c user/registry.c user/text.c)
list(APPEND host_sources user/explore.c user/faulttext.c user/scheduletext.c user/front.c user/sweep.c
  user/remote/wire.c user/remote/child.c user/remote/client.c user/remote/calls.c user/remote/files.c
  user/remote/serve.c user/remote/answer.c user/remote/requests.c user/remote/confine.c user/remote/filter.c)
