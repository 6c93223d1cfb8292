/*
 * Random trees of supervisor machines in virtual time: random rules, exits, starts that fail, are ignored or
 * never answered, stops that are not obeyed, deaths of several children at once or with their node, requests
 * of every kind, events that come late or never, ticks too early. One seed is one life of one tree.
 *
 * Two watchers. The world plays the children: it knows who lives, and checks what must hold whatever the rules:
 * no child is started while it lives, nobody is stopped while something on its right lives, kills come exactly at
 * the deadline, every request is answered once, nothing happens after the end, nothing lives after it. The model
 * (lib/supervision_model.h) says for each event which actions must follow, to the letter, and what every child's
 * state is then.
 *
 * A child that is a supervisor is a machine of its own, whose `started` and `stopped` are its parent's events;
 * when it is killed, all below it dies.
 *
 *   sim_supervision [--seed N | --seeds N]      or TROUPE_SEED=N; a failing seed prints seed=N. With one seed,
 *                                               what happens is printed
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/supervision_model.h"

enum { EVENTS = 4096, SUPS = 4096, REQUESTS = 64, SEEDS = 10000, DEPTH = 3, LAST = 12000 };

enum event_kind { BEGIN, ANSWERS, IGNORES, EXITS, ORDERED, KILLED, DEATHS, NODE_DEATH, REQUEST, ASK_STOP };

struct sup;

struct event {
    int64_t at;
    enum event_kind kind;
    struct sup *sup;
    uint32_t kid;
    uint64_t run;
    enum tr_exit why;
};

struct kid {
    tr_child_id id;
    bool supervises, killed, gone;
    enum { DEAD, COMING, UP, GOING } life;
    uint64_t run;
    int64_t started_at, stopped_at;
    uint32_t asked_up, asked_down; /* requests that wait */
    struct sup *below;
};

struct sup {
    struct world *world;
    uint32_t number, depth, parent_kid;
    uint64_t parent_run;
    struct sup *parent;
    struct tr_supervision_rules rules;
    struct tr_supervision *machine;
    struct model model;
    struct model_actions actions;
    struct kid kids[MODEL_KIDS];
    uint32_t count, requests;
    bool answered[REQUESTS];
    bool announced, over, dead; /* dead: killed from outside */
    int64_t timer;
};

struct totals {
    uint64_t starts, restarts, flushed, kills, late, rests, forgotten, shared, backoffs, below, lost;
    uint64_t answers[TR_ANSWER_NO_MEMORY + 1], over[TR_OVER_FINISHED + 1];
};

struct world {
    uint64_t seed;
    bool trace;
    struct tr_random random;
    struct event events[EVENTS];
    uint32_t event_count;
    struct sup *sups[SUPS];
    uint32_t sup_count;
    int64_t now;
    struct totals *totals;
};

static void check_at(const struct sup *sup, bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "seed=%" PRIu64 ": at %" PRId64 ": supervisor %u: %s\n", sup->world->seed, sup->world->now,
            sup->number, what);
    exit(1);
}

#define check(sup, what, holds) check_at((sup), (holds), (what))

static int64_t within(struct world *world, uint64_t bound) {
    return (int64_t)tr_random_below(&world->random, bound);
}

static bool one_in(struct world *world, uint64_t n) {
    return tr_random_one_in(&world->random, n);
}

static void plan(struct sup *sup, int64_t delay, enum event_kind kind, uint32_t kid, enum tr_exit why) {
    struct world *world = sup->world;
    check(sup, "the simulation has room for its events", world->event_count < EVENTS);
    world->events[world->event_count++] =
        (struct event){ world->now + delay, kind, sup, kid, sup->kids[kid].run, why };
}

/* To whoever supervises it; unless that has been told of its death already. */
static void plan_above(struct sup *sup, enum event_kind kind, enum tr_exit why) {
    struct sup *parent = sup->parent;
    if (parent == NULL || parent->kids[sup->parent_kid].run != sup->parent_run) return;
    plan(parent, within(sup->world, 20), kind, sup->parent_kid, why);
}

