#include "config/mistakes.h"

#include <stdlib.h>
#include <string.h>

enum { QUOTE_MAX = 60 };

bool tr_mistakes_full(const struct tr_mistakes *mistakes) {
    return mistakes->count >= TR_MISTAKES_MAX;
}

bool tr_mistakes_any(const struct tr_mistakes *mistakes) {
    return mistakes->count > 0;
}

static void make_room(struct tr_mistakes *mistakes) {
    if (mistakes->count < mistakes->room) return;
    uint32_t room = mistakes->room == 0 ? 16 : mistakes->room * 2;
    struct tr_mistake *items = tr_arena_array(mistakes->arena, room, sizeof *items);
    if (mistakes->count > 0) memcpy(items, mistakes->items, mistakes->count * sizeof *items);
    mistakes->items = items;
    mistakes->room = room;
}

static void add(struct tr_mistakes *mistakes, struct tr_where where, const char *text) {
    make_room(mistakes);
    mistakes->items[mistakes->count] = (struct tr_mistake){ .where = where,
                                                            .order = mistakes->count,
                                                            .text = text };
    mistakes->count++;
}

void tr_mistake(struct tr_mistakes *mistakes, struct tr_where where, const char *format, ...) {
    if (tr_mistakes_full(mistakes)) {
        mistakes->untold++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    add(mistakes, where, tr_arena_vprint(mistakes->arena, format, arguments));
    va_end(arguments);
}

void tr_mistake_suggest(struct tr_mistakes *mistakes, struct tr_where where,
                        const struct tr_suggest *suggest, const char *allowed, const char *format,
                        ...) {
    if (tr_mistakes_full(mistakes)) {
        mistakes->untold++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    const char *what = tr_arena_vprint(mistakes->arena, format, arguments);
    va_end(arguments);
    const char *best = suggest == NULL ? NULL : suggest->best;
    if (best != NULL) {
        what = tr_arena_print(mistakes->arena, "%s; did you mean '%s'?", what, best);
    } else if (allowed != NULL) {
        what = tr_arena_print(mistakes->arena, "%s; allowed: %s", what, allowed);
    }
    add(mistakes, where, what);
}

/* Where to cut a text of more than QUOTE_MAX bytes: not within a character. */
static size_t cut(const char *text) {
    size_t size = QUOTE_MAX;
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    return size;
}

const char *tr_mistakes_quote(struct tr_mistakes *mistakes, const char *text) {
    if (tr_mistakes_full(mistakes)) return "";
    if (strnlen(text, QUOTE_MAX + 1) <= QUOTE_MAX) {
        return tr_arena_print(mistakes->arena, "'%s'", text);
    }
    return tr_arena_print(mistakes->arena, "'%.*s...'", (int)cut(text), text);
}

/* The file first, then the command line; there by text. */
static int compare_files(const struct tr_mistakes *mistakes, const char *a, const char *b) {
    if (a == b) return 0;
    if (a == mistakes->file) return -1;
    if (b == mistakes->file) return 1;
    return strcmp(a, b);
}

static int compare(const void *left, const void *right, void *context) {
    const struct tr_mistake *a = left, *b = right;
    int files = compare_files(context, a->where.file, b->where.file);
    if (files != 0) return files;
    if (a->where.line != b->where.line) return a->where.line < b->where.line ? -1 : 1;
    if (a->where.column != b->where.column) return a->where.column < b->where.column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* A terminal must not see what a file can hold: escape sequences, line ends. */
static void make_printable(char *line) {
    for (; *line != '\0'; line++) {
        if ((unsigned char)*line < 0x20 || *line == 0x7F) *line = '?';
    }
}

static char *line_of(struct tr_mistakes *mistakes, const struct tr_mistake *mistake) {
    const struct tr_where *where = &mistake->where;
    char *line = where->line == 0
                     ? tr_arena_print(mistakes->arena, "%s: error: %s", where->file, mistake->text)
                     : tr_arena_print(mistakes->arena, "%s:%u:%u: error: %s", where->file,
                                      where->line, where->column, mistake->text);
    make_printable(line);
    return line;
}

void tr_mistakes_tell(struct tr_mistakes *mistakes, void (*report)(void *context, const char *line),
                      void *context) {
    if (mistakes->count == 0) return;
    qsort_r(mistakes->items, mistakes->count, sizeof *mistakes->items, compare, mistakes);
    for (uint32_t i = 0; i < mistakes->count; i++) {
        report(context, line_of(mistakes, &mistakes->items[i]));
    }
    if (mistakes->untold == 0) return;
    report(context, tr_arena_print(mistakes->arena, "%s: error: and %u more mistakes",
                                   mistakes->file, mistakes->untold));
}
