/*
 * Large data between actors: shared within a node, never copied twice, released whatever becomes of the
 * messages; and messages to many. Most of it runs twice: with messages handed over by pointer, and packed
 * and unpacked as on the way to another node, where every message has buffers of its own.
 */
#include "lib/system_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place/host.h"

enum { KIB = 1024, MIB = 1024 * KIB };

/* `origin`: the address at which the sender had the data. */
#define CHUNK(field) field(bytes, data) field(u64, origin) field(u32, n)
TROUPE_MESSAGE(chunk, CHUNK)
#define TEXT(field) field(str, text) field(u64, origin)
TROUPE_MESSAGE(text, TEXT)
#define TARGET(field) field(address, to)
TROUPE_MESSAGE(target, TARGET)
#define ORDER(field) field(address, to) field(u32, size) field(u32, times) field(bool, buffer)
TROUPE_MESSAGE(order, ORDER)
#define PLACE(field) field(u64, at)
TROUPE_MESSAGE(place, PLACE)
TROUPE_MESSAGE_EMPTY(go)
TROUPE_MESSAGE_EMPTY(fail)

static bool is_packed(void) { return getenv("TROUPE_SERIALIZE") != NULL; }

static uint64_t address_of(const void *data) { return (uint64_t)(uintptr_t)data; }

/* Bytes that say where they are in the whole, and of which whole. */
static void fill(uint8_t *data, uint32_t size, uint32_t n) {
    for (uint32_t i = 0; i < size; i++) data[i] = (uint8_t)(i * 31 + i / 251 + n);
}

/* Looks at a byte here and there: each of all would take a sanitizer minutes. */
static bool is_filled(struct troupe_bytes data, uint32_t n) {
    const uint8_t *bytes = data.data;
    for (uint32_t i = data.size % 61; i < data.size; i += 61)
        if (bytes[i] != (uint8_t)(i * 31 + i / 251 + n)) return false;
    return true;
}

static struct troupe_buffer_counts buffers_of(troupe_system *system) {
    struct troupe_buffer_counts counts;
    troupe_system_buffers(system, &counts);
    return counts;
}

/* ---- Who makes data, in a buffer or in memory of its own ---- */

struct maker { uint32_t made; };

static enum troupe_status send_plain(troupe_self *self, const struct order *order, uint32_t n) {
    uint8_t *data = malloc(order->size);
    if (data == NULL) return TROUPE_NO_MEMORY;
    fill(data, order->size, n);
    enum troupe_status status = troupe_send(self, order->to, chunk, .data = { data, order->size },
                                            .origin = address_of(data), .n = n);
    memset(data, 0xee, order->size); /* it is the sender's again */
    free(data);
    return status;
}

static enum troupe_status send_buffer(troupe_self *self, const struct order *order, uint32_t n) {
    void *data = troupe_buffer(self, order->size), *none = NULL, *elsewhere = &none;
    if (data == NULL) return TROUPE_NO_MEMORY;
    fill(data, order->size, n);
    enum troupe_status status = troupe_send(self, order->to, chunk, .data = { data, order->size },
                                            .origin = address_of(data), .n = n);
    enum troupe_status released = troupe_buffer_forget(self, &data);
    if (data != NULL || troupe_buffer_forget(self, &none) != TROUPE_OK ||
        troupe_buffer_forget(self, &elsewhere) != TROUPE_INVALID || elsewhere != &none)
        board_note("not forgotten");
    return status == TROUPE_OK ? released : status;
}

