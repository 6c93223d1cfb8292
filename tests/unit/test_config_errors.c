/* Mistakes in a configuration: all are told, in order, with place and what would be right. */
#include "lib/config_test.h"

#define CHILD(text) "tree: { children: [{ name: a, actor: counter, " text " }] }"

static void keys(void **state) {
    (void)state;
    test_wrong("thread: 2\n", "app.yaml:1:1: error: unknown key 'thread' of the configuration; did "
                              "you mean 'threads'?\n");
    test_wrong("foo: 2\n",
               "app.yaml:1:1: error: unknown key 'foo' of the configuration; allowed: name, "
               "threads, work_threads, spin, pin, shutdown, blocked, main, log, data, tree, placement\n");
    test_wrong("threads: 2\nname: a\nthreads: 3\n",
               "app.yaml:3:1: error: the key 'threads' is given twice; first in line 1\n");
    test_wrong("tree: {}", "app.yaml:1:7: error: the tree needs the key 'children'\n");
    test_wrong("tree: [1]", "app.yaml:1:7: error: the tree: expected a mapping, found a list\n");
    test_wrong("[1]", "app.yaml:1:1: error: the configuration: expected a mapping, found a list\n");
    test_wrong("? [a]\n: b\n",
               "app.yaml:1:3: error: a key must be a word, not a list or a mapping\n");
}

static void data(void **state) {
    (void)state;
    test_wrong("data: [1]", "app.yaml:1:7: error: data: expected a mapping of names to texts, found a list\n");
    test_wrong("data: { a/b: 1, c: [], d: , e: { f: 1 }, g: 1, g: 2 }",
               "app.yaml:1:9: error: data: the name 'a/b' may have letters, digits, '_' and '-' only\n"
               "app.yaml:1:20: error: c: expected a text, found a list\n"
               "app.yaml:1:27: error: d: expected a text, found nothing\n"
               "app.yaml:1:32: error: e: expected a text, found a mapping\n"
               "app.yaml:1:48: error: the key 'g' is given twice; first in line 1\n");
    char many[16 * 1024] = "data: { ";
    for (int i = 0; i <= 1024; i++) sprintf(many + strlen(many), "n%d: 1, ", i);
    test_wrong(strcat(many, "}"), "app.yaml:1:7: error: data: 1025 names are too many; at most 1024\n");
}

/* A key in the wrong place is told where it belongs, unless a slip is likelier. */
static void misplaced_keys(void **state) {
    (void)state;
    test_wrong(CHILD("pin: true"),
               "app.yaml:1:47: error: 'pin' is a key of the configuration, not of an actor\n");
    test_wrong(CHILD("limit: 5"), "app.yaml:1:47: error: 'limit' is a key of a mailbox, not of an actor\n");
    test_wrong(CHILD("lane: tcp"), "app.yaml:1:47: error: 'lane' is a key of a place, not of an actor\n");
    test_wrong("children: []",
               "app.yaml:1:1: error: 'children' is a key of the tree, not of the configuration\n");
    test_wrong("tree: { children: [], blocked: never }",
               "app.yaml:1:23: error: 'blocked' is a key of the configuration, not of the tree\n");
    test_wrong(CHILD("place: { thread: own, spin: 5us }"),
               "app.yaml:1:69: error: 'spin' is a key of the configuration, not of a place\n");
    test_wrong(CHILD("place: { threads: own }"),
               "app.yaml:1:56: error: unknown key 'threads' of a place; did you mean 'thread'?\n");
}

/* One mistake, one line: what is there with a slip is not missing too. */
static void misspelt_required_keys(void **state) {
    (void)state;
    test_wrong("tree: { children: [{ nam: a, actor: counter }] }",
               "app.yaml:1:22: error: unknown key 'nam' of an actor; did you mean 'name'?\n");
    test_wrong("tree: { childern: [] }",
               "app.yaml:1:9: error: unknown key 'childern' of the tree; did you mean 'children'?\n");
    test_wrong("tree: { children: [{ foo: a, actor: counter }] }",
               "app.yaml:1:20: error: an actor needs the key 'name'\n"
               "app.yaml:1:22: error: unknown key 'foo' of an actor; allowed: name, actor, args, count, "
               "place, restart, shutdown, ready, significant, mailbox, delivery\n");
    test_wrong(CHILD("place: { proces: own }"),
               "app.yaml:1:56: error: unknown key 'proces' of a place; did you mean 'process'?\n");
}

