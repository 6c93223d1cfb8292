/*
 * Deaths: the report of the end of a run, and the line that people read of it.
 *
 * A report is filled in while all is still there that it tells: the message at hand, the text of the failure, the
 * state of the actor. Whoever gets it needs nothing else: it is the line of the log, the reason that a supervisor
 * gives for its own end, and goes from node to node as it is.
 */
#include "core/death.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/utf8.h"
#include "core/send.h"

/* ---- Names ---- */

static const struct {
    const char *name, *text;
    bool failure;
} kinds[] = {
#define KIND(code, name, text, failure) [TROUPE_DEATH_##code] = { name, text, failure },
    TROUPE_DEATH_LIST(KIND)
#undef KIND
};

static bool is_kind(uint32_t kind) { return kind < TROUPE_DEATH_COUNT; }

const char *troupe_death_name(enum troupe_death_kind kind) { return is_kind(kind) ? kinds[kind].name : "unknown"; }

const char *troupe_death_text(enum troupe_death_kind kind) { return is_kind(kind) ? kinds[kind].text : "unknown"; }

bool troupe_death_is_failure(enum troupe_death_kind kind) { return !is_kind(kind) || kinds[kind].failure; }

/* ---- As people read it ---- */

static const char *verb(uint32_t kind) {
    if (kind == TROUPE_DEATH_KILLED) return "killed";
    if (kind == TROUPE_DEATH_GAVE_UP) return "gave up";
    if (kind == TROUPE_DEATH_GONE) return "is gone";
    return troupe_death_is_failure((enum troupe_death_kind)kind) ? "failed"
                                                                 : troupe_death_name((enum troupe_death_kind)kind);
}

/* A message that came from elsewhere has texts, but one that somebody fills in may have none. */
static bool is_empty(const char *text) { return text == NULL || text[0] == '\0'; }

static void add_part(struct tr_text *to, const char *label, const char *text) {
    if (is_empty(text)) return;
    tr_text_add(to, label);
    tr_text_add(to, text);
}

static void add_what(struct tr_text *to, const struct troupe_death *death) {
    tr_text_add(to, verb(death->kind));
    add_part(to, ": ", is_empty(death->text) ? troupe_death_text((enum troupe_death_kind)death->kind) : death->text);
    add_part(to, "; message ", death->message);
    add_part(to, "; by ", death->by);
}

static void add_when(struct tr_text *to, const struct troupe_death *death) {
    if (death->uptime > 0) tr_text_format(to, "; up %.3f s", (double)death->uptime / (double)TROUPE_SECOND);
    if (death->starting) tr_text_add(to, "; not ready yet");
    if (death->run > 0) tr_text_format(to, "; restart %u", death->run);
    add_part(to, "; because ", death->cause);
}

size_t tr_death_say(const struct troupe_death *death, char *text, size_t size) {
    struct tr_text to = tr_text_begin(text, size);
    add_what(&to, death);
    add_when(&to, death);
    return to.length;
}

size_t troupe_death_print(const struct troupe_death *death, char *text, size_t size) {
    struct tr_text to = tr_text_begin(text, size);
    tr_text_add(&to, is_empty(death->path) ? "somebody" : death->path);
    tr_text_add(&to, " ");
    add_what(&to, death);
    add_when(&to, death);
    return to.length;
}

void tr_death_log(struct tr_node *node, enum troupe_level level, const struct troupe_death *death) {
    char text[TR_LOG_LINE];
    tr_death_say(death, text, sizeof text);
    tr_log(node, level, death->path, "%s", text);
}

/* ---- Filling it in ---- */

int64_t tr_death_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * TROUPE_SECOND + now.tv_nsec;
}

static bool is_failure(enum troupe_status status) { return status != TROUPE_OK && status != TROUPE_STOPPING; }

static enum troupe_death_kind kind_of(enum troupe_status status, bool killed, bool gave_up) {
    if (gave_up) return TROUPE_DEATH_GAVE_UP;
    if (status == TROUPE_NO_MEMORY) return TROUPE_DEATH_NO_MEMORY;
    if (is_failure(status)) return TROUPE_DEATH_FAILED;
    if (killed) return TROUPE_DEATH_KILLED;
    return status == TROUPE_OK ? TROUPE_DEATH_DONE : TROUPE_DEATH_STOPPED;
}

/* Another code has its own text: what TROUPE_FAIL noted was not returned, perhaps by an earlier handler. */
static const char *text_of(const struct troupe_self *self, enum troupe_status status) {
    bool noted = status == TROUPE_FAILED && self->failure[0] != '\0';
    if (!is_failure(status)) return "";
    return noted ? self->failure : troupe_status_text(status);
}

/* Any bytes, and cut anywhere: but a report of the end must not be refused. */
static void copy(char *to, size_t size, const char *text) {
    snprintf(to, size, "%s", text);
    tr_utf8_mend(to);
}

