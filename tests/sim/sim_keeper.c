/*
 * The keeper under random lives: a small application of seven nodes in five processes, whose
 * supervisors start and stop at random, whose processes answer, hang, lie and die at random, and
 * which is shut down in the end. Every action of the keeper is checked against a model of what
 * really runs.
 *
 * What must hold: no node runs twice, and main never beside processes of an earlier life; nothing
 * is sent to a process that is killed or gone; no lane leads to a dead incarnation, is dialled
 * before somebody listens, or uses a name twice; one ledger for a pair of incarnations, and each is
 * forgotten once; everyone who runs hears of each end; whoever asks for a lane gets an answer; programs
 * of an earlier life of main are gone, those that are to end are killed in time, detached ones are let
 * go; it ends, once, with nothing running.
 *
 * sim_keeper [seeds], sim_keeper seed=N, sim_keeper --seed N
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/rules.h"
#include "place/keeper.h"

enum { NODES = 7, STEPS = 600, QUEUE = 4096, LEDGERS = 4096, PROGRAMS = 256 };
#define SHUTDOWN (INT64_C(8000) * 1000000)

static const struct tr_node_spec specs[NODES] = {
    { 1, TR_NODE_MAIN, 0, TR_LANE_IPC, TR_START_FORK, "main" },
    { 2, TR_NODE_INPROC, 1, TR_LANE_INPROC, TR_START_FORK, "/a" },
    { 3, TR_NODE_INPROC, 1, TR_LANE_INPROC, TR_START_FORK, "/b" },
    { 4, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_FORK, "/c" },
    { 5, TR_NODE_PROCESS, 0, TR_LANE_TCP, TR_START_FORK, "/d" },
    { 6, TR_NODE_PROCESS, 0, TR_LANE_IPC, TR_START_SPAWN, "/e" },
    { 7, TR_NODE_INPROC, 4, TR_LANE_INPROC, TR_START_FORK, "/f" },
};

struct queue {
    struct tr_control items[QUEUE];
    size_t head, tail;
};

struct ledger {
    uint64_t nodes[2], incarnations[2];
    bool known, forgotten;
};

struct program { /* an external one, by its number */
    bool runs, detached, released;
    bool wanted; /* its owner has not let it go */
    int owner;   /* the process */
    uint64_t life; /* its incarnation */
    bool asked, killed, stubborn;
    int64_t kill_by; /* asked: not later than this; 0: was not */
    int64_t killed_at;
    bool immortal;
};

struct actor {    /* one node, as it really is */
    bool process; /* exists */
    bool killed;
    int64_t aborts; /* since when it was told to; 0: it was not */
    bool runs; /* a thread or process of it is there */
    bool ready;
    bool stop_asked; /* stop_node came */
    bool hangs;      /* never does what it is asked */
    uint64_t incarnation;
    uint64_t lives; /* the incarnation whose names are names; 0: none */
    uint64_t began, ended; /* when, by `clock` */
    uint64_t told[NODES];  /* for a process: the last incarnation whose end it heard of */
    int64_t asks[NODES];   /* since when it waits for a lane; 0: it does not */
    uint64_t given[NODES]; /* the last lane between processes that the keeper told it of ... */
    uint64_t knows[NODES]; /* ... and the last lane that it has heard of */
    int64_t ready_at;
    struct queue *inbox, *outbox;
};

static struct world {
    uint64_t seed;
    struct tr_random random;
    struct tr_keeper *keeper;
    struct actor actors[NODES];
    int64_t now, timer;
    uint64_t clock;
    bool over;
    int code, last_main_status;
    uint64_t last_lane;
    struct {
        uint64_t lane;
        struct tr_control listen;
        bool dialled;
    } lanes[256]; /* by number, the latest */
    struct ledger ledgers[LEDGERS];
    struct program programs[PROGRAMS];
    uint64_t last_program;
    unsigned exits;
    uint64_t forks, downs, dials, asks, aborts;
} w;

#define check(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "seed=%llu: %s: ", (unsigned long long)w.seed, #condition);            \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static bool chance(unsigned percent) { return tr_random_below(&w.random, 100) < percent; }
static size_t index_of(uint64_t node) { return (size_t)node - 1; }
static uint64_t process_of(uint64_t node) {
    const struct tr_node_spec *spec = &specs[index_of(node)];
    return spec->kind == TR_NODE_INPROC ? spec->host : spec->id;
}
static struct actor *actor_of(uint64_t node) { return &w.actors[index_of(node)]; }

