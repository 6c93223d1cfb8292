/*
 * What a node says that is not its to say, and orders that are not its to give: of children, groups and nodes that are
 * others'. A liar on a node of its own sends it, as a process that was taken over could; nothing comes of it.
 */
#include "lib/system_test.h"

#include <stdlib.h>

#include "core/report.h"
#include "core/worker.h"
#include "place/host.h"
#include "services/agent.h"
#include "services/groups.h"
#include "services/supervisor.h"
#include "services/topic.h"

TROUPE_MESSAGE_EMPTY(lie)
TROUPE_MESSAGE_EMPTY(count)
TROUPE_MESSAGE_EMPTY(enough) /* published, as the last word to each node's groups: what is before it has been heard */

/* ---- Who is lied about ---- */

struct child { char unused; };
TROUPE_START(child, troupe_none) {
    (void)me;
    board_note("+%s", troupe_self_path(self));
    return TROUPE_OK;
}
TROUPE_ON(child, lie) { return TROUPE_OK; }
TROUPE_ACTOR(child, TROUPE_STARTS(child, troupe_none), TROUPE_HANDLES(child, lie))

/* ---- Who lies ---- */

enum { RUNS = 8, INDEXES = 4 };

struct liar { char unused; };

/* The keys that a supervisor of the first incarnation gives (supervisor_kin.c). */
static void about_children(troupe_self *self, troupe_address to) {
    for (uint64_t run = 0; run < RUNS; run++)
        for (uint64_t index = 0; index < INDEXES; index++) {
            uint64_t key = (UINT64_C(1) << 16 | run) << 32 | index;
            const struct troupe_death death = { .kind = TROUPE_DEATH_FAILED, .status = TROUPE_FAILED, .text = "a lie" };
            (void)troupe_send(self, to, tr_started, .key = key);
            (void)troupe_send(self, to, tr_exited, .key = key, .death = death);
        }
}

static void about_nodes(troupe_self *self, troupe_address to) {
    for (uint64_t node = 1; node <= 4; node++)
        (void)troupe_send(self, to, tr_node_down, .node = node,
                          .death = { .kind = TROUPE_DEATH_LOST, .status = TROUPE_NODE_DIED, .text = "a lie" });
    (void)troupe_send_empty(self, to, tr_supervisor_tick);
    (void)troupe_send_empty(self, to, tr_stopping);
}

/* To the hub and to a node that is none; of members that are the hub's, another's, its own without being attached. */
static void about_groups(troupe_self *self) {
    for (uint64_t hearer = 1; hearer <= 4; hearer++)
        for (uint64_t of = 1; of <= 9; of++) {
            struct tr_group_change change = { .joined = true, .name = "friends", .member = { of, 77, 7 } };
            if (hearer == troupe_self_address(self).node) continue;
            for (uint64_t incarnation = of == troupe_self_address(self).node ? 2 : 0; incarnation < 4; incarnation++)
                (void)troupe_send(self, tr_groups_address(hearer), tr_groups_news, .incarnation = incarnation,
                                  .changes = { &change, 1 });
            (void)troupe_send(self, tr_groups_address(hearer), tr_groups_down, .node = of, .incarnation = 1000);
        }
}

/* A run of its own in the place of each actor; kills; that nobody is to run there any more. */
static void about_cells(troupe_self *self, uint64_t node) {
    for (uint32_t slot = TR_FIRST_SLOT; slot < TR_FIRST_SLOT + 8; slot++) {
        (void)troupe_send(self, tr_agent_address(node), tr_start_child, .slot = slot, .actor = "child",
                          .args = { "\x90", 1 }, .path = "/forged", .owner = troupe_self_address(self));
        (void)troupe_send(self, tr_agent_address(node), tr_stop_cell, .slot = slot, .generation = 1, .kill = true);
        (void)troupe_send(self, tr_agent_address(node), tr_forget_child, .slot = slot);
    }
}

static void say_enough(troupe_self *self) {
    struct tr_node *node = self->worker->node;
    const struct troupe_publication last = {
        .topic = "enough", .schema = tr_types_schema(&node->types, tr_types_index(&node->types, &enough_message)),
        .body = { "\x90", 1 }
    };
    for (uint64_t hearer = 1; hearer <= 4; hearer++)
        if (hearer != node->id)
            (void)troupe_send_message(self, tr_groups_address(hearer), &troupe_publication_message, &last);
}

