// SPDX-License-Identifier: MIT
// pcscd's log. Its function is exported by the daemon, so it is missing when a test loads the handler by
// itself.
#pragma once
#include <debuglog.h>

#pragma weak log_msg
#define IFD_LOG(priority, ...)                                                                               \
    do {                                                                                                     \
        if (log_msg != NULL) {                                                                               \
            log_msg(priority, __VA_ARGS__);                                                                  \
        }                                                                                                    \
    } while (0)
#define IFD_INFO(...)  IFD_LOG(PCSC_LOG_INFO, __VA_ARGS__)
#define IFD_ERROR(...) IFD_LOG(PCSC_LOG_CRITICAL, __VA_ARGS__)
