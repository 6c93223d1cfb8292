/*
 * Two real nodes, with real actors, lanes and sockets between them, stepped by one thread from a seed: what
 * sim_peer.c shows of the protocol, here of all that is built on it, from troupe_send to the handler.
 *
 * The nodes have no threads and their time is a number (core/step.h). This program is the keeper: it gives them
 * the ends of new sockets when they ask, or when they do not, each its end at a time of its own; it kills one of them,
 * between two steps, tells the other, and starts it again. In between actors send, singly and in floods, and
 * some of those who receive are held up for a while.
 *
 *   credit     no more than the window is unsettled towards one actor, what is beyond is FULL, and who was
 *              refused hears that there is room again
 *   others     a receiver that is held up, and flooded, holds up nobody else
 *   order      each actor handles what one node sent in the order sent, over lost connections and restarts too
 *   once       nothing is handled twice; to an actor that wants at least once, all is
 *   account    at rest each node has sent = handled + dead letters + in doubt, and as many were handled as it says
 *   nothing    is left: no credit, no descriptor
 *
 *   sim_lane [--seed N] [--seeds COUNT]     a failing seed is printed and can be replayed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "core/log.h"
#include "core/log_record.h"
#include "core/message.h"
#include "core/send.h"
#include "core/step.h"
#include "place/lane_parts.h"
#include "services/services.h"

enum {
    SEEDS = 400,
    SEEDS_SANITIZED = 100,
    MOST_FAT = 3000,
    SOURCE = 4, /* slots, the same on both nodes; SINK + 1 wants at least once */
    SINK = 5,
    SINKS = 3,
    MESSAGES = 20000,
    STEPS = 3000,
    REST_STEPS = 400000,
    FAIR_STEPS = 20000,
    AT_ONCE = 64,
    DESCRIPTORS = 1000, /* that are looked at */
    CHANNELS = 64 /* of the ledger, that may be in use */
};

#define NOTE(field) field(u32, number) field(bytes, pad)
TROUPE_MESSAGE(note, NOTE)

/* ---- The world ---- */

struct side {
    int self;
    bool alive;
    bool killed;                 /* what its node still does now, it does not do */
    uint32_t run;
    struct tr_node *node;
    struct tr_lane_driver *lane;
    struct tr_services services;
    struct tr_buffers buffers;
    bool wants;                  /* a connection */
    struct tr_lane_offer offer;  /* that it has not got yet; number 0: none */
    bool held[SINKS];
    bool refused[SINKS];         /* over there: it waits for troupe_ready */
    uint64_t sent;               /* by this run, and taken */
    int64_t last[SINKS];         /* the number handled last */
};

static const int64_t REST_TIME = 3 * TROUPE_SECOND;

static struct world {
    uint64_t seed;
    struct tr_random random;
    int64_t now;
    struct side sides[2];
    uint64_t offers;
    int ledger;                  /* memory of the present pair of runs */
    struct tr_ledger *memory;
    uint64_t ledger_number;
    struct tr_classes classes;
    struct note_state {
        uint8_t from, sink;
        uint8_t handled;
        uint32_t run;            /* of its sender */
    } notes[MESSAGES];
    uint32_t note_count;
    uint32_t crashes;
    int copy;                    /* of an end of the present connection, held by nobody in particular; -1: none */
    uint32_t fat;                /* bytes that some messages have besides */
} world;

static struct totals {
    uint64_t notes, handled, full, ready, crashes, connections;
} totals;

static void check(bool holds, const char *what) {
    if (holds) return;
    print_error("seed=%llu: %s\n", (unsigned long long)world.seed, what);
    fail();
}

static uint64_t below(uint64_t bound) { return tr_random_below(&world.random, bound); }
static bool one_in(uint64_t n) { return tr_random_one_in(&world.random, n); }
static struct side *other(struct side *side) { return &world.sides[1 - side->self]; }

/* ---- Actors ---- */

struct sink { char unused; };
TROUPE_ON(sink, note) {
    (void)me;
    troupe_address here = troupe_self_address(self);
    struct side *side = &world.sides[here.node - 1];
    if (side->killed) return TROUPE_OK;
    struct note_state *note = &world.notes[msg->number];
    check(msg->number < world.note_count && note->from != side->self && note->sink == here.slot - SINK,
          "a message that was sent to another");
    check(note->handled++ == 0, "handled twice");
    check((int64_t)msg->number > side->last[note->sink], "out of order");
    side->last[note->sink] = msg->number;
    return TROUPE_OK;
}
TROUPE_ACTOR(sink, TROUPE_HANDLES(sink, note))

