// SPDX-License-Identifier: MIT
// A PC/SC client under clients.sh: readers "First" (card t1), "Second" (t0), "Third" (empty).
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <winscard.h>
#include <reader.h>

#include "rig/control.h"
#include "tests/support/hosttest.h"

enum { PATIENCE_MS = 20000 };

#define FIRST  "First 00 00"
#define SECOND "Second 01 00"
#define THIRD  "Third 02 00"

static SCARDCONTEXT context;

static int establish(void **state)
{
    (void)state;
    return SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) == SCARD_S_SUCCESS ? 0 : -1;
}

static int release(void **state)
{
    (void)state;
    return SCardReleaseContext(context) == SCARD_S_SUCCESS ? 0 : -1;
}

static void ask(const char *request)
{
    cJSON *reply = NULL;
    assert_int_equal(rig_control_ask(getenv(RIG_CONTROL_VARIABLE), request, &reply), 0);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok")));
    cJSON_Delete(reply);
}

// Readers are numbered by the bus in the order of reader.conf.
static void move(const char *verb, int index, const char *rest)
{
    char request[128];
    cJSON *reply = NULL;
    assert_int_equal(rig_control_ask(getenv(RIG_CONTROL_VARIABLE), "list", &reply), 0);
    const cJSON *reader = cJSON_GetArrayItem(cJSON_GetObjectItem(reply, "readers"), index);
    const cJSON *number = cJSON_GetObjectItem(reader, "reader");
    assert_true(cJSON_IsNumber(number));
    (void)snprintf(request, sizeof request, "%s %d%s", verb, number->valueint, rest);
    cJSON_Delete(reply);
    ask(request);
}

static void await(const char *reader, DWORD wanted)
{
    SCARD_READERSTATE now = {.szReader = reader, .dwCurrentState = SCARD_STATE_UNAWARE};
    do {
        assert_int_equal(SCardGetStatusChange(context, PATIENCE_MS, &now, 1), SCARD_S_SUCCESS);
        now.dwCurrentState = now.dwEventState;
    } while ((now.dwEventState & wanted) == 0);
}

static SCARDHANDLE connect_card(const char *reader, DWORD expected_protocol)
{
    SCARDHANDLE card;
    DWORD protocol;
    assert_int_equal(SCardConnect(context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                                  &card, &protocol),
                     SCARD_S_SUCCESS);
    assert_int_equal(protocol, expected_protocol);
    return card;
}

static LONG transmit(SCARDHANDLE card, DWORD protocol, const BYTE *command, DWORD length, BYTE reply[258])
{
    DWORD room = 258;
    return SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1, command, length,
                         NULL, reply, &room);
}