TROUPE_ON(maker, order) {
    enum troupe_status status = TROUPE_OK;
    for (uint32_t i = 0; i < msg->times && status == TROUPE_OK; i++)
        status = (msg->buffer ? send_buffer : send_plain)(self, msg, me->made++);
    board_note("made: %s", troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_ACTOR(maker, TROUPE_HANDLES(maker, order))

/* ---- A pipeline: each passes on what it gets ---- */

struct stage { troupe_address next; };
TROUPE_ON(stage, target) {
    me->next = msg->to;
    board_note("ready");
    return TROUPE_OK;
}
TROUPE_ON(stage, chunk) {
    return troupe_send(self, me->next, chunk, .data = msg->data, .origin = msg->origin, .n = msg->n);
}
TROUPE_ON(stage, text) { return troupe_send(self, me->next, text, .text = msg->text, .origin = msg->origin); }
TROUPE_ACTOR(stage, TROUPE_HANDLES(stage, target, chunk, text))

struct last { char unused; };
TROUPE_ON(last, chunk) {
    board_note(!is_filled(msg->data, msg->n)                      ? "damaged"
               : address_of(msg->data.data) == msg->origin ? "same place"
                                                                  : "other place");
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ON(last, text) {
    size_t length = strlen(msg->text);
    board_note("%zu of %c, %s", length, msg->text[length - 1],
               address_of(msg->text) == msg->origin ? "same place" : "other place");
    return TROUPE_OK;
}
TROUPE_ACTOR(last, TROUPE_HANDLES(last, chunk, text))

enum { STAGES = 8 };

static const struct troupe_actor_type *const pipeline_actors[] = { &maker_actor, &stage_actor, &last_actor,
                                                                   NULL };
static const char pipeline[] = "tree: { children: [ { name: maker, actor: maker }, "
                               "{ name: stage, actor: stage, count: 8 }, { name: last, actor: last } ] }";

static void connect(troupe_system *system) {
    char name[32];
    troupe_address next = troupe_system_lookup(system, "last");
    for (uint32_t i = STAGES; i-- > 0;) {
        snprintf(name, sizeof name, "stage/%u", i);
        troupe_address stage = troupe_system_lookup(system, name);
        assert_int_equal(troupe_system_send(system, stage, target, .to = next), TROUPE_OK);
        next = stage;
    }
    board_await_times("ready", STAGES);
}

static troupe_system *pipeline_start(void) {
    troupe_system *system = system_start(pipeline, pipeline_actors);
    connect(system);
    return system;
}

static void make(troupe_system *system, const char *to, uint32_t size, uint32_t times, bool buffer) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "maker"), order,
                                        .to = troupe_system_lookup(system, to), .size = size, .times = times,
                                        .buffer = buffer), TROUPE_OK);
}

/* Packed, memory that was freed meanwhile may be where the data is in the end: the place says nothing. */
static void await_arrivals(const char *where, uint32_t times) {
    board_await_tally(0, times);
    assert_int_equal(board_times("damaged"), 0);
    if (!is_packed()) assert_int_equal(board_times(where), times);
}

static void a_pipeline_copies_nothing(void **state) {
    enum { TIMES = 20 };
    (void)state;
    troupe_system *system = pipeline_start();
    make(system, "stage/0", MIB, TIMES, true);
    await_arrivals("same place", TIMES);
    assert_int_equal(buffers_of(system).made, is_packed() ? TIMES * (1 + 9) : TIMES);
    system_end(system, 0, NULL);
}

static void what_comes_from_elsewhere_is_copied_once(void **state) {
    enum { TIMES = 20 };
    (void)state;
    troupe_system *system = pipeline_start();
    make(system, "stage/0", MIB, TIMES, false);
    await_arrivals("other place", TIMES);
    assert_int_equal(buffers_of(system).made, is_packed() ? TIMES * 9 : TIMES);
    system_end(system, 0, NULL);
}

static void small_data_has_no_buffer(void **state) {
    (void)state;
    troupe_system *system = pipeline_start();
    make(system, "stage/0", TROUPE_SHARED_SIZE - 1, 1, false);
    await_arrivals("other place", 1);
    assert_int_equal(buffers_of(system).made, 0);
    make(system, "stage/0", TROUPE_SHARED_SIZE, 1, false);
    await_arrivals("other place", 2);
    assert_int_equal(buffers_of(system).made, is_packed() ? 9 : 1);
    system_end(system, 0, NULL);
}

/* ---- From outside ---- */

