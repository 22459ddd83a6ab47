// SPDX-License-Identifier: MIT
// `expect`: what a statement's status and answer must be.
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <string.h>

static bool is_status(const char *word)
{
    return word != NULL && strncmp(word, "STATUS_", 7) == 0;
}

static bool take_status(struct scn_parser *parser, struct scn_expect *expect)
{
    const char *word = scn_take(parser);
    if (!is_status(word)) {
        return scn_refuse(parser, "after `or` stands another STATUS_..., not '%s'", word != NULL ? word : "");
    }
    if (expect->status_count == SCN_STATUSES_MAX) {
        return scn_refuse(parser, "more than %d statuses", SCN_STATUSES_MAX);
    }
    if (!rig_status_named(word, &expect->statuses[expect->status_count])) {
        return scn_refuse(parser, "no status '%s'; one without a name here is written STATUS_0xC0000001",
                          word);
    }
    expect->status_count++;
    return true;
}

static bool take_number(struct scn_parser *parser, struct scn_expect *expect)
{
    uint64_t number;
    expect->kind = SCN_NUMBER;
    if (!scn_take_number(parser, "the expected value", UINT32_MAX, &number)) {
        return false;
    }
    expect->number = (uint32_t)number;
    return true;
}

static bool take_value(struct scn_parser *parser, const struct scn_name *names, struct scn_expect *expect)
{
    const char *word = scn_peek(parser);
    if (names != NULL) {
        expect->kind = SCN_NUMBER;
        return scn_take_name(parser, names, "what is expected", &expect->number);
    }
    if (word[0] == '"') {
        expect->kind = SCN_TEXT;
        return scn_take_text(parser, "what is expected", &expect->text);
    }
    if (scn_take_word(parser, "number")) {
        return take_number(parser, expect);
    }
    expect->kind = SCN_BYTES;
    return scn_take_bytes(parser, &expect->bytes);
}

bool scn_take_expect(struct scn_parser *parser, struct scn_statement *statement)
{
    struct scn_expect *expect = &statement->expect;
    if (!scn_take_word(parser, "expect")) {
        return true;
    }
    if (scn_peek(parser) == NULL) {
        return scn_refuse(parser, "`expect` what? A STATUS_..., a value or both");
    }
    if (is_status(scn_peek(parser))) {
        do {
            if (!take_status(parser, expect)) {
                return false;
            }
        } while (scn_take_word(parser, "or"));
    }
    return scn_peek(parser) == NULL || take_value(parser, statement->verb->values, expect);
}

// ---- checking ----

static bool status_expected(const struct scn_expect *expect, nt_status status)
{
    if (expect->status_count == 0) {
        return rig_status_ok(status);
    }
    for (size_t i = 0; i < expect->status_count; i++) {
        if (expect->statuses[i] == status) {
            return true;
        }
    }
    return false;
}

static void list_statuses(const struct scn_expect *expect, char *text, size_t size)
{
    char buffer[16];
    size_t at = (size_t)snprintf(text, size, "%s", expect->status_count == 0 ? "success" : "");
    for (size_t i = 0; i < expect->status_count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : " or ",
                               rig_status_name(expect->statuses[i], buffer));
    }
}

static bool number_equals(const struct scn_result *result, uint32_t number)
{
    uint32_t value = 0;
    for (size_t i = 0; i < result->length && i < sizeof value; i++) {
        value |= (uint32_t)result->bytes[i] << 8 * i;
    }
    return result->length != 0 && result->length <= sizeof value && value == number;
}

static bool value_expected(const struct scn_expect *expect, const struct scn_result *result)
{
    switch (expect->kind) {
    case SCN_BYTES:
        return scn_pattern_matches(&expect->bytes, result->bytes, result->length);
    case SCN_TEXT:
        return strlen(expect->text) == result->length &&
               (result->length == 0 || memcmp(expect->text, result->bytes, result->length) == 0);
    case SCN_NUMBER:
        return number_equals(result, expect->number);
    default:
        return true;
    }
}

static const char *name_of(const struct scn_name *names, uint32_t number)
{
    for (; names != NULL && names->name != NULL; names++) {
        if (names->value == number) {
            return names->name;
        }
    }
    return NULL;
}

static void print_expected(const struct scn_statement *statement, char *text, size_t size)
{
    const struct scn_expect *expect = &statement->expect;
    const char *name = name_of(statement->verb->values, expect->number);
    if (expect->kind == SCN_BYTES) {
        scn_pattern_print(&expect->bytes, text, size);
    } else if (expect->kind == SCN_TEXT) {
        (void)snprintf(text, size, "\"%s\"", expect->text);
    } else if (name != NULL) {
        (void)snprintf(text, size, "%s", name);
    } else {
        (void)snprintf(text, size, "%u", expect->number);
    }
}

static void print_result(const struct scn_statement *statement, const struct scn_result *result, char *text,
                         size_t size)
{
    const struct scn_name *names = statement->verb->values;
    for (; names != NULL && names->name != NULL; names++) {
        if (number_equals(result, names->value)) {
            (void)snprintf(text, size, "%s", names->name);
            return;
        }
    }
    scn_bytes_print(result->bytes, result->length, text, size);
}

static void fail_value(struct scn_run *run, const struct scn_statement *statement,
                       const struct scn_result *result)
{
    char expected[400], actual[400];
    print_expected(statement, expected, sizeof expected);
    print_result(statement, result, actual, sizeof actual);
    scn_fail(run, statement, "answered %s, expected %s", actual[0] != '\0' ? actual : "nothing", expected);
}

// A reader that was pulled out on purpose may only say that it is gone, whatever the scenario expects of it.
static void check_pulled(struct scn_run *run, const struct scn_statement *statement, nt_status status)
{
    char buffer[16];
    if (!rig_status_gone(status)) {
        scn_fail(run, statement, "%s from a reader that is unplugged", rig_status_name(status, buffer));
    }
}

void scn_check(struct scn_run *run, const struct scn_statement *statement, const struct scn_reader *reader,
               const struct scn_result *result)
{
    char buffer[16], expected[200];
    if (reader != NULL && reader->pulled) {
        check_pulled(run, statement, result->status);
    } else if (!status_expected(&statement->expect, result->status)) {
        list_statuses(&statement->expect, expected, sizeof expected);
        scn_fail(run, statement, "%s, expected %s", rig_status_name(result->status, buffer), expected);
    } else if (rig_status_ok(result->status) && !value_expected(&statement->expect, result)) {
        fail_value(run, statement, result);
    }
}

void scn_check_status(struct scn_run *run, const struct scn_statement *statement,
                      const struct scn_reader *reader, nt_status status)
{
    const struct scn_result result = {.status = status};
    scn_check(run, statement, reader, &result);
}
