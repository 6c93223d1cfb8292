/* --set: what a key reaches, what a value may be, and where its mistakes are told. */
#include "lib/config_test.h"

#define TREE                                                                                       \
    "tree:\n"                                                                                      \
    "  children:\n"                                                                                \
    "    - { name: counter, actor: counter, count: 3 }\n"                                          \
    "    - { name: ingest, children: [{ name: reader, actor: reader, args: { at: { x: 1 } } }] "   \
    "}\n"

static struct tr_config *set(const char *setting) {
    const char *const settings[] = { setting, NULL };
    return test_load_with(TREE, settings, NULL);
}

static void wrong(const char *setting, const char *line) {
    const char *const settings[] = { setting, NULL };
    char lines[512];
    snprintf(lines, sizeof lines, "--set '%s'%s\n", setting, line);
    test_wrong_with(TREE, settings, NULL, lines);
}

static void keys_of_the_root(void **state) {
    (void)state;
    struct tr_config *config = set("threads=7");
    assert_int_equal(config->threads, 7);
    tr_config_free(config);
    config = set("tree.strategy=one_for_all");
    assert_int_equal(config->root->strategy, TR_ONE_FOR_ALL);
    assert_int_equal(config->root->child_count, 4);
    tr_config_free(config);
    config = set("placement./counter/*=tcp");
    assert_int_equal(config->root->children[0]->placement.lane, TR_LANE_TCP);
    tr_config_free(config);
}

static void children_by_name(void **state) {
    (void)state;
    static const char *const settings[] = { "tree.children.counter.count=8", "tree.counter.count=8",
                                            "counter.count=8",
                                            "counter={ name: counter, actor: counter, count: 8 }" };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        struct tr_config *config = set(settings[i]);
        assert_int_equal(config->root->child_count, 9);
        tr_config_free(config);
    }
    struct tr_config *config = set("ingest.reader.args.at.y=5");
    const struct read *args = test_find(config->root, "/ingest/reader")->args;
    assert_int_equal(args->at.x, 1);
    assert_int_equal(args->at.y, 5);
    tr_config_free(config);
}

static void values(void **state) {
    (void)state;
    struct tr_config *config = set("ingest.reader.args.words=[a, 'b c']");
    const struct read *args = test_find(config->root, "/ingest/reader")->args;
    assert_int_equal(args->words.count, 2);
    assert_string_equal(args->words.items[1], "b c");
    tr_config_free(config);
    config = set("ingest.reader.args.files=a=b.c");
    args = test_find(config->root, "/ingest/reader")->args;
    assert_string_equal(args->files, "a=b.c");
    tr_config_free(config);
    config = set("tree.children=[]");
    assert_int_equal(config->root->child_count, 0);
    tr_config_free(config);
}

static void what_is_missing_is_made(void **state) {
    (void)state;
    const char *const settings[] = { "tree.children=[{ name: a, actor: counter }]",
                                     "a.mailbox.limit=3", "a.mailbox.limit=4", NULL };
    struct tr_config *config = test_load_with("", settings, NULL);
    assert_int_equal(config->root->child_count, 1);
    assert_int_equal(config->root->children[0]->mailbox_limit, 4);
    assert_string_equal(config->root->children[0]->where.file,
                        "--set 'tree.children=[{ name: a, actor: counter }]'");
    tr_config_free(config);
}

static void mistakes(void **state) {
    (void)state;
    wrong("counter.count=x", ":1:15: error: count: 'x' is not a whole number; allowed: 1 to 10000");
    wrong("counter.count=0", ":1:15: error: count: '0' is out of range; allowed: 1 to 10000");
    wrong("counter.cuont=2", ":1:9: error: unknown key 'cuont' of an actor; did you mean 'count'?");
    wrong("countr.count=2",
          ":1:1: error: there is no key or child 'countr'; did you mean 'counter'?");
    wrong("thread=2", ":1:1: error: there is no key or child 'thread'; did you mean 'threads'?");
    wrong("tree.children.reader.count=2", ":1:15: error: there is no child 'reader'");
    wrong("ingest.raeder.count=2",
          ":1:8: error: there is no key or child 'raeder'; did you mean 'reader'?");
    wrong("counter.count.x=2", ":1:15: error: 'x' is a key of nothing: what is before it is '3'");
    wrong("counter.count", ":1:1: error: expected KEY=VALUE, as in 'counter.count=8'");
    wrong("=3", ":1:1: error: expected KEY=VALUE, as in 'counter.count=8'");
    wrong("counter.count=", ":1:15: error: expected a value after '='");
    wrong("counter.count=[",
          ":1:16: error: did not find expected node content (while parsing a flow node that "
          "begins in line 1)");
    wrong("name=&a b", ":1:6: error: anchors (&name) are not supported: write the value out");
    wrong("..=1", ":1:1: error: there is no key or child ''");
}

static void told_after_the_file(void **state) {
    (void)state;
    const char *const settings[] = { "threads=x", NULL };
    test_wrong_with("shutdown: 5\n", settings, NULL,
                    "app.yaml:1:11: error: shutdown: '5' has no unit; did you mean '5s'?\n"
                    "--set 'threads=x':1:9: error: threads: 'x' is not a whole number; allowed: 1 "
                    "to 64, auto\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_root), cmocka_unit_test(children_by_name),
        cmocka_unit_test(values),           cmocka_unit_test(what_is_missing_is_made),
        cmocka_unit_test(mistakes),         cmocka_unit_test(told_after_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
