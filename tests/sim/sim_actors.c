/*
 * Random trees of real actors under real supervisors, in virtual time (troupe/test.h): one seed is one life of one
 * tree. Runs fail, are killed, stopped, done, and cannot be started, supervisors included; children are added,
 * terminated, restarted and deleted by request; whose turn it is next is drawn, too. lib/tree_watch.h says what must
 * hold: nobody begins twice, or without a supervisor; who was told to stop had nobody alive at its right, and a
 * supervisor that ends in order has no child alive; a supervisor gives up when its restarts are one too many, and
 * never else; requests are answered as they should be. When nothing is left to do, those run that should, and
 * each is found by the name it took; at the end nobody does.
 *
 * In every second seed several things happen at once, some actors hang until they are killed, some are ready
 * late or too late, and restarts are put off.
 *
 *   sim_actors [--seed N | --seeds N]      a failing seed prints seed=N. With one seed, what happens is printed
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tree_watch.h"

enum { SEEDS = 10000, SEEDS_SANITIZED = 2000, ROUNDS = 24 };

struct hand {
    char unused;
};
TROUPE_MESSAGE_EMPTY(leave)

TROUPE_MESSAGE_EMPTY(up)

TROUPE_START(hand, hand_args) {
    enum troupe_status status = troupe_register(self, args->name);
    if (status != TROUPE_OK || args->late == 0) return status;
    status = troupe_start_later(self);
    return status == TROUPE_OK ? troupe_after_empty(self, NULL, args->late * TROUPE_MILLISECOND, up) : status;
}
TROUPE_ON(hand, up) {
    troupe_started(self);
    return TROUPE_OK;
}
TROUPE_ON(hand, leave) { return troupe_exit(self); }
TROUPE_ACTOR(hand, TROUPE_STARTS(hand, hand_args), TROUPE_HANDLES(hand, leave, up))

static const struct troupe_actor_type *const actors[] = { &hand_actor, NULL };

/* What was seen at all. */
static uint64_t in_order, added, replies[TROUPE_STATUS_COUNT];

static void kit_failed(void *context, const char *file, int line, const char *text) {
    fprintf(stderr, "%s:%d: ", file, line);
    tree_fail(context, text, "the kit");
}

static struct member *draw_living(struct tree *t) {
    struct member *who = &t->members[tree_draw(t, t->count)];
    for (int tries = 0; tries < 8 && (!who->alive || (who->above == NULL && tree_draw(t, 20) != 0)); tries++)
        who = &t->members[tree_draw(t, t->count)];
    bool known = !who->added || t->strict; /* where it runs */
    return who->alive && known ? who : NULL;
}

static void note(const struct tree *t, const char *what, const struct member *who, uint32_t times) {
    if (t->trace) printf("%s %s %u\n", what, who == NULL ? "" : who->path, times);
}

/* ---- Ends ---- */

enum deed { CRASH, KILL, STOP, LEAVE, STARTS_FAIL, REQUEST, HANG, DEEDS };

static void end_run(struct tree *t, struct member *who, enum deed deed) {
    static const char *const names[] = { "crash", "kill", "stop", "leave" };
    troupe_self *self = troupe_test_self(t->kit);
    troupe_address address = tree_address(t, who);
    if (!troupe_test_lives(t->kit, address)) return; /* of two deeds at once this is the second */
    if (deed == LEAVE && who->supervises) deed = CRASH;
    note(t, names[deed], who, 1);
    if (deed == CRASH) troupe_test_crash(t->kit, address, "it is drawn so");
    if (deed == KILL) troupe_test_kill(t->kit, address);
    if (deed == STOP) (void)troupe_stop_actor(self, address);
    if (deed == LEAVE) (void)troupe_send_empty(self, address, leave);
}

static void fail_starts(struct tree *t, struct member *who) {
    uint32_t times = 1 + tree_draw(t, 4);
    note(t, "starts fail", who, times);
    troupe_test_fail_starts(t->kit, who->path, times, "it is drawn so");
    end_run(t, who, CRASH);
}

static void hang(struct tree *t, struct member *who) {
    note(t, "hang", who, 1);
    if (troupe_test_lives(t->kit, tree_address(t, who))) troupe_test_hold(t->kit, tree_address(t, who));
}

/* ---- Requests ---- */

static const struct troupe_child *reply_of(struct tree *t) {
    const struct troupe_child *reply = troupe_test_expect_reply(t->kit, troupe_child);
    replies[reply->status]++;
    return reply;
}