static void push(struct queue *queue, const struct tr_control *message) {
    check(queue->tail - queue->head < QUEUE, "a queue is full");
    queue->items[queue->tail++ % QUEUE] = *message;
}

static bool pop(struct queue *queue, struct tr_control *message) {
    if (queue->head == queue->tail) return false;
    *message = queue->items[queue->head++ % QUEUE];
    return true;
}

/* ---- Actions, checked ---- */

static void begin_life(struct actor *actor, uint64_t incarnation) {
    actor->incarnation = incarnation;
    actor->runs = true;
    actor->ready = actor->stop_asked = false;
    actor->hangs = chance(10);
    actor->began = ++w.clock;
    memset(actor->asks, 0, sizeof actor->asks);
    memset(actor->given, 0, sizeof actor->given);
    memset(actor->knows, 0, sizeof actor->knows);
}

static void end_life(struct actor *actor) {
    actor->runs = actor->ready = false;
    actor->ended = ++w.clock;
    memset(actor->asks, 0, sizeof actor->asks);
    memset(actor->given, 0, sizeof actor->given);
    memset(actor->knows, 0, sizeof actor->knows);
}

static void on_fork(void *context, uint64_t node, uint64_t incarnation) {
    (void)context;
    struct actor *actor = actor_of(node);
    check(!actor->process, "node %d runs twice", (int)node);
    check(incarnation == actor->incarnation + 1, "incarnation %d", (int)incarnation);
    check(incarnation == actor->lives, "begun, and not alive");
    check(!w.over, "forked after the end");
    if (node == 1) {
        for (size_t i = 0; i < NODES; i++) check(!w.actors[i].process, "main beside %zu", i + 1);
        for (size_t i = 0; i < PROGRAMS; i++)
            check(!w.programs[i].runs || w.programs[i].released, "main beside program %zu", i);
    }
    w.forks++;
    actor->process = true;
    actor->killed = false;
    actor->aborts = 0;
    actor->inbox->head = actor->inbox->tail = actor->outbox->head = actor->outbox->tail = 0;
    memset(actor->told, 0, sizeof actor->told);
    begin_life(actor, incarnation);
}

static void on_kill(void *context, uint64_t node) {
    (void)context;
    check(actor_of(node)->process && !actor_of(node)->killed, "node %d", (int)node);
    actor_of(node)->killed = true;
}

static void on_abort(void *context, uint64_t node) {
    (void)context;
    struct actor *actor = actor_of(node);
    check(actor->process && !actor->killed && actor->aborts == 0, "node %d aborts twice", (int)node);
    actor->aborts = w.now;
    w.aborts++;
}

static void on_lives(void *context, uint64_t node, uint64_t incarnation) {
    (void)context;
    struct actor *actor = actor_of(node);
    check(!actor->runs || incarnation == 0, "node %d lives twice", (int)node);
    check(incarnation == 0 || incarnation == actor->incarnation + 1, "incarnation %d", (int)incarnation);
    actor->lives = incarnation;
}

static void check_ledger(const struct tr_control *message) {
    check(message->ledger > 0 && message->ledger < LEDGERS, "ledger");
    struct ledger *ledger = &w.ledgers[message->ledger];
    bool first = message->node < message->peer;
    uint64_t nodes[2] = { first ? message->node : message->peer,
                          first ? message->peer : message->node };
    uint64_t incarnations[2] = { first ? message->incarnation : message->peer_incarnation,
                                 first ? message->peer_incarnation : message->incarnation };
    if (!ledger->known) {
        for (size_t i = 1; i < message->ledger; i++) {
            check(memcmp(w.ledgers[i].nodes, nodes, sizeof nodes) != 0 ||
                      memcmp(w.ledgers[i].incarnations, incarnations, sizeof incarnations) != 0,
                  "a second ledger for one pair");
        }
        memcpy(ledger->nodes, nodes, sizeof nodes);
        memcpy(ledger->incarnations, incarnations, sizeof incarnations);
        ledger->known = true;
    }
    check(!ledger->forgotten, "a forgotten ledger");
    check(memcmp(ledger->nodes, nodes, sizeof nodes) == 0, "the ledger of others");
    check(memcmp(ledger->incarnations, incarnations, sizeof incarnations) == 0, "an old ledger");
}