struct source { char unused; };
TROUPE_ON(source, troupe_ready) {
    (void)me;
    struct side *side = &world.sides[troupe_self_address(self).node - 1];
    check(side->refused[msg->to.slot - SINK], "ready, though nobody was refused");
    side->refused[msg->to.slot - SINK] = false;
    totals.ready++;
    return TROUPE_OK;
}
TROUPE_ACTOR(source, TROUPE_HANDLES(source, troupe_ready))

static const struct troupe_actor_type *const actors[] = { &source_actor, &sink_actor, NULL };

/* ---- The keeper ---- */

static void new_ledger(void) {
    if (world.memory != NULL) munmap(world.memory, sizeof *world.memory);
    if (world.ledger >= 0) close(world.ledger);
    world.ledger = memfd_create("ledger", MFD_CLOEXEC);
    assert_true(world.ledger >= 0 && ftruncate(world.ledger, sizeof *world.memory) == 0);
    world.memory = mmap(NULL, sizeof *world.memory, PROT_READ | PROT_WRITE, MAP_SHARED, world.ledger, 0);
    assert_true(world.memory != MAP_FAILED);
    world.ledger_number++;
}

static void drop_offer(struct side *side) {
    if (side->offer.lane != 0) tr_lane_offer_drop(&side->offer);
    side->offer.lane = 0;
}

static void drop_copy(void) {
    if (world.copy >= 0) close(world.copy);
    world.copy = -1;
}

/* The connection breaks, for both sides. */
static void cut(void) {
    if (world.copy >= 0) (void)shutdown(world.copy, SHUT_RDWR);
    drop_copy();
}

static void make_offers(void) {
    int ends[2];
    uint8_t token = (uint8_t)below(256);
    assert_int_equal(tr_socket_pair(ends), 0);
    drop_copy();
    world.copy = fcntl(ends[below(2)], F_DUPFD_CLOEXEC, 0);
    world.offers++;
    totals.connections++;
    for (int i = 0; i < 2; i++) {
        struct side *side = &world.sides[i];
        void *memory = mmap(NULL, sizeof(struct tr_ledger), PROT_READ | PROT_WRITE, MAP_SHARED, world.ledger, 0);
        assert_true(memory != MAP_FAILED);
        drop_offer(side);
        side->offer = (struct tr_lane_offer){ .lane = world.offers, .listen = i == 1, .socket = ends[i],
                                              .token = { token, 1 }, .ledger = world.ledger_number,
                                              .memory = memory };
        side->wants = false;
    }
}

static void hand_over(struct side *side) {
    if (side->offer.lane == 0) return;
    tr_lane_attach(side->lane, &side->offer);
    side->offer.lane = 0;
}

static void on_connect(void *host, uint64_t node, uint64_t peer, uint64_t known) {
    (void)node, (void)peer, (void)known;
    ((struct side *)host)->wants = true;
}

static void on_listening(void *host, uint64_t lane, const char *url, const char *error) {
    (void)host, (void)lane, (void)url, (void)error;
    check(false, "a socket that listens");
}

/* ---- Nodes ---- */

static void cell_ended(struct tr_node *node, struct tr_cell *cell) { (void)node, (void)cell; }
static const char *path_of(struct tr_node *node, troupe_address address) {
    (void)node, (void)address;
    return NULL;
}
static const struct tr_hooks hooks = { .cell_ended = cell_ended, .path_of = path_of };

/* What a lane says of its connection tells what is wrong with it. */
static void look_at_line(void *context, enum troupe_level level, const char *line, size_t size) {
    char text[TR_LOG_LINE + 1];
    (void)context, (void)level;
    snprintf(text, sizeof text, "%.*s", (int)size, line);
    bool expected = strstr(text, "connection to node") == NULL || strstr(text, "silent") != NULL ||
                    strstr(text, "handshake") != NULL || strstr(text, "incarnation") != NULL;
    if (!expected) print_error("%s", text);
    check(expected, "a connection that is not as it should be");
}
static const struct tr_logger logger = { .line = look_at_line };

