/*
 * The supervisor machine under random rules, exits, delays, deaths of several children at once or with
 * their node, late events and stops, in virtual time; one seed is one life of one supervisor.
 *
 * Two watchers. The world plays the children: it knows who lives, and checks what must hold whatever the
 * strategy: no child is started while it lives, nobody is stopped while something on its right lives, kills
 * come exactly at the deadline, nothing happens after the end, nothing lives after it. The oracle says for
 * each event which actions must follow, to the letter. It is written in another manner than the machine: it
 * keeps a script of what remains to be done, and the times of all restarts ever, which it counts anew each
 * time.
 *
 *   sim_supervision [--seed N | --seeds N]      a failing seed prints seed=N
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "services/supervision.h"

enum { CHILDREN = 6, EVENTS = 4096, ACTIONS = 64, RESTARTS = 4096, SEEDS = 20000 };

enum life { DEAD, STARTING, UP, STOPPING };
enum kind { START, FLUSH_START, STOP, KILL, FORGET, STARTED, STOPPED, GAVE_UP };

struct action {
    enum kind kind;
    uint32_t child;
};

struct actions {
    struct action list[ACTIONS];
    uint32_t count;
};

enum event_kind { ANSWER, EXIT, DEATHS, NODE_DEATH, ASK_STOP };

struct event {
    int64_t at;
    enum event_kind kind;
    uint32_t child;
    uint64_t run;
    enum tr_exit why;
};

/* ---- The oracle ---- */

struct line {
    bool start; /* else: bring it down */
    uint32_t child;
    bool flush;
};

struct oracle {
    const struct tr_supervision_rules *rules;
    enum life life[CHILDREN];
    bool noted[CHILDREN], failed_start[CHILDREN], resting[CHILDREN], gone[CHILDREN];
    enum tr_exit why[CHILDREN];
    struct line script[2 * CHILDREN];
    uint32_t length, at;
    bool begun, opening, final, gave_up, over;
    uint64_t cause[CHILDREN], causes, counted[RESTARTS]; /* counted: the cause of each restart */
    int64_t restarts[RESTARTS];
    uint32_t restart_count;
    struct actions expected;
};

static void add(struct actions *actions, enum kind kind, uint32_t child) {
    if (actions->count < ACTIONS) actions->list[actions->count++] = (struct action){ kind, child };
}

static void write_line(struct oracle *o, bool start, uint32_t child, bool flush) {
    o->script[o->length++] = (struct line){ start, child, flush };
}

static void write_downs(struct oracle *o, uint32_t first) {
    o->length = o->at = 0;
    for (uint32_t i = o->rules->child_count; i-- > first;) write_line(o, false, i, false);
}

static void write_end(struct oracle *o, bool gave_up) {
    o->final = true;
    o->opening = false;
    o->gave_up = gave_up;
    write_downs(o, 0);
}

static bool too_many(struct oracle *o, uint64_t cause, int64_t now) {
    uint32_t within = 0;
    for (uint32_t i = 0; i < o->restart_count; i++)
        if (o->counted[i] == cause) return false;
    o->counted[o->restart_count] = cause;
    o->restarts[o->restart_count++] = now;
    for (uint32_t i = 0; i < o->restart_count; i++)
        if (o->restarts[i] + o->rules->within >= now) within++;
    return within > o->rules->restarts;
}

static void oracle_restart(struct oracle *o, uint32_t child, int64_t now) {
    uint32_t first = o->rules->strategy == TR_ONE_FOR_ALL ? 0 : child;
    if (too_many(o, o->cause[child], now)) {
        write_end(o, true);
    } else if (o->rules->strategy == TR_ONE_FOR_ONE) {
        add(&o->expected, START, child);
        o->life[child] = STARTING;
    } else {
        write_downs(o, first);
        for (uint32_t i = first; i < o->rules->child_count; i++) write_line(o, true, i, i != child);
    }
}

static bool can_be_brought_back(const struct oracle *o, uint32_t child) {
    for (uint32_t i = 0; i < o->rules->child_count; i++) {
        bool counts = o->rules->strategy == TR_ONE_FOR_ALL ||
                      (o->rules->strategy == TR_REST_FOR_ONE && i < child);
        bool may_fail = !o->resting[i] && !o->gone[i] && o->rules->children[i].restart != TR_TEMPORARY;
        if (counts && may_fail) return true;
    }
    return false;
}

