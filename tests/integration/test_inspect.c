/*
 * Looking at a running application: what the observers tell of actors, nodes and the tree, on the same node and on
 * another.
 */
#include "lib/system_test.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/look.h"
#include "place/host.h"

#define WORD(field) field(str, what) field(u32, n)
TROUPE_MESSAGE(word, WORD)
#define QUESTION(field) field(str, about) field(address, actor) field(u32, limit)
TROUPE_MESSAGE(question, QUESTION)
TROUPE_MESSAGE_EMPTY(murmur)

/* ---- Who is looked at ---- */

static _Atomic bool was_silent;

struct subject { uint32_t words; };
TROUPE_BEHAVIOUR_DECLARE(subject, moody)

/* Says that it had looked at whatever main's observer may be asking about. */
static enum troupe_status forge(troupe_self *self) {
    const troupe_address observer = troupe_observer((troupe_address){ 1, 1, 1 });
    for (uint64_t serial = 1; serial <= 8; serial++)
        for (uint32_t place = 0; place < 8; place++)
            if (troupe_send(self, observer, tr_looked, .id = serial << 32 | place, .path = "/forged") != TROUPE_OK)
                return TROUPE_FAIL(self, "not sent");
    board_note("forged");
    return TROUPE_OK;
}

TROUPE_ON(subject, word) {
    me->words++;
    if (strcmp(msg->what, "wait") == 0) gate_pass();
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "asked to");
    if (strcmp(msg->what, "moody") == 0) return troupe_become(self, subject, moody);
    if (strcmp(msg->what, "name") == 0) return troupe_register(self, "subject's name");
    if (strcmp(msg->what, "timer") == 0) return troupe_after_empty(self, NULL, TROUPE_MINUTE, murmur);
    if (strcmp(msg->what, "aside") == 0) return troupe_stash(self);
    if (strcmp(msg->what, "silence") == 0) return troupe_idle_after(self, TROUPE_SECOND / 5);
    if (strcmp(msg->what, "forge") == 0) return forge(self);
    if (strcmp(msg->what, "note") == 0) board_note("noted");
    return TROUPE_OK;
}
TROUPE_ON(subject, murmur) { return me->words > 0 ? TROUPE_OK : TROUPE_FAIL(self, "nothing to murmur about"); }
TROUPE_ON(subject, troupe_idle) {
    (void)me;
    atomic_store(&was_silent, true);
    return TROUPE_OK;
}
TROUPE_BEHAVIOUR(subject, moody, TROUPE_HANDLES(subject, word))
TROUPE_ACTOR(subject, TROUPE_HANDLES(subject, word, murmur, troupe_idle), TROUPE_BECOMES(subject, moody))

/* ---- Who looks ---- */

static struct troupe_actor_info seen; /* its texts in: */
static char seen_path[64], seen_name[64], seen_behaviour[64], seen_actor[64], seen_handling[64];
static struct troupe_node_info seen_node;
static char seen_node_name[64];
static char seen_tree[2048], seen_failures[2048];

struct tool { char unused; };
TROUPE_ON(tool, question) {
    troupe_address to = troupe_observer(troupe_address_is_none(msg->actor) ? troupe_self_address(self) : msg->actor);
    if (strcmp(msg->about, "here") == 0) to = troupe_observer(troupe_self_address(self));
    if (strcmp(msg->about, "node") == 0) return troupe_ask_empty(self, to, troupe_inspect_node, TROUPE_MINUTE);
    if (strcmp(msg->about, "tree") == 0)
        return troupe_ask(self, troupe_observer(troupe_self_address(self)), troupe_inspect_tree, TROUPE_MINUTE,
                          .under = msg->actor, .limit = msg->limit);
    return troupe_ask(self, to, troupe_inspect_actor, TROUPE_MINUTE, .actor = msg->actor);
}