static void values(void **state) {
    (void)state;
    test_wrong("threads: 0",
               "app.yaml:1:10: error: threads: '0' is out of range; allowed: 1 to 64, auto\n");
    test_wrong("threads: 257",
               "app.yaml:1:10: error: threads: '257' is out of range; allowed: 1 to 64, auto\n");
    test_wrong("threads: -1",
               "app.yaml:1:10: error: threads: '-1' is out of range; allowed: 1 to 64, auto\n");
    test_wrong("threads: 99999999999999999999",
               "app.yaml:1:10: error: threads: '99999999999999999999' is out of range; allowed: 1 "
               "to 64, auto\n");
    test_wrong(
        "threads: 010",
        "app.yaml:1:10: error: threads: '010' begins with a zero; allowed: 1 to 64, auto\n");
    test_wrong(
        "threads: atuo",
        "app.yaml:1:10: error: threads: 'atuo' is not a whole number; did you mean 'auto'?\n");
    test_wrong(
        "threads: 1.5",
        "app.yaml:1:10: error: threads: '1.5' is not a whole number; allowed: 1 to 64, auto\n");
    test_wrong("threads: '4'",
               "app.yaml:1:10: error: threads: expected 1 to 64, auto, found the text '4'\n");
    test_wrong("threads: [4]",
               "app.yaml:1:10: error: threads: expected 1 to 64, auto, found a list\n");
    test_wrong("threads:",
               "app.yaml:1:9: error: threads: expected 1 to 64, auto, found nothing\n");
    test_wrong(CHILD("mailbox: { keep: yes }"),
               "app.yaml:1:64: error: keep: 'yes' is not known; allowed: true, false\n");
    test_wrong(CHILD("mailbox: big"),
               "app.yaml:1:56: error: mailbox: expected a mapping, or keep, found 'big'\n");
    test_wrong(
        CHILD("restart: transent"),
        "app.yaml:1:56: error: restart: 'transent' is not known; did you mean 'transient'?\n");
    test_wrong(CHILD("delivery: never"),
               "app.yaml:1:57: error: delivery: 'never' is not known; allowed: "
               "at_most_once, at_least_once\n");
}

static void durations(void **state) {
    (void)state;
    test_wrong("shutdown: 5",
               "app.yaml:1:11: error: shutdown: '5' has no unit; did you mean '5s'?\n");
    test_wrong("spin: 5", "app.yaml:1:7: error: spin: '5' has no unit; allowed: 0us to 10ms\n");
    test_wrong("blocked: 0",
               "app.yaml:1:10: error: blocked: '0' has no unit; allowed: 10ms to 1h, never\n");
    test_wrong(
        "shutdown: 5sec",
        "app.yaml:1:11: error: shutdown: '5sec' has an unknown unit; allowed: us, ms, s, m, h\n");
    test_wrong("shutdown: 0s",
               "app.yaml:1:11: error: shutdown: '0s' is out of range; allowed: 1ms to 24h\n");
    test_wrong("blocked: 9ms",
               "app.yaml:1:10: error: blocked: '9ms' is out of range; allowed: 10ms to 1h, never\n");
    test_wrong("shutdown: 25h",
               "app.yaml:1:11: error: shutdown: '25h' is out of range; allowed: 1ms to 24h\n");
    test_wrong(
        "shutdown: 9999999999h",
        "app.yaml:1:11: error: shutdown: '9999999999h' is out of range; allowed: 1ms to 24h\n");
    test_wrong("shutdown: soon",
               "app.yaml:1:11: error: shutdown: 'soon' is not a duration; allowed: 1ms to 24h\n");
    test_wrong("shutdown: -5s",
               "app.yaml:1:11: error: shutdown: '-5s' is not a duration; allowed: 1ms to 24h\n");
    test_wrong(
        "shutdown: 1.5s",
        "app.yaml:1:11: error: shutdown: '1.5s' has an unknown unit; allowed: us, ms, s, m, h\n");
    test_wrong(
        CHILD("shutdown: infinty"),
        "app.yaml:1:57: error: shutdown: 'infinty' is not a duration; did you mean 'infinity'?\n");
}