static void check_lane(uint64_t process, const struct tr_control *message) {
    const struct actor *node = actor_of(message->node), *peer = actor_of(message->peer);
    check(process_of(message->node) == process, "a lane for somebody else");
    check(node->runs && node->incarnation == message->incarnation, "its own incarnation");
    check(peer->runs && peer->incarnation == message->peer_incarnation, "a lane to a dead one");
    bool same = process == process_of(message->peer);
    bool tcp = message->node == 5 || message->peer == 5;
    check(message->kind == (same ? TR_LANE_INPROC : tcp ? TR_LANE_TCP : TR_LANE_IPC), "kind");
    check_ledger(message);
    size_t slot = message->lane % 256;
    if (message->type == TR_CONTROL_LISTEN) {
        check(message->lane == w.last_lane + 1, "lanes count up");
        w.last_lane = message->lane;
        for (size_t i = 0; i < 256; i++) {
            check(!same || strcmp(w.lanes[i].listen.url, message->url) != 0, "%s again",
                  message->url);
            check(memcmp(w.lanes[i].listen.token, message->token, 32) != 0, "a token again");
        }
        w.lanes[slot].lane = message->lane;
        w.lanes[slot].listen = *message;
        w.lanes[slot].dialled = false;
        return;
    }
    const struct tr_control *listen = &w.lanes[slot].listen;
    check(w.lanes[slot].lane == message->lane && !w.lanes[slot].dialled, "nobody listens");
    check(listen->node == message->peer && listen->peer == message->node, "other ends");
    check(memcmp(listen->token, message->token, 32) == 0, "another token");
    check(listen->ledger == message->ledger, "another ledger");
    check(tcp ? strcmp(message->url, "tcp://127.0.0.1:4711") == 0
              : strcmp(message->url, listen->url) == 0,
          "%s", message->url);
    w.lanes[slot].dialled = true;
    w.dials++;
}

/* An answer to whoever of this process waits for a lane to `peer`. */
static void answered(uint64_t process, uint64_t peer) {
    for (uint64_t node = 1; node <= NODES; node++) {
        if (process_of(node) == process) actor_of(node)->asks[index_of(peer)] = 0;
    }
}

static void on_send(void *context, uint64_t process, const struct tr_control *message) {
    (void)context;
    struct actor *to = actor_of(process);
    check(to->process && !to->killed, "%s to a dead process", tr_control_name(message->type));
    switch (message->type) {
    case TR_CONTROL_START_NODE:
        check(process_of(message->node) == process && message->node != process, "hosted");
        check(!actor_of(message->node)->runs, "node %d runs twice", (int)message->node);
        check(message->incarnation == actor_of(message->node)->incarnation + 1, "incarnation");
        check(message->incarnation == actor_of(message->node)->lives, "begun, and not alive");
        begin_life(actor_of(message->node), message->incarnation);
        break;
    case TR_CONTROL_STOP_NODE: check(actor_of(message->node)->runs, "it does not run"); break;
    case TR_CONTROL_LISTEN:
    case TR_CONTROL_DIAL:
        check_lane(process, message);
        if (message->kind == TR_LANE_IPC) actor_of(message->node)->given[index_of(message->peer)] = message->lane;
        actor_of(message->node)->asks[index_of(message->peer)] = 0;
        if (message->type == TR_CONTROL_LISTEN) break;
        actor_of(message->peer)->asks[index_of(message->node)] =
            0; /* its listen crossed the question */
        break;
    case TR_CONTROL_REFUSED: actor_of(message->node)->asks[index_of(message->peer)] = 0; break;
    case TR_CONTROL_DOWN:
        check(to->told[index_of(message->node)] < message->incarnation, "told twice");
        check(!actor_of(message->node)->runs, "a living one is down");
        check(actor_of(message->node)->lives == 0, "its names are names when its death is told");
        to->told[index_of(message->node)] = message->incarnation;
        answered(process, message->node);
        w.downs++;
        break;
    case TR_CONTROL_GONE:
        check(!actor_of(message->node)->runs, "a living one is gone");
        answered(process, message->node);
        break;
    default: check(false, "%s", tr_control_name(message->type));
    }
    push(to->inbox, message);
}

static void on_forget(void *context, uint64_t number) {
    (void)context;
    check(w.ledgers[number].known && !w.ledgers[number].forgotten, "ledger %d", (int)number);
    w.ledgers[number].forgotten = true;
}

