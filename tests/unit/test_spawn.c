/*
 * Spawning on a thread of one's own, in a bare node. A spawn that fails leaves nothing behind: no thread, no
 * message that nobody will ever look at, and what the caller gave is still the caller's. Memory runs out where
 * the test says so: tr_notice_start is replaced. And threads end at any time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "core/own.h"
#include "core/send.h"

#define PROBE(field) field(u32, n)
TROUPE_MESSAGE(probe, PROBE)

static _Atomic uint32_t started;

static struct {
    struct tr_node *node;
    struct tr_cell *cell; /* NULL: there is enough memory */
} poor;

struct loner { char unused; };
TROUPE_START(loner, probe) {
    (void)me;
    atomic_fetch_add(&started, args->n);
    return TROUPE_OK;
}
TROUPE_ON(loner, probe) { return TROUPE_OK; }
TROUPE_ACTOR(loner, TROUPE_STARTS(loner, probe), TROUPE_HANDLES(loner, probe))

/* Has ended when it has begun. */
struct mayfly { char unused; };
TROUPE_START(mayfly, probe) {
    (void)me;
    atomic_fetch_add(&started, args->n);
    return troupe_exit(self);
}
TROUPE_ACTOR(mayfly, TROUPE_STARTS(mayfly, probe))

static const struct troupe_actor_type *const actors[] = { &loner_actor, &mayfly_actor, NULL };

/* ---- A node without anything above it ---- */

static void cell_ended(struct tr_node *node, struct tr_cell *cell) {
    (void)node;
    (void)cell;
}
static const char *path_of(struct tr_node *node, troupe_address address) {
    (void)node;
    (void)address;
    return NULL;
}
static const struct tr_hooks hooks = { .cell_ended = cell_ended, .path_of = path_of };

static struct tr_classes classes;
static struct tr_buffers buffers;

static struct tr_node *make_node(void) {
    assert_true(tr_classes_init(&classes, actors));
    tr_buffers_init(&buffers);
    const struct tr_node_options options = { .id = 1, .incarnation = 1, .workers = 1, .classes = &classes,
                                             .hooks = &hooks, .trace = -1, .buffers = &buffers,
                                             .blocked = INT64_MAX };
    struct tr_node *node = tr_node_new(&options);
    assert_non_null(node);
    atomic_store(&started, 0);
    poor.cell = NULL;
    return node;
}

static void end_node(struct tr_node *node) {
    tr_node_halt(node);
    tr_node_drain(node);
    tr_node_free(node);
    tr_buffers_free(&buffers);
    tr_classes_free(&classes);
}

static struct tr_message *make_probe(void) {
    enum troupe_status status;
    struct tr_codec_error error;
    const struct probe body = { .n = 1 };
    struct tr_message *message =
        tr_message_new((struct tr_memory){ 0 }, &probe_message, &body, &status, &error);
    assert_non_null(message);
    return message;
}

/* Waits until there are so many, or until no more are to be expected. */
static uint64_t await_dead_letters(struct tr_node *node, uint64_t expected) {
    const struct timespec moment = { 0, 100000 };
    int64_t until = tr_node_clock(node) + 10 * TROUPE_SECOND;
    struct troupe_counts counts;
    do {
        counts = (struct troupe_counts){ 0 };
        tr_flight_counts(node->flight, &counts);
        if (counts.dead_by_reason[TROUPE_GONE] >= expected) break;
        nanosleep(&moment, NULL);
    } while (tr_node_clock(node) < until);
    return counts.dead_by_reason[TROUPE_GONE];
}

/* ---- Memory that runs out ---- */

struct tr_notice *__real_tr_notice_start(struct tr_pool *pool, const struct tr_run_spec *start,
                                         uint32_t generation);
struct tr_notice *__wrap_tr_notice_start(struct tr_pool *pool, const struct tr_run_spec *start,
                                         uint32_t generation);