static uint32_t number_of(struct sup *sup, tr_child_id id) {
    for (uint32_t i = 0; i < sup->count; i++)
        if (sup->kids[i].id.index == id.index && sup->kids[i].id.serial == id.serial) return i;
    check(sup, "only children are spoken of", false);
    return 0;
}

static void trace(const struct sup *sup, const char *what, uint32_t kid) {
    if (sup->world->trace) printf("%6" PRId64 " %3u %s %u\n", sup->world->now, sup->number, what, kid);
}

static void note(struct sup *sup, enum model_act act, uint32_t kid, uint32_t outcome) {
    static const char *const names[] = { "start",  "start flushed", "stop",    "kill", "rest",
                                         "forget", "answer",        "started", "over" };
    check(sup, "no action after the end", !sup->dead && (!sup->over || act == ANSWER));
    model_note(&sup->actions, act, kid, outcome);
    trace(sup, names[act], act == STOPPED ? outcome : kid);
}

/* ---- What the machine does ---- */

static struct sup *make_sup(struct world *world, struct sup *parent, uint32_t kid);

/* From the left, each after the one before it has answered; whoever was asked up may overtake. */
static void check_start_order(struct sup *sup, uint32_t kid) {
    bool ordered = sup->rules.strategy == TR_ONE_FOR_ALL || sup->rules.strategy == TR_REST_FOR_ONE;
    if (sup->kids[kid].asked_up != 0 || (!ordered && sup->announced)) return;
    for (uint32_t i = 0; i < sup->count; i++) {
        bool before = i < kid && (sup->kids[i].life != COMING || sup->kids[i].asked_up != 0);
        check(sup, "starts are in order", i == kid || before || (i > kid && sup->kids[i].life == DEAD));
    }
}

static void start_leaf(struct sup *sup, uint32_t kid) {
    struct world *world = sup->world;
    if (one_in(world, 40)) plan(sup, within(world, 50), EXITS, kid, (enum tr_exit)within(world, 3));
    if (one_in(world, 40)) plan(sup, within(world, 50), IGNORES, kid, 0);
    if (!one_in(world, 40)) plan(sup, within(world, 50), ANSWERS, kid, 0);
    else world->totals->lost++;
    if (!one_in(world, 4)) plan(sup, within(world, 4000), EXITS, kid, (enum tr_exit)within(world, 3));
}

static void on_start(void *context, tr_child_id id, uint64_t run, bool flush) {
    struct sup *sup = context;
    uint32_t number = number_of(sup, id);
    struct kid *kid = &sup->kids[number];
    check(sup, "a child is not started while it lives", kid->life == DEAD);
    check(sup, "a forgotten child is not started", !kid->gone);
    check(sup, "runs are counted one by one", run == kid->run + 1);
    check_start_order(sup, number);
    kid->life = COMING;
    kid->run = run;
    kid->killed = false;
    kid->started_at = sup->world->now;
    note(sup, flush ? FLUSH_START : START, number, 0);
    sup->world->totals->starts++;
    sup->world->totals->restarts += run > 1;
    sup->world->totals->flushed += flush;
    if (kid->supervises) kid->below = make_sup(sup->world, sup, number);
    else start_leaf(sup, number);
}

static void check_kill(const struct sup *sup, uint32_t number) {
    const struct kid *kid = &sup->kids[number];
    const struct tr_child_rules *rules = &sup->model.kids[number].rules;
    int64_t now = sup->world->now;
    bool late = kid->life == COMING && now - kid->started_at == rules->ready;
    bool at_once = rules->shutdown == TR_KILL && kid->life != GOING;
    bool passed = kid->life == GOING && now - kid->stopped_at == rules->shutdown;
    check(sup, "a child is killed once", !kid->killed);
    check(sup, "a child is killed at its deadline", late || at_once || passed);
    sup->world->totals->late += late && !at_once;
}

/* From the right, but for who was asked down, who is late, and dynamic children. */
static void check_stop_order(struct sup *sup, uint32_t number) {
    const struct kid *kid = &sup->kids[number];
    bool late = sup->world->now - kid->started_at == sup->model.kids[number].rules.ready;
    if (sup->rules.strategy == TR_DYNAMIC || kid->asked_down != 0 || kid->life == GOING || late) return;
    for (uint32_t i = number + 1; i < sup->count; i++)
        check(sup, "what is on the right is stopped before", sup->kids[i].life == DEAD);
}