static void check_reply(struct tree *t, const struct member *who, enum troupe_status expected) {
    const struct troupe_child *reply = reply_of(t);
    if (reply->status != (uint32_t)expected)
        tree_fail(t, troupe_status_name((enum troupe_status)reply->status), who->path);
}

/* It may be told not to begin, or one below it may be, from before. */
static void restart(struct tree *t, struct member *who, troupe_address above, const char *name) {
    bool fails = tree_draw(t, 4) == 0;
    troupe_test_fail_starts(t->kit, who->path, fails ? 1 : 0, "it is drawn so");
    (void)troupe_ask(troupe_test_self(t->kit), above, troupe_restart_child, TROUPE_SECOND, .name = name);
    enum troupe_status expected = tree_expect_restart(t, who);
    const struct troupe_child *reply = reply_of(t);
    bool failed = reply->status == TROUPE_FAILED && expected == TROUPE_OK && (fails || who->supervises);
    if (!failed && (reply->status != (uint32_t)expected || (fails && expected == TROUPE_OK)))
        tree_fail(t, troupe_status_name((enum troupe_status)reply->status), who->path);
}

static void start_child(struct tree *t, struct member *above) {
    struct member *made = tree_add(t, above, (enum troupe_restart)tree_draw(t, 3));
    if (made == NULL) return;
    const struct troupe_child_options options = { .name = strrchr(made->path, '/') + 1, .restart = made->restart };
    note(t, "start", made, 1);
    t->asked = made;
    made->expected = true;
    if (troupe_ask_start_child(troupe_test_self(t->kit), tree_address(t, above), TROUPE_SECOND, &options, hand,
                               hand_args, .name = made->name) != TROUPE_OK)
        tree_fail(t, "cannot be asked", above->path);
    const struct troupe_child *reply = reply_of(t);
    if (reply->status != TROUPE_OK) tree_fail(t, troupe_status_name((enum troupe_status)reply->status), made->path);
    made->address = reply->address;
    added++;
}

static void ask_about(struct tree *t, struct member *who) {
    troupe_self *self = troupe_test_self(t->kit);
    troupe_address above = tree_address(t, who->above);
    const char *name = strrchr(who->path, '/') + 1;
    static const char *const names[] = { "terminate", "restart", "delete" };
    uint32_t which = tree_draw(t, 3);
    note(t, names[which], who, 1);
    if (which == 0) {
        (void)troupe_ask(self, above, troupe_terminate_child, TROUPE_SECOND, .name = name);
        check_reply(t, who, tree_expect_terminate(t, who));
    } else if (which == 1) {
        restart(t, who, above, name);
    } else {
        (void)troupe_ask(self, above, troupe_delete_child, TROUPE_SECOND, .name = name);
        check_reply(t, who, tree_expect_delete(t, who));
    }
}

/* Where it is not known what the answer must be: nobody waits for it. */
static void send_about(struct tree *t, struct member *who) {
    troupe_self *self = troupe_test_self(t->kit);
    troupe_address above = tree_address(t, who->above);
    const char *name = strrchr(who->path, '/') + 1;
    note(t, "request", who, 1);
    switch (tree_draw(t, 3)) {
    case 0: (void)troupe_send(self, above, troupe_terminate_child, .name = name); break;
    case 1: (void)troupe_send(self, above, troupe_restart_child, .name = name); break;
    default: (void)troupe_send(self, above, troupe_delete_child, .name = name); break;
    }
}

static void send_start(struct tree *t, struct member *above) {
    struct troupe_child_spec spec;
    struct member *made = tree_add(t, above, (enum troupe_restart)tree_draw(t, 3));
    if (made == NULL) return;
    const struct troupe_child_options options = { .name = strrchr(made->path, '/') + 1, .restart = made->restart };
    note(t, "start", made, 1);
    if (troupe_describe_child(&spec, &options, hand, hand_args, .name = made->name, .late = tree_draw(t, 2)) !=
        TROUPE_OK)
        tree_fail(t, "cannot be described", made->path);
    (void)troupe_send(troupe_test_self(t->kit), tree_address(t, above), troupe_start_child, .child = spec);
    troupe_child_spec_free(&spec);
}