static void select_mf(SCARDHANDLE card, DWORD protocol)
{
    static const BYTE command[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    BYTE reply[258];
    assert_int_equal(transmit(card, protocol, command, sizeof command, reply), SCARD_S_SUCCESS);
    assert_int_equal(reply[0], 0x90);
}

static void test_two_cards(void **state)
{
    (void)state;
    SCARDHANDLE first = connect_card(FIRST, SCARD_PROTOCOL_T1);
    SCARDHANDLE second = connect_card(SECOND, SCARD_PROTOCOL_T0);
    select_mf(first, SCARD_PROTOCOL_T1);
    select_mf(second, SCARD_PROTOCOL_T0);
    assert_int_equal(SCardDisconnect(first, SCARD_RESET_CARD), SCARD_S_SUCCESS);
    assert_int_equal(SCardDisconnect(second, SCARD_UNPOWER_CARD), SCARD_S_SUCCESS);
}

static void test_attributes(void **state)
{
    BYTE text[64], atr[MAX_ATR_SIZE];
    DWORD length = sizeof text;
    (void)state;
    SCARDHANDLE card = connect_card(FIRST, SCARD_PROTOCOL_T1);
    assert_int_equal(SCardGetAttrib(card, SCARD_ATTR_VENDOR_NAME, text, &length), SCARD_S_SUCCESS);
    assert_string_equal((char *)text, "Lectern");
    length = sizeof atr;
    assert_int_equal(SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, atr, &length), SCARD_S_SUCCESS);
    assert_int_equal(atr[0], 0x3B);
    length = sizeof text;
    assert_int_equal(SCardGetAttrib(card, 0x0007A123, text, &length), SCARD_E_UNSUPPORTED_FEATURE);
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

static void test_insert_and_eject(void **state)
{
    (void)state;
    await(THIRD, SCARD_STATE_EMPTY);
    move("insert", 2, " 0 t1");
    await(THIRD, SCARD_STATE_PRESENT);
    SCARDHANDLE card = connect_card(THIRD, SCARD_PROTOCOL_T1);
    select_mf(card, SCARD_PROTOCOL_T1);
    move("eject", 2, " 0");
    await(THIRD, SCARD_STATE_EMPTY);
    assert_int_equal(
        SCardReconnect(card, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, SCARD_RESET_CARD, &(DWORD){0}),
        SCARD_E_NO_SMARTCARD);
    (void)SCardDisconnect(card, SCARD_LEAVE_CARD);
}

static void *eject_soon(void *unused)
{
    (void)unused;
    const struct timespec half_a_second = {.tv_nsec = 500000000};
    (void)nanosleep(&half_a_second, NULL);
    move("eject", 0, " 0");
    return NULL;
}

static void test_removal_in_slow_command(void **state)
{
    static const BYTE slow_minute[] = {0x80, 0x10, 0x02, 0x58};
    BYTE reply[258];
    pthread_t thread;
    (void)state;
    SCARDHANDLE card = connect_card(FIRST, SCARD_PROTOCOL_T1);
    time_t start = time(NULL);
    assert_int_equal(pthread_create(&thread, NULL, eject_soon, NULL), 0);
    LONG result = transmit(card, SCARD_PROTOCOL_T1, slow_minute, sizeof slow_minute, reply);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(result == SCARD_E_NO_SMARTCARD || result == SCARD_W_REMOVED_CARD);
    assert_true(time(NULL) - start < 30); // the card itself would have taken a minute
    await(FIRST, SCARD_STATE_EMPTY);
    (void)SCardDisconnect(card, SCARD_LEAVE_CARD);
    move("insert", 0, " 0 t1");
    await(FIRST, SCARD_STATE_PRESENT);
    card = connect_card(FIRST, SCARD_PROTOCOL_T1);
    select_mf(card, SCARD_PROTOCOL_T1);
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

static void test_unplug(void **state)
{
    static const BYTE command[] = {0x00, 0xA4, 0x00, 0x0C, 0x02, 0x3F, 0x00};
    BYTE reply[258];
    (void)state;
    SCARDHANDLE card = connect_card(SECOND, SCARD_PROTOCOL_T0);
    move("unplug", 1, "");
    LONG result = transmit(card, SCARD_PROTOCOL_T0, command, sizeof command, reply);
    // The latter when pcscd's event thread noticed first.
    assert_true(result == SCARD_E_READER_UNAVAILABLE || result == SCARD_W_REMOVED_CARD);
    (void)SCardDisconnect(card, SCARD_LEAVE_CARD);
    // pcscd takes readers of reader.conf off its list only at its end; until then this one is unavailable.
    await(SECOND, SCARD_STATE_UNAVAILABLE);
    assert_int_not_equal(
        SCardConnect(context, SECOND, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, &card, &(DWORD){0}),
        SCARD_S_SUCCESS);
    card = connect_card(FIRST, SCARD_PROTOCOL_T1); // the other readers are served on
    select_mf(card, SCARD_PROTOCOL_T1);
    assert_int_equal(SCardDisconnect(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_cards),        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_insert_and_eject), cmocka_unit_test(test_removal_in_slow_command),
        cmocka_unit_test(test_unplug),
    };
    return cmocka_run_group_tests(tests, establish, release);
}
