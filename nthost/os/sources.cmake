# SPDX-License-Identifier: MIT
list(APPEND host_sources os/child.c os/clock.c os/context.c os/futex.c os/memory.c os/report.c os/stack.c os/thread.c)
