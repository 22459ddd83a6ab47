// SPDX-License-Identifier: MIT
// nthost.h: every call goes to the side that was booted.
#include <errno.h>

#include "nthost/user/side.h"

static const struct user_side *side = &user_local;
static bool booted;

int nt_boot(const struct nt_options *options)
{
    const struct user_side *wanted = options->host != NULL ? &user_remote : &user_local;
    if (booted) {
        return -EALREADY;
    }
    int error = wanted->boot(options);
    if (error == 0) {
        side = wanted;
        booted = true;
    }
    return error;
}

void nt_shutdown(void)
{
    side->shutdown();
    booted = false;
}

bool nt_alive(void)
{
    return side->alive();
}

nt_status nt_open(const char *path, nt_file **file)
{
    return side->open_for(path, NT_ACCESS_READ | NT_ACCESS_WRITE, file);
}

int nt_service_add(const struct nt_service *service)
{
    return side->service_add(service);
}

int nt_service_add_image(const struct nt_service *service, const char *image, char *report,
                         size_t report_size)
{
    return side->service_add_image(service, image, report, report_size);
}

int nt_registry_set_dword(const char *key, const char *name, uint32_t value)
{
    return side->registry_set_dword(key, name, value);
}

int nt_registry_set_string(const char *key, const char *name, const char *value)
{
    return side->registry_set_string(key, name, value);
}

int nt_registry_set_binary(const char *key, const char *name, const void *data, size_t length)
{
    return side->registry_set_binary(key, name, data, length);
}

int nt_service_counts(const char *service, struct nt_routine_count *rows, size_t capacity)
{
    return side->service_counts(service, rows, capacity);
}

uint64_t nt_irp_count(void)
{
    return side->irp_count();
}

size_t nt_events(nt_event_visitor *visitor, void *context)
{
    return side->events(visitor, context);
}

int nt_root_device_add(const char *hardware_id, char instance[NT_ID_MAX])
{
    return side->root_device_add(hardware_id, instance);
}

void nt_devices(nt_device_visitor *visitor, void *context)
{
    side->devices(visitor, context);
}

nt_status nt_device_remove(const char *instance)
{
    return side->device_remove(instance);
}

nt_status nt_device_stop(const char *instance)
{
    return side->device_stop(instance);
}

nt_status nt_device_start(const char *instance)
{
    return side->device_start(instance);
}

void nt_device_surprise_remove(const char *instance)
{
    side->device_surprise_remove(instance);
}

void nt_pnp_wait(void)
{
    side->pnp_wait();
}

void nt_interfaces(const uint8_t guid[16], nt_interface_visitor *visitor, void *context)
{
    side->interfaces(guid, visitor, context);
}

int nt_interface_subscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    return side->interface_subscribe(guid, event, context);
}

void nt_interface_unsubscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    side->interface_unsubscribe(guid, event, context);
}

nt_status nt_open_for(const char *path, unsigned access, nt_file **file)
{
    return side->open_for(path, access, file);
}

void nt_close(nt_file *file)
{
    side->close(file);
}

nt_status nt_device_control(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                            size_t out_length, size_t *returned)
{
    return side->device_control(file, code, in, in_length, out, out_length, returned);
}

nt_request *nt_device_control_begin(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length)
{
    return side->device_control_begin(file, code, in, in_length, out, out_length);
}

nt_request *nt_device_control_start(nt_file *file, uint32_t code, const void *in, size_t in_length, void *out,
                                    size_t out_length)
{
    return side->device_control_start(file, code, in, in_length, out, out_length);
}

bool nt_request_wait(nt_request *request, int64_t timeout_us)
{
    return side->request_wait(request, timeout_us);
}

void nt_request_cancel(nt_request *request)
{
    side->request_cancel(request);
}

nt_status nt_request_end(nt_request *request, size_t *returned)
{
    return side->request_end(request, returned);
}

nt_status nt_system_power(enum nt_system_power state)
{
    return side->system_power(state);
}

uint64_t nt_now_us(void)
{
    return side->now_us();
}

void nt_sleep_us(uint64_t microseconds)
{
    side->sleep_us(microseconds);
}