static void stop_leaf(struct sup *sup, uint32_t number, bool kill) {
    struct world *world = sup->world;
    bool lost = !kill && sup->model.kids[number].rules.shutdown != TR_INFINITY && one_in(world, 20);
    enum tr_exit why = kill ? TR_EXIT_FAILED : (enum tr_exit)within(world, 3);
    if (!lost) plan(sup, within(world, kill ? 30 : 400), EXITS, number, why);
    world->totals->lost += lost;
}

static void on_stop(void *context, tr_child_id id, uint64_t run, bool kill) {
    struct sup *sup = context;
    uint32_t number = number_of(sup, id);
    struct kid *kid = &sup->kids[number];
    check(sup, "only what lives is stopped", run == kid->run && kid->life != DEAD);
    check_stop_order(sup, number);
    if (kill) check_kill(sup, number);
    else check(sup, "a child is asked to stop once", kid->life != GOING);
    if (kid->life != GOING) kid->stopped_at = sup->world->now;
    kid->life = GOING;
    kid->killed = kill;
    sup->world->totals->kills += kill;
    note(sup, kill ? KILL : STOP, number, 0);
    if (kid->below == NULL) stop_leaf(sup, number, kill);
    else plan(kid->below, within(sup->world, 20), kill ? KILLED : ORDERED, 0, 0);
}

static void on_rest(void *context, tr_child_id id) {
    struct sup *sup = context;
    uint32_t number = number_of(sup, id);
    check(sup, "only the dead rest", sup->kids[number].life == DEAD && !sup->kids[number].gone);
    sup->world->totals->rests++;
    note(sup, REST, number, 0);
}

static void on_forget(void *context, tr_child_id id) {
    struct sup *sup = context;
    uint32_t number = number_of(sup, id);
    check(sup, "only the dead are forgotten", sup->kids[number].life == DEAD && !sup->kids[number].gone);
    sup->kids[number].gone = true;
    sup->world->totals->forgotten++;
    note(sup, FORGET, number, 0);
}

static void on_answer(void *context, uint64_t request, enum tr_answer answer, tr_child_id id) {
    struct sup *sup = context;
    struct kid *kid = &sup->kids[number_of(sup, id)];
    check(sup, "requests are answered once", request < REQUESTS && !sup->answered[request]);
    sup->answered[request] = true;
    if (kid->asked_up == request) kid->asked_up = 0;
    if (kid->asked_down == request) kid->asked_down = 0;
    sup->world->totals->answers[answer]++;
    note(sup, ANSWER, (uint32_t)request, answer);
}

static void on_started(void *context) {
    struct sup *sup = context;
    sup->announced = true;
    note(sup, STARTED, 0, 0);
    plan_above(sup, ANSWERS, 0);
}

static void on_stopped(void *context, enum tr_over over) {
    struct sup *sup = context;
    for (uint32_t i = 0; i < sup->count; i++)
        check(sup, "nothing lives after the end", sup->kids[i].life == DEAD);
    check(sup, "no timer runs after the end", sup->timer == INT64_MAX);
    note(sup, STOPPED, 0, over);
    sup->over = true;
    sup->world->totals->over[over]++;
    plan_above(sup, EXITS, over == TR_OVER_GAVE_UP ? TR_EXIT_FAILED : TR_EXIT_SHUTDOWN);
}

static void on_timer(void *context, int64_t at) {
    struct sup *sup = context;
    check(sup, "no timer is set after the end", !sup->over && !sup->dead);
    sup->timer = at;
}

static const struct tr_supervision_io io = { on_start,  on_stop,    on_rest,    on_forget,
                                             on_answer, on_started, on_stopped, on_timer };

/* ---- Supervisors and their children, at random. One number a statement: compilers differ in the order in
 * which they draw those of one initialiser. ---- */

static int64_t any_time(struct world *world, int64_t special, uint64_t bound) {
    int64_t time = 1 + within(world, bound);
    return one_in(world, 3) ? special : time;
}