static void copy_texts(struct tr_death *death, const struct troupe_self *self, enum troupe_status status) {
    const struct tr_message *message = self->message;
    copy(death->text, sizeof death->text, text_of(self, status));
    copy(death->cause, sizeof death->cause, self->cause == NULL ? "" : self->cause);
    death->message[0] = '\0';
    if (is_failure(status) && message != NULL && message->type != NULL)
        troupe_message_print(message->type, message + 1, death->message, sizeof death->message);
    tr_utf8_mend(death->message);
}

static void copy_paths(struct tr_death *death, struct tr_node *node, const struct tr_cell *cell) {
    const struct tr_cell_more *more = cell->more;
    troupe_address who = { node->id, cell->slot, cell->run_generation };
    bool by = more != NULL && !troupe_address_is_none(more->stopped_by);
    if (more != NULL && more->path != NULL) copy(death->path, sizeof death->path, more->path);
    else tr_node_path(node, who, death->path, sizeof death->path);
    death->by[0] = '\0';
    if (by) tr_node_path(node, more->stopped_by, death->by, sizeof death->by);
    death->report.who = who;
}

void tr_death_fill(struct tr_death *death, struct tr_worker *worker, const struct tr_cell *cell,
                   enum troupe_status status, bool killed) {
    const struct troupe_self *self = &worker->self;
    const struct tr_cell_more *more = cell->more;
    copy_texts(death, self, status);
    copy_paths(death, worker->node, cell);
    death->report = (struct troupe_death){
        .who = death->report.who, .path = death->path, .actor = cell->running->type->name,
        .kind = kind_of(status, killed, self->cause != NULL), .text = death->text, .message = death->message,
        .by = death->by, .status = (uint32_t)status, .at = tr_death_time(), .cause = death->cause
    };
    if (more == NULL) return;
    death->report.run = more->run;
    death->report.starting = more->unready;
    if (more->started != 0) death->report.uptime = tr_node_clock(worker->node) - more->started;
}

/* What it comes from is told as the first of a chain of links had it; a kind or code that only newer nodes know is a
 * failure here. */
static void copy_reason(struct tr_death *death, const struct troupe_death *other) {
    char origin[TR_DEATH_TEXT];
    bool first = is_empty(other->cause);
    troupe_death_print(other, origin, sizeof origin);
    copy(death->text, sizeof death->text, is_empty(other->text) ? "" : other->text);
    copy(death->cause, sizeof death->cause, first ? origin : other->cause);
    copy(death->by, sizeof death->by, is_empty(other->path) ? "" : other->path);
    death->report.kind = is_kind(other->kind) ? other->kind : TROUPE_DEATH_FAILED;
    death->report.signal = other->signal;
    death->report.code = other->code;
}

enum troupe_status tr_death_linked(struct tr_death *death, struct tr_worker *worker, const struct tr_cell *cell,
                                   const struct troupe_death *other) {
    bool known = other->status > TROUPE_OK && other->status < TROUPE_STATUS_COUNT;
    enum troupe_status status = known ? (enum troupe_status)other->status : TROUPE_FAILED;
    tr_death_fill(death, worker, cell, TROUPE_STOPPING, false);
    copy_reason(death, other);
    death->report.status = (uint32_t)status;
    return status;
}

struct troupe_death tr_death_unborn(troupe_address who, const char *path, const char *actor, uint32_t run,
                                    enum troupe_status status, const char *why) {
    return (struct troupe_death){ .who = who, .path = path, .actor = actor,
                                  .kind = kind_of(status, false, false), .text = why,
                                  .status = (uint32_t)status, .run = run, .at = tr_death_time(),
                                  .starting = true };
}

/* ---- Told to many ---- */

static size_t size_of(const char *text) { return is_empty(text) ? 1 : strlen(text) + 1; }

static const char *place(char **memory, const char *text) {
    char *copy = *memory;
    memcpy(copy, is_empty(text) ? "" : text, size_of(text));
    *memory += size_of(text);
    return copy;
}

struct tr_obituary *tr_obituary_new(const struct troupe_death *death) {
    size_t texts = size_of(death->path) + size_of(death->actor) + size_of(death->text) + size_of(death->message) +
                   size_of(death->by) + size_of(death->cause);
    struct tr_obituary *obituary = malloc(sizeof *obituary + texts);
    if (obituary == NULL) return NULL;
    char *memory = (char *)(obituary + 1);
    obituary->death = *death;
    obituary->death.path = place(&memory, death->path);
    obituary->death.actor = place(&memory, death->actor);
    obituary->death.text = place(&memory, death->text);
    obituary->death.message = place(&memory, death->message);
    obituary->death.by = place(&memory, death->by);
    obituary->death.cause = place(&memory, death->cause);
    atomic_init(&obituary->references, 1);
    return obituary;
}

void tr_obituary_hold(struct tr_obituary *obituary) {
    if (obituary != NULL) atomic_fetch_add_explicit(&obituary->references, 1, memory_order_relaxed);
}

void tr_obituary_drop(struct tr_obituary *obituary) {
    if (obituary != NULL && atomic_fetch_sub_explicit(&obituary->references, 1, memory_order_acq_rel) == 1)
        free(obituary);
}
