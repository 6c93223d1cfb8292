/*
 * Asks that are messages of Troupe's own: neither counted nor bounded, but each ends, whatever becomes of its
 * receiver or of the receiver's node. In a bare node, with a lane that never gets a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include <troupe/death.h>

#include "core/buffer.h"
#include "core/send.h"
#include "place/lane.h"
#include "services/services.h"

TROUPE_MESSAGE_EMPTY(question)
TROUPE_MESSAGE_EMPTY(other)

struct asker { char unused; };
TROUPE_ON(asker, other) { return TROUPE_OK; }
TROUPE_ACTOR(asker, TROUPE_HANDLES(asker, other))

static struct tr_services services; /* of which a lane needs only where bonds are */
static const struct troupe_actor_type *const actors[] = { &asker_actor, NULL };

/* ---- A node without anything above it ---- */

static _Atomic uint64_t outcome; /* ask << 8 | status */

static enum troupe_status reply(struct tr_worker *worker, struct tr_cell *cell, struct tr_message *message,
                                bool *late) {
    (void)worker;
    (void)cell;
    (void)late;
    atomic_store(&outcome, message->ask << 8 | message->link.status);
    return TROUPE_OK;
}
static void cell_ended(struct tr_node *node, struct tr_cell *cell) {
    (void)node;
    (void)cell;
}
static const char *path_of(struct tr_node *node, troupe_address address) {
    (void)node;
    (void)address;
    return NULL;
}
static const struct tr_hooks hooks = { .reply = reply, .cell_ended = cell_ended, .path_of = path_of };

static struct tr_classes classes;
static struct tr_buffers buffers;

static struct tr_node *make_node(void) {
    assert_true(tr_classes_init(&classes, actors));
    tr_buffers_init(&buffers);
    const struct tr_node_options options = { .id = 1, .incarnation = 1, .workers = 1, .classes = &classes, .services = &services,
                                             .hooks = &hooks, .trace = -1, .buffers = &buffers,
                                             .blocked = INT64_MAX };
    tr_far_init(&services.far);
    struct tr_node *node = tr_node_new(&options);
    assert_non_null(node);
    atomic_store(&outcome, 0);
    return node;
}

static void free_node(struct tr_node *node) {
    tr_node_free(node);
    tr_far_free(&services.far);
    tr_buffers_free(&buffers);
    tr_classes_free(&classes);
}

static troupe_address spawn_asker(struct tr_node *node) {
    troupe_address address;
    const struct tr_run_spec start = { .class = tr_class_of(&classes, &asker_actor) };
    assert_int_equal(tr_spawn(node, NULL, &start, &address), TROUPE_OK);
    return address;
}

static void ask(struct tr_node *node, troupe_address from, troupe_address to, uint64_t id) {
    struct tr_outgoing outgoing = { .to = to, .from = from, .type = &question_message,
                                    .body = &(struct question){ 0 }, .ask = id, .deadline = INT64_MAX,
                                    .flags = TR_MESSAGE_SYSTEM | TR_MESSAGE_ASKED };
    assert_int_equal(tr_send(node, NULL, &outgoing), TROUPE_OK);
}

static void await(uint64_t ask, enum troupe_status status) {
    for (uint32_t i = 0; i < 20000 && atomic_load(&outcome) == 0; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_int_equal(atomic_load(&outcome) >> 8, ask);
    assert_string_equal(troupe_status_name((enum troupe_status)(atomic_load(&outcome) & 255)),
                        troupe_status_name(status));
    atomic_store(&outcome, 0);
}

/* ---- A lane that is never connected ---- */

static void connect_nothing(void *host, uint64_t node, uint64_t peer, uint64_t known) {
    (void)host;
    (void)known;
    (void)node;
    (void)peer;
}
static const struct tr_lane_host host = { .connect = connect_nothing };

static struct tr_lane_driver *make_lane(struct tr_node *node) {
    struct tr_lane_driver *lane = tr_lane_new(node, 2, 1, false, &host);
    assert_non_null(lane);
    return lane;
}

static void end_all(struct tr_node *node, struct tr_lane_driver *lane) {
    tr_node_halt(node);
    if (lane != NULL) tr_lane_close(lane);
    tr_node_drain(node);
    if (lane != NULL) tr_lane_free(lane);
    free_node(node);
}

/* ---- Tests ---- */

static void one_that_nobody_handles_ends(void **state) {
    struct tr_node *node = make_node();
    (void)state;
    troupe_address asker = spawn_asker(node);
    ask(node, asker, asker, 3);
    await(3, TROUPE_UNHANDLED);
    end_all(node, NULL);
}

/* As messages are: it is for whoever comes next. */
static void one_to_a_node_that_dies_waits_for_its_next_incarnation(void **state) {
    struct tr_node *node = make_node();
    struct tr_lane_driver *lane = make_lane(node);
    (void)state;
    ask(node, spawn_asker(node), (troupe_address){ 2, 5, 1 }, 7);
    tr_lane_down(lane, TR_CAUSE_CRASHED, &(struct troupe_death){ .kind = TROUPE_DEATH_EXITED });
    tr_lane_gone(lane); /* there is none */
    await(7, TROUPE_GONE);
    end_all(node, lane);
}

static void one_that_waits_ends_when_its_node_is_stopped_for_good(void **state) {
    struct tr_node *node = make_node();
    struct tr_lane_driver *lane = make_lane(node);
    (void)state;
    ask(node, spawn_asker(node), (troupe_address){ 2, 5, 1 }, 9);
    tr_lane_gone(lane);
    await(9, TROUPE_GONE);
    end_all(node, lane);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_nobody_handles_ends),
        cmocka_unit_test(one_to_a_node_that_dies_waits_for_its_next_incarnation),
        cmocka_unit_test(one_that_waits_ends_when_its_node_is_stopped_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
