// SPDX-License-Identifier: MIT
// From text to statements.
#define _DEFAULT_SOURCE // strsep, strdup
#include "rig/scenario/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 };

// ---- one line into words ----

// The end of the word that starts at `text`, NULL: a quote is not closed.
static char *word_end(char *text)
{
    return text[0] == '"' ? strchr(text + 1, '"') : text + strcspn(text, " \t\r");
}

// Words point into the line, which is cut up.
static bool split(struct scn_parser *parser, char *line)
{
    static const char spaces[] = " \t\r";
    for (char *at = line + strspn(line, spaces); *at != '\0' && *at != '#'; at += strspn(at, spaces)) {
        char *end = word_end(at);
        if (end == NULL) {
            return scn_refuse(parser, "a text has no closing quote");
        }
        parser->words[parser->count++] = at;
        at = end;
        if (*at != '\0') {
            *at++ = '\0';
        }
    }
    return true;
}

// ---- one statement ----

static const struct scn_verb *find_verb(const char *word)
{
    for (size_t i = 0; word != NULL && i < scn_verb_count; i++) {
        if (strcmp(scn_verbs[i].name, word) == 0) {
            return &scn_verbs[i];
        }
    }
    return NULL;
}

// "NAME:", "NAME/SLOT:" or "/SLOT:" before the verb
static bool take_target(struct scn_parser *parser, struct scn_statement *statement)
{
    const char *word = scn_peek(parser);
    size_t length = strlen(word);
    if (length < 2 || word[length - 1] != ':') {
        return true;
    }
    parser->at++;
    size_t name = strcspn(word, "/:");
    uint64_t slot = 0;
    char digits[4] = "0";
    if (word[name] == '/' && length - name - 2 < sizeof digits) {
        memcpy(digits, word + name + 1, length - name - 2);
        digits[length - name - 2] = '\0';
    }
    if (name >= SCN_NAME_MAX || !scn_number(digits, EMU_SLOTS_MAX - 1, &slot) ||
        (word[name] == '/' && length - name - 2 >= sizeof digits)) {
        return scn_refuse(parser, "'%s' is not READER: or READER/SLOT: with a slot up to %d", word,
                          EMU_SLOTS_MAX - 1);
    }
    memcpy(statement->reader, word, name);
    statement->slot = (unsigned)slot;
    return scn_peek(parser) != NULL || scn_refuse(parser, "'%s' what? A statement follows", word);
}

static bool take_start(struct scn_parser *parser, struct scn_statement *statement)
{
    if (!scn_take_word(parser, "start")) {
        return true;
    }
    statement->overlapped = true;
    return !scn_take_word(parser, "as") || scn_take_identifier(parser, "the request", statement->name);
}

static bool refuse_verb(struct scn_parser *parser, const char *word)
{
    char list[512];
    size_t at = 0;
    for (size_t i = 0; i < scn_verb_count && at < sizeof list; i++) {
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", scn_verbs[i].name);
    }
    return scn_refuse(parser, "no statement '%s'; there are %s", word != NULL ? word : "", list);
}

static bool check_use(struct scn_parser *parser, const struct scn_statement *statement, bool targeted)
{
    const struct scn_verb *verb = statement->verb;
    if (statement->overlapped && verb->kind != SCN_REQUEST) {
        return scn_refuse(parser, "`%s` cannot be started, only what waits for a card can", verb->name);
    }
    if (targeted && verb->kind == SCN_PLAIN) {
        return scn_refuse(parser, "`%s` takes no READER:", verb->name);
    }
    if (statement->overlapped && statement->expect.status_count + statement->expect.kind != 0) {
        return scn_refuse(parser, "what a started request shall answer stands at its `wait` or `join`");
    }
    return true;
}