static void text_from_outside_is_shared(void **state) {
    (void)state;
    troupe_system *system = pipeline_start();
    troupe_address first = troupe_system_lookup(system, "stage/0");
    char *data = troupe_system_buffer(system, MIB);
    memset(data, 'x', MIB - 1);
    data[MIB - 2] = 'z';
    data[MIB - 1] = '\0';
    assert_int_equal(troupe_system_send(system, first, text, .text = data + KIB,
                                        .origin = address_of(data + KIB)), TROUPE_OK);
    board_await(is_packed() ? "1047551 of z, other place" : "1047551 of z, same place");
    assert_int_equal(troupe_system_buffer_release(system, data + 77), TROUPE_OK);
    system_end(system, 0, NULL);
}

/* The nodes are gone, but what a thread outside holds is still its own. */
static void what_is_held_outside_outlives_the_nodes(void **state) {
    (void)state;
    troupe_system *system = pipeline_start();
    char *data = troupe_system_buffer(system, MIB);
    troupe_system_stop(system);
    assert_int_equal(troupe_system_wait(system), 0);
    memset(data, 1, MIB);
    assert_int_equal(buffers_of(system).bytes, MIB);
    char *late = troupe_system_buffer(system, 100);
    memset(late, 1, 100);
    assert_int_equal(troupe_system_buffer_release(system, data), TROUPE_OK);
    assert_int_equal(troupe_system_buffer_release(system, data), TROUPE_INVALID);
    assert_int_equal(troupe_system_buffer_release(system, late), TROUPE_OK);
    system_end(system, 0, NULL);
}

static void what_is_never_released_is_named_at_the_end(void **state) {
    (void)state;
    troupe_system *system = pipeline_start();
    assert_non_null(troupe_system_buffer(system, 1000));
    assert_non_null(troupe_system_buffer(system, 500));
    assert_true(system_end_forgetful(system, 2, 1500));
    system = pipeline_start();
    assert_false(system_end_forgetful(system, 0, 0));
}

/* ---- Keeping ---- */

/* Keeps what it gets beyond its run, and shows it in the next. */
struct keeper { char unused; };
TROUPE_ON(keeper, chunk) {
    const void *kept = troupe_buffer_keep(self, msg->data.data, msg->data.size);
    if (kept == NULL) return TROUPE_NO_MEMORY;
    board_add(msg->n, (int64_t)(uintptr_t)kept);
    board_note("kept %s", kept == msg->data.data ? "where it was" : "a copy");
    return TROUPE_OK;
}
TROUPE_ON(keeper, fail) { return TROUPE_FAIL(self, "asked to"); }
TROUPE_ON(keeper, place) {
    const uint8_t *kept = (const uint8_t *)(uintptr_t)msg->at;
    bool whole = is_filled((struct troupe_bytes){ kept, 1000 }, kept[0]);
    enum troupe_status first = troupe_buffer_release(self, kept + 500);
    enum troupe_status second = troupe_buffer_release(self, kept);
    board_note("run %u: %s, %s, %s", troupe_self_run(self), whole ? "whole" : "damaged",
               troupe_status_name(first), troupe_status_name(second));
    return TROUPE_OK;
}
TROUPE_ACTOR(keeper, TROUPE_HANDLES(keeper, chunk, fail, place))

static void what_a_run_keeps_the_next_one_has(void **state) {
    static const struct troupe_actor_type *const actors[] = { &maker_actor, &keeper_actor, NULL };
    (void)state;
    troupe_system *system = system_start("tree: { children: [ { name: maker, actor: maker }, "
                                         "{ name: keeper, actor: keeper } ] }", actors);
    troupe_address keeper = troupe_system_lookup(system, "keeper");
    make(system, "keeper", MIB, 1, true);
    board_await("kept where it was");
    make(system, "keeper", 1000, 1, false); /* too small to be shared */
    board_await("kept a copy");
    assert_int_equal(troupe_system_send_empty(system, keeper, fail), TROUPE_OK);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(troupe_system_send(system, keeper, place, .at = (uint64_t)board_tally(i)), TROUPE_OK);
    board_await_times("run 1: whole, ok, invalid", 2);
    system_end(system, 0, NULL);
}

/* ---- What becomes of messages: whatever it is, their data is released ---- */