static void oracle_forget(struct oracle *o, uint32_t child) {
    o->gone[child] = true;
    o->resting[child] = false;
    add(&o->expected, FORGET, child);
}

static void oracle_judge(struct oracle *o, uint32_t child, int64_t now) {
    enum tr_restart restart = o->rules->children[child].restart;
    o->noted[child] = false;
    if (restart == TR_TEMPORARY) {
        oracle_forget(o, child);
    } else if (restart == TR_PERMANENT || o->failed_start[child] || o->why[child] == TR_EXIT_FAILED) {
        oracle_restart(o, child, now);
    } else {
        o->resting[child] = true;
        for (uint32_t i = 0; i < o->rules->child_count; i++)
            if (o->resting[i] && !can_be_brought_back(o, i)) oracle_forget(o, i);
    }
}

/* False: it has to wait. */
static bool play_line(struct oracle *o, const struct line *line) {
    uint32_t i = line->child;
    if (line->start && o->life[i] == DEAD && !o->gone[i] && !o->noted[i]) {
        add(&o->expected, line->flush ? FLUSH_START : START, i);
        o->life[i] = STARTING;
    } else if (!line->start && (o->life[i] == STARTING || o->life[i] == UP)) {
        add(&o->expected, o->rules->children[i].shutdown == TR_KILL ? KILL : STOP, i);
        o->life[i] = STOPPING;
    }
    if (o->life[i] == STARTING || o->life[i] == STOPPING) return false;
    if (!line->start) {
        bool forget = !o->final && !o->gone[i] && o->rules->children[i].restart == TR_TEMPORARY;
        o->noted[i] = o->resting[i] = false;
        if (forget) oracle_forget(o, i);
    }
    return true;
}

static void end_of_script(struct oracle *o) {
    o->length = o->at = 0;
    if (o->final) {
        add(&o->expected, o->gave_up ? GAVE_UP : STOPPED, 0);
        o->over = true;
    } else if (o->opening) {
        o->opening = false;
        add(&o->expected, STARTED, 0);
    }
}

static void play(struct oracle *o, int64_t now) {
    while (!o->over) {
        uint32_t child = 0;
        while (o->at < o->length)
            if (play_line(o, &o->script[o->at])) o->at++;
            else return;
        end_of_script(o);
        while (child < o->rules->child_count && !o->noted[child]) child++;
        if (o->over || child == o->rules->child_count) return;
        oracle_judge(o, child, now);
    }
}

static void oracle_start(struct oracle *o, int64_t now) {
    o->begun = o->opening = true;
    for (uint32_t i = 0; i < o->rules->child_count; i++) write_line(o, true, i, false);
    play(o, now);
}

static void oracle_started(struct oracle *o, uint32_t child, int64_t now) {
    if (o->life[child] != STARTING) return;
    o->life[child] = UP;
    play(o, now);
}

static void oracle_note(struct oracle *o, uint32_t child, enum tr_exit why) {
    enum life was = o->life[child];
    o->life[child] = DEAD;
    o->why[child] = why;
    o->cause[child] = o->causes;
    o->failed_start[child] = was == STARTING;
    if (was != STOPPING) o->noted[child] = true;
    if (was == STARTING && o->opening) write_end(o, true);
    else if (was == STARTING && !o->final && o->length > 0) o->length = o->at = 0;
}

static void oracle_exited(struct oracle *o, uint32_t child, enum tr_exit why, int64_t now) {
    o->causes++;
    oracle_note(o, child, why);
    play(o, now);
}

static void oracle_lost(struct oracle *o, const bool *lost, int64_t now) {
    o->causes++;
    for (uint32_t i = 0; i < o->rules->child_count; i++)
        if (lost[i] && o->life[i] != DEAD) oracle_note(o, i, TR_EXIT_FAILED);
    play(o, now);
}

static void oracle_stop(struct oracle *o, int64_t now) {
    if (o->final) return;
    write_end(o, false);
    play(o, now);
}

/* ---- The world ---- */

struct totals {
    uint64_t starts, restarts, kills, gave_up, stopped, forgotten, flushed, shared_deaths;
};

