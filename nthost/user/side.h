// SPDX-License-Identifier: MIT
// One interface and two ways to the kernel behind it: in this process, and in a child without rights.
#pragma once
#include "nthost/user/nthost.h"

// Each does what nthost.h says of its namesake.
struct user_side {
    int (*boot)(const struct nt_options *options);
    void (*shutdown)(void);
    bool (*alive)(void);
    int (*service_add)(const struct nt_service *service);
    int (*service_add_image)(const struct nt_service *service, const char *image, char *report,
                             size_t report_size);
    int (*registry_set_dword)(const char *key, const char *name, uint32_t value);
    int (*registry_set_string)(const char *key, const char *name, const char *value);
    int (*registry_set_binary)(const char *key, const char *name, const void *data, size_t length);
    int (*service_counts)(const char *service, struct nt_routine_count *rows, size_t capacity);
    uint64_t (*irp_count)(void);
    size_t (*events)(nt_event_visitor *visitor, void *context);
    int (*root_device_add)(const char *hardware_id, char instance[NT_ID_MAX]);
    void (*devices)(nt_device_visitor *visitor, void *context);
    nt_status (*device_remove)(const char *instance);
    nt_status (*device_stop)(const char *instance);
    nt_status (*device_start)(const char *instance);
    void (*device_surprise_remove)(const char *instance);
    void (*pnp_wait)(void);
    void (*interfaces)(const uint8_t guid[16], nt_interface_visitor *visitor, void *context);
    int (*interface_subscribe)(const uint8_t guid[16], nt_interface_event *event, void *context);
    void (*interface_unsubscribe)(const uint8_t guid[16], nt_interface_event *event, void *context);
    nt_status (*open_for)(const char *path, unsigned access, nt_file **file);
    void (*close)(nt_file *file);
    nt_status (*device_control)(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                size_t out_length, size_t *returned);
    nt_request *(*device_control_begin)(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                        void *out, size_t out_length);
    nt_request *(*device_control_start)(nt_file *file, uint32_t code, const void *in, size_t in_length,
                                        void *out, size_t out_length);
    bool (*request_wait)(nt_request *request, int64_t timeout_us);
    void (*request_cancel)(nt_request *request);
    nt_status (*request_end)(nt_request *request, size_t *returned);
    nt_status (*system_power)(enum nt_system_power state);
    uint64_t (*now_us)(void);
    void (*sleep_us)(uint64_t microseconds);
};

extern const struct user_side user_local, user_remote;
