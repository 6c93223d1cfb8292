/*
 * Requests to supervisors that cannot be, each with what is said of it, and long lists in pieces. Whoever asks is not
 * believed: a description may come from any process, in any bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <troupe.h>
#include <troupe/test.h>

#include "services/supervision.h"

#define BIRTH_FIELDS(field) field(str, how)
TROUPE_MESSAGE(birth, BIRTH_FIELDS)

struct worker {
    char unused;
};
TROUPE_START(worker, birth) { return strcmp(args->how, "fail") == 0 ? TROUPE_FAIL(self, "told to fail") : TROUPE_OK; }
TROUPE_ON(worker, birth) { return TROUPE_OK; }
TROUPE_ACTOR(worker, TROUPE_STARTS(worker, birth), TROUPE_HANDLES(worker, birth))

static const struct troupe_actor_type *const actors[] = { &worker_actor, NULL };

#define BORN { "\x91\xa0", 2 } /* a birth, packed: how is "" */

static troupe_test *start(const char *tree) {
    troupe_test *kit = troupe_test_new(.actors = actors, .config = tree);
    assert_non_null(kit);
    return kit;
}

static const struct troupe_child *add(troupe_test *kit, struct troupe_child_spec spec) {
    troupe_address root = troupe_test_lookup(kit, "/");
    assert_int_equal(troupe_ask(troupe_test_self(kit), root, troupe_start_child, TROUPE_MINUTE, .child = spec),
                     TROUPE_OK);
    return troupe_test_expect_reply(kit, troupe_child);
}

static void expect(const struct troupe_child *told, enum troupe_status status, const char *why) {
    assert_string_equal(troupe_status_name((enum troupe_status)told->status), troupe_status_name(status));
    if (strstr(told->why, why) == NULL) fail_msg("\"%s\" is not in \"%s\"", why, told->why);
    assert_true(troupe_address_is_none(told->address));
}

/* ---- Children ---- */

static void each_mistake_of_a_child_is_told(void **state) {
    const struct troupe_child_spec right = { .actor = "worker", .start = "birth", .args = BORN };
    (void)state;
    struct {
        struct troupe_child_spec spec;
        enum troupe_status status;
        const char *why;
    } wrong[] = {
        { right, TROUPE_NOT_FOUND, "the program has no actor type 'nobody'" },
        { right, TROUPE_NOT_FOUND, "no actor type ''" },
        { right, TROUPE_NOT_FOUND, "no actor type 'tr_agent'" },
        { right, TROUPE_INVALID, "worker starts with birth, not with troupe_none" },
        { right, TROUPE_INVALID, "birth: " },
        { right, TROUPE_INVALID, "restart: there is no 3" },
        { right, TROUPE_INVALID, "shutdown: less than nothing" },
        { right, TROUPE_INVALID, "ready: less than nothing" },
        { right, TROUPE_INVALID, "mailbox_limit: 1048577 is more than 1048576" },
        { right, TROUPE_INVALID, "significant: " },
        { right, TROUPE_INVALID, "a name has 1 to 64 bytes" },
        { right, TROUPE_INVALID, "a name has 1 to 64 bytes" },
    };
    wrong[0].spec.actor = "nobody";
    wrong[1].spec.actor = "";
    wrong[2].spec.actor = "tr_agent"; /* one of Troupe's own */
    wrong[3].spec.start = "troupe_none";
    wrong[4].spec.args = (struct troupe_bytes){ "\x91\xa4zwo", 5 }; /* cut off */
    wrong[5].spec.restart = 3;
    wrong[6].spec.shutdown = -2;
    wrong[7].spec.ready = -1;
    wrong[8].spec.mailbox_limit = (1 << 20) + 1;
    wrong[9].spec.significant = true;
    wrong[10].spec.name = "a/b";
    wrong[11].spec.name = "12345678901234567890123456789012345678901234567890123456789012345";
    troupe_test *kit = start("tree: { children: [] }");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect(add(kit, wrong[i].spec), wrong[i].status, wrong[i].why);
    assert_string_equal(troupe_test_life(kit), "+/"); /* nobody was started */
    assert_int_equal(add(kit, right)->status, TROUPE_OK);
    assert_string_equal(troupe_test_life(kit), "+/1"); /* nor did any of them use a name */
    assert_int_equal(troupe_test_free(kit), 0);
}

