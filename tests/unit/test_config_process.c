/* Options of processes: how they are written, who must agree, and how `explain` tells them. */
#include "lib/config_test.h"

#include <stdlib.h>
#include <sys/resource.h>

static const struct tr_process_options *options_of(const struct tr_config *config) {
    return config->root->children[0]->placement.options;
}

static struct tr_config *load_place(const char *place) {
    char text[1024];
    snprintf(text, sizeof text, "tree: { children: [{ name: a, actor: counter, place: %s }] }", place);
    return test_load(text);
}

static void what_is_not_said_is_nothing(void **state) {
    (void)state;
    struct tr_config *config = load_place("{ process: own, lane: tcp }");
    assert_null(options_of(config));
    assert_null(config->main);
    tr_config_free(config);
    config = load_place("{ process: own, watchdog: never }");
    assert_int_equal(options_of(config)->watchdog, 0);
    assert_int_equal(options_of(config)->memory, 0);
    tr_config_free(config);
}

static void values(void **state) {
    (void)state;
    struct tr_config *config =
        load_place("{ process: own, cwd: /usr, nice: -3, umask: 0027, cores: [0], user: 4711, group: 12,"
                   "  env: { A: b, B: '', C: null, D: 7 } }");
    const struct tr_process_options *options = options_of(config);
    assert_string_equal(options->cwd, "/usr");
    assert_true(options->has_nice && options->nice == -3);
    assert_true(options->has_umask && options->umask == 027);
    assert_int_equal(options->core_count, 1);
    assert_int_equal(options->identity->user, 4711);
    assert_int_equal(options->identity->group, 12);
    assert_int_equal(options->identity->group_count, 1);
    assert_int_equal(options->identity->groups[0], 12);
    assert_int_equal(options->env_count, 4);
    assert_string_equal(options->env[0].value, "b");
    assert_string_equal(options->env[1].value, "");
    assert_null(options->env[2].value);
    assert_string_equal(options->env[3].value, "7");
    tr_config_free(config);
}

static void limits(void **state) {
    (void)state;
    struct tr_config *config = load_place("{ process: own, limits: { files: 64, cpu: 1500ms, core: unlimited,"
                                          " address_space: 2GiB, data: 64MiB, stack: 65536B } }");
    const struct tr_process_options *options = options_of(config);
    static const struct {
        int resource;
        rlim_t soft, hard;
    } expected[] = {
        { RLIMIT_NOFILE, 64, 64 },
        { RLIMIT_CPU, 2, 3 },
        { RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_STACK, 65536, 65536 },
        { RLIMIT_AS, (rlim_t)2 << 30, (rlim_t)2 << 30 },
        { RLIMIT_DATA, 64 << 20, 64 << 20 },
    };
    assert_int_equal(options->limit_count, sizeof expected / sizeof expected[0]);
    for (uint32_t i = 0; i < options->limit_count; i++) {
        assert_int_equal(options->limits[i].resource, expected[i].resource);
        assert_int_equal(options->limits[i].value.rlim_cur, expected[i].soft);
        assert_int_equal(options->limits[i].value.rlim_max, expected[i].hard);
    }
    tr_config_free(config);
}

static void names_are_looked_up(void **state) {
    (void)state;
    struct tr_config *config = load_place("{ process: own, user: root }");
    const struct tr_identity *identity = options_of(config)->identity;
    assert_int_equal(identity->user, 0);
    assert_int_equal(identity->group, 0);
    assert_true(identity->group_count >= 1);
    tr_config_free(config);
}

static void main_has_them_too(void **state) {
    (void)state;
    struct tr_config *config = test_load("main: { nice: 5, env: { A: b } }\n");
    assert_non_null(config->main);
    assert_int_equal(config->main->nice, 5);
    tr_config_free(config);
    const char *const settings[] = { "main.nice=7", NULL };
    config = test_load_with("", settings, NULL);
    assert_int_equal(config->main->nice, 7);
    tr_config_free(config);
}

