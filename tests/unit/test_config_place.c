/* Places: how they are written, which rule decides, and how `explain` tells it. */
#include "lib/config_test.h"

#include <stdlib.h>

#define TREE                                                                                       \
    "tree:\n"                                                                                      \
    "  children:\n"                                                                                \
    "    - { name: counter, actor: counter, count: 3, place: inproc }\n"                           \
    "    - { name: ingest, children: [{ name: reader, actor: reader }] }\n"

static void check_place(const char *path, const struct tr_config *config, enum tr_place place,
                        enum tr_lane lane, enum tr_start start, const char *group) {
    const struct tr_child *child = test_find(config->root, path);
    assert_non_null(child);
    assert_int_equal(child->placement.place, place);
    assert_int_equal(child->placement.lane, lane);
    assert_int_equal(child->placement.start, start);
    if (group == NULL)
        assert_null(child->placement.group);
    else
        assert_string_equal(child->placement.group, group);
}

static void spellings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum tr_place place;
        enum tr_lane lane;
        enum tr_start start;
        const char *group;
    } cases[] = {
        { "thread", TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK, NULL },
        { "inproc", TR_PLACE_THREAD, TR_LANE_INPROC, TR_START_FORK, NULL },
        { "process", TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, NULL },
        { "spawn", TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_SPAWN, NULL },
        { "tcp", TR_PLACE_PROCESS, TR_LANE_TCP, TR_START_FORK, NULL },
        { "{ process: pool }", TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, "pool" },
        { "{ process: own, lane: tcp, start: spawn }", TR_PLACE_PROCESS, TR_LANE_TCP,
          TR_START_SPAWN, NULL },
        { "{ thread: pool, lane: inproc }", TR_PLACE_THREAD, TR_LANE_INPROC, TR_START_FORK,
          "pool" },
        { "{ thread: own }", TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK, NULL },
        { "{ thread: own, lane: direct }", TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK, NULL },
        { "{ thread: own, lane: inproc }", TR_PLACE_THREAD, TR_LANE_INPROC, TR_START_FORK, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128], option[128];
        snprintf(text, sizeof text, "tree: { children: [{ name: a, actor: counter, place: %s }] }",
                 cases[i].text);
        struct tr_config *config = test_load(text);
        check_place("/a", config, cases[i].place, cases[i].lane, cases[i].start, cases[i].group);
        assert_string_equal(config->root->children[0]->placement.rule, "the tree");
        tr_config_free(config);
        snprintf(option, sizeof option, "/a=%s", cases[i].text);
        const char *const placements[] = { option, NULL };
        config = test_load_with("tree: { children: [{ name: a, actor: counter, place: process }] }",
                                NULL, placements);
        check_place("/a", config, cases[i].place, cases[i].lane, cases[i].start, cases[i].group);
        assert_string_equal(config->root->children[0]->placement.rule, "/a");
        tr_config_free(config);
    }
}