struct world {
    uint64_t seed;
    struct tr_random random;
    struct tr_child_rules children[CHILDREN];
    struct tr_supervision_rules rules;
    struct tr_supervision *supervision;
    struct oracle oracle;
    struct actions actions; /* of this event */
    enum life life[CHILDREN];
    uint64_t run[CHILDREN];
    bool killed[CHILDREN], forgotten[CHILDREN];
    int64_t stopped_at[CHILDREN];
    struct event events[EVENTS];
    uint32_t event_count;
    int64_t now, timer;
    bool over;
    struct totals *totals;
};

static void fail(const struct world *world, const char *what) {
    fprintf(stderr, "seed=%" PRIu64 ": at %" PRId64 ": %s\n", world->seed, world->now, what);
    exit(1);
}

static void check(const struct world *world, bool holds, const char *what) {
    if (!holds) fail(world, what);
}

static int64_t within(struct world *world, uint64_t bound) {
    return (int64_t)tr_random_below(&world->random, bound);
}

static void plan(struct world *world, int64_t delay, enum event_kind kind, uint32_t child,
                 enum tr_exit why) {
    check(world, world->event_count < EVENTS, "the simulation has room for its events");
    world->events[world->event_count++] =
        (struct event){ world->now + delay, kind, child, world->run[child], why };
}

static void plan_exit(struct world *world, uint64_t bound, uint32_t child, enum tr_exit why) {
    plan(world, within(world, bound), EXIT, child, why);
}

static enum tr_exit any_exit(struct world *world) {
    return (enum tr_exit)within(world, 3);
}

static void on_start(void *context, uint32_t child, uint64_t run, bool flush) {
    struct world *world = context;
    check(world, !world->over, "no action after the end");
    check(world, world->life[child] == DEAD, "a child is not started while it lives");
    check(world, !world->forgotten[child], "a forgotten child is not started");
    check(world, run == world->run[child] + 1, "runs are counted one by one");
    world->life[child] = STARTING;
    world->run[child] = run;
    world->killed[child] = false;
    world->totals->starts++;
    world->totals->restarts += run > 1;
    world->totals->flushed += flush;
    add(&world->actions, flush ? FLUSH_START : START, child);
    if (tr_random_one_in(&world->random, 25)) plan_exit(world, 50, child, any_exit(world));
    plan(world, within(world, 50), ANSWER, child, 0);
    if (!tr_random_one_in(&world->random, 4)) plan_exit(world, 3000, child, any_exit(world));
}

static void check_kill(const struct world *world, uint32_t child) {
    int64_t shutdown = world->children[child].shutdown;
    check(world, !world->killed[child], "a child is killed once");
    if (shutdown == TR_KILL) return;
    check(world, world->life[child] == STOPPING, "it was asked to stop before it is killed");
    check(world, world->now - world->stopped_at[child] == shutdown, "it is killed at its deadline");
}

static void on_stop(void *context, uint32_t child, uint64_t run, bool kill) {
    struct world *world = context;
    check(world, !world->over, "no action after the end");
    check(world, run == world->run[child] && world->life[child] != DEAD, "only what lives is stopped");
    for (uint32_t i = child + 1; i < world->rules.child_count; i++)
        check(world, world->life[i] == DEAD, "what is on the right is stopped before");
    if (kill) check_kill(world, child);
    else check(world, world->life[child] != STOPPING, "a child is asked to stop once");
    if (world->life[child] != STOPPING) add(&world->actions, kill ? KILL : STOP, child);
    if (world->life[child] != STOPPING) world->stopped_at[child] = world->now;
    world->life[child] = STOPPING;
    world->killed[child] = kill;
    world->totals->kills += kill;
    plan_exit(world, kill ? 30 : 400, child, kill ? TR_EXIT_FAILED : any_exit(world));
}

static void on_forget(void *context, uint32_t child) {
    struct world *world = context;
    check(world, !world->over, "no action after the end");
    check(world, world->life[child] == DEAD && !world->forgotten[child], "only the dead are forgotten");
    world->forgotten[child] = true;
    world->totals->forgotten++;
    add(&world->actions, FORGET, child);
}

static void on_started(void *context) {
    struct world *world = context;
    check(world, !world->over, "no action after the end");
    add(&world->actions, STARTED, 0);
}