struct victim { uint32_t handled; };
TROUPE_ON(victim, chunk) {
    board_note("at the gate");
    gate_pass();
    return ++me->handled % 3 == 0 ? TROUPE_FAIL(self, "every third") : TROUPE_OK;
}
TROUPE_ON(victim, go) { return troupe_exit(self); }
TROUPE_ACTOR(victim, TROUPE_HANDLES(victim, chunk, go))

static const struct troupe_actor_type *const victim_actors[] = { &maker_actor, &victim_actor, NULL };

/* Fills its mailbox while it stands at the gate. */
static troupe_system *besiege(const char *config, uint32_t times) {
    troupe_system *system = system_start(config, victim_actors);
    gate_close();
    make(system, "victim", TROUPE_SHARED_SIZE, times, true);
    board_await("made: ok");
    board_await("at the gate");
    assert_true(buffers_of(system).live >= 3);
    return system;
}

static void failures_release_what_they_drop(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = besiege("tree: { restarts: 100, children: [ { name: maker, actor: maker }, "
                                    "{ name: victim, actor: victim } ] }", 30);
    gate_open();
    board_await_times("at the gate", 30);
    system_end(system, 0, &counts);
    assert_int_equal(counts.dead_by_reason[TROUPE_FAILED], 10);
}

static void what_is_delivered_again_is_still_there(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = besiege("tree: { restarts: 100, children: [ { name: maker, actor: maker }, "
                                    "{ name: victim, actor: victim, delivery: at_least_once } ] }", 10);
    gate_open();
    board_await_times("at the gate", 14);
    system_end(system, 0, &counts);
    assert_int_equal(counts.handled, 11);
}

static void a_full_mailbox_that_drops_releases(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = besiege("tree: { children: [ { name: maker, actor: maker }, { name: victim, "
                                    "actor: victim, mailbox: { limit: 4, overflow: drop_newest } } ] }", 20);
    assert_true(buffers_of(system).live <= 5);
    gate_open();
    system_end(system, 0, &counts);
    assert_true(counts.dead_by_reason[TROUPE_FULL] >= 15);
}

static void a_mailbox_that_is_flushed_releases(void **state) {
    struct troupe_counts counts;
    (void)state;
    troupe_system *system = besiege("tree: { children: [ { name: maker, actor: maker }, "
                                    "{ name: victim, actor: victim, restart: temporary } ] }", 20);
    troupe_system_stop(system);
    gate_open();
    system_end(system, 0, &counts);
    assert_true(counts.dead_by_reason[TROUPE_FLUSHED] + counts.dead_by_reason[TROUPE_GONE] >= 17);
}

/* ---- One to many ---- */

enum { MANY = 64 };

struct listener { char unused; };
TROUPE_ON(listener, chunk) {
    gate_pass();
    if (!is_filled(msg->data, msg->n)) board_note("damaged");
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(listener, TROUPE_HANDLES(listener, chunk))

struct speaker { troupe_address to[MANY]; };

static void find_all(troupe_self *self, struct speaker *me, const char *what) {
    char name[32];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%s/%u", what, i);
        me->to[i] = troupe_lookup(self, name);
    }
}

TROUPE_ON(speaker, order) {
    enum troupe_status status = TROUPE_NO_MEMORY;
    uint8_t *data = msg->buffer ? troupe_buffer(self, msg->size) : malloc(msg->size);
    if (data == NULL) return status;
    find_all(self, me, "listener");
    fill(data, msg->size, 0);
    status = troupe_send_many(self, me->to, MANY, NULL, chunk, .data = { data, msg->size });
    if (msg->buffer) troupe_buffer_release(self, data);
    else free(data);
    board_note("spoke: %s", troupe_status_name(status));
    return TROUPE_OK;
}
TROUPE_ACTOR(speaker, TROUPE_HANDLES(speaker, order))