static struct tr_child_rules any_child(struct sup *sup) {
    struct world *world = sup->world;
    struct tr_child_rules rules = { .restart = (enum tr_restart)within(world, 3) };
    rules.shutdown = one_in(world, 6) ? TR_KILL : any_time(world, TR_INFINITY, 500);
    rules.ready = any_time(world, TR_INFINITY, 200);
    bool can = sup->rules.auto_shutdown != TR_NEVER && sup->rules.strategy != TR_DYNAMIC;
    rules.significant = can && rules.restart != TR_PERMANENT && one_in(world, 2);
    return rules;
}

static struct tr_supervision_rules any_rules(struct world *world) {
    struct tr_supervision_rules rules = { .strategy = (enum tr_strategy)within(world, 4) };
    rules.auto_shutdown = (enum tr_auto_shutdown)within(world, 3);
    rules.restarts = (uint32_t)within(world, 20);
    rules.within = within(world, 3000);
    rules.max_children = 4 + (uint32_t)within(world, 12);
    rules.seed = tr_random_next(&world->random);
    if (one_in(world, 2)) return rules;
    rules.backoff.initial = 1 + within(world, 50);
    rules.backoff.maximum = 1 + within(world, 999);
    rules.backoff.reset = within(world, 1000);
    rules.backoff.factor = 100 + (uint32_t)within(world, 200);
    rules.backoff.jitter = (uint32_t)within(world, 101);
    return rules;
}

/* The machine's answer is the only one that the rules allow. */
static bool add_kid(struct sup *sup) {
    struct tr_child_rules rules = any_child(sup);
    uint32_t there = 0, living;
    for (uint32_t i = 0; i < sup->count; i++) there += !sup->kids[i].gone;
    struct kid *kid = &sup->kids[sup->count];
    bool ending = sup->model.mode == M_ENDING || sup->model.mode == M_OVER;
    enum tr_answer answer = tr_supervision_add(sup->machine, &rules, &kid->id);
    check(sup, "a child is refused exactly at the limit and at the end",
          answer == (ending                              ? TR_ANSWER_STOPPING
                     : there == sup->rules.max_children ? TR_ANSWER_LIMIT
                                                         : TR_ANSWER_OK));
    if (answer != TR_ANSWER_OK) return false;
    check(sup, "children are counted", tr_supervision_count(sup->machine, &living) == there + 1);
    kid->supervises = sup->depth < DEPTH && one_in(sup->world, 3);
    check(sup, "both have the same children", model_add(&sup->model, &rules) == sup->count++);
    return true;
}

static struct sup *make_sup(struct world *world, struct sup *parent, uint32_t kid) {
    struct sup *sup = calloc(1, sizeof *sup);
    if (sup == NULL || world->sup_count == SUPS) abort();
    *sup = (struct sup){ .world = world, .number = world->sup_count, .parent = parent, .parent_kid = kid,
                         .timer = INT64_MAX };
    world->sups[world->sup_count++] = sup;
    if (parent != NULL) sup->depth = parent->depth + 1;
    if (parent != NULL) sup->parent_run = parent->kids[kid].run;
    world->totals->below += parent != NULL;
    sup->rules = any_rules(world);
    sup->machine = tr_supervision_new(&sup->rules, &io, sup);
    model_begin(&sup->model, &sup->rules);
    for (int64_t i = within(world, 5); i > 0; i--) add_kid(sup);
    plan(sup, within(world, 20), BEGIN, 0, 0);
    return sup;
}

/* ---- Events: to the machine, to the model, and compared ---- */

static void check_actions(struct sup *sup) {
    struct model_actions *real = &sup->actions, *expected = &sup->model.actions;
    for (uint32_t i = 0; i < real->count && i < expected->count; i++) {
        const struct model_action *a = &real->list[i], *b = &expected->list[i];
        check(sup, "the model expects another action",
              a->act == b->act && a->kid == b->kid && a->outcome == b->outcome);
    }
    check(sup, "the model expects more actions", real->count >= expected->count);
    check(sup, "the model expects fewer actions", real->count <= expected->count);
    real->count = expected->count = 0;
}

