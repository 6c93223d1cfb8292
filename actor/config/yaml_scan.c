/*
 * libyaml's document API follows aliases in silence and knows no limits: nine lines can describe a
 * billion nodes. Its events are flat and come one at a time, so they are looked at first. The scan
 * ends at a syntax error or a limit, which make the text unsafe to build; an anchor, a tag or a
 * second document is a mistake that does not: reading goes on, so that the other mistakes are found
 * too.
 */
#include "config/yaml_scan.h"

#include <string.h>

#include "base/assert.h"

bool tr_yaml_open(yaml_parser_t *parser, const char *text, size_t size) {
    if (!yaml_parser_initialize(parser)) return false;
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
    return true;
}

static struct tr_yaml_found *found(struct tr_yaml_scan *scan, yaml_mark_t mark, const char *what) {
    struct tr_yaml_found *found = &scan->found[scan->found_count];
    if (scan->found_count < TR_YAML_SCAN_MAX - 1) scan->found_count++;
    *found = (struct tr_yaml_found){ .what = what,
                                     .line = (uint32_t)mark.line,
                                     .column = (uint32_t)mark.column };
    return found;
}

static void found_limit(struct tr_yaml_scan *scan, yaml_mark_t mark, const char *what) {
    found(scan, mark, what);
    scan->safe = false;
}

/* The line and column, from 0, of the byte at `offset`: libyaml's reader knows only the offset. */
static yaml_mark_t mark_of(const char *text, size_t size, size_t offset) {
    yaml_mark_t mark = { .index = offset };
    for (size_t i = 0; i < size && i < offset; i++) {
        if (text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_tab(const char *text, size_t size, yaml_mark_t mark) {
    for (size_t i = 0, line = 0, column = 0; i < size && line <= mark.line; i++) {
        if (line == mark.line && column == mark.column) return text[i] == '\t';
        if (text[i] == '\n') {
            line++;
            column = 0;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    return false;
}

/* libyaml puts the end of a text in a line of its own, even where there is none. */
static yaml_mark_t within(const char *text, size_t size, yaml_mark_t mark) {
    yaml_mark_t end = mark_of(text, size, size);
    return mark.line > end.line ? end : mark;
}

static void found_problem(struct tr_yaml_scan *scan, const yaml_parser_t *parser, const char *text,
                          size_t size) {
    struct tr_yaml_found *last = found(scan, within(text, size, parser->problem_mark),
                                       parser->problem);
    last->context = parser->context;
    last->context_line = (uint32_t)within(text, size, parser->context_mark).line + 1;
}

static void found_syntax(struct tr_yaml_scan *scan, const yaml_parser_t *parser, const char *text,
                         size_t size) {
    scan->safe = false;
    if (parser->error == YAML_MEMORY_ERROR) {
        scan->no_memory = true;
    } else if (parser->error == YAML_READER_ERROR) {
        found(scan, mark_of(text, size, parser->problem_offset), parser->problem);
    } else if (is_tab(text, size, parser->problem_mark)) {
        found(scan, parser->problem_mark, "a tab cannot indent or separate here: use spaces");
    } else {
        found_problem(scan, parser, text, size);
    }
}

static void look_for_extras(struct tr_yaml_scan *scan, yaml_mark_t mark, const yaml_char_t *anchor,
                            const yaml_char_t *tag) {
    if (anchor != NULL) found(scan, mark, "anchors (&name) are not supported: write the value out");
    if (tag != NULL) found(scan, mark, "tags (!name) are not supported: leave it out");
}

static void look_at_node(struct tr_yaml_scan *scan, const yaml_event_t *event) {
    scan->nodes++;
    if (event->type == YAML_SCALAR_EVENT) {
        scan->bytes += event->data.scalar.length + 1;
        look_for_extras(scan, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
        return;
    }
    scan->lists++;
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        look_for_extras(scan, event->start_mark, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag);
    } else {
        look_for_extras(scan, event->start_mark, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag);
    }
}

static void look_at_document(struct tr_yaml_scan *scan, const yaml_event_t *event) {
    scan->documents++;
    if (scan->documents == 2)
        found(scan, event->start_mark, "only one document is allowed in a file");
}

/* The depth after this event. */
static size_t look_at(struct tr_yaml_scan *scan, const yaml_event_t *event, size_t depth) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        look_at_document(scan, event);
        break;
    case YAML_ALIAS_EVENT:
        found_limit(scan, event->start_mark,
                    "aliases (*name) are not supported: write the value out");
        break;
    case YAML_SCALAR_EVENT:
        look_at_node(scan, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        look_at_node(scan, event);
        return depth + 1;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        tr_assert(depth > 0);
        return depth - 1;
    default:
        break;
    }
    return depth;
}

/* Syntax errors end it, and so do the limits: a text that is too big is not read to its end. */
static void look_at_all(struct tr_yaml_scan *scan, yaml_parser_t *parser, const char *text,
                        size_t size) {
    yaml_event_t event;
    size_t depth = 0;
    for (bool end = false; !end;) {
        if (!yaml_parser_parse(parser, &event)) {
            found_syntax(scan, parser, text, size);
            return;
        }
        depth = look_at(scan, &event, depth);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_mark_t mark = event.start_mark;
        yaml_event_delete(&event);
        if (depth > TR_YAML_MAX_DEPTH) {
            found_limit(scan, mark, "nested too deeply: at most 32 levels");
            return;
        }
        if (scan->nodes > TR_YAML_MAX_NODES) {
            found_limit(scan, mark, "too many values: at most 100000");
            return;
        }
    }
}

/* libyaml compares every %TAG with all before it: two hundred thousand take it minutes. */
static bool too_many_directives(struct tr_yaml_scan *scan, const char *text, size_t size) {
    const char *line = text, *end = text + size;
    size_t directives = 0;
    while (line < end) {
        if (end - line >= 4 && memcmp(line, "%TAG", 4) == 0 &&
            ++directives > TR_YAML_SCAN_DIRECTIVES) {
            found_limit(scan, mark_of(text, size, (size_t)(line - text)),
                        "too many %TAG directives");
            return true;
        }
        const char *next = memchr(line, '\n', (size_t)(end - line));
        line = next == NULL ? end : next + 1;
    }
    return false;
}

void tr_yaml_scan(struct tr_yaml_scan *scan, const char *text, size_t size) {
    yaml_parser_t parser;
    *scan = (struct tr_yaml_scan){ .safe = true };
    if (too_many_directives(scan, text, size)) return;
    if (!tr_yaml_open(&parser, text, size)) {
        *scan = (struct tr_yaml_scan){ .no_memory = true };
        return;
    }
    look_at_all(scan, &parser, text, size);
    yaml_parser_delete(&parser);
}