static void speak(bool buffer) {
    static const struct troupe_actor_type *const actors[] = { &speaker_actor, &listener_actor, NULL };
    troupe_system *system = system_start("{ threads: 2, tree: { children: [ { name: speaker, actor: speaker }, "
                                         "{ name: listener, actor: listener, count: 64 } ] } }", actors);
    int64_t before = process_memory();
    gate_close();
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "speaker"), order,
                                        .size = 4 * MIB, .buffer = buffer), TROUPE_OK);
    board_await("spoke: ok");
    if (!is_packed()) {
        assert_int_equal(buffers_of(system).made, 1);
        assert_int_equal(buffers_of(system).bytes, 4 * MIB);
        assert_true(process_memory() - before < 40 * MIB); /* a copy each would be 256 */
    }
    gate_open();
    board_await_tally(0, MANY);
    assert_int_equal(board_times("damaged"), 0);
    system_end(system, 0, NULL);
}

static void many_share_one_buffer(void **state) {
    (void)state;
    speak(true);
}

static void for_many_plain_memory_is_copied_once(void **state) {
    (void)state;
    speak(false);
}

/* ---- Messages to many: codes and order ---- */

struct member { uint32_t next; };
TROUPE_ON(member, chunk) {
    if (msg->n != me->next++) board_note("out of order");
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(member, TROUPE_HANDLES(member, chunk))

struct deaf { char unused; };
TROUPE_ON(deaf, go) { return TROUPE_OK; }
TROUPE_ACTOR(deaf, TROUPE_HANDLES(deaf, go))

/* To four members and some who cannot be sent it; before and after, the same by single sends. */
struct chair { char unused; };
static void send_three(troupe_self *self, const troupe_address *to, enum troupe_status *statuses) {
    for (uint32_t i = 0; i < 4; i++) (void)troupe_send(self, to[i], chunk, .n = 0);
    enum troupe_status status = troupe_send_many(self, to, 7, statuses, chunk, .n = 1);
    board_note("many: %s", troupe_status_name(status));
    for (uint32_t i = 0; i < 4; i++) (void)troupe_send(self, to[i], chunk, .n = 2);
}
TROUPE_ON(chair, go) {
    troupe_address to[7] = { troupe_lookup(self, "member/0"), troupe_lookup(self, "member/1"),
                             troupe_lookup(self, "member/2"), troupe_lookup(self, "member/3"),
                             troupe_lookup(self, "deaf"), { 0 }, { 99, 5, 1 } };
    enum troupe_status statuses[7];
    send_three(self, to, statuses);
    for (uint32_t i = 0; i < 7; i++) board_note("%s", troupe_status_name(statuses[i]));
    board_note("three: %s", troupe_status_name(troupe_send_many(self, to, 3, NULL, chunk, .n = 3)));
    board_note("none: %s", troupe_status_name(troupe_send_many(self, NULL, 0, NULL, chunk, .n = 9)));
    board_note("empty: %s", troupe_status_name(troupe_send_many_empty(self, to + 4, 1, statuses, go)));
    enum troupe_status bad = troupe_send_many(self, to, 4, statuses, chunk, .data = { NULL, 1 });
    board_note("bad: %s", troupe_status_name(bad));
    return TROUPE_OK;
}
TROUPE_ACTOR(chair, TROUPE_HANDLES(chair, go))

static void meet(const char *place) {
    static const struct troupe_actor_type *const actors[] = { &chair_actor, &member_actor, &deaf_actor, NULL };
    char config[512];
    struct troupe_counts counts;
    snprintf(config, sizeof config, "tree: { children: [ { name: chair, actor: chair }, "
             "{ name: deaf, actor: deaf }, { name: member, actor: member, count: 4, place: %s } ] }", place);
    troupe_system *system = system_start(config, actors);
    troupe_address chair = troupe_system_lookup(system, "chair");
    assert_int_equal(troupe_system_send_empty(system, chair, go), TROUPE_OK);
    board_await_tally(0, 3 * 4 + 3);
    board_await("bad: invalid");
    board_expect("many: unhandled ok ok ok ok unhandled gone unreachable three: ok none: ok empty: ok "
                 "bad: invalid");
    system_end(system, 0, &counts);
    assert_int_equal(counts.sent, 1 + 3 * 4 + 3 + 1);
    assert_int_equal(counts.refused, 3 + 4);
}

static void many_are_sent_to_as_one_by_one(void **state) {
    (void)state;
    meet("thread");
    meet("inproc");
}

/* ---- Packed once: the type counts how often a walk over its fields is begun on this thread ---- */

struct counted {
    struct troupe_bytes data;
    uint32_t n;
};
static _Thread_local uint32_t walks;
static const struct troupe_field *counted_fields(void) {
    static const struct troupe_field fields[] = {
        { "data", TROUPE_KIND_BYTES, false, offsetof(struct counted, data), NULL },
        { "n", TROUPE_KIND_U32, false, offsetof(struct counted, n), NULL },
    };
    walks++;
    return fields;
}
TROUPE_X_DESCRIBE(counted, 2, counted_fields, true)

struct far { char unused; };
TROUPE_ON(far, counted) {
    if (msg->data.size != MIB || !is_filled(msg->data, msg->n)) board_note("damaged");
    board_add(0, 1);
    return TROUPE_OK;
}
TROUPE_ACTOR(far, TROUPE_HANDLES(far, counted))

enum { FAR = 6 };

struct herald { uint32_t n; };
TROUPE_ON(herald, go) {
    troupe_address to[FAR];
    char name[16];
    uint8_t *data = troupe_buffer(self, MIB);
    fill(data, MIB, ++me->n);
    for (uint32_t i = 0; i < FAR; i++) {
        snprintf(name, sizeof name, "far/%u", i);
        to[i] = troupe_lookup(self, name);
    }
    uint32_t before = walks;
    (void)troupe_send(self, to[0], counted, .data = { data, MIB }, .n = me->n);
    uint32_t one = walks - before;
    (void)troupe_send_many(self, to, FAR, NULL, counted, .data = { data, MIB }, .n = me->n);
    board_note("one %u, many %u", one, walks - before - one);
    return troupe_buffer_release(self, data);
}
TROUPE_ACTOR(herald, TROUPE_HANDLES(herald, go))

static void for_other_nodes_it_is_packed_once(void **state) {
    static const struct troupe_actor_type *const actors[] = { &herald_actor, &far_actor, NULL };
    (void)state;
    troupe_system *system = system_start("tree: { children: [ { name: herald, actor: herald }, "
                                         "{ name: far, actor: far, count: 6, place: inproc } ] }", actors);
    troupe_address herald = troupe_system_lookup(system, "herald");
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(troupe_system_send_empty(system, herald, go), TROUPE_OK);
        board_await_tally(0, i * (FAR + 1));
        board_await_times("one 1, many 1", i); /* said after the last of them was sent */
    }
    assert_int_equal(board_times("damaged"), 0);
    board_expect("one 1, many 1 one 1, many 1 one 1, many 1");
    system_end(system, 0, NULL);
}

