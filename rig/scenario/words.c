// SPDX-License-Identifier: MIT
// Taking a line's words one by one. A quoted text is one word that keeps its opening quote.
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scn_refuse(struct scn_parser *parser, const char *format, ...)
{
    va_list arguments;
    int length = snprintf(parser->error, parser->error_size, "%s:%u: ", parser->file, parser->line);
    if (length >= 0 && (size_t)length < parser->error_size) {
        va_start(arguments, format);
        // clang-tidy 14 does not see the va_start above. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
        (void)vsnprintf(parser->error + length, parser->error_size - (size_t)length, format, arguments);
        va_end(arguments);
    }
    return false;
}

const char *scn_peek(const struct scn_parser *parser)
{
    return parser->at < parser->count ? parser->words[parser->at] : NULL;
}

const char *scn_take(struct scn_parser *parser)
{
    return parser->at < parser->count ? parser->words[parser->at++] : NULL;
}

bool scn_take_word(struct scn_parser *parser, const char *word)
{
    const char *next = scn_peek(parser);
    if (next == NULL || strcmp(next, word) != 0) {
        return false;
    }
    parser->at++;
    return true;
}

bool scn_take_name(struct scn_parser *parser, const struct scn_name *names, const char *what, uint32_t *value)
{
    char list[768];
    const char *word = scn_take(parser);
    const struct scn_name *found = word != NULL ? scn_name_find(names, word) : NULL;
    if (found == NULL) {
        scn_name_list(names, list, sizeof list);
        return scn_refuse(parser, "%s is %s, not '%s'", what, list, word != NULL ? word : "");
    }
    *value = found->value;
    return true;
}

bool scn_take_number(struct scn_parser *parser, const char *what, uint64_t most, uint64_t *number)
{
    const char *word = scn_take(parser);
    if (word == NULL || !scn_number(word, most, number)) {
        return scn_refuse(parser, "%s is a number up to %llu, not '%s'", what, (unsigned long long)most,
                          word != NULL ? word : "");
    }
    return true;
}

bool scn_take_identifier(struct scn_parser *parser, const char *what, char name[SCN_NAME_MAX])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *word = scn_take(parser);
    size_t length = word != NULL ? strlen(word) : 0;
    if (length == 0 || length >= SCN_NAME_MAX || strspn(word, letters) != length) {
        return scn_refuse(parser, "%s is a name of letters, digits, - and _, not '%s'", what,
                          word != NULL ? word : "");
    }
    memcpy(name, word, length + 1);
    return true;
}

bool scn_take_text(struct scn_parser *parser, const char *what, char **text)
{
    const char *word = scn_take(parser);
    if (word == NULL || word[0] != '"') {
        return scn_refuse(parser, "%s is a text in double quotes, not '%s'", what, word != NULL ? word : "");
    }
    *text = strdup(word + 1);
    return *text != NULL || scn_refuse(parser, "out of memory");
}

static bool ends_bytes(const char *word)
{
    return word == NULL || strcmp(word, "expect") == 0 || strcmp(word, "or") == 0;
}

bool scn_take_bytes(struct scn_parser *parser, struct scn_pattern *pattern)
{
    while (!ends_bytes(scn_peek(parser))) {
        const char *word = scn_take(parser);
        const char *wrong = scn_pattern_add(pattern, word);
        if (wrong != NULL) {
            return scn_refuse(parser, "'%.40s': %s", word, wrong);
        }
    }
    return true;
}

bool scn_take_in(struct scn_parser *parser, struct scn_statement *statement)
{
    struct scn_pattern pattern = {NULL, 0};
    bool taken = scn_take_bytes(parser, &pattern);
    if (taken) {
        statement->in = scn_pattern_bytes(&pattern);
        statement->in_length = pattern.length;
        taken = statement->in != NULL || scn_refuse(parser, "bytes that are sent have no .. in them");
    }
    free(pattern.items);
    return taken;
}
