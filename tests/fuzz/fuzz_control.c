/*
 * Control messages that nobody vouches for: whatever is accepted must survive being written and
 * read again, and must not upset a keeper that gets it from one of its processes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/rules.h"
#include "place/keeper.h"

static void on_fork(void *context, uint64_t node, uint64_t incarnation) {
    (void)context, (void)node, (void)incarnation;
}
static void on_node(void *context, uint64_t node) { (void)context, (void)node; }
static void on_send(void *context, uint64_t process, const struct tr_control *message) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    (void)context, (void)process;
    tr_assert(tr_control_encode(message, bytes) > 0); /* what the keeper says can be said */
}
static void on_describe(void *context, uint64_t node, char *text, size_t size) {
    (void)context, (void)node, (void)text, (void)size;
}
static void on_random(void *context, void *bytes, size_t size) {
    (void)context;
    memset(bytes, 7, size);
}
static void on_timer(void *context, int64_t at) { (void)context, (void)at; }
static void on_log(void *context, const char *line) { (void)context, (void)line; }
static void on_command_signal(void *context, uint64_t number, int signal) { (void)context, (void)number, (void)signal; }
static void on_exit_code(void *context, int code) { (void)context, (void)code; }

static const struct tr_keeper_io io = { on_fork,     on_node,   on_node,  on_fork, on_send,           on_node,
                                        on_describe, on_random, on_timer, on_log,  on_command_signal, on_node,
                                        on_exit_code };

static const struct tr_node_spec specs[] = {
    { 1, TR_NODE_MAIN, 0, TR_LANE_IPC, TR_START_FORK, "main" },
    { 2, TR_NODE_INPROC, 1, TR_LANE_INPROC, TR_START_FORK, "/a" },
    { 3, TR_NODE_PROCESS, 0, TR_LANE_TCP, TR_START_FORK, "/b" },
};

static void round_trip(enum tr_control_way way, const struct tr_control *message) {
    uint8_t bytes[TR_CONTROL_MAX_SIZE];
    struct tr_control again;
    const char *error;
    size_t size = tr_control_encode(message, bytes);
    tr_assert(size > 0);
    tr_assert(tr_control_decode(way, bytes, size, &again, &error));
    tr_assert(memcmp(message, &again, sizeof again) == 0);
}

/* The input is cut into packets: a byte of length, then the packet; the low bit says who speaks. */
static void drive(struct tr_keeper *keeper, const uint8_t *data, size_t size) {
    for (int64_t now = 1; size > 1; now += 1000000000) {
        size_t length = data[0] >> 1 < size - 1 ? data[0] >> 1 : size - 1;
        uint64_t process = (data[0] & 1) != 0 ? 3 : 1;
        struct tr_control message;
        const char *error;
        if (tr_control_decode(TR_CONTROL_TO_KEEPER, data + 1, length, &message, &error)) {
            tr_keeper_message(keeper, process, &message, now);
        }
        tr_keeper_tick(keeper, now);
        data += length + 1;
        size -= length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tr_control message;
    const char *error;
    for (int way = TR_CONTROL_TO_KEEPER; way <= TR_CONTROL_TO_NODE; way++) {
        bool ok = tr_control_decode((enum tr_control_way)way, data, size, &message, &error);
        tr_assert(ok == (error == NULL));
        if (ok) round_trip((enum tr_control_way)way, &message);
    }
    struct tr_keeper_rules rules = { specs, sizeof specs / sizeof *specs, 1000000000, 1, 1 };
    struct tr_keeper *keeper = tr_keeper_new(&rules, &io, NULL);
    if (keeper == NULL) return 0;
    tr_keeper_begin(keeper, 0);
    drive(keeper, data, size);
    tr_keeper_free(keeper);
    return 0;
}