/* ---- Asks, timers, spawns ---- */

struct echo { char unused; };
TROUPE_ON(echo, chunk) {
    board_add(0, (int64_t)(uintptr_t)msg->data.data);
    return troupe_reply(self, text, .text = "heard", .origin = address_of(msg->data.data));
}
TROUPE_ACTOR(echo, TROUPE_HANDLES(echo, chunk))

struct curious { char unused; };
TROUPE_ON(curious, order) {
    uint8_t *data = malloc(msg->size);
    fill(data, msg->size, 0);
    enum troupe_status status =
        troupe_ask(self, msg->to, chunk, TROUPE_MINUTE, .data = { data, msg->size });
    free(data);
    return status;
}
TROUPE_ANSWER(curious, chunk, text) {
    bool same = outcome == TROUPE_OK && reply->origin == address_of(request->data.data);
    board_note("%s, %s, %s", troupe_status_name(outcome), same ? "same place" : "other place",
               is_filled(request->data, 0) ? "whole" : "damaged");
    return TROUPE_OK;
}
TROUPE_ACTOR(curious, TROUPE_HANDLES(curious, order), TROUPE_ANSWERS(curious, chunk, text))

static void an_ask_has_one_copy_of_its_request(void **state) {
    static const struct troupe_actor_type *const actors[] = { &curious_actor, &echo_actor, NULL };
    (void)state;
    troupe_system *system = system_start("tree: { children: [ { name: curious, actor: curious }, "
                                         "{ name: echo, actor: echo } ] }", actors);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "curious"), order,
                                        .to = troupe_system_lookup(system, "echo"), .size = MIB), TROUPE_OK);
    board_await(is_packed() ? "ok, other place, whole" : "ok, same place, whole");
    assert_int_equal(buffers_of(system).made, is_packed() ? 2 : 1);
    system_end(system, 0, NULL);
}