static void on_stopped(void *context, bool gave_up) {
    struct world *world = context;
    check(world, !world->over, "it ends once");
    for (uint32_t i = 0; i < world->rules.child_count; i++)
        check(world, world->life[i] == DEAD, "nothing lives after the end");
    check(world, world->timer == INT64_MAX, "no timer runs after the end");
    world->over = true;
    *(gave_up ? &world->totals->gave_up : &world->totals->stopped) += 1;
    add(&world->actions, gave_up ? GAVE_UP : STOPPED, 0);
}

static void on_timer(void *context, int64_t at) {
    struct world *world = context;
    check(world, !world->over, "no action after the end");
    world->timer = at;
}

static const struct tr_supervision_io io = { on_start,   on_stop,    on_forget,
                                             on_started, on_stopped, on_timer };

/* ---- Events ---- */

static void compare(struct world *world) {
    struct actions *real = &world->actions, *expected = &world->oracle.expected;
    for (uint32_t i = 0; i < real->count && i < expected->count; i++)
        if (real->list[i].kind != expected->list[i].kind || real->list[i].child != expected->list[i].child)
            fail(world, "the oracle expects another action");
    check(world, real->count >= expected->count, "the oracle expects more actions");
    check(world, real->count <= expected->count, "the oracle expects fewer actions");
    real->count = expected->count = 0;
}

static void check_timer(const struct world *world) {
    int64_t at = INT64_MAX;
    for (uint32_t i = 0; i < world->rules.child_count; i++) {
        int64_t shutdown = world->children[i].shutdown;
        if (world->life[i] == STOPPING && !world->killed[i] && shutdown != TR_INFINITY)
            at = world->stopped_at[i] + shutdown;
    }
    check(world, world->timer == at, "the timer is the deadline of the child that stops");
}

static void deliver_answer(struct world *world, uint32_t child, uint64_t run) {
    bool real = world->run[child] == run && world->life[child] == STARTING;
    if (real) world->life[child] = UP;
    tr_supervision_started(world->supervision, child, run, world->now);
    if (real) oracle_started(&world->oracle, child, world->now);
}

/* A machine that acted on a late one would be caught by the oracle, which does not hear of it. */
static void deliver_exit(struct world *world, uint32_t child, uint64_t run, enum tr_exit why) {
    bool real = world->run[child] == run && world->life[child] != DEAD;
    if (real) world->life[child] = DEAD;
    tr_supervision_exited(world->supervision, child, run, why, world->now);
    if (real) oracle_exited(&world->oracle, child, why, world->now);
}

/* A node dies that hosted some of the children. */
static void deliver_node_death(struct world *world) {
    bool lost[CHILDREN];
    uint64_t hosted = tr_random_below(&world->random, 1 << CHILDREN);
    uint32_t died = 0;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        lost[i] = (hosted >> i & 1) != 0;
        if (i >= world->rules.child_count || !lost[i] || world->life[i] == DEAD) continue;
        world->life[i] = DEAD;
        died++;
    }
    world->totals->shared_deaths += died > 1;
    tr_supervision_lost(world->supervision, lost, world->now);
    oracle_lost(&world->oracle, lost, world->now);
}

/* Several children die of themselves at one moment. */
static void deliver_deaths(struct world *world) {
    uint32_t first = (uint32_t)within(world, CHILDREN);
    uint64_t hosted = tr_random_below(&world->random, 1 << CHILDREN), runs[CHILDREN];
    memcpy(runs, world->run, sizeof runs);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        uint32_t child = (first + i * 5) % CHILDREN; /* upwards or downwards: 5 is -1 */
        if (child >= world->rules.child_count || (hosted >> child & 1) == 0) continue;
        if (runs[child] > 0) deliver_exit(world, child, runs[child], TR_EXIT_FAILED);
        compare(world);
    }
}

static void deliver_stop(struct world *world) {
    tr_supervision_stop(world->supervision, world->now);
    oracle_stop(&world->oracle, world->now);
}

static void deliver(struct world *world, const struct event *event) {
    switch (event->kind) {
    case ANSWER: deliver_answer(world, event->child, event->run); break;
    case EXIT: deliver_exit(world, event->child, event->run, event->why); break;
    case DEATHS: deliver_deaths(world); break;
    case NODE_DEATH: deliver_node_death(world); break;
    case ASK_STOP: deliver_stop(world); break;
    }
}