static void a_template_leaves_no_choice(void **state) {
    (void)state;
    troupe_test *kit = start("tree: { strategy: dynamic, child: { actor: worker } }");
    const struct troupe_child_spec nothing = { 0 }, same = { .actor = "worker", .start = "birth", .args = BORN };
    struct troupe_child_spec other = { .actor = "troupe_supervisor", .start = "troupe_supervise",
                                       .args = { "\x90", 1 } };
    struct troupe_child_spec wishes = { .restart = TROUPE_TEMPORARY }, broken = same;
    broken.args.size = 1;
    expect(add(kit, other), TROUPE_INVALID, "the children here are worker, not troupe_supervisor");
    expect(add(kit, wishes), TROUPE_INVALID, "the options of these children are those of their template");
    expect(add(kit, broken), TROUPE_INVALID, "birth: ");
    assert_int_equal(add(kit, nothing)->status, TROUPE_OK);
    assert_int_equal(add(kit, same)->status, TROUPE_OK);
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Supervisors ---- */

static void expect_supervisor(troupe_test *kit, const struct troupe_supervise *rules, const char *why) {
    struct troupe_child_spec spec;
    assert_int_equal(troupe_describe_child_of(&spec, NULL, &troupe_supervisor_actor, &troupe_supervise_message, rules),
                     TROUPE_OK);
    expect(add(kit, spec), TROUPE_FAILED, why);
    troupe_child_spec_free(&spec);
}

static void each_mistake_of_a_supervisor_is_told(void **state) {
    (void)state;
    const struct troupe_child_spec child = { .name = "c", .actor = "worker", .start = "birth", .args = BORN };
    const struct troupe_child_spec twins[] = { child, child };
    struct troupe_child_spec failing = child, nobody = child, two[] = { child, child };
    two[1].name = "d";
    failing.args = (struct troupe_bytes){ "\x91\xa4" "fail", 6 };
    nobody.actor = "nobody";
    troupe_test *kit = start("tree: { children: [] }");
#define WRONG(tr_why, ...) expect_supervisor(kit, &(const struct troupe_supervise){ __VA_ARGS__ }, tr_why)
    WRONG("strategy: there is no 4", .strategy = 4);
    WRONG("auto_shutdown: there is no 3", .auto_shutdown = 3);
    WRONG("restarts: more than 1000000", .restarts = 1000001);
    WRONG("within: less than nothing", .within = -1);
    WRONG("max_children: more than 1048576", .max_children = TR_MAX_CHILDREN + 1);
    WRONG("backoff: ", .backoff = { .initial = -1 });
    WRONG("backoff: ", .backoff = { .initial = 1, .factor = 99 });
    WRONG("backoff: ", .backoff = { .initial = 1, .jitter = 101 });
    WRONG("backoff: ", .backoff = { .initial = 1, .maximum = INT64_MAX });
    WRONG("backoff: ", .backoff = { .initial = 1, .reset = -1 });
    WRONG("child: only a dynamic supervisor has a template", .child = child);
    WRONG("child 1, 'c': the name is taken", .children = { twins, 2 });
    WRONG("child 0, 'c': no such name: the program has no actor type 'nobody'", .children = { &nobody, 1 });
    WRONG("no actor type 'nobody'", .strategy = TROUPE_DYNAMIC, .child = nobody);
    WRONG("child 1, 'd': a configured limit is reached", .children = { two, 2 }, .max_children = 1);
    WRONG("a child could not be started", .children = { &failing, 1 });
#undef WRONG
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- Long lists ---- */

static void lists_come_in_pieces(void **state) {
    (void)state;
    uint64_t after = 0;
    char names[64] = "";
    troupe_test *kit =
        start("tree: { children: [ { name: a, actor: worker, count: 2 }, { name: b, actor: worker } ] }");
    assert_int_equal(add(kit, (struct troupe_child_spec){ .name = "c", .actor = "worker", .start = "birth",
                                                          .args = BORN })->status, TROUPE_OK);
    for (bool more = true; more;) {
        assert_int_equal(troupe_ask(troupe_test_self(kit), troupe_test_lookup(kit, "/"), troupe_which_children,
                                    TROUPE_MINUTE, .after = after, .limit = 3), TROUPE_OK);
        const struct troupe_children *got = troupe_test_expect_reply(kit, troupe_children);
        for (uint32_t i = 0; i < got->children.count; i++) {
            assert_true(got->children.items[i].number > after);
            after = got->children.items[i].number;
            strcat(names, got->children.items[i].name);
            strcat(names, " ");
        }
        more = got->more;
        strcat(names, more ? "... " : ".");
    }
    assert_string_equal(names, "a/0 a/1 b ... c .");
    assert_int_equal(troupe_test_free(kit), 0);
}

/* ---- The machine: a child that is taken back before it was started ---- */

static void start_none(void *context, tr_child_id child, uint64_t run, bool flush) {
    (void)context, (void)child, (void)run, (void)flush;
    fail();
}
static void all_started(void *context) { *(bool *)context = true; }
static void set_timer(void *context, int64_t at) { (void)context, (void)at; }

static void one_that_is_taken_back_was_never_there(void **state) {
    (void)state;
    bool started = false;
    uint32_t living;
    const struct tr_supervision_io io = { .start = start_none, .started = all_started, .timer = set_timer };
    const struct tr_supervision_rules rules = { .restarts = 1, .within = 1, .max_children = 1 };
    const struct tr_child_rules child = { .shutdown = 1, .ready = 1 };
    struct tr_supervision *machine = tr_supervision_new(&rules, &io, &started);
    tr_child_id first, second;
    assert_int_equal(tr_supervision_add(machine, &child, &first), TR_ANSWER_OK);
    assert_int_equal(tr_supervision_add(machine, &child, &second), TR_ANSWER_LIMIT);
    tr_supervision_drop(machine, first);
    assert_int_equal(tr_supervision_count(machine, &living), 0);
    assert_int_equal(tr_supervision_add(machine, &child, &second), TR_ANSWER_OK);
    assert_false(first.index == second.index && first.serial == second.serial);
    tr_supervision_drop(machine, second);
    tr_supervision_start(machine, 0);
    assert_true(started);
    tr_supervision_free(machine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_of_a_child_is_told),
        cmocka_unit_test(a_template_leaves_no_choice),
        cmocka_unit_test(each_mistake_of_a_supervisor_is_told),
        cmocka_unit_test(lists_come_in_pieces),
        cmocka_unit_test(one_that_is_taken_back_was_never_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
