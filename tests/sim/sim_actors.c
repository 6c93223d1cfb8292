/*
 * Random trees of real actors under real supervisors, in virtual time (troupe/test.h): one seed is one life of one
 * tree. Runs fail, are killed, stopped, done, and cannot be started, supervisors included; whose turn it is next is
 * drawn, too.
 *
 * The watcher knows the tree and nothing of the code under test. It is told each beginning and each end of a run in
 * their order, and says of each whether it may be so: nobody begins twice, or without a supervisor; who was told to
 * stop had nobody alive at its right, and a supervisor that ends in order has no child alive; a supervisor gives up
 * when its restarts are one too many, and never else. When nothing is left to do, those run that should, and each is
 * found by the name it took; at the end nobody does.
 *
 * In every second seed several things happen at once, and some actors hang until they are killed: then the watcher
 * cannot know in which order a supervisor hears of them, and leaves out what depends on that.
 *
 *   sim_actors [--seed N | --seeds N]      a failing seed prints seed=N. With one seed, what happens is printed
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>

#include "base/random.h"

enum { SEEDS = 10000, MEMBERS = 64, DEPTH = 3, FEW = 4, RESTARTS = 8, TEXT = 8192, ROUNDS = 24 };

/* ---- The actors ---- */

#define HAND_FIELDS(field) field(str, name)
TROUPE_MESSAGE(hand_args, HAND_FIELDS)
TROUPE_MESSAGE_EMPTY(leave)

struct hand {
    uint32_t unused;
};
TROUPE_START(hand, hand_args) { return troupe_register(self, args->name); }
TROUPE_ON(hand, leave) { return troupe_exit(self); }
TROUPE_ACTOR(hand, TROUPE_STARTS(hand, hand_args), TROUPE_HANDLES(hand, leave))

static const struct troupe_actor_type *const actors[] = { &hand_actor, NULL };

/* ---- What is known of the tree ---- */

enum restart { PERMANENT, TRANSIENT, TEMPORARY };
enum strategy { ONE_FOR_ONE, ONE_FOR_ALL, REST_FOR_ONE };

struct member {
    char path[64], name[64];
    struct member *above;
    bool supervises;
    enum restart restart;
    enum strategy strategy;
    uint32_t limit;           /* restarts that are allowed ... */
    int64_t within;           /* ... in so many seconds */
    int64_t restarts[RESTARTS];
    uint32_t restarted;
    bool alive, expected;     /* it runs; it should, once nothing is left to do */
    uint32_t runs;            /* in the present run of its supervisor */
    bool left;                /* its run is one of the run before of its supervisor, which is to be killed */
    bool gives_up;            /* a supervisor that has to */
};

struct world {
    uint64_t seed;
    bool trace, strict, ending;
    struct tr_random random;
    struct member members[MEMBERS]; /* parents before children, and these from left to right */
    uint32_t count;
    char config[TEXT];
    size_t used;
    troupe_test *kit;
};

struct totals {
    uint64_t begun, ended, gave_up, applications;
};

static struct totals totals;

static void fail(const struct world *w, const char *what, const char *who) {
    fprintf(stderr, "seed=%" PRIu64 ": %s: %s\n", w->seed, who, what);
    exit(1);
}

static void kit_failed(void *context, const char *file, int line, const char *text) {
    const struct world *w = context;
    fprintf(stderr, "seed=%" PRIu64 ": %s:%d: %s\n", w->seed, file, line, text);
    exit(1);
}

static uint32_t draw(struct world *w, uint32_t below) { return (uint32_t)tr_random_below(&w->random, below); }

/* ---- Making a tree ---- */