/* Takes out the earliest event; those of one moment come in any order. */
static struct event next_event(struct world *world) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < world->event_count; i++)
        if (world->events[i].at < world->events[best].at) best = i;
    struct event event = world->events[best];
    world->events[best] = world->events[--world->event_count];
    return event;
}

static void tick(struct world *world) {
    world->now = world->timer;
    world->timer = INT64_MAX;
    tr_supervision_tick(world->supervision, world->now);
}

static void one_event(struct world *world) {
    int64_t timer = world->timer;
    struct event event = next_event(world);
    if (timer < event.at) {
        world->events[world->event_count++] = event;
        tick(world);
    } else {
        world->now = event.at;
        deliver(world, &event);
    }
    if (tr_random_one_in(&world->random, 20)) tr_supervision_tick(world->supervision, world->now - 1);
    compare(world);
    check_timer(world);
}

/* ---- A seed ---- */

static int64_t any_shutdown(struct world *world) {
    static const int64_t special[] = { TR_KILL, TR_INFINITY, 1 };
    uint64_t which = tr_random_below(&world->random, 6);
    return which < 3 ? special[which] : 1 + within(world, 500);
}

/* One number a statement: compilers differ in the order in which they draw those of one initialiser. */
static void make_rules(struct world *world) {
    struct tr_supervision_rules *rules = &world->rules;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        world->children[i].restart = (enum tr_restart)within(world, 3);
        world->children[i].shutdown = any_shutdown(world);
    }
    rules->strategy = (enum tr_strategy)within(world, 3);
    rules->restarts = (uint32_t)within(world, 12);
    rules->within = within(world, 3000);
    rules->child_count = (uint32_t)within(world, CHILDREN + 1);
    rules->children = world->children;
}

static void plan_the_outside(struct world *world) {
    for (int64_t i = within(world, 4); i > 0; i--) plan(world, within(world, 8000), DEATHS, 0, 0);
    for (int64_t i = within(world, 4); i > 0; i--) plan(world, within(world, 8000), NODE_DEATH, 0, 0);
    for (int64_t i = within(world, 3); i > 0; i--) plan(world, within(world, 12000), ASK_STOP, 0, 0);
    plan(world, 12000, ASK_STOP, 0, 0);
}

static void run_seed(uint64_t seed, struct totals *totals) {
    static struct world world;
    world = (struct world){ .seed = seed, .timer = INT64_MAX, .totals = totals };
    tr_random_seed(&world.random, seed);
    make_rules(&world);
    world.oracle.rules = &world.rules;
    world.supervision = tr_supervision_new(&world.rules, &io, &world);
    check(&world, world.supervision != NULL, "there is memory");
    plan_the_outside(&world);
    tr_supervision_start(world.supervision, 0);
    oracle_start(&world.oracle, 0);
    compare(&world);
    while (world.event_count > 0) one_event(&world);
    check(&world, world.over, "it ends when it is asked to");
    tr_supervision_free(world.supervision);
}

static void print_totals(uint64_t seeds, const struct totals *t) {
    printf("%" PRIu64 " seeds: %" PRIu64 " starts, %" PRIu64 " of them again (%" PRIu64
           " flushed), %" PRIu64 " kills, %" PRIu64 " forgotten, %" PRIu64 " gave up, %" PRIu64
           " stopped, %" PRIu64 " nodes took several with them\n",
           seeds, t->starts, t->restarts, t->flushed, t->kills, t->forgotten, t->gave_up, t->stopped,
           t->shared_deaths);
}

/* A simulation in which something never happens shows nothing about it. */
static bool saw_everything(const struct totals *t) {
    return t->restarts > 0 && t->flushed > 0 && t->kills > 0 && t->forgotten > 0 && t->gave_up > 0 &&
           t->stopped > 0 && t->shared_deaths > 0;
}

int main(int argc, char **argv) {
    uint64_t first = 1, count = SEEDS;
    struct totals totals = { 0 };
    bool one = argc == 3 && strcmp(argv[1], "--seed") == 0;
    if (one) first = strtoull(argv[2], NULL, 10), count = 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0) count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) run_seed(first + i, &totals);
    print_totals(count, &totals);
    return one || saw_everything(&totals) ? 0 : 1;
}