TROUPE_ANSWER(tool, troupe_inspect_actor, troupe_actor_info) {
    assert_true(troupe_address_equal(request->actor, reply != NULL ? reply->address : request->actor));
    memset(&seen, 0, sizeof seen);
    if (outcome == TROUPE_OK) {
        seen = *reply;
        snprintf(seen_path, sizeof seen_path, "%s", reply->path);
        snprintf(seen_name, sizeof seen_name, "%s", reply->name);
        snprintf(seen_behaviour, sizeof seen_behaviour, "%s", reply->behaviour);
        snprintf(seen_actor, sizeof seen_actor, "%s", reply->actor);
        snprintf(seen_handling, sizeof seen_handling, "%s", reply->handling);
    }
    board_note("actor:%s", troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_ANSWER(tool, troupe_inspect_node, troupe_node_info) {
    if (outcome == TROUPE_OK) {
        seen_node = *reply;
        snprintf(seen_node_name, sizeof seen_node_name, "%s", reply->name);
    }
    board_note("node:%s", troupe_status_name(outcome));
    return TROUPE_OK;
}
TROUPE_ANSWER(tool, troupe_inspect_tree, troupe_tree_info) {
    size_t used = 0, written = 0;
    seen_tree[0] = seen_failures[0] = '\0';
    for (uint32_t i = 0; reply != NULL && i < reply->items.count && used < sizeof seen_tree; i++) {
        const struct troupe_tree_item *item = &reply->items.items[i];
        used += (size_t)snprintf(seen_tree + used, sizeof seen_tree - used, "%s%s:%s:%s:%" PRIu64 "%s", i == 0 ? "" : " ",
                                 item->path, item->actor, troupe_child_state_name((enum troupe_child_state)item->state),
                                 item->restarts, item->complete ? "" : "?");
        assert_true(item->parent == UINT32_MAX ? item->depth == 0
                                               : item->parent < i && item->depth == reply->items.items[item->parent].depth + 1);
        assert_true(item->age >= 0);
        assert_true((item->failed_at == 0) == (item->failure[0] == '\0'));
        if (written < sizeof seen_failures)
            written += (size_t)snprintf(seen_failures + written, sizeof seen_failures - written, "%s", item->failure);
    }
    board_note("tree:%s%s", troupe_status_name(outcome == TROUPE_OK ? (enum troupe_status)reply->status : outcome),
               reply != NULL && reply->complete ? " complete" : "");
    (void)request;
    return TROUPE_OK;
}
TROUPE_ACTOR(tool, TROUPE_HANDLES(tool, question), TROUPE_ANSWERS(tool, troupe_inspect_actor, troupe_actor_info),
             TROUPE_ANSWERS(tool, troupe_inspect_node, troupe_node_info),
             TROUPE_ANSWERS(tool, troupe_inspect_tree, troupe_tree_info))

static const struct troupe_actor_type *const actors[] = { &subject_actor, &tool_actor, NULL };

/* ---- Systems ---- */

static const char *const trees[] = {
    "{ threads: 2, tree: { restarts: 100, within: 1s, children: [ { name: subject, actor: subject },"
    " { name: group, strategy: one_for_all, children: [ { name: a, actor: subject, count: 2 },"
    " { name: below, children: [ { name: b, actor: subject } ] } ] }, { name: tool, actor: tool } ] } }",
    "{ threads: 2, tree: { restarts: 100, within: 1s, children: [ { name: subject, actor: subject, place: inproc },"
    " { name: group, strategy: one_for_all, children: [ { name: a, actor: subject, count: 2, place: inproc },"
    " { name: below, children: [ { name: b, actor: subject } ] } ] }, { name: tool, actor: tool } ] } }",
};
enum { PLACES = sizeof trees / sizeof trees[0] };

static void tell(troupe_system *system, const char *what) {
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "subject"), word, .what = what), TROUPE_OK);
}

static void look(troupe_system *system, const char *about, troupe_address actor, const char *answer) {
    uint32_t before = board_times(answer);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "tool"), question, .about = about,
                                        .actor = actor),
                     TROUPE_OK);
    board_await_times(answer, before + 1);
}

static void look_at_subject(troupe_system *system) {
    look(system, "actor", troupe_system_lookup(system, "subject"), "actor:ok");
    assert_int_equal(seen.status, TROUPE_OK);
    assert_string_equal(seen_actor, "subject");
    assert_int_equal(seen.pid, getpid());
}

/* ---- Actors ---- */

