# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  io/build.c io/call.c io/cancel.c io/control.c io/csq.c io/device.c io/devicetimer.c io/driver.c io/driverext.c io/errorlog.c io/file.c
  io/irp.c io/mdl.c io/misc.c io/removelock.c io/sequence.c io/shutdown.c io/symlink.c io/track.c io/verify.c io/workitem.c)