static void names(void **state) {
    (void)state;
    test_wrong("name: a b",
               "app.yaml:1:7: error: name: 'a b' may have letters, digits, '_' and '-' only\n");
    test_wrong("name: ''", "app.yaml:1:7: error: name: '' is empty\n");
    test_wrong("name: [a]", "app.yaml:1:7: error: name: expected a name, found a list\n");
    test_wrong("name: a123456789b123456789c123456789d123456789e123456789f123456789g1234",
               "app.yaml:1:7: error: name: "
               "'a123456789b123456789c123456789d123456789e123456789f123456789...' is "
               "longer than 64 characters\n");
    test_wrong(
        "tree:\n  children:\n    - { name: a, actor: counter }\n    - { name: b, actor: counter }\n"
        "    - { name: a, children: [] }\n",
        "app.yaml:5:15: error: the name 'a' is taken by the child in line 3\n");
}

static void children(void **state) {
    (void)state;
    test_wrong(
        "tree: { children: [{ name: a }] }",
        "app.yaml:1:20: error: an actor needs the key 'actor', or 'children' to be a supervisor\n");
    test_wrong("tree: { children: [{ actor: counter }] }",
               "app.yaml:1:20: error: an actor needs the key 'name'\n");
    test_wrong(
        "tree: { children: [{ name: a, actor: countr }] }",
        "app.yaml:1:38: error: the program has no actor 'countr'; did you mean 'counter'?\n");
    test_wrong("tree: { children: [{ name: a, actor: xyz }] }",
               "app.yaml:1:38: error: the program has no actor 'xyz'; allowed: counter, reader\n");
    test_wrong(
        "tree: { children: [{ name: a, actor: [] }] }",
        "app.yaml:1:38: error: actor: expected an actor type of the program, found a list\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, children: [] }] }",
               "app.yaml:1:38: error: a child has either the key 'actor' or the key 'children'\n");
    test_wrong("tree: { children: 3 }",
               "app.yaml:1:19: error: children: expected a list of children, found '3'\n");
    test_wrong("tree: { children: [x] }",
               "app.yaml:1:20: error: children: expected a mapping for each child, found 'x'\n");
    test_wrong(CHILD("strategy: one_for_all"),
               "app.yaml:1:47: error: 'strategy' is a key of a supervisor, not of an actor\n");
    test_wrong("tree: { children: [{ name: a, children: [], args: {} }] }",
               "app.yaml:1:45: error: 'args' is a key of an actor, not of a supervisor\n");
    test_wrong("tree: { strategy: dynamic, children: [] }",
               "app.yaml:1:28: error: children: a dynamic supervisor begins with none, code adds them; 'child' says "
               "what each is\n");
    test_wrong("tree: { children: [], child: { actor: counter } }",
               "app.yaml:1:23: error: child: only a supervisor with 'strategy: dynamic' has one; others have "
               "'children'\n");
    test_wrong("tree: { strategy: dynamic, child: { actor: counter, name: a } }",
               "app.yaml:1:53: error: 'name' is a key of an actor, not of a dynamic child\n");
    test_wrong("tree: { strategy: dynamic, child: 3 }",
               "app.yaml:1:35: error: a dynamic child: expected a mapping, found '3'\n");
    test_wrong("tree: { children: [], backoff: {} }", "app.yaml:1:32: error: a backoff needs the key 'initial'\n");
    test_wrong("tree: { children: [], backoff: { initial: 1ms, factor: 99 } }",
               "app.yaml:1:56: error: factor: '99' is out of range; allowed: 100 to 10000\n");
    test_wrong("tree: { children: [], backoff: { initial: 1s, maximum: 10ms } }",
               "app.yaml:1:56: error: maximum: it is less than 'initial', with which the waits begin\n");
    test_wrong("tree: { auto_shutdown: any_significant, children: [{ name: a, actor: counter, significant: true }] }",
               "app.yaml:1:79: error: significant: a permanent child never ends for good; it needs 'restart: "
               "transient' or temporary\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, restart: transient, significant: true }] }",
               "app.yaml:1:67: error: significant: it means nothing without 'auto_shutdown' of its supervisor\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, count: 10000 }, "
               "{ name: b, actor: counter, count: 10001 }] }",
               "app.yaml:1:97: error: count: '10001' is out of range; allowed: 1 to 10000\n");
}

