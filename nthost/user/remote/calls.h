// SPDX-License-Identifier: MIT
// nthost.h's files and requests, of a kernel in a child.
#pragma once
#include "nthost/user/nthost.h"

nt_status remote_open_for(const char *path, unsigned access, nt_file **file);
void remote_close(nt_file *file);
nt_status remote_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                size_t out_length, size_t *returned);
nt_request *remote_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                        void *out, size_t out_length);
bool remote_request_wait(nt_request *request, int64_t timeout_us);
void remote_request_cancel(nt_request *request);
nt_status remote_request_end(nt_request *request, size_t *returned);