static void request(struct tree *t) {
    struct member *who = &t->members[tree_draw(t, t->count)];
    bool start = who->supervises && who->alive && tree_draw(t, 2) == 0, asks = t->strict;
    if (start && asks) start_child(t, who);
    else if (start) send_start(t, who);
    else if (who->above != NULL && who->above->alive && asks) ask_about(t, who);
    else if (who->above != NULL && who->above->alive) send_about(t, who);
}

/* ---- One life ---- */

static void pass_time(struct tree *t) {
    uint32_t time = tree_draw(t, 6000);
    note(t, "time", NULL, time);
    troupe_test_advance(t->kit, time * TROUPE_MILLISECOND);
}

static void do_one(struct tree *t) {
    enum deed deed = (enum deed)tree_draw(t, t->strict ? HANG : DEEDS);
    struct member *who = draw_living(t);
    if (who == NULL || tree_draw(t, 3) == 0) pass_time(t);
    else if (deed == REQUEST || tree_draw(t, 2) == 0) request(t);
    else if (deed == HANG) hang(t, who);
    else if (deed == STARTS_FAIL) fail_starts(t, who);
    else end_run(t, who, deed);
}

/* Whoever still hangs would be killed at the deadline of the whole, and hide whoever is waited for in vain. */
static void release_all(struct tree *t) {
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->members[i].added) troupe_test_release(t->kit, tree_address(t, &t->members[i]));
}

static void end_tree(struct tree *t) {
    int code = 0;
    release_all(t);
    if (!troupe_test_ended(t->kit, NULL)) troupe_shutdown(troupe_test_self(t->kit));
    t->ending = true;
    note(t, "the end", NULL, 0);
    for (int i = 0; i < 20 && !troupe_test_ended(t->kit, &code); i++) troupe_test_advance(t->kit, TROUPE_SECOND);
    if (!troupe_test_ended(t->kit, &code)) tree_fail(t, "does not end", "the application");
    tree_take_events(t);
    if (code == 137) tree_fail(t, "has to be killed", "the application");
    for (uint32_t i = 0; i < t->count; i++)
        if (t->members[i].alive) tree_fail(t, "outlives the application", t->members[i].path);
    if (troupe_test_free(t->kit) != code) tree_fail(t, "ends with another code", "the application");
    in_order += code == 0;
}

static void run_seed(struct tree *t, uint64_t seed, bool trace) {
    tree_make(t, seed, seed % 2 == 1, trace);
    if (trace) printf("%s", t->config);
    t->kit = troupe_test_new(.actors = actors, .config = t->config, .seed = seed, .fail = kit_failed, .context = t);
    for (uint32_t i = 0; tree_watch(t) && i < ROUNDS; i++) {
        do_one(t);
        for (uint32_t more = t->strict ? 0 : tree_draw(t, 4); more > 0; more--) do_one(t);
    }
    end_tree(t);
}

/* A simulation in which something never happens shows nothing about it. */
static bool saw_everything(const struct tree *t) {
    return t->gave_up > 0 && t->finished > 0 && in_order > 0 && added > 0 && replies[TROUPE_OK] > 0 &&
           replies[TROUPE_BUSY] > 0 && replies[TROUPE_NOT_FOUND] > 0 && replies[TROUPE_FAILED] > 0 && replies[TROUPE_INVALID] > 0;
}

int main(int argc, char **argv) {
    static struct tree tree;
    const char *sanitizers = getenv("TROUPE_SANITIZE"); /* as the build has them: some are slow */
    uint64_t first = 1, count = sanitizers == NULL || sanitizers[0] == '\0' ? SEEDS : SEEDS_SANITIZED;
    bool one = argc == 3 && strcmp(argv[1], "--seed") == 0;
    if (one) first = strtoull(argv[2], NULL, 10), count = 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0) count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) run_seed(&tree, first + i, one);
    printf("%" PRIu64 " seeds: %" PRIu64 " runs begun, %" PRIu64 " ended; %" PRIu64 " supervisors gave up, %" PRIu64
           " were done; %" PRIu64 " applications ended in order; %" PRIu64 " children added; replies: %" PRIu64
           " ok, %" PRIu64 " failed, %" PRIu64 " busy, %" PRIu64 " not found, %" PRIu64 " invalid\n", count, tree.begun, tree.ended, tree.gave_up,
           tree.finished, in_order, added, replies[TROUPE_OK], replies[TROUPE_FAILED], replies[TROUPE_BUSY],
           replies[TROUPE_NOT_FOUND], replies[TROUPE_INVALID]);
    return one || saw_everything(&tree) ? 0 : 1;
}
