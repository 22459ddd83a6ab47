# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  ke/baton.c ke/boot.c ke/bugcheck.c ke/clock.c ke/devqueue.c ke/dispatch.c ke/dpc.c ke/event.c ke/explore.c ke/irql.c ke/mutant.c ke/real.c ke/semaphore.c
  ke/spinlock.c ke/thread.c ke/timer.c ke/virtual.c ke/wait.c)