static void bind_actor(struct side *side, uint32_t slot, const struct troupe_actor_type *type, bool at_least_once) {
    struct tr_run_spec spec = { .class = tr_class_of(&world.classes, type), .path = "/actor",
                                .at_least_once = at_least_once };
    enum troupe_status status;
    struct tr_codec_error error;
    assert_true(tr_bind(side->node, slot, &spec));
    spec.args = tr_message_new(tr_memory_of(side->node, NULL), &troupe_none_message, &(struct troupe_none){ 0 },
                               &status, &error);
    assert_non_null(spec.args);
    assert_int_equal(tr_start(side->node, NULL, tr_cells_at(&side->node->cells, slot), TR_BOUND_GENERATION, &spec),
                     TROUPE_OK);
}

static void boot(struct side *side) {
    const struct tr_lane_host host = { on_connect, on_listening, side };
    memset(&side->services, 0, sizeof side->services);
    tr_far_init(&side->services.far);
    tr_buffers_init(&side->buffers);
    const struct tr_node_options options = { .id = (uint64_t)side->self + 1, .incarnation = ++side->run, .workers = 1,
                                             .reserved_slots = SINK + SINKS, .classes = &world.classes,
                                             .hooks = &hooks, .trace = -1, .buffers = &side->buffers,
                                             .logger = &logger, .services = &side->services, .blocked = INT64_MAX,
                                             .time = &world.now };
    side->node = tr_node_new(&options);
    assert_non_null(side->node);
    bind_actor(side, SOURCE, &source_actor, false);
    for (uint32_t i = 0; i < SINKS; i++) bind_actor(side, SINK + i, &sink_actor, i == 1);
    side->lane = tr_lane_new(side->node, (uint64_t)other(side)->self + 1, side->run, true, &host);
    assert_non_null(side->lane);
    side->alive = true;
    side->sent = 0;
    side->wants = false;
    memset(side->held, 0, sizeof side->held);
    memset(side->refused, 0, sizeof side->refused);
}

static uint64_t handled_of(const struct side *side) {
    uint64_t handled = 0;
    for (uint32_t i = 0; i < world.note_count; i++)
        if (world.notes[i].from == side->self && world.notes[i].run == side->run) handled += world.notes[i].handled;
    return handled;
}

static struct troupe_counts counts_of(const struct side *side) {
    struct troupe_counts counts = { 0 };
    tr_flight_counts(side->node->flight, &counts);
    return counts;
}

static bool is_settled(const struct side *side) {
    struct troupe_counts counts = counts_of(side);
    return counts.sent == counts.handled + counts.dead_letters + counts.in_doubt;
}

/* Of a node that is killed, some acks are lost with it: it had heard of less. */
static void check_account(const struct side *side) {
    struct troupe_counts counts = counts_of(side);
    uint64_t handled = handled_of(side);
    check(counts.sent == side->sent, "another number than was sent");
    check(is_settled(side), "not all is accounted for");
    check(side->killed ? counts.handled <= handled : counts.handled == handled, "another number than was handled");
    check(counts.in_doubt == 0, "in doubt, though nobody was killed in a handler");
}

static void end(struct side *side, bool killed) {
    drop_offer(side);
    side->killed = killed;
    tr_node_halt(side->node);
    tr_lane_close(side->lane);
    tr_node_drain(side->node);
    tr_lane_free(side->lane);
    check_account(side);
    tr_node_free(side->node);
    tr_far_free(&side->services.far);
    tr_buffers_free(&side->buffers);
    side->alive = side->killed = false;
}

/* Nothing that ending in order would write there is in the ledger of one that was killed. */
static void crash(struct side *side) {
    static struct tr_ledger_half kept;
    struct tr_ledger_half *half = &world.memory->halves[side->self];
    memcpy(&kept.settled, &half->settled, CHANNELS * sizeof kept.settled[0]);
    memcpy(&kept.dead, &half->dead, CHANNELS * sizeof kept.dead[0]);
    end(side, true);
    memcpy(&half->settled, &kept.settled, CHANNELS * sizeof kept.settled[0]);
    memcpy(&half->dead, &kept.dead, CHANNELS * sizeof kept.dead[0]);
    world.crashes++;
    if (one_in(2)) drop_copy(); /* else the end of the connection does not show */
    const struct troupe_death death = { .text = "killed", .path = "", .actor = "", .message = "", .cause = "" };
    enum tr_cause cause = one_in(2) ? TR_CAUSE_CRASHED : TR_CAUSE_KILLED;
    if (other(side)->alive) tr_lane_down(other(side)->lane, cause, &death);
}

