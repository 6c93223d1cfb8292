/*
 * What a failed test needs to know: what was expected and what came, which the caller says; then how things stand:
 * what else the probe has got, what waits in which mailbox, who has ended, when something is due, and the end of the
 * log.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/depth.h"
#include "testing/kit.h"

enum { LISTED = 8, LOG = 1024 };

void tr_kit_print_got(const struct tr_got *got, char *text, size_t size) {
    char body[384] = "";
    if (got->message != NULL)
        troupe_message_print(got->message->type, tr_message_body(got->message), body, sizeof body);
    if (got->kind == TR_GOT_MESSAGE) snprintf(text, size, "%s%s", got->asker.ask == 0 ? "" : "the ask ", body);
    else if (got->message != NULL) snprintf(text, size, "the reply %s", body);
    else snprintf(text, size, "an ask that ended with %s", troupe_status_name(got->outcome));
}

static void add_gots(struct tr_text *to, const troupe_test *kit) {
    uint32_t listed = 0;
    char text[512];
    for (const struct tr_got *got = kit->first; got != NULL && listed < LISTED; got = got->next, listed++) {
        tr_kit_print_got(got, text, sizeof text);
        tr_text_add(to, listed == 0 ? "\n  not taken: " : "\n             ");
        tr_text_add(to, text);
    }
    if (kit->got > listed) tr_text_format(to, "\n             and %u more", kit->got - listed);
}

static void add_mailbox(struct tr_text *to, struct tr_node *node, const struct tr_cell *cell, uint32_t waiting) {
    char path[TR_PATH_SIZE];
    troupe_address who = { node->id, cell->slot, cell->run_generation };
    tr_text_add(to, "\n  ");
    tr_text_add(to, tr_node_path(node, who, path, sizeof path));
    tr_text_format(to, " has %u waiting%s", waiting, cell->life == TR_LIFE_DOWN ? ", and is down" : "");
}

static void add_mailboxes(struct tr_text *to, struct tr_node *node) {
    uint32_t slot = 0, listed = 0;
    for (struct tr_cell *cell; (cell = tr_cells_next(&node->cells, &slot)) != NULL && listed < LISTED;) {
        uint32_t waiting = cell->turn == TR_TURN_NATIVE ? 0 : atomic_load(&cell->queued) - atomic_load(&cell->settled);
        if (cell->more != NULL) waiting += cell->more->stashed;
        if (waiting == 0) continue;
        add_mailbox(to, node, cell, waiting);
        listed++;
    }
}

static void add_ends(struct tr_text *to, const troupe_test *kit) {
    uint32_t skip = kit->end_count > LISTED ? kit->end_count - LISTED : 0;
    char text[1024];
    for (const struct tr_kit_end *end = kit->ends; end != NULL; end = end->next) {
        if (skip > 0) {
            skip--;
            continue;
        }
        troupe_death_print(&end->death.report, text, sizeof text);
        tr_text_add(to, "\n  ended: ");
        tr_text_add(to, text);
    }
}

static void add_log(struct tr_text *to, const struct tr_kit_tail *log) {
    if (log->size == 0) return;
    const char *from = log->size > LOG ? strchr(log->text + log->size - LOG, '\n') : NULL;
    tr_text_add(to, "\n  the log ends with:\n");
    tr_text_add(to, from == NULL ? log->text : from + 1);
}

static void describe(struct tr_text *to, troupe_test *kit) {
    int code;
    int64_t next = tr_kit_next(kit);
    if (kit->probes > 0)
        tr_text_format(to, "\n  the probe has ended %u time%s, and begun anew", kit->probes,
                       kit->probes == 1 ? "" : "s");
    add_gots(to, kit);
    add_mailboxes(to, kit->node);
    add_ends(to, kit);
    if (troupe_test_ended(kit, &code)) tr_text_format(to, "\n  the application has ended, with code %d", code);
    if (next == INT64_MAX) tr_text_add(to, "\n  nothing is due");
    else tr_text_format(to, "\n  the next thing is due in %.3f s", (double)(next - kit->time) / (double)TROUPE_SECOND);
    if (kit->options.seed != 0) tr_text_format(to, "\n  the seed is %llu", (unsigned long long)kit->options.seed);
    add_log(to, &kit->log);
}

void tr_kit_fail_early(const struct troupe_test_options *options, const char *file, int line, const char *text) {
    if (options != NULL && options->fail != NULL) {
        options->fail(options->context, file, line, text);
        return;
    }
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

void tr_kit_fail(troupe_test *kit, const char *file, int line, const char *format, ...) {
    char text[TR_KIT_TEXT], what[1024];
    struct tr_text to = tr_text_begin(text, sizeof text);
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    tr_text_add(&to, what);
    describe(&to, kit);
    tr_kit_be_probe(kit);
    tr_kit_fail_early(&kit->options, file, line, text);
}