static void check_states(struct sup *sup) {
    uint32_t alive = 0, living;
    for (uint32_t i = 0; i < sup->count; i++) {
        struct tr_child_look look = { .state = TR_CHILD_GONE };
        bool known = tr_supervision_look(sup->machine, sup->kids[i].id, &look);
        check(sup, "the model expects another state", look.state == sup->model.kids[i].state);
        check(sup, "what is forgotten is unknown", known == !sup->kids[i].gone);
        check(sup, "the model knows who lives", model_lives(&sup->model, i) == (sup->kids[i].life != DEAD));
        alive += sup->kids[i].life != DEAD;
        if (sup->model.mode == M_ENDING && sup->rules.strategy == TR_DYNAMIC)
            check(sup, "dynamic children stop at once", sup->kids[i].life == DEAD || sup->kids[i].life == GOING);
        sup->world->totals->backoffs += look.state == TR_CHILD_WAITING;
    }
    (void)tr_supervision_count(sup->machine, &living);
    check(sup, "the living are counted", living == alive);
}

static void compare(struct sup *sup) {
    check_actions(sup);
    check_states(sup);
    check(sup, "the timer is the earliest deadline", sup->timer == model_due(&sup->model));
}

static bool is_current(const struct sup *sup, const struct event *event) {
    return sup->kids[event->kid].run == event->run && sup->kids[event->kid].life != DEAD;
}

static void kill_below(struct sup *sup);

static void end_kid(struct kid *kid) {
    kid->life = DEAD;
    if (kid->below != NULL) kill_below(kid->below);
    kid->below = NULL;
}

/* All below dies with it. */
static void kill_below(struct sup *sup) {
    sup->dead = true;
    sup->timer = INT64_MAX;
    for (uint32_t i = 0; i < sup->count; i++) end_kid(&sup->kids[i]);
}

static void deliver_answer(struct sup *sup, const struct event *event) {
    struct kid *kid = &sup->kids[event->kid];
    bool real = is_current(sup, event);
    if (real && kid->life == COMING) kid->life = UP;
    tr_supervision_started(sup->machine, kid->id, event->run, sup->world->now);
    if (real) model_started(&sup->model, event->kid);
}

static void deliver_ignored(struct sup *sup, const struct event *event) {
    struct kid *kid = &sup->kids[event->kid];
    bool real = is_current(sup, event);
    if (real) end_kid(kid);
    tr_supervision_ignored(sup->machine, kid->id, event->run, sup->world->now);
    if (real) model_ignored(&sup->model, event->kid);
}

/* A machine that acted on a late one would be caught by the model, which does not hear of it. */
static void deliver_exit(struct sup *sup, const struct event *event) {
    struct kid *kid = &sup->kids[event->kid];
    bool real = is_current(sup, event);
    if (real) end_kid(kid);
    tr_supervision_exited(sup->machine, kid->id, event->run, event->why, sup->world->now);
    if (real) model_exited(&sup->model, event->kid, event->why);
}

/* A node dies that hosted some of the children, forgotten ones among them. */
static void deliver_node_death(struct sup *sup) {
    uint64_t hosted = tr_random_next(&sup->world->random);
    tr_child_id lost[MODEL_KIDS];
    uint32_t count = 0, died = 0;
    for (uint32_t i = 0; i < sup->count; i++) {
        if ((hosted >> i & 1) == 0) continue;
        died += sup->kids[i].life != DEAD;
        end_kid(&sup->kids[i]);
        lost[count++] = sup->kids[i].id;
    }
    sup->world->totals->shared += died > 1;
    tr_supervision_lost(sup->machine, lost, count, sup->world->now);
    model_lost(&sup->model, hosted);
}

/* Several children die of themselves at one moment, in either direction. */
static void deliver_deaths(struct sup *sup) {
    uint64_t who = tr_random_next(&sup->world->random), runs[MODEL_KIDS];
    bool upwards = one_in(sup->world, 2);
    uint32_t count = sup->count;
    for (uint32_t i = 0; i < count; i++) runs[i] = sup->kids[i].run;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t kid = upwards ? i : count - 1 - i;
        if ((who >> kid & 1) == 0) continue;
        deliver_exit(sup, &(struct event){ .kid = kid, .run = runs[kid], .why = TR_EXIT_FAILED });
        compare(sup);
    }
}