static void write_text(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void write_text(struct world *w, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int size = vsnprintf(w->config + w->used, TEXT - w->used, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= TEXT - w->used) fail(w, "the configuration is too long", "the test");
    w->used += (size_t)size;
}

static void make_rules(struct world *w, struct member *made) {
    static const char *const strategies[] = { "one_for_one", "one_for_all", "rest_for_one" };
    made->supervises = true;
    made->strategy = (enum strategy)draw(w, 3);
    made->limit = made->above == NULL ? RESTARTS - 2 : draw(w, RESTARTS - 1); /* the root: or most ends are its */
    made->within = made->above == NULL ? 1 : 1 + draw(w, 5);
    write_text(w, "strategy: %s, restarts: %u, within: %ds, children: [", strategies[made->strategy], made->limit,
               (int)made->within);
}

static void make_child(struct world *w, struct member *above, uint32_t number, uint32_t depth);

static void make_children(struct world *w, struct member *above, uint32_t depth) {
    uint32_t count = 1 + draw(w, FEW);
    for (uint32_t i = 0; i < count && w->count < MEMBERS; i++) {
        write_text(w, i == 0 ? " " : ", ");
        make_child(w, above, i, depth);
    }
    write_text(w, " ]");
}

static void make_child(struct world *w, struct member *above, uint32_t number, uint32_t depth) {
    static const char *const kinds[] = { "permanent", "transient", "temporary" };
    struct member *made = &w->members[w->count++];
    made->above = above;
    made->restart = (enum restart)(draw(w, 2) == 0 ? 0 : draw(w, 3));
    snprintf(made->path, sizeof made->path, "%.60s/%c", above->path[1] == '\0' ? "" : above->path, 'a' + (int)number);
    snprintf(made->name, sizeof made->name, "n%u", w->count);
    write_text(w, "{ name: %c, restart: %s, ", 'a' + (int)number, kinds[made->restart]);
    if (depth < DEPTH && draw(w, 3) == 0) {
        make_rules(w, made);
        make_children(w, made, depth + 1);
    } else {
        write_text(w, "actor: hand, args: { name: %s }", made->name);
    }
    write_text(w, " }");
}

static void make_tree(struct world *w) {
    struct member *root = &w->members[w->count++];
    snprintf(root->path, sizeof root->path, "/");
    write_text(w, "tree: { ");
    make_rules(w, root);
    make_children(w, root, 1);
    write_text(w, " }\n");
}

/* ---- Watching ---- */

static struct member *find(struct world *w, const char *path) {
    for (uint32_t i = 0; i < w->count; i++)
        if (strcmp(w->members[i].path, path) == 0) return &w->members[i];
    fail(w, "nobody has this path", path);
    return NULL;
}

static bool right_of_lives(const struct world *w, const struct member *who) {
    for (const struct member *m = who + 1; m < w->members + w->count; m++)
        if (m->above == who->above && m->alive && !m->left) return true;
    return false;
}

static bool child_lives(const struct world *w, const struct member *who) {
    for (const struct member *m = who + 1; m < w->members + w->count; m++)
        if (m->above == who && m->alive && !m->left) return true;
    return false;
}

static void begins(struct world *w, struct member *who) {
    struct member *above = who->above;
    totals.begun++;
    if (who->alive) fail(w, "begins while it runs", who->path);
    if (w->strict && above != NULL && !above->alive) fail(w, "begins without a supervisor", who->path);
    if (w->strict && above != NULL && (above->strategy != ONE_FOR_ONE || who->runs == 0) && right_of_lives(w, who))
        fail(w, "begins while somebody at its right runs", who->path);
    who->alive = true;
    who->left = false;
    who->runs++;
    who->restarted = 0;
    who->gives_up = false;
    for (struct member *m = who + 1; m < w->members + w->count; m++)
        if (m->above == who) m->expected = true, m->runs = 0, m->left = m->alive;
}

static void count_restart(struct member *above, int64_t now) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < above->restarted; i++)
        if (above->restarts[i] >= now - above->within * TROUPE_SECOND) above->restarts[kept++] = above->restarts[i];
    above->restarts[kept++] = now;
    above->restarted = kept;
    above->gives_up = kept > above->limit;
}

static void expect_restart(struct world *w, const struct member *who) {
    const struct member *above = who->above;
    for (struct member *m = w->members; m < w->members + w->count; m++) {
        bool with = m == who || above->strategy == ONE_FOR_ALL || (above->strategy == REST_FOR_ONE && m > who);
        if (m->above == above && with && m->restart != TEMPORARY) m->expected = true;
    }
}