static void what_it_has_done(void **state) {
    (void)state;
    for (uint32_t place = 0; place < PLACES; place++) {
        troupe_system *system = system_start(trees[place], actors);
        for (uint32_t i = 0; i < 5; i++) tell(system, "word");
        tell(system, "note");
        board_await("noted");
        look_at_subject(system);
        assert_true(seen.whole);
        assert_int_equal(seen.handled, 6);
        assert_string_equal(seen_path, "/subject");
        assert_string_equal(seen_name, "");
        assert_string_equal(seen_behaviour, "");
        assert_true(seen.running && !seen.starting && !seen.own_thread);
        assert_int_equal(seen.node, place == 0 ? 1 : 2);
        assert_int_equal(seen.run + seen.timers + seen.stashed + seen.waiting + seen.refused, 0);
        assert_int_equal(seen.limit, 1024);
        assert_true(seen.uptime > 0 && seen.uptime < TROUPE_MINUTE);
        look_at_subject(system);
        assert_int_equal(seen.handled, 6); /* a look is no message */
        system_end(system, 0, NULL);
    }
}

static void what_it_has(void **state) {
    (void)state;
    for (uint32_t place = 0; place < PLACES; place++) {
        troupe_system *system = system_start(trees[place], actors);
        tell(system, "fail");
        tell(system, "name");
        tell(system, "timer");
        tell(system, "aside");
        tell(system, "moody");
        tell(system, "note");
        board_await("noted");
        look_at_subject(system);
        assert_true(seen.whole);
        assert_int_equal(seen.run, 1);
        assert_int_equal(seen.timers, 1);
        assert_int_equal(seen.stashed, 1);
        assert_string_equal(seen_name, "subject's name");
        assert_string_equal(seen_behaviour, "moody");
        system_end(system, 0, NULL);
    }
}

/* Its handler does not return: what others can know is told all the same. */
static void one_that_is_stuck(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[0], actors);
    gate_close();
    tell(system, "wait");
    gate_await(1);
    tell(system, "word");
    look_at_subject(system);
    assert_false(seen.whole);
    assert_int_equal(seen.waiting, 2);
    assert_string_equal(seen_handling, "word");
    assert_string_equal(seen_path, "");
    do look_at_subject(system);
    while (seen.busy == 0); /* each takes 0.1 s: some samples */
    gate_open();
    tell(system, "note");
    board_await("noted");
    look_at_subject(system);
    assert_true(seen.whole);
    assert_string_equal(seen_handling, "");
    assert_int_equal(seen.handled, 3);
    system_end(system, 0, NULL);
}

/* The subject of another node pretends to be the worker of one that is stuck. */
static void another_node_is_not_believed(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[1], actors);
    troupe_address stuck = troupe_system_lookup(system, "/group/below/b");
    gate_close();
    assert_int_equal(troupe_system_send(system, stuck, word, .what = "wait"), TROUPE_OK);
    gate_await(1);
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "tool"), question, .about = "actor",
                                        .actor = stuck),
                     TROUPE_OK);
    tell(system, "forge");
    board_await("forged");
    board_await("actor:ok");
    assert_false(seen.whole);
    assert_string_equal(seen_path, "");
    gate_open();
    system_end(system, 0, NULL);
}

static void addresses_that_lead_nowhere(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[0], actors);
    const struct { troupe_address actor; enum troupe_status status; } wrong[] = {
        { { 1, 5000000, 1 }, TROUPE_GONE }, { { 1, 4, 77 }, TROUPE_GONE }, { { 1, 0, 0 }, TROUPE_GONE },
        { { 99, 4, 1 }, TROUPE_UNREACHABLE }, { { 1, UINT32_MAX, UINT32_MAX }, TROUPE_GONE },
        { { UINT64_MAX, 1, 1 }, TROUPE_UNREACHABLE },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        look(system, "here", wrong[i].actor, "actor:ok");
        assert_int_equal(seen.status, wrong[i].status);
    }
    system_end(system, 0, NULL);
}

/* It may be looked at as often as one likes: what it waits for is not disturbed. */
static void silence_is_not_broken(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[0], actors);
    tell(system, "silence");
    while (!atomic_load(&was_silent)) {
        look_at_subject(system);
        board_clear();
    }
    system_end(system, 0, NULL);
}

