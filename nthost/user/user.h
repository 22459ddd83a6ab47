// SPDX-License-Identifier: MIT
// Inside the user side: text in, text out.
#pragma once
#include "nthost/io/io.h"
#include "nthost/user/nthost.h"

// The host's numbers: errno.h is mingw-w64's here.
enum {
    USER_ENOENT = 2,
    USER_ENOEXEC = 8,
    USER_ENOMEM = 12,
    USER_EEXIST = 17,
    USER_EINVAL = 22,
    USER_EALREADY = 114
};

// UTF-8 to UTF-16 in a buffer of the caller's; FALSE: too long or malformed. The result is terminated.
BOOLEAN user_widen(const char *text, WCHAR *buffer, unsigned characters, UNICODE_STRING *wide);
// UTF-16 to UTF-8, cut where the buffer ends, always terminated.
void user_narrow(PCUNICODE_STRING wide, char *text, size_t size);
int user_errno(NTSTATUS status);

// nthost.h in this process: what side.h calls user_local.
int local_boot(const struct nt_options *options);
void local_shutdown(void);
bool local_alive(void);
int local_service_add(const struct nt_service *service);
int local_service_add_image(const struct nt_service *service, const char *image, char *report,
                            size_t report_size);
int local_registry_set_dword(const char *key, const char *name, uint32_t value);
int local_registry_set_string(const char *key, const char *name, const char *value);
int local_registry_set_binary(const char *key, const char *name, const void *data, size_t length);
int local_service_counts(const char *service, struct nt_routine_count *rows, size_t capacity);
uint64_t local_irp_count(void);
size_t local_events(nt_event_visitor *visitor, void *context);
int local_root_device_add(const char *hardware_id, char instance[NT_ID_MAX]);
void local_devices(nt_device_visitor *visitor, void *context);
nt_status local_device_remove(const char *instance);
nt_status local_device_stop(const char *instance);
nt_status local_device_start(const char *instance);
void local_device_surprise_remove(const char *instance);
void local_pnp_wait(void);
void local_interfaces(const uint8_t guid[16], nt_interface_visitor *visitor, void *context);
int local_interface_subscribe(const uint8_t guid[16], nt_interface_event *event, void *context);
void local_interface_unsubscribe(const uint8_t guid[16], nt_interface_event *event, void *context);
nt_status local_open_for(const char *path, unsigned access, nt_file **file);
void local_close(nt_file *file);
nt_status local_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                               size_t out_length, size_t *returned);
nt_request *local_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                       void *out, size_t out_length);
nt_request *local_device_control_start(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                       void *out, size_t out_length);
bool local_request_wait(nt_request *request, int64_t timeout_us);
void local_request_cancel(nt_request *request);
nt_status local_request_end(nt_request *request, size_t *returned);
nt_status local_system_power(enum nt_system_power state);
uint64_t local_now_us(void);
void local_sleep_us(uint64_t microseconds);