TROUPE_ON(liar, lie) {
    (void)me;
    about_groups(self);
    say_enough(self);
    for (uint64_t node = 1; node <= 4; node++)
        if (node != troupe_self_address(self).node) about_cells(self, node);
    about_nodes(self, troupe_lookup(self, "/pair"));
    about_children(self, troupe_lookup(self, "/pair"));
    return troupe_ask_empty(self, troupe_lookup(self, "/pair"), troupe_count_children, TROUPE_MINUTE);
}
TROUPE_ANSWER(liar, troupe_count_children, troupe_child_counts) {
    if (outcome == TROUPE_OK && reply->active == 2) board_note("lied");
    return TROUPE_OK;
}
TROUPE_ACTOR(liar, TROUPE_HANDLES(liar, lie), TROUPE_ANSWERS(liar, troupe_count_children, troupe_child_counts))

/* ---- Who looks ---- */

struct judge { char unused; };
TROUPE_START(judge, troupe_none) {
    (void)me;
    enum troupe_status status = troupe_subscribe(self, "enough");
    return status == TROUPE_OK ? troupe_join(self, "friends") : status;
}
TROUPE_ON(judge, enough) {
    (void)me;
    board_note("enough");
    return TROUPE_OK;
}
TROUPE_ON(judge, count) {
    (void)me;
    board_note("friends:%zu", troupe_members(self, "friends", NULL, 0));
    return troupe_ask_empty(self, troupe_lookup(self, "/pair"), troupe_which_children, TROUPE_MINUTE);
}
TROUPE_ANSWER(judge, troupe_which_children, troupe_children) {
    for (uint32_t i = 0; outcome == TROUPE_OK && i < reply->children.count; i++)
        board_note("%s:%s:%u", reply->children.items[i].name,
                   troupe_child_state_name((enum troupe_child_state)reply->children.items[i].state),
                   (unsigned)reply->children.items[i].restarts);
    board_note("counted");
    return TROUPE_OK;
}
TROUPE_ACTOR(judge, TROUPE_STARTS(judge, troupe_none), TROUPE_HANDLES(judge, count, enough),
             TROUPE_ANSWERS(judge, troupe_which_children, troupe_children))

static const struct troupe_actor_type *const actors[] = { &child_actor, &liar_actor, &judge_actor, NULL };

static const char tree[] = "{ threads: 3, tree: { restarts: 0, children: ["
                           "{ name: pair, restarts: 1000, children: ["
                           "  { name: here, actor: child }, { name: there, actor: child, place: inproc } ] },"
                           "{ name: judge, actor: judge }, { name: other, actor: judge, place: inproc },"
                           "{ name: liar, actor: liar, place: inproc } ] } }";

static void tell(troupe_system *system, const char *whom, bool lies) {
    troupe_address to = troupe_system_lookup(system, whom);
    assert_int_equal(lies ? troupe_system_send_empty(system, to, lie) : troupe_system_send_empty(system, to, count),
                     TROUPE_OK);
}

static void nothing_comes_of_lies(void **state) {
    (void)state;
    troupe_system *system = system_start(tree, actors);
    tell(system, "/liar", true);
    board_await("lied");
    board_await_times("enough", 2);
    tell(system, "/judge", false);
    board_await("counted");
    tell(system, "/other", false);
    board_await_times("counted", 2);
    assert_int_equal(board_times("friends:2"), 2);
    assert_int_equal(board_times("here:running:0"), 2);
    assert_int_equal(board_times("there:running:0"), 2);
    assert_int_equal(board_times("+/pair/here"), 1);
    assert_int_equal(board_times("+/pair/there"), 1);
    system_end(system, 0, NULL);
}

/* The transport's threads stay once they are there: from before the first count of threads on. */
static void start_transport(void) {
    char error[512];
    troupe_system *system = NULL;
    struct troupe_options options = { .actors = actors, .config_text = tree };
    assert_int_equal(troupe_system_start(&options, &system, error, sizeof error), TROUPE_OK);
    troupe_system_stop(system);
    (void)troupe_system_free(system);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_of_lies),
    };
    start_transport();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