static bool is_mended(const struct member *who, const struct troupe_death *death) {
    if (who->restart == TRANSIENT) return troupe_death_is_failure((enum troupe_death_kind)death->kind);
    return who->restart == PERMANENT;
}

/* By itself, as its supervisor sees it. One that cannot be started at first is more than it tries to mend. */
static void ends_by_itself(struct world *w, struct member *who, const struct troupe_death *death) {
    struct member *above = who->above;
    who->expected = false;
    if (death->starting && who->runs == 1) above->gives_up = true;
    else if (is_mended(who, death)) count_restart(above, troupe_now(troupe_test_self(w->kit)));
    if (!above->gives_up && is_mended(who, death)) expect_restart(w, who);
}

static void ends(struct world *w, struct member *who, const struct troupe_death *death) {
    struct member *above = who->above;
    bool in_order = death->kind == TROUPE_DEATH_STOPPED || death->kind == TROUPE_DEATH_GAVE_UP;
    bool ordered = above != NULL && strcmp(death->by, above->path) == 0;
    totals.ended++;
    if (!who->alive) fail(w, "ends though it does not run", who->path);
    bool left = who->left;
    who->alive = who->left = false;
    if (in_order && child_lives(w, who)) fail(w, "has left a child alive", who->path);
    if (!w->strict) return;
    if (who->supervises && who->gives_up != (death->kind == TROUPE_DEATH_GAVE_UP) && !w->ending)
        fail(w, who->gives_up ? "should have given up" : "gives up too early", who->path);
    totals.gave_up += who->gives_up;
    if (left || above == NULL || !above->alive) return;
    if (ordered && right_of_lives(w, who)) fail(w, "stops before somebody at its right", who->path);
    if (ordered && who->restart == TEMPORARY) who->expected = false;
    if (!ordered && !above->gives_up && !w->ending) ends_by_itself(w, who, death);
}

/* "+/a/b" or "failed/a/b". */
static void take_event(struct world *w, const char *event) {
    const char *path = strchr(event, '/');
    if (path == NULL) fail(w, "no event", event);
    if (event[0] == '+') begins(w, find(w, path));
    else ends(w, find(w, path), troupe_test_expect_death(w->kit, path));
}

static void take_events(struct world *w) {
    static char text[64 * 1024 + 1];
    snprintf(text, sizeof text, "%s", troupe_test_life(w->kit));
    if (w->trace && text[0] != '\0') printf("    %s\n", text);
    for (char *rest = text, *event; (event = strtok_r(rest, " ", &rest)) != NULL;) take_event(w, event);
}

/* Nothing is left to do at this time. */
static void check_rest(struct world *w, struct member *who) {
    troupe_self *self = troupe_test_self(w->kit);
    if (w->strict && who->above != NULL && who->above->alive && who->alive != who->expected)
        fail(w, who->alive ? "runs, but should not" : "does not run, but should", who->path);
    if (!who->alive) return;
    troupe_address address = troupe_test_lookup(w->kit, who->path);
    if (!troupe_test_lives(w->kit, address)) fail(w, "is said to run, and does not", who->path);
    if (!who->supervises && !troupe_address_equal(address, troupe_lookup(self, who->name)))
        fail(w, "is not found by its name", who->path);
}

static bool goes_on(struct world *w) {
    take_events(w);
    if (troupe_test_ended(w->kit, NULL)) return false;
    for (uint32_t i = 0; i < w->count; i++) check_rest(w, &w->members[i]);
    return true;
}

/* ---- What happens ---- */

enum deed { CRASH, KILL, STOP, LEAVE, STARTS_FAIL, TIME_PASSES, HANG, DEEDS };

static struct member *draw_living(struct world *w) {
    struct member *who = &w->members[draw(w, w->count)];
    for (int tries = 0; tries < 8 && (!who->alive || (who->above == NULL && draw(w, 20) != 0)); tries++)
        who = &w->members[draw(w, w->count)];
    return who->alive ? who : NULL;
}

static void note(const struct world *w, const char *what, const struct member *who, uint32_t times) {
    if (w->trace) printf("%s %s %u\n", what, who == NULL ? "" : who->path, times);
}