static void wrong_options(void **state) {
    (void)state;
    static const struct {
        const char *text, *line;
    } cases[] = {
        { "nice: 20", "1:23: error: nice: '20' is out of range; allowed: -20 to 19" },
        { "nise: 2", "1:17: error: unknown key 'nise' of a place; did you mean 'nice'?" },
        { "cwd: ''", "1:22: error: cwd: expected a directory, found the text ''" },
        { "cwd: [a]", "1:22: error: cwd: expected a directory, found a list" },
        { "umask: 8", "1:24: error: umask: '8' is not a mask of permissions; allowed: octal digits, 000 to 777" },
        { "umask: 1777", "1:24: error: umask: '1777' is not a mask of permissions; allowed: octal digits, 000 to 777" },
        { "env: [A]", "1:22: error: env: expected a mapping of names to texts, found a list" },
        { "env: { A: [] }", "1:27: error: A: expected a text, or null to unset it, found a list" },
        { "env: { 'A=': b }", "1:24: error: env: the name 'A=' has a '=' in it" },
        { "env: { '': b }", "1:24: error: env: the name '' is empty" },
        { "env: { TROUPE_NODE: b }", "1:24: error: env: the name 'TROUPE_NODE' is Troupe's own" },
        { "env: { A: b, A: c }", "1:30: error: the key 'A' is given twice; first in line 2" },
        { "cores: [4711]", NULL },
        { "cores: 1", "1:24: error: cores: expected a list of cores, found '1'" },
        { "cores: []", "1:24: error: cores: expected 1 to 1024 cores, found 0" },
        { "user: no-such-user", "1:23: error: user: this machine has no user 'no-such-user'" },
        { "group: no-such-group", "1:24: error: group: this machine has no group 'no-such-group'" },
        { "user: 4711", "1:23: error: user: this machine knows no group of 4711; give one with 'group'" },
        { "user: 4294967295", "1:23: error: user: this machine has no user '4294967295'" },
        { "limits: { files: 1 }", "1:34: error: files: '1' is out of range; allowed: 8 to 1048576" },
        { "limits: { stack: 100 }",
          "1:34: error: stack: '100' has no unit; allowed: 64KiB to 1024TiB, unlimited" },
        { "limits: { stack: 1MB }", "1:34: error: stack: '1MB' has an unknown unit; allowed: B, KiB, MiB, GiB, TiB" },
        { "limits: { stack: big }", "1:34: error: stack: 'big' is not a size; allowed: 64KiB to 1024TiB, unlimited" },
        { "limits: { stack: 9999999999TiB }",
          "1:34: error: stack: '9999999999TiB' is out of range; allowed: 64KiB to 1024TiB, unlimited" },
        { "limits: { cpu: unlimted }", "1:32: error: cpu: 'unlimted' is not a duration; did you mean 'unlimited'?" },
        { "limits: { fils: 9 }", "1:27: error: unknown key 'fils' of the limits; did you mean 'files'?" },
        { "memory: 1KiB", "1:25: error: memory: '1KiB' is out of range; allowed: 1MiB to 1024TiB" },
        { "watchdog: 10", "1:27: error: watchdog: '10' has no unit; did you mean '10s'?" },
        { "watchdog: nevr", "1:27: error: watchdog: 'nevr' is not a duration; did you mean 'never'?" },
        { "limits: 9", "1:25: error: the limits: expected a mapping, found '9'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256], line[256];
        unsigned row, column;
        snprintf(text, sizeof text, "tree: { children: [{ name: a, actor: counter, place:\n{ process: own, %s } }] }",
                 cases[i].text);
        if (cases[i].line == NULL) {
            assert_null(test_load_all(text, strlen(text), NULL, NULL));
            assert_non_null(strstr(test_lines, "app.yaml:2:25: error: cores: the core '4711' is not one that this "
                                               "process may use; allowed: "));
            continue;
        }
        assert_int_equal(sscanf(cases[i].line, "%u:%u", &row, &column), 2);
        snprintf(line, sizeof line, "app.yaml:%u:%u%s\n", row + 1, column, strstr(cases[i].line, ": error"));
        test_wrong(text, line);
    }
}

/* What is right elsewhere: the keeper has looked. */
static void nobody_looks_twice(void **state) {
    (void)state;
    static const char text[] = "tree: { children: [{ name: a, actor: counter, place:\n"
                               "  { process: own, user: no-such-user, group: no-such-group, cores: [1000] } }] }";
    struct tr_config_input input = { .file = "app.yaml", .text = text, .text_size = sizeof text - 1,
                                     .actors = test_actors, .checked = true };
    test_lines[0] = '\0';
    struct tr_config *config = tr_config_load(&input, test_report, NULL);
    assert_string_equal(test_lines, "");
    tr_config_free(config);
}

static void threads_have_none(void **state) {
    (void)state;
    test_wrong("tree: { children: [{ name: a, actor: counter, place:\n{ thread: own, nice: 2, cwd: / } }] }",
               "app.yaml:2:16: error: nice: only a process has it; a thread has that of its process\n"
               "app.yaml:2:25: error: cwd: only a process has it; a thread has that of its process\n");
}

#define POOL(more_a, more_b)                                                                       \
    "tree: { children: [\n"                                                                        \
    "{ name: a, actor: counter, place: { process: pool" more_a " } },\n"                           \
    "{ name: b, actor: counter, place: { process: pool" more_b " } }] }"

static void who_shares_a_process_agrees(void **state) {
    (void)state;
    static const char disagree[] =
        "app.yaml:3:35: error: the place 'pool' is another for '/a', see app.yaml:2:35: actors that share a place have "
        "the same lane, start and options\n";
    tr_config_free(test_load(POOL(", nice: 5, env: { A: b }", ", env: { A: b }, nice: 5")));
    test_wrong(POOL(", nice: 5", ""), disagree);
    test_wrong(POOL(", nice: 5", ", nice: 6"), disagree);
    test_wrong(POOL(", nice: 0", ""), disagree);
    test_wrong(POOL(", env: { A: b }", ", env: { A: c }"), disagree);
    test_wrong(POOL(", env: { A: '' }", ", env: { A: null }"), disagree);
    test_wrong(POOL(", cwd: /a", ", cwd: /b"), disagree);
    test_wrong(POOL(", umask: 022", ""), disagree);
    test_wrong(POOL(", memory: 64MiB", ", memory: 65MiB"), disagree);
    test_wrong(POOL(", watchdog: 1s", ", watchdog: 2s"), disagree);
    test_wrong(POOL(", user: 1, group: 2", ", user: 1, group: 3"), disagree);
    test_wrong(POOL(", cores: [0]", ""), disagree);
    test_wrong(POOL(", limits: { files: 9 }", ", limits: { files: 10 }"), disagree);
}

static void streams(void **state) {
    (void)state;
    struct tr_config *config = load_place("{ process: own, stdout: lines, stderr: ./errors }");
    assert_int_equal(options_of(config)->output.kind, TR_STREAM_LINES);
    assert_int_equal(options_of(config)->errors.kind, TR_STREAM_FILE);
    assert_string_equal(options_of(config)->errors.path, "./errors");
    tr_config_free(config);
    config = load_place("{ process: own, stdout: null, stderr: inherit }");
    assert_int_equal(options_of(config)->output.kind, TR_STREAM_NULL);
    assert_int_equal(options_of(config)->errors.kind, TR_STREAM_INHERIT);
    tr_config_free(config);
    test_wrong(POOL(", stdout: lines", ""),
               "app.yaml:3:35: error: the place 'pool' is another for '/a', see app.yaml:2:35: actors that share a place "
               "have the same lane, start and options\n");
    tr_config_free(test_load(POOL(", stderr: /a", ", stderr: /a")));
    test_wrong("main: { stdout: line }\n", "app.yaml:1:17: error: stdout: 'line' is not known; did you mean 'lines'?\n");
    test_wrong("main: { stdout: output }\n",
               "app.yaml:1:17: error: stdout: 'output' is not known; allowed: inherit, lines, null, or the path of a file, "
               "as ./output\n");
    test_wrong("main: { stderr: [] }\n",
               "app.yaml:1:17: error: stderr: expected inherit, lines, null, or the path of a file, found a list\n");
    test_wrong("main: { stderr: }\n",
               "app.yaml:1:17: error: stderr: expected inherit, lines, null, or the path of a file, found nothing\n");
}

static void other_programs(void **state) {
    (void)state;
    struct tr_config *config = load_place("{ process: own, exec: ./other, nice: 2 }");
    assert_string_equal(options_of(config)->exec, "./other");
    assert_int_equal(config->root->children[0]->placement.start, TR_START_SPAWN);
    tr_config_free(config);
    tr_config_free(load_place("{ process: own, exec: ./other, start: spawn }"));
    config = test_load("tree: { children: [{ name: a, actor: stranger, count: 2, place: { process: own, exec: /o } }] }");
    assert_null(config->root->children[1]->actor);
    assert_string_equal(config->root->children[1]->actor_name, "stranger");
    tr_config_free(config);
    test_wrong(POOL(", exec: /a", ", exec: /b"),
               "app.yaml:3:35: error: the place 'pool' is another for '/a', see app.yaml:2:35: actors that share a place "
               "have the same lane, start and options\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, place: { process: own, exec: /o, start: fork } }] }",
               "app.yaml:1:87: error: start: another program cannot be forked from this one; with 'exec' it is spawn\n");
    test_wrong("tree: { children: [{ name: a, actor: counter, place: { thread: own, exec: /o } }] }",
               "app.yaml:1:75: error: exec: only a process can be another program\n");
    test_wrong("tree: { children: [{ name: a, children: [], place: { process: own, exec: /o } }] }",
               "app.yaml:1:52: error: exec: a supervisor is in this program; actors may be in another one\n");
    test_wrong("tree: { children: [{ name: a, actor: stranger, count: 2, args: {}, place: { process: own, exec: /o } }] }",
               "app.yaml:1:64: error: args: this program has no actor 'stranger', so they cannot be checked and sent; it "
               "must have its type, as /o has\n");
    test_wrong("tree: { children: [{ name: a, actor: stranger, count: 2, place: { process: own } }] }",
               "app.yaml:1:38: error: the program has no actor 'stranger'; allowed: counter, reader\n");
    test_wrong("main: { exec: /o }\n", "app.yaml:1:9: error: 'exec' is a key of a place, not of a process\n");
}

static void explained(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct tr_config *config = load_place("{ process: own, start: spawn, user: root, cwd: /tmp, env: { KEY: secret,"
                                          " GONE: null }, nice: 5, cores: [0], umask: 7, limits: { files: 9, core: "
                                          "unlimited }, memory: 64MiB, watchdog: 1500ms }");
    FILE *out = open_memstream(&text, &size);
    tr_config_explain(config, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "process (spawn, user root, cwd /tmp, env KEY, without GONE, nice 5, cores 0, umask "
                                 "007, files 9, core unlimited, memory 64MiB, watchdog 1500ms)"));
    assert_null(strstr(text, "secret"));
    free(text);
    tr_config_free(config);
}

static void too_much_to_explain_is_cut(void **state) {
    (void)state;
    char text[8192] = "tree: { children: [{ name: a, actor: counter, place: { process: own, env: {";
    for (int i = 0; i < 256; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s VARIABLE_%d: x", i == 0 ? "" : ",", i);
    strcat(text, " } } }] }");
    struct tr_config *config = test_load(text);
    char line[64] = "";
    tr_process_options_print(options_of(config), line, sizeof line);
    assert_int_equal(strlen(line), sizeof line - 1);
    tr_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_is_nothing), cmocka_unit_test(values), cmocka_unit_test(limits),
        cmocka_unit_test(names_are_looked_up),         cmocka_unit_test(main_has_them_too),
        cmocka_unit_test(wrong_options),               cmocka_unit_test(nobody_looks_twice),
        cmocka_unit_test(threads_have_none),           cmocka_unit_test(who_shares_a_process_agrees),
        cmocka_unit_test(other_programs), cmocka_unit_test(streams),
        cmocka_unit_test(explained),                   cmocka_unit_test(too_much_to_explain_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