static void wrong_places(void **state) {
    (void)state;
    static const struct {
        const char *text, *line;
    } cases[] = {
        { "proces", "1:1: error: place: 'proces' is not known; did you mean 'process'?" },
        { "moon",
          "1:1: error: place: 'moon' is not known; allowed: thread, inproc, process, spawn, tcp, "
          "{ process: NAME }, { thread: NAME }" },
        { "own", "1:1: error: place: 'own' is not known; did you mean '{ thread: own }'?" },
        { "[]", "1:1: error: place: expected a place, found a list" },
        { "", "1:2: error: place: expected a place, found nothing" },
        { "{ lane: ipc }", "1:1: error: a place has either the key 'process' or the key 'thread'" },
        { "{ process: a, thread: b }",
          "1:1: error: a place has either the key 'process' or the key 'thread'" },
        { "{ process: a b }",
          "1:12: error: process: 'a b' may have letters, digits, '_' and '-' only" },
        { "{ process: a, lane: inproc }",
          "1:21: error: lane: 'inproc' cannot reach a process; allowed: ipc, tcp" },
        { "{ thread: a, lane: tcp }",
          "1:20: error: lane: 'tcp' cannot reach a thread; allowed: inproc" },
        { "{ thread: own, lane: tcp }",
          "1:22: error: lane: 'tcp' cannot reach a thread; allowed: direct, inproc" },
        { "{ process: a, lane: direct }",
          "1:21: error: lane: 'direct' cannot reach a process; allowed: ipc, tcp" },
        { "{ thread: a, lane: direct }",
          "1:20: error: lane: 'direct' is for 'thread: own'; actors that share the thread 'a' share a node, "
          "which is reached by inproc" },
        { "{ thread: a, lane: tcpp }",
          "1:20: error: lane: 'tcpp' is not known; did you mean 'tcp'?" },
        { "{ thread: a, start: fork }",
          "1:21: error: start: only a process is started; a thread has none" },
        { "{ process: a, strt: fork }",
          "1:15: error: unknown key 'strt' of a place; did you mean 'start'?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256], line[256];
        unsigned row, column;
        snprintf(text, sizeof text, "tree: { children: [{ name: a, actor: counter, place:\n%s }] }",
                 cases[i].text);
        assert_int_equal(sscanf(cases[i].line, "%u:%u", &row, &column), 2);
        snprintf(line, sizeof line, "app.yaml:%u:%u%s\n", row + 1, column,
                 strstr(cases[i].line, ": error"));
        test_wrong(text, line);
    }
}

static bool has_own_thread(const char *place) {
    char text[128];
    snprintf(text, sizeof text, "tree: { children: [{ name: a, actor: counter, place: %s }] }", place);
    struct tr_config *config = test_load(text);
    bool own = config->root->children[0]->placement.own_thread;
    tr_config_free(config);
    return own;
}

static void threads_of_their_own(void **state) {
    (void)state;
    assert_true(has_own_thread("{ thread: own }"));
    assert_true(has_own_thread("{ thread: own, lane: direct }"));
    assert_false(has_own_thread("{ thread: own, lane: inproc }"));
    assert_false(has_own_thread("{ thread: pool }"));
    assert_false(has_own_thread("{ process: own }"));
    assert_false(has_own_thread("thread"));
    struct tr_config *config =
        test_load("tree: { children: [{ name: a, actor: counter, count: 192, place: { thread: own } }] }");
    tr_config_free(config);
    test_wrong("tree: { children: [{ name: a, actor: counter, count: 193, place: { thread: own } }] }",
               "app.yaml:1:66: error: place: 193 actors with a thread of their own, '/a/192' among them, are "
               "too many: at most 192\n");
    test_wrong("tree: { children: [{ name: s, place: { thread: own }, children: [] }] }",
               "app.yaml:1:38: error: place: a supervisor never blocks and needs no thread of its own; 'inproc' is "
               "a node for it and its children\n");
}

static void the_most_specific_wins(void **state) {
    (void)state;
    struct tr_config *config = test_load(TREE "placement:\n"
                                              "  /counter/2: spawn\n"
                                              "  /counter/*: process\n"
                                              "  /*/*: tcp\n"
                                              "  /**: thread\n");
    check_place("/counter/0", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, NULL);
    check_place("/counter/2", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_SPAWN, NULL);
    check_place("/ingest/reader", config, TR_PLACE_PROCESS, TR_LANE_TCP, TR_START_FORK, NULL);
    const struct tr_placement *placement = &test_find(config->root, "/counter/0")->placement;
    assert_string_equal(placement->rule, "/counter/*");
    assert_int_equal(placement->where.line, 7);
    assert_int_equal(placement->where.column, 3);
    tr_config_free(config);
}

static void of_two_alike_the_later_wins(void **state) {
    (void)state;
    struct tr_config *config = test_load(TREE "placement: { /counter/*: process, /*/1: tcp }\n");
    check_place("/counter/0", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, NULL);
    check_place("/counter/1", config, TR_PLACE_PROCESS, TR_LANE_TCP, TR_START_FORK, NULL);
    tr_config_free(config);
}

static void the_command_line_wins(void **state) {
    (void)state;
    const char *const placements[] = { "/**=process", "/counter/*=thread", NULL };
    struct tr_config *config = test_load_with(TREE "placement: { /counter/1: tcp }\n", NULL,
                                              placements);
    check_place("/counter/1", config, TR_PLACE_THREAD, TR_LANE_DIRECT, TR_START_FORK, NULL);
    check_place("/ingest/reader", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, NULL);
    assert_string_equal(test_find(config->root, "/ingest/reader")->placement.where.file,
                        "--place '/**=process'");
    tr_config_free(config);
}

static void wrong_globs(void **state) {
    (void)state;
    test_wrong(
        TREE "placement:\n  /countr/*: process\n  /counter: process\n  reader: process\n  /ingest: "
             "tcp\n",
        "app.yaml:6:3: error: the glob '/countr/*' matches no actor; did you mean '/counter/0'?\n"
        "app.yaml:7:3: error: the glob '/counter' matches no actor; did you mean '/counter/**'?\n"
        "app.yaml:8:3: error: the glob 'reader' must begin with '/'\n");
    test_wrong(
        TREE "placement: [a]\n",
        "app.yaml:5:12: error: placement: expected a mapping of globs to places, found a list\n");
    test_wrong(TREE "placement: { /**: tcp, /**: process }\n",
               "app.yaml:5:24: error: the key '/**' is given twice; first in line 5\n");
    const char *const placements[] = { "/x=process", "/**",   "/**=", "/**=proces",
                                       "x=tcp",      "/**=[", NULL };
    test_wrong_with(
        TREE, NULL, placements,
        "--place '/**':1:1: error: expected GLOB=PLACE, as in '/counter/*=process'\n"
        "--place '/**=':1:5: error: place: expected a place, found nothing\n"
        "--place '/**=[':1:6: error: did not find expected node content (while parsing a flow node "
        "that begins in line 1)\n"
        "--place '/**=proces':1:5: error: place: 'proces' is not known; did you mean 'process'?\n"
        "--place '/x=process':1:1: error: the glob '/x' matches no actor\n"
        "--place 'x=tcp':1:1: error: the glob 'x' must begin with '/'\n");
}

static void too_many_globs(void **state) {
    (void)state;
    char text[8192] = TREE "placement:\n";
    for (int i = 0; i < 260; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "  /*/*%03d: tcp\n", i);
    }
    assert_null(test_load_all(text, strlen(text), NULL, NULL));
    const char *told = strstr(test_lines, "app.yaml:262:3: error: too many globs: at most 256\n");
    assert_non_null(told);
    assert_null(strstr(strchr(told, '\n'), "too many globs")); /* once */
}