static void ask_launch(struct sup *sup, uint32_t request) {
    if (sup->count == MODEL_KIDS || !add_kid(sup)) {
        sup->answered[request] = true;
        return;
    }
    sup->kids[sup->count - 1].asked_up = request;
    tr_supervision_launch(sup->machine, sup->kids[sup->count - 1].id, request, sup->world->now);
    model_launch(&sup->model, sup->count - 1, request);
}

static void deliver_request(struct sup *sup) {
    uint32_t request = ++sup->requests, number = (uint32_t)within(sup->world, sup->count + (sup->count == 0));
    struct kid *kid = &sup->kids[number];
    int64_t which = sup->count == 0 ? 0 : within(sup->world, 4), now = sup->world->now;
    trace(sup, "request of kind", (uint32_t)which);
    if (which == 0) {
        ask_launch(sup, request);
    } else if (which == 1) {
        if (kid->asked_down == 0) kid->asked_down = request;
        tr_supervision_terminate(sup->machine, kid->id, request, now);
        model_terminate(&sup->model, number, request);
    } else if (which == 2) {
        if (kid->asked_up == 0) kid->asked_up = request;
        tr_supervision_restart(sup->machine, kid->id, request, now);
        model_restart(&sup->model, number, request);
    } else {
        tr_supervision_delete(sup->machine, kid->id, request, now);
        model_delete(&sup->model, number, request);
    }
}

/* One that is at work, mostly. */
static struct sup *any_sup(struct world *world) {
    uint32_t at = (uint32_t)within(world, world->sup_count);
    bool over_too = one_in(world, 10);
    while (at > 0 && (world->sups[at]->dead || (world->sups[at]->over && !over_too))) at--;
    return world->sups[at]; /* the root is never dead */
}

static void deliver_killed(struct sup *sup) {
    kill_below(sup);
    plan_above(sup, EXITS, TR_EXIT_FAILED);
}

static void deliver_to(struct sup *sup, const struct event *event) {
    switch (event->kind) {
    case BEGIN:
        tr_supervision_start(sup->machine, sup->world->now);
        model_start(&sup->model);
        break;
    case ANSWERS: deliver_answer(sup, event); break;
    case IGNORES: deliver_ignored(sup, event); break;
    case EXITS: deliver_exit(sup, event); break;
    case DEATHS: deliver_deaths(sup); break;
    case NODE_DEATH: deliver_node_death(sup); break;
    case REQUEST:
        if (sup->requests + 1 < REQUESTS) deliver_request(sup);
        break;
    case ORDERED:
    case ASK_STOP:
        tr_supervision_stop(sup->machine, sup->world->now);
        model_stop(&sup->model);
        break;
    case KILLED: deliver_killed(sup); break;
    }
    if (!sup->dead) compare(sup);
}

/* The timer has fired, be it too early: it is not set any more. */
static void tick(struct sup *sup, int64_t now) {
    sup->timer = INT64_MAX;
    tr_supervision_tick(sup->machine, now);
    model_tick(&sup->model);
    compare(sup);
}

static void deliver(struct world *world, const struct event *event) {
    bool anybody = event->kind == DEATHS || event->kind == NODE_DEATH || event->kind == REQUEST;
    struct sup *sup = anybody ? any_sup(world) : event->sup;
    world->now = event->at;
    if (sup->dead) return;
    sup->model.now = world->now;
    deliver_to(sup, event);
    if (!sup->dead && event->kind != REQUEST && one_in(world, 20)) tick(sup, world->now - 1);
}

/* ---- A seed ---- */

/* Takes out the earliest event; those of one moment come in any order. */
static struct event next_event(struct world *world) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < world->event_count; i++)
        if (world->events[i].at < world->events[best].at) best = i;
    struct event event = world->events[best];
    world->events[best] = world->events[--world->event_count];
    return event;
}

static struct sup *next_timer(struct world *world) {
    struct sup *best = world->sups[0];
    for (uint32_t i = 1; i < world->sup_count; i++)
        if (world->sups[i]->timer < best->timer) best = world->sups[i];
    return best;
}

