/* Configurations without mistakes: what they mean. */
#include "lib/config_test.h"

#include <stdlib.h>
#include <unistd.h>

static void an_empty_one(void **state) {
    (void)state;
    static const char *const texts[] = { "",   "\n", "# nothing\n", "\xEF\xBB\xBF", "---\n...\n",
                                         "{}", "~" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tr_config *config = test_load(texts[i]);
        assert_string_equal(config->name, "app");
        assert_int_equal(config->threads, 0);
        assert_int_equal(config->shutdown, 10 * TROUPE_SECOND);
        assert_int_equal(config->blocked, 100 * TROUPE_MILLISECOND);
        assert_true(config->root->is_supervisor);
        assert_string_equal(config->root->path, "/");
        assert_int_equal(config->root->child_count, 0);
        assert_int_equal(config->root->restarts, 1);
        assert_int_equal(config->root->within, 5 * TROUPE_SECOND);
        assert_string_equal(config->source, texts[i]);
        tr_config_free(config);
    }
    tr_config_free(NULL);
}

static void data(void **state) {
    static const char *const settings[] = { "data.b=x y", "data.c=7", NULL };
    (void)state;
    struct tr_config *config = test_load("");
    assert_int_equal(config->data_count, 0);
    tr_config_free(config);
    config = test_load_all("data: { a: 1.50, b: '', long-name_2: null-ish }", 47, settings, NULL);
    assert_non_null(config);
    assert_int_equal(config->data_count, 4);
    static const char *const expected[] = { "a", "1.50", "b", "x y", "long-name_2", "null-ish", "c", "7" };
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(config->data[i].name, expected[2 * i]);
        assert_string_equal(config->data[i].text, expected[2 * i + 1]);
    }
    tr_config_free(config);
}

static void the_whole_of_it(void **state) {
    (void)state;
    struct tr_config *config = test_load(
        "\xEF\xBB\xBFname: wordcount\n"
        "threads: 4\n"
        "shutdown: 1m\n"
        "tree:\n"
        "  strategy: rest_for_one\n"
        "  restarts: 3\n"
        "  within: 200ms\n"
        "  children:\n"
        "    - { name: counter, actor: counter, count: 2, place: process }\n"
        "    - name: ingest\n"
        "      strategy: one_for_all\n"
        "      restart: temporary\n"
        "      place: thread\n"
        "      children:\n"
        "        - name: reader\n"
        "          actor: reader\n"
        "          restart: transient\n"
        "          shutdown: kill\n"
        "          mailbox: { limit: 7, overflow: drop_newest, keep: true }\n"
        "          delivery: at_least_once\n"
        "          args: { files: 'texts/*.txt', small: 255 }\n"
        "    - { name: last, actor: counter, mailbox: keep }\n");
    assert_string_equal(config->name, "wordcount");
    assert_int_equal(config->threads, 4);
    assert_int_equal(config->shutdown, TROUPE_MINUTE);
    struct tr_child *root = config->root;
    assert_int_equal(root->strategy, TR_REST_FOR_ONE);
    assert_int_equal(root->restarts, 3);
    assert_int_equal(root->within, 200 * TROUPE_MILLISECOND);
    assert_int_equal(root->child_count, 4);

    struct tr_child *second = root->children[1];
    assert_string_equal(second->name, "counter");
    assert_string_equal(second->path, "/counter/1");
    assert_int_equal(second->index, 1);
    assert_int_equal(second->count, 2);
    assert_ptr_equal(second->actor, &counter_actor);
    assert_ptr_equal(second->args_type, &troupe_none_message);
    assert_non_null(second->args);
    assert_int_equal(second->shutdown, 5 * TROUPE_SECOND);
    assert_int_equal(second->restart, TR_PERMANENT);
    assert_int_equal(second->mailbox_limit, 1024);
    assert_false(second->drop_newest || second->keep_mailbox || second->at_least_once);
    assert_int_equal(second->placement.place, TR_PLACE_PROCESS);
    assert_int_equal(second->where.line, 9);
    assert_int_equal(second->where.column, 7);

    struct tr_child *ingest = root->children[2];
    assert_true(ingest->is_supervisor);
    assert_string_equal(ingest->path, "/ingest");
    assert_int_equal(ingest->strategy, TR_ONE_FOR_ALL);
    assert_int_equal(ingest->restart, TR_TEMPORARY);
    assert_int_equal(ingest->restarts, 1);
    assert_true(ingest->shutdown == TR_INFINITY);

    struct tr_child *reader = ingest->children[0];
    assert_string_equal(reader->path, "/ingest/reader");
    assert_int_equal(reader->restart, TR_TRANSIENT);
    assert_int_equal(reader->shutdown, TR_KILL);
    assert_int_equal(reader->mailbox_limit, 7);
    assert_true(reader->drop_newest && reader->keep_mailbox && reader->at_least_once);
    assert_int_equal(reader->count, 1);
    assert_string_equal(((const struct read *)reader->args)->files, "texts/*.txt");
    assert_int_equal(((const struct read *)reader->args)->small, 255);

    assert_true(root->children[3]->keep_mailbox);
    assert_int_equal(root->children[3]->mailbox_limit, 1024);
    tr_config_free(config);
}

static void a_count_of_one_has_an_index(void **state) {
    (void)state;
    struct tr_config *config = test_load(
        "tree: { children: [{ name: a, actor: counter, count: 1 }] }");
    assert_string_equal(config->root->children[0]->path, "/a/0");
    tr_config_free(config);
}

static void durations(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        { "shutdown: 1ms", TROUPE_MILLISECOND },
        { "shutdown: 5000us", 5 * TROUPE_MILLISECOND },
        { "shutdown: '5s'", 5 * TROUPE_SECOND },
        { "shutdown: 2m", 2 * TROUPE_MINUTE },
        { "shutdown: 24h", 24 * 60 * TROUPE_MINUTE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tr_config *config = test_load(cases[i].text);
        assert_int_equal(config->shutdown, cases[i].value);
        tr_config_free(config);
    }
}

static void blocked_may_be_never(void **state) {
    (void)state;
    struct tr_config *config = test_load("blocked: 10ms");
    assert_int_equal(config->blocked, 10 * TROUPE_MILLISECOND);
    tr_config_free(config);
    config = test_load("blocked: never");
    assert_true(config->blocked == INT64_MAX);
    tr_config_free(config);
}

static void a_file_is_read(void **state) {
    (void)state;
    char folder[] = "/tmp/troupe-config-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/word count.v2.yaml", folder);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("threads: 2\n", out);
    assert_int_equal(fclose(out), 0);
    struct tr_config_input input = { .file = file, .actors = test_actors };
    test_lines[0] = '\0';
    struct tr_config *config = tr_config_load(&input, test_report, NULL);
    assert_string_equal(test_lines, "");
    assert_string_equal(config->name, "word_count");
    assert_int_equal(config->threads, 2);
    assert_int_equal(config->source_size, 11);
    tr_config_free(config);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void nothing_at_all_is_a_configuration(void **state) {
    (void)state;
    struct tr_config_input input = { .actors = NULL };
    test_lines[0] = '\0';
    struct tr_config *config = tr_config_load(&input, test_report, NULL);
    assert_non_null(config);
    assert_string_equal(config->name, "troupe");
    assert_string_equal(config->source, "");
    tr_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one),
        cmocka_unit_test(data),
        cmocka_unit_test(the_whole_of_it),
        cmocka_unit_test(a_count_of_one_has_an_index),
        cmocka_unit_test(durations),
        cmocka_unit_test(blocked_may_be_never),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(nothing_at_all_is_a_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