/* Started with a large message, it sets a timer with it; each tick is passed on. */
struct clock { uint32_t ticks; };
TROUPE_START(clock, chunk) {
    return troupe_every(self, NULL, TROUPE_MILLISECOND, chunk, .data = args->data, .n = args->n);
}
TROUPE_ON(clock, chunk) {
    if (++me->ticks == 3) (void)troupe_exit(self);
    return troupe_send(self, troupe_lookup(self, "last"), chunk, .data = msg->data,
                       .origin = address_of(msg->data.data), .n = msg->n);
}
TROUPE_ACTOR(clock, TROUPE_STARTS(clock, chunk), TROUPE_HANDLES(clock, chunk))

static void start_messages_and_ticks_share_too(void **state) {
    static const struct troupe_actor_type *const actors[] = { &clock_actor, &last_actor, NULL };
    static uint8_t data[MIB];
    (void)state;
    troupe_system *system = system_start("tree: { children: [ { name: last, actor: last } ] }", actors);
    fill(data, MIB, 5);
    assert_int_equal(troupe_system_spawn(system, NULL, clock, chunk, .data = { data, MIB }, .n = 5), TROUPE_OK);
    await_arrivals("same place", 3);
    assert_int_equal(buffers_of(system).made, is_packed() ? 1 + 3 : 1);
    system_end(system, 0, NULL);
}

/* ---- Elsewhere ---- */

static void another_node_gets_the_same_bytes(void **state) {
    (void)state;
    troupe_system *system = system_start("tree: { children: [ { name: maker, actor: maker }, "
                                         "{ name: stage, actor: stage, count: 8, place: inproc }, "
                                         "{ name: last, actor: last } ] }", pipeline_actors);
    connect(system);
    make(system, "stage/0", TROUPE_SHARED_SIZE - 1, 2, false);
    make(system, "stage/0", TROUPE_SHARED_SIZE, 2, false);
    make(system, "stage/0", MIB + 1, 5, true);
    board_await_tally(0, 9);
    assert_int_equal(board_times("damaged"), 0);
    system_end(system, 0, NULL);
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    static const struct troupe_actor_type *const actors[] = { &last_actor, &deaf_actor, NULL };
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = "tree: { children: [ "
                                      "{ name: last, actor: last, place: inproc }, "
                                      "{ name: deaf, actor: deaf } ] }" };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "last"), text, .text = "-"),
                     TROUPE_OK);
    board_await("1 of -, other place");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_copies_nothing),
        cmocka_unit_test(what_comes_from_elsewhere_is_copied_once),
        cmocka_unit_test(small_data_has_no_buffer),
        cmocka_unit_test(text_from_outside_is_shared),
        cmocka_unit_test(what_is_held_outside_outlives_the_nodes),
        cmocka_unit_test(what_is_never_released_is_named_at_the_end),
        cmocka_unit_test(what_a_run_keeps_the_next_one_has),
        cmocka_unit_test(failures_release_what_they_drop),
        cmocka_unit_test(what_is_delivered_again_is_still_there),
        cmocka_unit_test(a_full_mailbox_that_drops_releases),
        cmocka_unit_test(a_mailbox_that_is_flushed_releases),
        cmocka_unit_test(many_share_one_buffer),
        cmocka_unit_test(for_many_plain_memory_is_copied_once),
        cmocka_unit_test(many_are_sent_to_as_one_by_one),
        cmocka_unit_test(for_other_nodes_it_is_packed_once),
        cmocka_unit_test(an_ask_has_one_copy_of_its_request),
        cmocka_unit_test(start_messages_and_ticks_share_too),
        cmocka_unit_test(another_node_gets_the_same_bytes),
    };
    start_transport();
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests_name("by pointer", tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    failed += cmocka_run_group_tests_name("packed", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