static void on_describe(void *context, uint64_t node, char *text, size_t size) {
    (void)context;
    check(text[0] == '\0', "not empty");
    snprintf(text, size, "message %d", (int)node);
}

static void on_random(void *context, void *bytes, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i++) ((uint8_t *)bytes)[i] = (uint8_t)tr_random_next(&w.random);
}

static void on_timer(void *context, int64_t at) {
    (void)context;
    w.timer = at;
}
static void on_log(void *context, const char *line) {
    (void)context;
    check(line[0] != '\0', "log");
}
static void on_exit_code(void *context, int code) {
    (void)context;
    w.over = true;
    w.code = code;
    w.exits++;
}

/* ---- External programs ---- */

#define GRACE (INT64_C(700) * 1000000)

static void on_command_signal(void *context, uint64_t number, int signal) {
    (void)context;
    check(number < PROGRAMS, "number");
    struct program *program = &w.programs[number];
    check(program->runs && !program->released && !program->killed, "a signal for program %d", (int)number);
    check(signal == SIGKILL || (signal == SIGTERM && !program->asked), "signal %d", signal);
    if (signal == SIGTERM) program->kill_by = w.now + GRACE;
    program->asked = true;
    program->killed = signal == SIGKILL;
    program->killed_at = w.now;
}

static void on_command_release(void *context, uint64_t number) {
    (void)context;
    struct program *program = &w.programs[number];
    bool given_up = program->killed && w.now >= program->killed_at + TR_KEEPER_KILL_PATIENCE;
    check(program->runs && (program->detached || given_up) && !program->released, "release of program %d", (int)number);
    program->released = true;
}

static void begin_program(uint64_t process) {
    const struct tr_command_rules rules = { chance(20), SIGTERM, GRACE };
    if (w.last_program + 1 == PROGRAMS) return;
    uint64_t number = ++w.last_program;
    if (tr_keeper_command(w.keeper, number, &rules) != NULL) return;
    check(!w.over, "a program after the end");
    w.programs[number] = (struct program){ .runs = true, .wanted = true, .detached = rules.detached, .owner = (int)process,
                                           .life = actor_of(process)->incarnation, .stubborn = chance(40), .immortal = chance(5) };
}

static void end_program(uint64_t number) {
    struct program *program = &w.programs[number];
    bool known = !program->released;
    program->runs = false;
    if (known) tr_keeper_command_exited(w.keeper, number);
}

/* Its owner's death is its socket's; some are let go before. */
static void move_program(uint64_t number) {
    struct program *program = &w.programs[number];
    const struct actor *owner = actor_of((uint64_t)program->owner);
    if (!program->runs) return;
    if (program->immortal && !program->released) return;
    if (program->killed || (program->asked && !program->stubborn) || chance(3)) {
        end_program(number);
    } else if (program->wanted && !program->released && (!owner->process || owner->incarnation != program->life || chance(5))) {
        program->wanted = false;
        tr_keeper_command_end(w.keeper, number, !owner->process || chance(50), w.now);
    }
}

/* A step of the clock is as long as it is late. */
static void check_programs(void) {
    for (size_t i = 0; i < PROGRAMS; i++) {
        const struct program *program = &w.programs[i];
        bool late = program->runs && program->asked && !program->killed && w.now > program->kill_by;
        check(!late, "program %zu is not killed", i);
    }
}

static const struct tr_keeper_io io = { on_fork,           on_kill,            on_abort,  on_lives, on_send,
                                        on_forget,         on_describe,        on_random, on_timer, on_log,
                                        on_command_signal, on_command_release, on_exit_code };

/* ---- What processes do ---- */

static void say(uint64_t process, struct tr_control message) {
    push(actor_of(process)->outbox, &message);
}