/* Meanwhile somebody with the address of a run before sends into the slot. */
struct tr_notice *__wrap_tr_notice_start(struct tr_pool *pool, const struct tr_run_spec *start,
                                         uint32_t generation) {
    if (poor.cell == NULL) return __real_tr_notice_start(pool, start, generation);
    struct tr_message *late = make_probe();
    late->slot = poor.cell->slot;
    late->generation = generation - 1;
    atomic_fetch_add(&poor.cell->queued, 1);
    tr_cell_push(poor.node, NULL, poor.cell, &late->link);
    return NULL;
}

/* The slot that the next spawn takes. */
static struct tr_cell *next_cell(struct tr_node *node) {
    enum troupe_status status;
    struct tr_cell *cell = tr_cells_take(&node->cells, NULL, &status);
    assert_non_null(cell);
    tr_cells_release(&node->cells, NULL, cell);
    return cell;
}

static struct tr_run_spec spec_of(struct tr_message *args) {
    return (struct tr_run_spec){ .class = tr_class_of(&classes, &loner_actor), .args = args,
                                 .path = "/loner", .own_thread = true };
}

/* ---- Tests ---- */

static void without_memory_nothing_is_left(void **state) {
    enum { ROUNDS = 50 };
    (void)state;
    struct tr_node *node = make_node();
    struct tr_message *args = make_probe();
    const struct tr_run_spec spec = spec_of(args);
    troupe_address address;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        poor.node = node;
        poor.cell = next_cell(node);
        assert_int_equal(tr_spawn(node, NULL, &spec, &address), TROUPE_NO_MEMORY);
        assert_int_equal(await_dead_letters(node, i), i);
    }
    poor.cell = NULL;
    assert_int_equal(node->owns_used, 0);
    assert_int_equal(tr_spawn(node, NULL, &spec, &address), TROUPE_OK); /* takes `args`, which were left */
    end_node(node);
    assert_int_equal(atomic_load(&started), 1);
}

/* `path`: NULL for one that begins without a notice. */
static void spawn_without_a_thread(const char *path) {
    struct tr_node *node = make_node();
    struct tr_message *args = make_probe();
    struct tr_run_spec spec = spec_of(args);
    spec.path = path;
    troupe_address address;
    struct tr_cell *cell = next_cell(node);
    pthread_mutex_lock(&node->end_lock);
    node->owns_closed = true;
    pthread_mutex_unlock(&node->end_lock);
    assert_int_equal(tr_spawn(node, NULL, &spec, &address), TROUPE_STOPPING);
    assert_int_equal(atomic_load(&cell->home), 0);
    assert_ptr_equal(next_cell(node), cell);
    spec.own_thread = false;
    assert_int_equal(tr_spawn(node, NULL, &spec, &address), TROUPE_OK);
    end_node(node);
    assert_int_equal(atomic_load(&started), 1);
}

static void without_a_thread_nothing_is_left(void **state) {
    (void)state;
    spawn_without_a_thread("/loner");
    spawn_without_a_thread(NULL);
}

/* Threads that end in places that others take, and while they are joined. */
static void a_thread_may_end_while_it_is_joined(void **state) {
    enum { NODES = 100, EACH = 6 };
    (void)state;
    for (uint32_t i = 0; i < NODES; i++) {
        struct tr_node *node = make_node();
        for (uint32_t k = 0; k < EACH; k++) {
            struct tr_run_spec spec = spec_of(make_probe());
            troupe_address address;
            spec.class = tr_class_of(&classes, &mayfly_actor);
            assert_int_equal(tr_spawn(node, NULL, &spec, &address), TROUPE_OK);
        }
        end_node(node);
        assert_int_equal(atomic_load(&started), EACH);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_nothing_is_left),
        cmocka_unit_test(without_a_thread_nothing_is_left),
        cmocka_unit_test(a_thread_may_end_while_it_is_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