/* More questions than there are places for: all are answered, some with LIMIT. */
static void more_than_can_be_open(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[0], actors);
    gate_close();
    tell(system, "wait");
    gate_await(1);
    troupe_address subject = troupe_system_lookup(system, "subject"), tool = troupe_system_lookup(system, "tool");
    enum { MANY = 3000 };
    for (uint32_t i = 0; i < MANY; i++)
        while (troupe_system_send(system, tool, question, .about = "actor", .actor = subject) == TROUPE_FULL) continue;
    board_await_times("actor:ok", MANY);
    gate_open();
    system_end(system, 0, NULL);
}

/* ---- Nodes ---- */

static void nodes(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[1], actors);
    tell(system, "note");
    board_await("noted");
    look(system, "node", troupe_system_lookup(system, "subject"), "node:ok");
    assert_int_equal(seen_node.node, 2);
    assert_string_equal(seen_node_name, "/subject");
    assert_int_equal(seen_node.workers, 1);
    look(system, "node", troupe_system_lookup(system, "tool"), "node:ok");
    assert_int_equal(seen_node.node, 1);
    assert_string_equal(seen_node_name, "main");
    assert_int_equal(seen_node.workers, 2);
    assert_int_equal(seen_node.pid, getpid());
    assert_true(seen_node.sent >= 2 && seen_node.handled >= 1 && seen_node.resident > 0);
    assert_true(seen_node.uptime > 0 && seen_node.uptime < TROUPE_MINUTE);
    system_end(system, 0, NULL);
}

/* ---- Trees ---- */

static void tree(void **state) {
    (void)state;
    for (uint32_t place = 0; place < PLACES; place++) {
        troupe_system *system = system_start(trees[place], actors);
        tell(system, "fail");
        tell(system, "note");
        board_await("noted");
        do look(system, "tree", (troupe_address){ 0 }, "tree:ok complete");
        while (strstr(seen_tree, "starting") != NULL); /* the supervisor has yet to hear of it */
        assert_string_equal(seen_tree, "/subject:subject:running:1 /group:troupe_supervisor:running:0 /tool:tool:running:0"
                                       " /group/a/0:subject:running:0 /group/a/1:subject:running:0"
                                       " /group/below:troupe_supervisor:running:0 /group/below/b:subject:running:0");
        assert_memory_equal(seen_failures, "/subject failed: asked to (", 27); /* and nobody else has */
        assert_null(strstr(seen_failures + 1, "/group"));
        look(system, "tree", troupe_system_lookup(system, "/group/below"), "tree:ok complete");
        assert_string_equal(seen_failures, "");
        assert_string_equal(seen_tree, "/group/below/b:subject:running:0");
        system_end(system, 0, NULL);
    }
}

static void trees_that_are_none(void **state) {
    (void)state;
    troupe_system *system = system_start(trees[0], actors);
    look(system, "tree", troupe_system_lookup(system, "subject"), "tree:unhandled");
    look(system, "tree", (troupe_address){ 99, 4, 1 }, "tree:unreachable");
    look(system, "tree", (troupe_address){ 1, 5000, 9 }, "tree:gone");
    assert_int_equal(troupe_system_send(system, troupe_system_lookup(system, "tool"), question, .about = "tree",
                                        .limit = 2),
                     TROUPE_OK);
    board_await("tree:ok");
    assert_string_equal(seen_tree, "/subject:subject:running:0 /group:troupe_supervisor:running:0?");
    system_end(system, 0, NULL);
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = trees[1] };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    tell(system, "note");
    board_await("noted");
    assert_int_equal(troupe_system_free(system), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_has_done),      cmocka_unit_test(what_it_has),
        cmocka_unit_test(one_that_is_stuck),     cmocka_unit_test(another_node_is_not_believed),
        cmocka_unit_test(addresses_that_lead_nowhere),
        cmocka_unit_test(silence_is_not_broken), cmocka_unit_test(more_than_can_be_open),
        cmocka_unit_test(nodes),                 cmocka_unit_test(tree),
        cmocka_unit_test(trees_that_are_none),
    };
    start_transport();
    unsetenv("TROUPE_SERIALIZE");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    setenv("TROUPE_SERIALIZE", "always", 1);
    failed += cmocka_run_group_tests_name("packed", tests, NULL, NULL);
    if (failed == 0) tr_host_fini(); /* a test that failed has left its system behind */
    return failed;
}