/* ---- Steps ---- */

static bool is_held(const struct side *side, const struct tr_cell *cell) {
    return cell->slot >= SINK && cell->slot < SINK + SINKS && side->held[cell->slot - SINK];
}

/* False: nothing could run. */
static bool run_one(struct side *side) {
    uint32_t runnable = side->alive ? tr_node_runnable(side->node) : 0;
    if (runnable == 0) return false;
    struct tr_cell *cell = tr_node_take(side->node, (uint32_t)below(runnable));
    if (is_held(side, cell)) tr_node_give_back(side->node, cell);
    else tr_node_run(side->node, cell);
    return true;
}

static void look_at_credit(const struct side *side) {
    for (uint32_t i = 0; i < SINKS; i++) {
        const struct tr_credit *credit = tr_lane_credit(side->lane, SINK + i, false);
        check(credit == NULL || atomic_load(&credit->unsettled) <= TR_PEER_WINDOW, "more than the window");
    }
}

/* As the source would. False: it was refused. */
static bool send_note(struct side *side, uint8_t sink) {
    struct tr_worker *worker = &side->node->workers[0];
    if (world.note_count == MESSAGES) return false;
    worker->self = (struct troupe_self){ .worker = worker, .cell = tr_cells_at(&side->node->cells, SOURCE) };
    troupe_address to = { (uint64_t)other(side)->self + 1, SINK + sink, TR_BOUND_GENERATION };
    world.notes[world.note_count] = (struct note_state){ (uint8_t)side->self, sink, 0, side->run };
    static const uint8_t pad[MOST_FAT];
    const struct troupe_bytes more = { pad, one_in(2) ? world.fat : 0 };
    enum troupe_status status = troupe_send(&worker->self, to, note, .number = world.note_count, .pad = more);
    check(status == TROUPE_OK || status == TROUPE_FULL, "refused for a reason that cannot be");
    look_at_credit(side);
    if (status == TROUPE_FULL) {
        side->refused[sink] = true;
        totals.full++;
        return false;
    }
    world.note_count++;
    side->sent++;
    return true;
}

static void send_some(struct side *side, uint32_t count, uint8_t sink) {
    while (count-- > 0 && send_note(side, sink)) continue;
}

static void disturb(struct side *side) {
    bool both = other(side)->alive;
    switch (below(9)) {
    case 0: crash(side); break;
    case 8: cut(); break;
    case 1:
    case 2:
        if (both) make_offers();
        break;
    case 3: send_some(side, 1100, (uint8_t)below(SINKS)); break;
    default: side->held[below(SINKS)] ^= true; break;
    }
}

static void tend(struct side *side) {
    if (!side->alive) {
        if (!one_in(4)) return;
        if (other(side)->alive) drop_offer(other(side));
        new_ledger();
        boot(side);
    } else if (side->offer.lane != 0) {
        hand_over(side);
    } else if (side->wants && other(side)->alive) {
        make_offers();
    }
}

static void step(void) {
    struct side *side = &world.sides[below(2)];
    switch (below(16)) {
    case 0: world.now += (int64_t)below(3 * TROUPE_MILLISECOND); break;
    case 1: tend(side); break;
    case 2:
        if (side->alive) send_some(side, 1 + (uint32_t)below(8), (uint8_t)below(SINKS));
        break;
    case 3:
        if (side->alive && one_in(10)) disturb(side);
        break;
    default: (void)run_one(side);
    }
}

/* ---- When nothing breaks any more ---- */

static void go_on(void) {
    for (int i = 0; i < 2; i++) tend(&world.sides[i]);
    bool ran = run_one(&world.sides[0]);
    if (!run_one(&world.sides[1]) && !ran) world.now += TROUPE_MILLISECOND;
}

static void come_to_rest(void) {
    struct side *sides = world.sides;
    const int64_t began = world.now;
    drop_copy();
    for (int i = 0; i < 2; i++) memset(sides[i].held, 0, sizeof sides[i].held);
    for (uint32_t steps = 0; !sides[0].alive || !sides[1].alive || !is_settled(&sides[0]) || !is_settled(&sides[1]);
         steps += AT_ONCE) {
        check(steps < REST_STEPS, "does not come to rest");
        for (int i = 0; i < AT_ONCE; i++) go_on();
    }
    check(world.now - began < REST_TIME, "comes to rest only because somebody was silent for too long");
    for (int i = 0; i < 400; i++) go_on(); /* what was refused hears of it */
}

