// SPDX-License-Identifier: MIT
// UTF-8 in, UTF-16 within, UTF-8 out.
#include "nthost/user/user.h"
#include "tests/nthost/io/fixture.h"

static void RoundTrips(void)
{
    static const char *const texts[] = {"plain", "h\xC3\xA9llo", "\xE2\x82\xAC", "\xF0\x9F\x92\xB3 card"};
    for (ULONG i = 0; i < RTL_NUMBER_OF(texts); i++) {
        WCHAR buffer[32];
        char back[32];
        UNICODE_STRING wide;
        CHECK(user_widen(texts[i], buffer, 32, &wide));
        CHECK_EQ(buffer[wide.Length / sizeof(WCHAR)], 0);
        user_narrow(&wide, back, sizeof back);
        CHECK(TestFind(back, texts[i]) == back && TestFind(texts[i], back) == texts[i]);
    }
}

static void MalformedIsRefused(void)
{
    static const char *const texts[] = {"\x80",
                                        "\xC3",
                                        "\xC0\x80",
                                        "\xE0\x80\x80",
                                        "\xED\xA0\x80",
                                        "\xF8\x88\x80\x80\x80",
                                        "\xF4\x90\x80\x80",
                                        "a\xFF"};
    for (ULONG i = 0; i < RTL_NUMBER_OF(texts); i++) {
        WCHAR buffer[32];
        UNICODE_STRING wide;
        CHECK(!user_widen(texts[i], buffer, 32, &wide));
    }
}

static void LongTextIsCutOrRefused(void)
{
    WCHAR buffer[4];
    char text[5];
    UNICODE_STRING wide;
    CHECK(!user_widen("abcd", buffer, 4, &wide));
    CHECK(user_widen("ab", buffer, 4, &wide));
    buffer[0] = buffer[1] = 0x20AC;
    user_narrow(&wide, text, sizeof text);
    CHECK(TestFind(text, "\xE2\x82\xAC") == text);
    CHECK_EQ(text[3], 0);
}

const struct WdmTest WdmTests[] = {
    {"round trips", RoundTrips},
    {"malformed text is refused", MalformedIsRefused},
    {"long text is cut or refused", LongTextIsCutOrRefused},
    {NULL, NULL},
};
void (*const WdmTestSetup)(void) = NULL;
void (*const WdmTestTeardown)(void) = NULL;