/* The keeper reads one message; the model follows what it says. */
static void deliver(uint64_t process) {
    struct tr_control message;
    struct actor *from = actor_of(process);
    if (!pop(from->outbox, &message)) return;
    if (message.type == TR_CONTROL_READY && actor_of(message.node)->runs) {
        actor_of(message.node)->ready = true;
        actor_of(message.node)->ready_at = w.now;
    }
    bool heard = !from->killed && !w.over;
    if (message.type == TR_CONTROL_CONNECT && heard && actor_of(message.node)->runs) {
        int64_t *asks = &actor_of(message.node)->asks[index_of(message.peer)];
        bool on_its_way = message.lane < actor_of(message.node)->given[index_of(message.peer)];
        if (*asks == 0 && !on_its_way) *asks = w.now;
        w.asks++;
    }
    if (message.type == TR_CONTROL_STOPPED && heard && actor_of(message.node)->runs &&
        process_of(message.node) == process) {
        end_life(actor_of(message.node));
    }
    tr_keeper_message(w.keeper, process, &message, w.now);
}

static void die(uint64_t process, int status) {
    struct actor *actor = actor_of(process);
    while (actor->outbox->head != actor->outbox->tail) deliver(process);
    for (uint64_t node = 1; node <= NODES; node++) {
        if (process_of(node) == process && actor_of(node)->runs) end_life(actor_of(node));
    }
    actor->process = false;
    if (process == 1) w.last_main_status = status;
    tr_keeper_exited(w.keeper, process, status, w.now);
}

static void answer_listen(uint64_t process, const struct tr_control *listen) {
    struct tr_control answer = { .type = TR_CONTROL_LISTENING, .lane = listen->lane };
    memcpy(answer.url, listen->url, sizeof answer.url);
    if (listen->kind == TR_LANE_TCP) strcpy(answer.url, "tcp://127.0.0.1:4711");
    if (chance(10)) return; /* silence */
    if (chance(10)) {
        answer.type = TR_CONTROL_LISTEN_FAILED;
        tr_control_say(&answer, "no");
    }
    say(process, answer);
}

static void receive(uint64_t process) {
    struct tr_control message;
    if (!pop(actor_of(process)->inbox, &message)) return;
    if (message.type == TR_CONTROL_LISTEN && message.kind != TR_LANE_IPC) answer_listen(process, &message);
    if (message.type == TR_CONTROL_LISTEN || message.type == TR_CONTROL_DIAL || message.type == TR_CONTROL_REFUSED)
        actor_of(message.node)->knows[index_of(message.peer)] = message.lane;
    if (message.type == TR_CONTROL_STOP_NODE) actor_of(message.node)->stop_asked = true;
}

static bool others_run(void) {
    for (size_t i = 1; i < NODES; i++) {
        if (w.actors[i].runs) return true;
    }
    return false;
}

/* It was asked to stop: does it. Main first stops the others. */
static void obey_stop(uint64_t node) {
    uint64_t process = process_of(node);
    if (actor_of(node)->hangs) return;
    if (node == 1 && others_run()) {
        uint64_t other = 2 + tr_random_below(&w.random, NODES - 1);
        say(1, (struct tr_control){ .type = TR_CONTROL_STOP, .node = other, .within = 1000000000 });
    } else if (node == process) {
        die(process, 0);
    } else {
        say(process, (struct tr_control){ .type = TR_CONTROL_STOPPED, .node = node });
    }
}

static void live(uint64_t node) {
    uint64_t process = process_of(node);
    struct actor *actor = actor_of(node);
    uint64_t other = 1 + tr_random_below(&w.random, NODES);
    if (!actor->ready && !actor->hangs && chance(60)) {
        say(process, (struct tr_control){ .type = TR_CONTROL_READY, .node = node });
    } else if (actor->stop_asked && chance(50)) {
        obey_stop(node);
    } else if (other != node && chance(40)) {
        say(process,
            (struct tr_control){ .type = TR_CONTROL_CONNECT, .node = node, .peer = other,
                                 .lane = actor->knows[index_of(other)] });
    } else if (other != 1 && chance(node == 1 ? 80 : 10)) {
        say(process, (struct tr_control){ .type = TR_CONTROL_START, .node = other });
    } else if (other != 1 && chance(node == 1 ? 20 : 3)) {
        static const int64_t within[] = { TR_KILL, 1000000, 1000000000, TR_INFINITY };
        say(process, (struct tr_control){ .type = TR_CONTROL_STOP,
                                          .node = other,
                                          .within = within[tr_random_below(&w.random, 4)] });
    }
}

