#include "lib/tree_watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 3, FEW = 4, CONFIGURED = 64 };

void tree_fail(const struct tree *tree, const char *what, const char *who) {
    fprintf(stderr, "seed=%" PRIu64 ": %s: %s\n", tree->seed, who, what);
    exit(1);
}

uint32_t tree_draw(struct tree *tree, uint32_t below) { return (uint32_t)tr_random_below(&tree->random, below); }

/* ---- Making a tree ---- */

static void write_text(struct tree *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void write_text(struct tree *t, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int size = vsnprintf(t->config + t->used, TREE_CONFIG - t->used, format, list);
    va_end(list);
    if (size < 0 || (size_t)size >= TREE_CONFIG - t->used) tree_fail(t, "the configuration is too long", "the test");
    t->used += (size_t)size;
}

static void make_child(struct tree *t, struct member *above, uint32_t number, uint32_t depth);

static void make_children(struct tree *t, struct member *above, uint32_t depth) {
    uint32_t count = 1 + tree_draw(t, FEW);
    write_text(t, ", children: [");
    for (uint32_t i = 0; i < count && t->count < CONFIGURED; i++) {
        write_text(t, i == 0 ? " " : ", ");
        make_child(t, above, i, depth);
    }
    write_text(t, " ]");
}

/* The root allows the most: or most ends are its own. */
static void make_supervisor(struct tree *t, struct member *made, uint32_t depth) {
    static const char *const strategies[] = { "one_for_one", "one_for_all", "rest_for_one", "dynamic" };
    bool root = made->above == NULL;
    made->supervises = true;
    made->strategy = (enum troupe_strategy)tree_draw(t, root ? 3 : 4);
    made->limit = root ? TREE_RESTARTS - 2 : tree_draw(t, TREE_RESTARTS - 1);
    made->within = root ? 1 : 1 + tree_draw(t, 5);
    write_text(t, "strategy: %s, restarts: %u, within: %ds", strategies[made->strategy], made->limit,
               (int)made->within);
    if (!root && made->strategy != TROUPE_DYNAMIC && tree_draw(t, 2) == 0) {
        made->auto_shutdown = tree_draw(t, 2) == 0 ? TROUPE_ANY_SIGNIFICANT : TROUPE_ALL_SIGNIFICANT;
        write_text(t, ", auto_shutdown: %s",
                   made->auto_shutdown == TROUPE_ANY_SIGNIFICANT ? "any_significant" : "all_significant");
    }
    if (!t->strict && tree_draw(t, 3) == 0) write_text(t, ", backoff: { initial: 300ms, jitter: 50 }");
    if (made->strategy != TROUPE_DYNAMIC) make_children(t, made, depth + 1);
}

static struct member *add(struct tree *t, struct member *above, enum troupe_restart restart, const char *name) {
    struct member *made = &t->members[t->count++];
    *made = (struct member){ .above = above, .restart = restart };
    snprintf(made->path, sizeof made->path, "%.50s/%s", above->path[1] == '\0' ? "" : above->path, name);
    snprintf(made->name, sizeof made->name, "n%u", t->count);
    return made;
}

static void make_child(struct tree *t, struct member *above, uint32_t number, uint32_t depth) {
    static const char *const kinds[] = { "permanent", "transient", "temporary" };
    const char name[] = { (char)('a' + (int)number), '\0' };
    struct member *made = add(t, above, (enum troupe_restart)(tree_draw(t, 2) == 0 ? 0 : tree_draw(t, 3)), name);
    write_text(t, "{ name: %s, restart: %s, ", name, kinds[made->restart]);
    made->significant = above->auto_shutdown != TROUPE_NEVER && made->restart != TROUPE_PERMANENT &&
                        tree_draw(t, 2) == 0;
    if (made->significant) write_text(t, "significant: true, ");
    if (depth < DEPTH && tree_draw(t, 3) == 0) make_supervisor(t, made, depth);
    else if (t->strict || tree_draw(t, 4) != 0) write_text(t, "actor: hand, args: { name: %s }", made->name);
    else write_text(t, "actor: hand, ready: 1s, args: { name: %s, late: %u }", made->name, 1 + tree_draw(t, 1100));
    write_text(t, " }");
}

void tree_make(struct tree *tree, uint64_t seed, bool strict, bool trace) {
    const uint64_t begun = tree->begun, ended = tree->ended, gave_up = tree->gave_up, finished = tree->finished;
    memset(tree, 0, sizeof *tree);
    tree->seed = seed;
    tree->strict = strict;
    tree->trace = trace;
    tree->begun = begun;
    tree->ended = ended;
    tree->gave_up = gave_up;
    tree->finished = finished;
    tr_random_seed(&tree->random, seed);
    struct member *root = &tree->members[tree->count++];
    snprintf(root->path, sizeof root->path, "/");
    write_text(tree, "tree: { ");
    make_supervisor(tree, root, 0);
    write_text(tree, " }\n");
}

struct member *tree_add(struct tree *tree, struct member *above, enum troupe_restart restart) {
    char name[16];
    if (tree->count == TREE_MEMBERS) return NULL;
    snprintf(name, sizeof name, "k%u", tree->count);
    struct member *made = add(tree, above, restart, name);
    made->added = true;
    return made;
}

/* ---- Who there is ---- */

static struct member *find(struct tree *t, const char *path) {
    for (uint32_t i = 0; i < t->count; i++)
        if (strcmp(t->members[i].path, path) == 0) return &t->members[i];
    tree_fail(t, "nobody has this path", path);
}

/* One that code has added has another address after a rest: its supervisor knows. */
static troupe_address ask_for_address(struct tree *t, struct member *who) {
    troupe_self *self = troupe_test_self(t->kit);
    const char *name = strrchr(who->path, '/') + 1;
    if (troupe_ask_empty(self, tree_address(t, who->above), troupe_which_children, TROUPE_SECOND) != TROUPE_OK)
        tree_fail(t, "cannot be asked", who->above->path);
    const struct troupe_children *reply = troupe_test_expect_reply(t->kit, troupe_children);
    for (uint32_t i = 0; i < reply->children.count; i++)
        if (strcmp(reply->children.items[i].name, name) == 0) return reply->children.items[i].address;
    return who->address;
}

troupe_address tree_address(struct tree *tree, struct member *who) {
    if (!who->added) return troupe_test_lookup(tree->kit, who->path);
    if (who->alive && !troupe_test_lives(tree->kit, who->address)) who->address = ask_for_address(tree, who);
    return who->address;
}

static bool right_of_lives(const struct tree *t, const struct member *who) {
    for (const struct member *m = who + 1; m < t->members + t->count; m++)
        if (m->above == who->above && m->alive && !m->left) return true;
    return false;
}

static bool child_lives(const struct tree *t, const struct member *who) {
    for (const struct member *m = who + 1; m < t->members + t->count; m++)
        if (m->above == who && m->alive && !m->left) return true;
    return false;
}

/* ---- Beginnings ---- */

static bool is_in_order(const struct tree *t, const struct member *who) {
    const struct member *above = who->above;
    bool alone = above->strategy == TROUPE_ONE_FOR_ONE && who->runs > 0;
    return alone || above->strategy == TROUPE_DYNAMIC || who == t->asked || !right_of_lives(t, who);
}

/* What code had added to a supervisor is not started with its next run. */
static void renew_children(struct tree *t, const struct member *who) {
    for (struct member *m = t->members; m < t->members + t->count; m++) {
        if (m->above != who) continue;
        m->left = m->alive;
        m->runs = 0;
        m->expected = !m->added;
        m->forgotten = m->added;
    }
}

static void begins(struct tree *t, struct member *who) {
    const struct member *above = who->above;
    t->begun++;
    if (who->alive) tree_fail(t, "begins while it runs", who->path);
    if (t->strict && above != NULL && !above->alive) tree_fail(t, "begins without a supervisor", who->path);
    if (t->strict && above != NULL && !is_in_order(t, who))
        tree_fail(t, "begins while somebody at its right runs", who->path);
    who->alive = true;
    who->left = false;
    who->runs++;
    who->restarted = 0;
    who->gives_up = who->finishes = false;
    if (who->supervises) renew_children(t, who);
}

/* ---- Ends ---- */

static void count_restart(struct member *above, int64_t now) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < above->restarted; i++)
        if (above->restarts[i] >= now - above->within * TROUPE_SECOND) above->restarts[kept++] = above->restarts[i];
    above->restarts[kept++] = now;
    above->restarted = kept;
    above->gives_up = kept > above->limit;
}