static void too_many_actors(void **state) {
    (void)state;
    char text[1024] = "tree: { children: [";
    for (int i = 0; i < 3; i++) {
        char child[64];
        snprintf(child, sizeof child, "\n{ name: c%d, actor: counter, count: 10000 },", i);
        strcat(text, child);
    }
    strcat(text, "] }");
    test_wrong(text, "app.yaml:4:1: error: too many actors: at most 20000\n");
}

static void all_in_one_go_and_in_order(void **state) {
    (void)state;
    test_wrong(
        "placement:\n"
        "  /nobody: process\n"
        "tree:\n"
        "  strategy: one_for_al\n"
        "  children:\n"
        "    - { name: a, actor: countr }\n"
        "    - { name: b, actor: reader, args: { smal: 1, big: x } }\n"
        "threads: many\n",
        "app.yaml:2:3: error: the glob '/nobody' matches no actor\n"
        "app.yaml:4:13: error: strategy: 'one_for_al' is not known; did you mean 'one_for_all'?\n"
        "app.yaml:6:25: error: the program has no actor 'countr'; did you mean 'counter'?\n"
        "app.yaml:7:41: error: unknown argument 'smal' of the actor 'reader'; did you mean "
        "'small'?\n"
        "app.yaml:7:55: error: big: expected a whole number, found 'x'\n"
        "app.yaml:8:10: error: threads: 'many' is not a whole number; allowed: 1 to 64, auto\n");
}

/* The rest is counted. */
static void very_many(void **state) {
    (void)state;
    static char text[64 * 1024];
    size_t used = 0;
    for (int i = 0; i < 3000; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "k%d: 1\nk%d: 2\n", i, i);
    }
    assert_null(test_load_all(text, used, NULL, NULL));
    size_t lines = 0;
    for (const char *at = test_lines; (at = strchr(at, '\n')) != NULL; at++) lines++;
    assert_int_equal(lines, 1001);
    assert_non_null(strstr(test_lines, "app.yaml: error: and 3000 more mistakes\n"));
}

static void nothing_unprintable_is_told(void **state) {
    (void)state;
    test_wrong("threads: \"\\e[31m\\n\"",
               "app.yaml:1:10: error: threads: expected 1 to 64, auto, found the "
               "text '?[31m?'\n");
}

static void files(void **state) {
    (void)state;
    struct tr_config_input input = { .file = "/nonexistent/app.yaml", .actors = test_actors };
    test_lines[0] = '\0';
    assert_null(tr_config_load(&input, test_report, NULL));
    assert_string_equal(
        test_lines, "/nonexistent/app.yaml: error: cannot be read: No such file or directory\n");
    input.file = "/";
    test_lines[0] = '\0';
    assert_null(tr_config_load(&input, test_report, NULL));
    assert_string_equal(test_lines, "/: error: cannot be read: Is a directory\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys), cmocka_unit_test(data),
        cmocka_unit_test(misplaced_keys),
        cmocka_unit_test(misspelt_required_keys),
        cmocka_unit_test(values),
        cmocka_unit_test(durations),
        cmocka_unit_test(names),
        cmocka_unit_test(children),
        cmocka_unit_test(too_many_actors),
        cmocka_unit_test(all_in_one_go_and_in_order),
        cmocka_unit_test(very_many),
        cmocka_unit_test(nothing_unprintable_is_told),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