/* What a node in its right mind would not say. */
static void lie(uint64_t process) {
    struct tr_control message = { .type = (enum tr_control_type)tr_random_below(
                                      &w.random, TR_CONTROL_TYPES + 1),
                                  .node = tr_random_below(&w.random, NODES + 2),
                                  .peer = tr_random_below(&w.random, NODES + 2),
                                  .lane = tr_random_below(&w.random, w.last_lane + 2),
                                  .within = 1000 };
    if (message.type == TR_CONTROL_SHUTDOWN && !chance(10)) return;
    if (message.type == TR_CONTROL_READY || message.type == TR_CONTROL_CONNECT ||
        message.type == TR_CONTROL_STOPPED) {
        bool known = message.node >= 1 && message.node <= NODES;
        if (known && process_of(message.node) == process) return; /* that would be true */
    }
    tr_keeper_message(w.keeper, process, &message, w.now);
}

/* The watchdog barks, perhaps again; memory is short, perhaps of one that ends in the same moment. */
static void watch(uint64_t process) {
    enum tr_cause cause = chance(50) ? TR_CAUSE_STUCK : TR_CAUSE_FROZEN;
    if (chance(70)) {
        tr_keeper_stuck(w.keeper, process, cause, "watchdog: no progress", w.now);
        check(actor_of(process)->killed || actor_of(process)->aborts != 0, "it does not abort");
        return;
    }
    tr_keeper_exceeded(w.keeper, process, "out of memory");
    check(actor_of(process)->killed, "it has too much, and lives");
    if (chance(50)) die(process, SIGSEGV);
}

static void step(void) {
    uint64_t node = 1 + tr_random_below(&w.random, NODES), process = process_of(node);
    struct actor *host = actor_of(process);
    if (w.last_program > 0 && chance(30)) move_program(1 + tr_random_below(&w.random, w.last_program));
    if (w.over) return;
    if (!host->process) return;
    if (host->killed) {
        if (chance(50)) die(process, SIGKILL);
    } else if (host->aborts != 0 && !host->hangs && chance(30)) {
        die(process, SIGABRT);
    } else if (tr_random_one_in(&w.random, process == 1 ? 1500 : 150)) {
        watch(process);
    } else if (node == process && tr_random_one_in(&w.random, node == 1 ? 150 : 50)) {
        static const int statuses[] = { SIGSEGV, SIGKILL, 3 << 8, SIGABRT, 0 };
        bool orderly =
            node != 1 || tr_random_one_in(&w.random, 4); /* main's 0 is the end of it all */
        die(process, statuses[tr_random_below(&w.random, orderly ? 5 : 4)]);
    } else if (node == 1 && tr_random_one_in(&w.random, 2000)) {
        die(1, 2 << 8);
    } else if (tr_random_one_in(&w.random, 500)) {
        lie(process);
    } else if (chance(10)) {
        begin_program(process);
    } else if (chance(40)) {
        receive(process);
    } else if (chance(50)) {
        deliver(process);
    } else if (actor_of(node)->runs) {
        live(node);
    }
}

static void pass_time(void) {
    w.now += (int64_t)tr_random_below(&w.random, 200) * 1000000;
    if (w.now >= w.timer) tr_keeper_tick(w.keeper, w.now);
}

/* ---- What must hold at all times ---- */

static void check_told(uint64_t process) {
    const struct actor *to = actor_of(process);
    if (process_of(process) != process || !to->process || to->killed) return;
    for (uint64_t node = 1; node <= NODES; node++) {
        const struct actor *actor = actor_of(node);
        uint64_t over = actor->runs ? actor->incarnation - 1 : actor->incarnation;
        bool witness = !actor->runs && actor->ended > to->began && over > 0;
        check(!witness || to->told[index_of(node)] == over, "%d was not told of %d", (int)process,
              (int)node);
    }
}

static void check_asks(uint64_t node) {
    const struct actor *actor = actor_of(node);
    if (!actor->runs || actor_of(process_of(node))->killed) return;
    for (uint64_t peer = 1; peer <= NODES; peer++) {
        int64_t since = actor->asks[index_of(peer)];
        const struct actor *other = actor_of(peer);
        if (since == 0 || !other->ready || actor_of(process_of(peer))->killed) continue;
        if (other->ready_at > since) since = other->ready_at;
        check(w.now - since <= TR_KEEPER_LANE_PATIENCE, "%d waits for %d", (int)node, (int)peer);
    }
}

/* It is given its time, the length of a step included, and not more. */
static void check_abort(uint64_t node) {
    const struct actor *actor = actor_of(node);
    if (actor->process && !actor->killed && actor->aborts != 0)
        check(w.now - actor->aborts <= TR_KEEPER_ABORT_PATIENCE, "%d should be killed by now", (int)node);
}