/* With those of its group; whoever rests among them, too. */
static void expect_restart(struct tree *t, const struct member *who) {
    const struct member *above = who->above;
    for (struct member *m = t->members; m < t->members + t->count; m++) {
        bool with = m == who || above->strategy == TROUPE_ONE_FOR_ALL ||
                    (above->strategy == TROUPE_REST_FOR_ONE && m > who);
        if (m->above == above && with && m->restart != TROUPE_TEMPORARY && !m->forgotten) m->expected = true;
    }
}

/* It does not run any more, and nobody is to start it: it rests, or is forgotten. */
static void rests(struct member *who) {
    who->expected = false;
    if (who->restart == TROUPE_TEMPORARY || who->above->strategy == TROUPE_DYNAMIC) who->forgotten = true;
}

/* A significant child has ended by itself, for good. */
static bool is_finished(const struct tree *t, const struct member *who) {
    const struct member *above = who->above;
    if (!who->significant || above->auto_shutdown == TROUPE_ANY_SIGNIFICANT) return who->significant;
    for (const struct member *m = t->members; m < t->members + t->count; m++)
        if (m->above == above && m->significant && m->expected) return false;
    return true;
}

static bool is_mended(const struct member *who, const struct troupe_death *death) {
    if (who->restart == TROUPE_TRANSIENT) return troupe_death_is_failure((enum troupe_death_kind)death->kind);
    return who->restart == TROUPE_PERMANENT;
}