static bool parse_statement(struct scn_parser *parser, struct scn_statement *statement)
{
    if (!take_target(parser, statement)) {
        return false;
    }
    bool targeted = parser->at != 0;
    if (!take_start(parser, statement)) {
        return false;
    }
    const char *word = scn_take(parser);
    statement->verb = find_verb(word);
    if (statement->verb == NULL) {
        return refuse_verb(parser, word);
    }
    if (!statement->verb->parse(parser, statement) ||
        (statement->verb->expects && !scn_take_expect(parser, statement))) {
        return false;
    }
    if (scn_peek(parser) != NULL) {
        return scn_refuse(parser, "'%s' is not understood here; it is written: %s%s", scn_peek(parser),
                          statement->verb->form, statement->verb->expects ? " [expect ...]" : "");
    }
    return check_use(parser, statement, targeted);
}

// ---- the whole ----

static bool parse_line(struct scn_parser *parser, struct rig_scenario *scenario, char *line)
{
    char *source = strdup(line);
    char **words = calloc(strlen(line) / 2 + 1, sizeof *words);
    struct scn_statement *statements =
        realloc(scenario->statements, (scenario->count + 1) * sizeof *statements);
    bool right = source != NULL && words != NULL && statements != NULL;
    if (!right) {
        (void)scn_refuse(parser, "out of memory");
    }
    if (statements != NULL) {
        scenario->statements = statements;
    }
    parser->words = words;
    parser->count = parser->at = 0;
    right = right && split(parser, line);
    if (right && parser->count != 0) {
        struct scn_statement *statement = &scenario->statements[scenario->count++];
        *statement = (struct scn_statement){.line = parser->line, .source = source};
        source = NULL;
        right = parse_statement(parser, statement);
    }
    free(words);
    free(source);
    return right;
}

static bool is_verb(const struct scn_statement *statement, const char *name)
{
    return strcmp(statement->verb->name, name) == 0;
}

static bool match_blocks(struct scn_parser *parser, struct rig_scenario *scenario)
{
    size_t open[DEPTH_MAX], depth = 0;
    for (size_t i = 0; i < scenario->count; i++) {
        struct scn_statement *statement = &scenario->statements[i];
        parser->line = statement->line;
        if (is_verb(statement, "repeat")) {
            if (depth == DEPTH_MAX) {
                return scn_refuse(parser, "more than %d blocks within each other", DEPTH_MAX);
            }
            open[depth++] = i;
        } else if (is_verb(statement, "end")) {
            if (depth == 0) {
                return scn_refuse(parser, "`end` without `repeat`");
            }
            statement->other_end = open[--depth];
            scenario->statements[statement->other_end].other_end = i;
        }
    }
    if (depth != 0) {
        parser->line = scenario->statements[open[depth - 1]].line;
        return scn_refuse(parser, "`repeat` without `end`");
    }
    return true;
}

static bool parse_lines(struct scn_parser *parser, struct rig_scenario *scenario, char *text)
{
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        parser->line++;
        if (!parse_line(parser, scenario, line)) {
            return false;
        }
    }
    return match_blocks(parser, scenario);
}

struct rig_scenario *rig_scenario_parse(const char *file, const char *text, size_t length, const char *models,
                                        char *error, size_t error_size)
{
    struct scn_parser parser = {.file = file, .models = models, .error = error, .error_size = error_size};
    struct rig_scenario *scenario = calloc(1, sizeof *scenario);
    char *copy = strndup(text, length);
    bool right = scenario != NULL && copy != NULL;
    if (!right) {
        (void)scn_refuse(&parser, "out of memory");
    }
    if (right) {
        scenario->file = strdup(file);
        right = strlen(copy) == length || scn_refuse(&parser, "not a text: it contains a zero byte");
    }
    right = right && parse_lines(&parser, scenario, copy);
    free(copy);
    if (!right) {
        rig_scenario_free(scenario);
        return NULL;
    }
    return scenario;
}

static void free_statement(struct scn_statement *statement)
{
    free(statement->source);
    free(statement->text);
    free(statement->value);
    free(statement->model);
    free(statement->in);
    free(statement->expect.bytes.items);
    free(statement->expect.text);
}

void rig_scenario_free(struct rig_scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    for (size_t i = 0; i < scenario->count; i++) {
        free_statement(&scenario->statements[i]);
    }
    free(scenario->statements);
    free(scenario->file);
    free(scenario);
}
