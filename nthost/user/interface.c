// SPDX-License-Identifier: MIT
#include "nthost/pnp/pnp.h"
#include "nthost/user/user.h"

enum { USER_LINK_MAX = 400 };

void local_interfaces(const uint8_t guid[16], nt_interface_visitor *visitor, void *context)
{
    GUID class;
    PWSTR list;
    KiEnter();
    RtlCopyMemory(&class, guid, sizeof class);
    if (!NT_SUCCESS(PnpListInterfaces(&class, NULL, FALSE, &list))) {
        return;
    }
    for (PWSTR at = list; *at != 0;) {
        char link[USER_LINK_MAX];
        UNICODE_STRING one;
        RtlInitUnicodeString(&one, at);
        user_narrow(&one, link, sizeof link);
        visitor(context, link);
        at += one.MaximumLength / sizeof(WCHAR);
    }
    ExFreePool(list);
}

static VOID deliver(PVOID routine, PVOID context, PCUNICODE_STRING wide, BOOLEAN enabled)
{
    char link[USER_LINK_MAX];
    user_narrow(wide, link, sizeof link);
    ((nt_interface_event *)routine)(context, link, enabled);
}

int local_interface_subscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    GUID class;
    KiEnter();
    RtlCopyMemory(&class, guid, sizeof class);
    return user_errno(PnpSubscribe(&class, deliver, (PVOID)event, context));
}

void local_interface_unsubscribe(const uint8_t guid[16], nt_interface_event *event, void *context)
{
    GUID class;
    KiEnter();
    RtlCopyMemory(&class, guid, sizeof class);
    PnpUnsubscribe(&class, (PVOID)event, context);
}