static void one_event(struct world *world) {
    struct event event = next_event(world);
    struct sup *due = next_timer(world);
    if (due->timer >= event.at) {
        deliver(world, &event);
        return;
    }
    world->events[world->event_count++] = event;
    world->now = due->model.now = due->timer;
    tick(due, world->now);
}

static void plan_the_outside(struct sup *root) {
    struct world *world = root->world;
    for (int64_t i = within(world, 4); i > 0; i--) plan(root, within(world, 8000), DEATHS, 0, 0);
    for (int64_t i = within(world, 4); i > 0; i--) plan(root, within(world, 8000), NODE_DEATH, 0, 0);
    for (int64_t i = within(world, 60); i > 0; i--) plan(root, within(world, LAST), REQUEST, 0, 0);
    if (one_in(world, 3)) plan(root, within(world, LAST), ASK_STOP, 0, 0);
    plan(root, LAST, ASK_STOP, 0, 0);
}

static void end_world(struct world *world) {
    for (uint32_t i = 0; i < world->sup_count; i++) {
        struct sup *sup = world->sups[i];
        check(sup, "it ends when it is asked to", sup->over || sup->dead);
        for (uint32_t n = 1; n <= sup->requests; n++)
            check(sup, "every request is answered", sup->answered[n] || !sup->over);
        tr_supervision_free(sup->machine);
        free(sup);
    }
}

static void run_seed(uint64_t seed, bool traced, struct totals *totals) {
    static struct world world;
    world.seed = seed;
    world.trace = traced;
    world.totals = totals;
    world.now = 0;
    world.event_count = world.sup_count = 0;
    tr_random_seed(&world.random, seed);
    plan_the_outside(make_sup(&world, NULL, 0));
    while (world.event_count > 0 || next_timer(&world)->timer != INT64_MAX) {
        if (world.event_count == 0) plan(world.sups[0], 1 << 20, ASK_STOP, 0, 0);
        one_event(&world);
    }
    end_world(&world);
}

static void print_totals(uint64_t seeds, const struct totals *t) {
    printf("%" PRIu64 " seeds: %" PRIu64 " supervisors below others; %" PRIu64 " starts, %" PRIu64
           " of them again (%" PRIu64 " flushed); %" PRIu64 " kills, %" PRIu64 " of them late; %" PRIu64
           " rests, %" PRIu64 " forgotten; %" PRIu64 " nodes took several with them; %" PRIu64
           " looks at a backoff; %" PRIu64 " answers lost\n",
           seeds, t->below, t->starts, t->restarts, t->flushed, t->kills, t->late, t->rests, t->forgotten,
           t->shared, t->backoffs, t->lost);
    printf("answers:");
    for (int i = 0; i <= TR_ANSWER_NO_MEMORY; i++) printf(" %" PRIu64, t->answers[i]);
    printf("; stopped %" PRIu64 ", gave up %" PRIu64 ", finished %" PRIu64 "\n", t->over[0], t->over[1],
           t->over[2]);
}

/* A simulation in which something never happens shows nothing about it. LIMIT and NO_MEMORY never are: the one is
 * said by tr_supervision_add, for the other there would have to be none. */
static bool saw_everything(const struct totals *t) {
    for (int i = 0; i < TR_ANSWER_LIMIT; i++)
        if (t->answers[i] == 0) return false;
    return t->restarts > 0 && t->flushed > 0 && t->kills > 0 && t->late > 0 && t->rests > 0 && t->forgotten > 0 &&
           t->shared > 0 && t->backoffs > 0 && t->below > 0 && t->lost > 0 && t->over[TR_OVER_ASKED] > 0 &&
           t->over[TR_OVER_GAVE_UP] > 0 && t->over[TR_OVER_FINISHED] > 0;
}

int main(int argc, char **argv) {
    uint64_t first = 1, count = SEEDS;
    struct totals totals = { 0 };
    const char *given = getenv("TROUPE_SEED");
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) given = argv[2];
    if (given != NULL) first = strtoull(given, NULL, 10), count = 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0) count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) run_seed(first + i, given != NULL, &totals);
    print_totals(count, &totals);
    return given != NULL || saw_everything(&totals) ? 0 : 1;
}