/* By itself, as its supervisor sees it. One that cannot be started at first is more than it tries to mend. */
static void ends_by_itself(struct tree *t, struct member *who, const struct troupe_death *death) {
    struct member *above = who->above;
    rests(who);
    if (death->starting && who == t->asked) return;
    if (death->starting && who->runs == 1) above->gives_up = true;
    else if (is_mended(who, death)) count_restart(above, troupe_now(troupe_test_self(t->kit)));
    if (!above->gives_up && !is_mended(who, death)) above->finishes = is_finished(t, who);
    if (above->gives_up || !is_mended(who, death)) return;
    who->forgotten = false;
    expect_restart(t, who);
}

static void check_end(struct tree *t, const struct member *who, const struct troupe_death *death) {
    bool gave_up = death->kind == TROUPE_DEATH_GAVE_UP;
    bool done = who->supervises && death->kind == TROUPE_DEATH_DONE;
    bool in_order = death->kind == TROUPE_DEATH_STOPPED || gave_up || done;
    if (!who->alive) tree_fail(t, "ends though it does not run", who->path);
    if (in_order && child_lives(t, who)) tree_fail(t, "has left a child alive", who->path);
    if (t->strict && who->supervises && who->gives_up != gave_up && !t->ending)
        tree_fail(t, who->gives_up ? "should have given up" : "gives up too early", who->path);
    if (t->strict && who->supervises && who->finishes != done && !t->ending)
        tree_fail(t, done ? "is done too early" : "should be done", who->path);
}

static void ends(struct tree *t, struct member *who, const struct troupe_death *death) {
    struct member *above = who->above;
    bool ordered = above != NULL && strcmp(death->by, above->path) == 0, left = who->left;
    t->ended++;
    t->gave_up += who->gives_up;
    t->finished += who->finishes;
    check_end(t, who, death);
    who->alive = who->left = false;
    if (!t->strict || left || above == NULL || !above->alive) return;
    if (ordered && above->strategy != TROUPE_DYNAMIC && who != t->asked && right_of_lives(t, who))
        tree_fail(t, "stops before somebody at its right", who->path);
    if (!ordered && !above->gives_up && !above->finishes && !t->ending) ends_by_itself(t, who, death);
    else if (ordered && (who == t->asked || who->restart == TROUPE_TEMPORARY)) rests(who);
}

/* ---- Watching ---- */

/* "+/a/b" or "failed/a/b". */
static void take_event(struct tree *t, const char *event) {
    const char *path = strchr(event, '/');
    if (path == NULL) tree_fail(t, "no event", event);
    if (event[0] == '+') begins(t, find(t, path));
    else ends(t, find(t, path), troupe_test_expect_death(t->kit, path));
}

void tree_take_events(struct tree *tree) {
    static char text[64 * 1024 + 1];
    snprintf(text, sizeof text, "%s", troupe_test_life(tree->kit));
    if (tree->trace && text[0] != '\0') printf("    %s\n", text);
    for (char *rest = text, *event; (event = strtok_r(rest, " ", &rest)) != NULL;) take_event(tree, event);
}

/* Nothing is left to do at this time. */
static void check_rest(struct tree *t, struct member *who) {
    bool watched = t->strict && who->above != NULL && who->above->alive;
    if (watched && who->alive != who->expected)
        tree_fail(t, who->alive ? "runs, but should not" : "does not run, but should", who->path);
    if (!who->alive || (who->added && !t->strict)) return;
    troupe_address address = tree_address(t, who);
    if (!troupe_test_lives(t->kit, address)) tree_fail(t, "is said to run, and does not", who->path);
    if (!who->supervises && !troupe_address_equal(address, troupe_lookup(troupe_test_self(t->kit), who->name)))
        tree_fail(t, "is not found by its name", who->path);
}

bool tree_watch(struct tree *tree) {
    tree_take_events(tree);
    tree->asked = NULL;
    if (troupe_test_ended(tree->kit, NULL)) return false;
    for (uint32_t i = 0; i < tree->count; i++) check_rest(tree, &tree->members[i]);
    return true;
}

/* ---- Requests ---- */

static bool is_dynamic(const struct member *who) { return who->above->strategy == TROUPE_DYNAMIC; }

enum troupe_status tree_expect_terminate(struct tree *tree, struct member *who) {
    tree->asked = who;
    return who->forgotten ? TROUPE_NOT_FOUND : TROUPE_OK;
}

enum troupe_status tree_expect_restart(struct tree *tree, struct member *who) {
    tree->asked = who;
    if (who->forgotten) return TROUPE_NOT_FOUND;
    if (is_dynamic(who)) return TROUPE_INVALID;
    if (who->alive) return TROUPE_BUSY;
    who->expected = true;
    return TROUPE_OK;
}

enum troupe_status tree_expect_delete(struct tree *tree, struct member *who) {
    tree->asked = who;
    if (who->forgotten) return TROUPE_NOT_FOUND;
    if (is_dynamic(who)) return TROUPE_INVALID;
    if (who->alive) return TROUPE_BUSY;
    who->forgotten = true;
    return TROUPE_OK;
}