static void end_run(struct world *w, struct member *who, enum deed deed) {
    static const char *const names[] = { "crash", "kill", "stop", "leave" };
    troupe_self *self = troupe_test_self(w->kit);
    troupe_address address = troupe_test_lookup(w->kit, who->path);
    if (!troupe_test_lives(w->kit, address)) return; /* of the two deeds at once this is the second */
    if (deed == LEAVE && who->supervises) deed = CRASH;
    note(w, names[deed], who, 1);
    if (deed == CRASH) troupe_test_crash(w->kit, address, "it is drawn so");
    if (deed == KILL) troupe_test_kill(w->kit, address);
    if (deed == STOP) (void)troupe_stop_actor(self, address);
    if (deed == LEAVE) (void)troupe_send_empty(self, address, leave);
}

static void fail_starts(struct world *w, struct member *who) {
    uint32_t times = 1 + draw(w, 4);
    note(w, "starts fail", who, times);
    troupe_test_fail_starts(w->kit, who->path, times, "it is drawn so");
}

static void do_one(struct world *w) {
    enum deed deed = draw(w, 3) == 0 ? TIME_PASSES : (enum deed)draw(w, w->strict ? HANG : DEEDS);
    struct member *who = draw_living(w);
    if (deed == TIME_PASSES || who == NULL) {
        uint32_t time = draw(w, 6000);
        note(w, "time", NULL, time);
        troupe_test_advance(w->kit, time * TROUPE_MILLISECOND);
    } else if (deed == HANG) {
        note(w, "hang", who, 1);
        if (troupe_test_lives(w->kit, troupe_test_lookup(w->kit, who->path)))
            troupe_test_hold(w->kit, troupe_test_lookup(w->kit, who->path));
    } else {
        if (deed == STARTS_FAIL) fail_starts(w, who);
        end_run(w, who, deed == STARTS_FAIL ? CRASH : deed);
    }
}

static void end_world(struct world *w) {
    int code = 0;
    if (!troupe_test_ended(w->kit, NULL)) troupe_shutdown(troupe_test_self(w->kit));
    w->ending = true;
    note(w, "the end", NULL, 0);
    for (int i = 0; i < 20 && !troupe_test_ended(w->kit, &code); i++) troupe_test_advance(w->kit, TROUPE_SECOND);
    if (!troupe_test_ended(w->kit, &code)) fail(w, "does not end", "the application");
    take_events(w);
    if (w->strict && code == 137) fail(w, "has to be killed", "the application");
    for (uint32_t i = 0; i < w->count; i++)
        if (w->members[i].alive && code != 137) fail(w, "outlives the application", w->members[i].path);
    totals.applications += code == 0;
    if (troupe_test_free(w->kit) != code) fail(w, "ends with another code", "the application");
}

static void run_seed(uint64_t seed, bool trace) {
    static struct world w;
    memset(&w, 0, sizeof w);
    w.seed = seed;
    w.trace = trace;
    w.strict = seed % 2 == 1;
    tr_random_seed(&w.random, seed);
    make_tree(&w);
    if (trace) printf("%s", w.config);
    w.kit = troupe_test_new(.actors = actors, .config = w.config, .seed = seed, .fail = kit_failed, .context = &w);
    for (uint32_t i = 0; goes_on(&w) && i < ROUNDS; i++) {
        do_one(&w);
        if (!w.strict && draw(&w, 2) == 0) do_one(&w);
    }
    end_world(&w);
}

int main(int argc, char **argv) {
    uint64_t first = 1, count = SEEDS;
    bool one = argc == 3 && strcmp(argv[1], "--seed") == 0;
    if (one) first = strtoull(argv[2], NULL, 10), count = 1;
    else if (argc == 3 && strcmp(argv[1], "--seeds") == 0) count = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < count; i++) run_seed(first + i, one);
    printf("%" PRIu64 " seeds: %" PRIu64 " runs begun, %" PRIu64 " ended; %" PRIu64 " supervisors gave up; %" PRIu64
           " applications ended in order\n", count, totals.begun, totals.ended, totals.gave_up, totals.applications);
    return one || (totals.gave_up > 0 && totals.applications > 0) ? 0 : 1;
}
