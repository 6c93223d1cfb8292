/*
 * Contract 3, counted twice. A source sends numbers to sinks, and counts what was taken and what came
 * back as undelivered. A sink writes each number to a file that outlives it, before its handler returns.
 * When all is sent, the source asks each sink whether it has everything, says what it counted, and ends.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define KEEP(field) field(str, directory)
TROUPE_MESSAGE(keep, KEEP)
#define SUPPLY(field) field(u64, numbers) field(str, gate)
TROUPE_MESSAGE(supply, SUPPLY)
#define NUMBER(field) field(u64, n)
TROUPE_MESSAGE(number, NUMBER)
#define SETTLE(field) field(u64, sink)
TROUPE_MESSAGE(settle, SETTLE)
TROUPE_MESSAGE_EMPTY(settled)
TROUPE_MESSAGE_EMPTY(go_on)

struct sink {
    int file;
};

TROUPE_START(sink, keep) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", args->directory, strrchr(troupe_self_path(self), '/') + 1);
    me->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return me->file < 0 ? TROUPE_FAIL(self, "%s: cannot be opened", path) : TROUPE_OK;
}
TROUPE_STOP(sink) {
    if (me->file > 0) close(me->file);
}
TROUPE_ON(sink, number) {
    return write(me->file, &msg->n, sizeof msg->n) == sizeof msg->n ? TROUPE_OK
                                                                    : TROUPE_FAIL(self, "disk full");
}
TROUPE_ON(sink, settle) { return troupe_reply_empty(self, settled); }
TROUPE_ACTOR(sink, TROUPE_STARTS(sink, keep), TROUPE_STOPS(sink), TROUPE_HANDLES(sink, number, settle))

enum { MOST_SINKS = 16, AT_ONCE = 200 };

struct source {
    uint64_t numbers, next, taken, refused, readies, back[64];
    uint32_t sinks, settled;
    troupe_address to[MOST_SINKS];
    bool waiting;
    char gate[256]; /* this file exists: no more kills, so the end may be counted */
};

TROUPE_START(source, supply) {
    char path[32];
    me->numbers = args->numbers;
    me->sinks = troupe_count(self, "/sink");
    snprintf(me->gate, sizeof me->gate, "%s", args->gate);
    for (uint32_t i = 0; i < me->sinks && i < MOST_SINKS; i++) {
        snprintf(path, sizeof path, "/sink/%u", (unsigned)i);
        me->to[i] = troupe_lookup(self, path);
    }
    printf("begun\n");
    fflush(stdout);
    return troupe_send_empty(self, troupe_self_address(self), go_on);
}

static enum troupe_status ask_sink(troupe_self *self, struct source *me, uint64_t sink) {
    enum troupe_status status = troupe_ask(self, me->to[sink], settle, 20 * TROUPE_SECOND, .sink = sink);
    return status == TROUPE_OK ? TROUPE_OK
                               : troupe_after(self, NULL, 10 * TROUPE_MILLISECOND, settle, .sink = sink);
}

static bool may_end(const struct source *me) {
    return me->next >= me->numbers && access(me->gate, F_OK) == 0;
}

/* Until the gate opens it goes on beyond `numbers`: so there are messages under way at every kill. */
static enum troupe_status supply_more(troupe_self *self, struct source *me) {
    me->waiting = false;
    for (int i = 0; i < AT_ONCE; i++) {
        enum troupe_status status = troupe_send(self, me->to[me->next % me->sinks], number, .n = me->next);
        if (status == TROUPE_FULL) {
            me->refused++;
            me->waiting = true;
            return TROUPE_OK;
        }
        if (status != TROUPE_OK) return status;
        me->taken++;
        me->next++;
    }
    return troupe_send_empty(self, troupe_self_address(self), go_on);
}

TROUPE_ON(source, go_on) {
    if (!may_end(me)) return supply_more(self, me);
    for (uint32_t i = 0; i < me->sinks; i++) {
        enum troupe_status status = ask_sink(self, me, i);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}

TROUPE_ON(source, troupe_ready) {
    me->readies++;
    return me->waiting ? supply_more(self, me) : TROUPE_OK;
}
TROUPE_ON(source, troupe_undelivered) {
    if (strcmp(msg->message, "number") == 0) me->back[msg->reason]++;
    return TROUPE_OK;
}
TROUPE_ON(source, settle) { return ask_sink(self, me, msg->sink); }

TROUPE_ANSWER(source, settle, settled) {
    if (outcome != TROUPE_OK) return ask_sink(self, me, request->sink);
    if (++me->settled < me->sinks) return TROUPE_OK;
    printf("taken=%" PRIu64 " refused=%" PRIu64 " readies=%" PRIu64, me->taken, me->refused, me->readies);
    for (int i = 0; i < TROUPE_STATUS_COUNT; i++)
        if (me->back[i] > 0)
            printf(" %s=%" PRIu64, troupe_status_name((enum troupe_status)i), me->back[i]);
    printf("\n");
    fflush(stdout);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(source, TROUPE_STARTS(source, supply),
    TROUPE_HANDLES(source, go_on, troupe_ready, troupe_undelivered, settle),
    TROUPE_ANSWERS(source, settle, settled))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &source_actor, &sink_actor, NULL);
}