static void groups_must_agree(void **state) {
    (void)state;
    struct tr_config *config = test_load(TREE "placement: { /**: { process: pool } }\n");
    check_place("/counter/0", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, "pool");
    check_place("/ingest/reader", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, "pool");
    tr_config_free(config);
    test_wrong(TREE "placement:\n"
                    "  /counter/*: { process: pool }\n"
                    "  /ingest/*: { process: pool, lane: tcp }\n",
               "app.yaml:7:3: error: the place 'pool' is another for '/counter/0', see "
               "app.yaml:6:3: actors that "
               "share a place have the same lane, start and options\n");
}

static void explained(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    const char *const placements[] = { "/counter/2={ process: pool, start: spawn }",
                                       "/ingest/reader={ thread: own }", NULL };
    struct tr_config *config = test_load_with(TREE "placement: { /counter/1: tcp }\n", NULL,
                                              placements);
    tr_config_explain(config, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "path            actor    place                 lane    why\n"
        "/counter/0      counter  thread                inproc  the tree, app.yaml:3:57\n"
        "/counter/1      counter  process               tcp     \"/counter/1\", app.yaml:5:14\n"
        "/counter/2      counter  process pool (spawn)  ipc     \"/counter/2\", --place "
        "'/counter/2="
        "{ process: pool, start: spawn }':1:1\n"
        "/ingest/reader  reader   thread own            direct  \"/ingest/reader\", --place "
        "'/ingest/reader={ thread: own }':1:1\n");
    free(text);
    tr_config_free(config);
}

/* A supervisor with a place has its children there, too, unless they have one of their own. */
static void supervisors_are_placed(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    const char *const placements[] = { "/ingest=process", "/**=thread", NULL };
    struct tr_config *config = test_load_with(
        "tree: { children: [{ name: ingest, children: [{ name: reader, actor: reader },"
        "{ name: below, place: { process: pool }, children: [{ name: own, actor: reader, place: inproc }] }] }] }",
        NULL, placements);
    check_place("/ingest", config, TR_PLACE_PROCESS, TR_LANE_IPC, TR_START_FORK, NULL);
    tr_config_explain(config, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "path               actor       place                    lane    why\n"
        "/ingest            supervisor  process                  ipc     \"/ingest\", --place '/ingest=process':1:1\n"
        "/ingest/reader     reader      thread in /ingest        direct  \"/**\", --place '/**=thread':1:1\n"
        "/ingest/below      supervisor  process pool             ipc     the tree, app.yaml:1:101\n"
        "/ingest/below/own  reader      thread in /ingest/below  direct  \"/**\", --place '/**=thread':1:1\n");
    free(text);
    tr_config_free(config);
}

/* Nor is it left out what code will add. */
static void templates_are_explained(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    struct tr_config *config =
        test_load("tree: { children: [{ name: s, children: [{ name: d, strategy: dynamic, child: { actor: reader } }] },"
                  "{ name: p, strategy: dynamic, place: tcp, child: { actor: reader } }] }");
    tr_config_explain(config, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "path    actor       place         lane    why\n"
                              "/s/d/*  reader      thread        direct  its supervisor\n"
                              "/p      supervisor  process       tcp     the tree, app.yaml:1:139\n"
                              "/p/*    reader      thread in /p  direct  its supervisor\n");
    free(text);
    tr_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings),
        cmocka_unit_test(wrong_places),
        cmocka_unit_test(threads_of_their_own),
        cmocka_unit_test(the_most_specific_wins),
        cmocka_unit_test(of_two_alike_the_later_wins),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(wrong_globs),
        cmocka_unit_test(too_many_globs),
        cmocka_unit_test(groups_must_agree),
        cmocka_unit_test(explained),
        cmocka_unit_test(supervisors_are_placed),
        cmocka_unit_test(templates_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