static bool are_handled(uint32_t from, uint32_t to) {
    for (; from < to; from++)
        if (world.notes[from].handled == 0) return false;
    return true;
}

/* One is held up and flooded until its sender is refused: the others go on. */
static void be_fair(void) {
    struct side *side = &world.sides[below(2)];
    uint8_t sink = (uint8_t)below(SINKS);
    make_offers();
    for (int i = 0; i < AT_ONCE; i++) go_on();
    other(side)->held[sink] = true;
    send_some(side, TR_PEER_WINDOW + 1, sink);
    check(side->refused[sink], "more than the window was taken");
    if (one_in(2)) cut();
    uint32_t first = world.note_count;
    for (uint8_t i = 0; i < SINKS; i++)
        if (i != sink) send_some(side, 100, i);
    for (uint32_t steps = 0; !are_handled(first, world.note_count); steps++) {
        check(steps < FAIR_STEPS, "held up by another's receiver");
        go_on();
        world.now += TROUPE_MILLISECOND / 20; /* there is always something to run: the one that is held */
    }
    check(side->refused[sink], "ready, though nothing was handled");
}

static void judge(void) {
    for (uint32_t i = 0; i < world.note_count; i++) {
        const struct note_state *note = &world.notes[i];
        bool lives = note->run == world.sides[note->from].run;
        check(note->handled == 1 || !lives || note->sink != 1, "wanted at least once, and lost");
        check(note->handled == 1 || world.crashes > 0, "lost, though nobody died");
        totals.handled += note->handled;
    }
    for (int i = 0; i < 2; i++)
        for (uint32_t k = 0; k < SINKS; k++) {
            const struct tr_credit *credit = tr_lane_credit(world.sides[i].lane, SINK + k, false);
            check(credit == NULL || atomic_load(&credit->unsettled) == 0, "credit that was not given back");
            check(!world.sides[i].refused[k], "refused, and never told that there is room");
        }
    totals.notes += world.note_count;
    totals.crashes += world.crashes;
}

static int open_descriptors(void) {
    int count = 0;
    for (int i = 0; i < DESCRIPTORS; i++) count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static void run(uint64_t seed) {
    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.now = TROUPE_SECOND;
    world.ledger = world.copy = -1;
    tr_random_seed(&world.random, seed);
    world.fat = one_in(3) ? (uint32_t)below(MOST_FAT) : 0;
    int before = open_descriptors();
    assert_true(tr_classes_init(&world.classes, actors));
    new_ledger();
    for (int i = 0; i < 2; i++) {
        world.sides[i].self = i;
        memset(world.sides[i].last, -1, sizeof world.sides[i].last);
    }
    for (int i = 0; i < 2; i++) boot(&world.sides[i]);
    for (int i = 0; i < STEPS; i++) step();
    come_to_rest();
    be_fair();
    come_to_rest();
    judge();
    for (int i = 0; i < 2; i++) end(&world.sides[i], false);
    drop_copy();
    munmap(world.memory, sizeof *world.memory);
    close(world.ledger);
    tr_classes_free(&world.classes);
    check(open_descriptors() == before, "a descriptor that is left");
}

static uint64_t first_seed = 1, seed_count;

static void seeds(void **state) {
    (void)state;
    for (uint64_t i = 0; i < seed_count; i++) run(first_seed + i);
    print_message("%llu seeds: %llu crashes, %llu connections, %llu messages, %llu handled, %llu times full, "
                  "%llu times ready\n",
                  (unsigned long long)seed_count, (unsigned long long)totals.crashes,
                  (unsigned long long)totals.connections, (unsigned long long)totals.notes,
                  (unsigned long long)totals.handled, (unsigned long long)totals.full,
                  (unsigned long long)totals.ready);
    if (seed_count >= 100) assert_true(totals.crashes > 0 && totals.full > seed_count && totals.ready > seed_count);
}

int main(int argc, char **argv) {
    const char *sanitizers = getenv("TROUPE_SANITIZE"); /* as the build has them: some are slow */
    seed_count = sanitizers == NULL || sanitizers[0] == '\0' ? SEEDS : SEEDS_SANITIZED;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) {
            first_seed = value;
            seed_count = 1;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            seed_count = value;
        }
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
