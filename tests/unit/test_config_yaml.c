/* YAML itself: syntax, what is refused, and the limits, which hold before anything is built. */
#include "lib/config_test.h"

#include <stdlib.h>

static void syntax(void **state) {
    (void)state;
    test_wrong("threads: [1, 2\n",
               "app.yaml:2:1: error: did not find expected ',' or ']' (while parsing a flow "
               "sequence that begins in line 1)\n");
    test_wrong("tree:\n\tchildren: []\n",
               "app.yaml:2:1: error: a tab cannot indent or separate here: use spaces\n");
    test_wrong("a: b: c\n",
               "app.yaml:1:5: error: mapping values are not allowed in this context\n");
    test_wrong("name: \"abc\n", "app.yaml:2:1: error: found unexpected end of stream (while "
                                "scanning a quoted scalar that begins "
                                "in line 1)\n");
}

static void bytes(void **state) {
    (void)state;
    test_wrong("threads: 1\nname: \xC3(\n", "app.yaml:2:8: error: invalid trailing UTF-8 octet\n");
    test_wrong("\xFF\xFEn\0a\0", "app.yaml:1:1: error: invalid leading UTF-8 octet\n");
    test_wrong("name: a\x01\n", "app.yaml:1:8: error: control characters are not allowed\n");
    test_wrong("name: \"a\\0b\"\n",
               "app.yaml:1:7: error: a text cannot contain the character NUL\n");
    assert_null(test_load_all("name: a\0b", 9, NULL, NULL));
    assert_string_equal(test_lines, "app.yaml:1:8: error: control characters are not allowed\n");
    test_wrong("\xEF\xBB\xBFthread: 1\n", "app.yaml:1:1: error: unknown key 'thread' of the "
                                          "configuration; did you mean 'threads'?\n");
    test_wrong("# \xC3\xBC\n\xC3\xBC\xC3\xBC: [\xC3\xBC, \xC3\n",
               "app.yaml:2:10: error: invalid trailing UTF-8 octet\n");
}

static void refused(void **state) {
    (void)state;
    test_wrong("name: &a x\n",
               "app.yaml:1:7: error: anchors (&name) are not supported: write the value out\n");
    test_wrong("name: &a x\ntree: *a\n",
               "app.yaml:1:7: error: anchors (&name) are not supported: write the value out\n"
               "app.yaml:2:7: error: aliases (*name) are not supported: write the value out\n");
    test_wrong("name: !!str x\n",
               "app.yaml:1:7: error: tags (!name) are not supported: leave it out\n");
    test_wrong("tree: !t { children: !x [] }\n",
               "app.yaml:1:7: error: tags (!name) are not supported: leave it out\n"
               "app.yaml:1:22: error: tags (!name) are not supported: leave it out\n");
    test_wrong("name: a\n---\nname: b\n---\n{}\n",
               "app.yaml:2:1: error: only one document is allowed in a file\n");
    /* These do not keep the other mistakes from being found. */
    test_wrong("name: !!str x\nthread: 1\n",
               "app.yaml:1:7: error: tags (!name) are not supported: leave it out\n"
               "app.yaml:2:1: error: unknown key 'thread' of the configuration; did you mean "
               "'threads'?\n");
}

static void a_billion_laughs(void **state) {
    (void)state;
    char text[2048] = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 10; i++) {
        size_t used = strlen(text);
        used += (size_t)snprintf(text + used, sizeof text - used, "a%d: &a%d [", i, i);
        for (int j = 0; j < 9; j++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s*a%d", j == 0 ? "" : ",",
                                     i - 1);
        }
        snprintf(text + used, sizeof text - used, "]\n");
    }
    assert_null(test_load_all(text, strlen(text), NULL, NULL));
    assert_non_null(strstr(test_lines, "app.yaml:2:10: error: aliases (*name) are not supported"));
}

static void depth(void **state) {
    (void)state;
    char text[40003];
    memset(text, '[', 20000);
    memset(text + 20000, ']', 20000);
    text[40000] = '\0';
    test_wrong(text, "app.yaml:1:33: error: nested too deeply: at most 32 levels\n");
    memset(text + 32, ']', 32);
    text[64] = '\0';
    test_wrong(text, "app.yaml:1:1: error: the configuration: expected a mapping, found a list\n");
}

static void directives(void **state) {
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < 64; i++) sprintf(text + strlen(text), "%%TAG !a%d! tag:x\n", i);
    size_t size = strlen(text);
    strcpy(text + size, "--- {}\n");
    tr_config_free(test_load(text));
    strcpy(text + size, "%TAG !b! tag:x\n--- {}\n");
    test_wrong(text, "app.yaml:65:1: error: too many %TAG directives\n");
}

static void sizes(void **state) {
    (void)state;
    const size_t limit = 4 * 1024 * 1024;
    char *text = malloc(limit + 1);
    assert_non_null(text);
    memset(text, '\n', limit + 1);
    assert_null(test_load_all(text, limit + 1, NULL, NULL));
    assert_string_equal(test_lines, "app.yaml:1:1: error: too large: at most 4 MiB\n");
    struct tr_config *config = test_load_all(text, limit, NULL, NULL);
    assert_non_null(config);
    tr_config_free(config);
    for (size_t i = 0; i < limit; i++) text[i] = i == 0 ? '[' : i % 2 == 0 ? ',' : '1';
    assert_null(test_load_all(text, limit, NULL, NULL));
    assert_string_equal(test_lines, "app.yaml:1:200000: error: too many values: at most 100000\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),           cmocka_unit_test(bytes), cmocka_unit_test(refused),
        cmocka_unit_test(a_billion_laughs), cmocka_unit_test(depth), cmocka_unit_test(sizes),
        cmocka_unit_test(directives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