static void check_states(uint64_t node) {
    enum tr_node_state state = tr_keeper_state(w.keeper, node);
    bool alive = state == TR_NODE_STARTING || state == TR_NODE_RUNNING || state == TR_NODE_STOPPING;
    check(alive == actor_of(node)->runs, "node %d is %s", (int)node, tr_node_state_name(state));
    check(tr_keeper_incarnation(w.keeper, node) == actor_of(node)->incarnation, "incarnation");
}

static void check_all(void) {
    for (uint64_t node = 1; node <= NODES; node++) {
        check_states(node);
        check_told(node);
        check_asks(node);
        check_abort(node);
    }
    check_programs();
}

static void check_end(void) {
    check(w.over && w.exits == 1, "%u exits", w.exits);
    for (size_t i = 0; i < NODES; i++) check(!w.actors[i].process && !w.actors[i].runs, "%zu", i);
    check(tr_keeper_pairs(w.keeper) == 0, "pairs are left");
    for (size_t i = 0; i < PROGRAMS; i++)
        check(!w.programs[i].runs || w.programs[i].released, "program %zu is left", i);
    for (size_t i = 0; i < LEDGERS; i++)
        check(!w.ledgers[i].known || w.ledgers[i].forgotten, "ledger");
    bool known = w.code == 0 || w.code == 2 || w.code == 137 || w.code == 130 || w.code == 143;
    check(known, "code %d", w.code);
}

static int run(uint64_t seed) {
    static struct queue queues[NODES][2];
    w = (struct world){ .seed = seed, .now = 1000, .timer = INT64_MAX };
    tr_random_seed(&w.random, seed);
    for (size_t i = 0; i < NODES; i++) {
        w.actors[i].inbox = &queues[i][0];
        w.actors[i].outbox = &queues[i][1];
        queues[i][0].head = queues[i][0].tail = queues[i][1].head = queues[i][1].tail = 0;
    }
    struct tr_keeper_rules rules = { specs, NODES, SHUTDOWN, 3, 4 * INT64_C(1000000000) };
    w.keeper = tr_keeper_new(&rules, &io, NULL);
    check(w.keeper != NULL, "memory");
    tr_keeper_begin(w.keeper, w.now);
    unsigned steps = 0, end = (unsigned)(STEPS + tr_random_below(&w.random, STEPS));
    bool twice = chance(30);
    for (; !w.over; steps++) {
        if (steps == end) tr_keeper_signal(w.keeper, SIGTERM, w.now);
        if (twice && steps == end + 20 && !w.over) tr_keeper_signal(w.keeper, SIGINT, w.now);
        if (!w.over) step();
        if (!w.over && chance(20)) pass_time();
        check_all();
        check(steps < end + 20000, "it does not end");
    }
    check_end();
    tr_keeper_free(w.keeper);
    return w.code;
}

static uint64_t argument(int argc, char **argv, bool *one) {
    *one = true;
    if (argc > 1 && strncmp(argv[1], "seed=", 5) == 0) return strtoull(argv[1] + 5, NULL, 10);
    if (argc > 2 && strcmp(argv[1], "--seed") == 0) return strtoull(argv[2], NULL, 10);
    *one = false;
    return argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
}

int main(int argc, char **argv) {
    bool one;
    uint64_t number = argument(argc, argv, &one), forks = 0, downs = 0, dials = 0,
             aborts = 0, codes[256] = { 0 };
    uint64_t first = one ? number : 1, last = number;
    for (uint64_t seed = first; seed <= last; seed++) {
        codes[run(seed) & 0xff]++;
        forks += w.forks;
        downs += w.downs;
        dials += w.dials;
        aborts += w.aborts;
    }
    printf("%llu seeds: %llu processes, %llu downs, %llu lanes, %llu aborts;",
           (unsigned long long)(last - first + 1), (unsigned long long)forks,
           (unsigned long long)downs, (unsigned long long)dials,
           (unsigned long long)aborts);
    for (int code = 0; code < 256; code++) {
        if (codes[code] > 0) printf(" exit %d: %llu", code, (unsigned long long)codes[code]);
    }
    putchar('\n');
    return forks > 0 && downs > 0 && dials > 0 && aborts > 0 ? 0 : 1;
}
