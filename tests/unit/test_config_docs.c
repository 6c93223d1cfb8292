/*
 * docs/configuration.md against the tables of keys: each row of each table, word for word, in the
 * order of the tables; no rows besides; and its examples load.
 */
#include "lib/config_test.h"

#include "config/keys.h"
#include "config/placing.h"

static char docs[256 * 1024];

static int read_docs(void **state) {
    (void)state;
    FILE *in = fopen(TROUPE_SOURCE_DIR "/docs/configuration.md", "r");
    if (in == NULL) return -1;
    size_t size = fread(docs, 1, sizeof docs - 1, in);
    docs[size] = '\0';
    return fclose(in) == 0 && size > 0 && size < sizeof docs - 1 ? 0 : -1;
}

static const char *default_of(const struct tr_key *row) {
    if (row->required) return "required";
    return row->standard == NULL ? "none" : row->standard;
}

/* The table in the docs: its rows, joined. */
static const char *find_table(const struct tr_keys *keys) {
    static char table[8192];
    table[0] = '\0';
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct tr_key *row = &keys->rows[i];
        char allowed[TR_KEYS_ALLOWED_SIZE];
        size_t used = strlen(table);
        snprintf(table + used, sizeof table - used, "| `%s` | %s | %s | %s |\n", row->key,
                 tr_keys_allowed(row, allowed), default_of(row), row->help);
    }
    const char *found = strstr(docs, table);
    if (found == NULL)
        fail_msg("docs/configuration.md lacks this table, of %s:\n%s", keys->what, table);
    return found + strlen(table);
}

static void every_key_is_documented(void **state) {
    (void)state;
    uint32_t rows = 0;
    for (const struct tr_keys *const *keys = tr_keys_all; *keys != NULL; keys++) {
        const char *end = find_table(*keys);
        assert_int_not_equal(*end, '|'); /* a row that is no longer in the table of keys */
        rows += (*keys)->count;
    }
    print_message("%u keys compared\n", rows);
    assert_true(rows > 0);
}

static void every_place_is_documented(void **state) {
    (void)state;
    size_t words = 0;
    for (; tr_place_words[words].word != NULL; words++) {
        char row[64];
        snprintf(row, sizeof row, "\n| `%s` | ", tr_place_words[words].word);
        if (strstr(docs, row) == NULL) fail_msg("docs/configuration.md lacks this: %s", row);
    }
    assert_true(words > 0);
}

static void every_example_loads(void **state) {
    (void)state;
    size_t examples = 0;
    for (const char *at = docs; (at = strstr(at, "```yaml\n")) != NULL; examples++) {
        at += strlen("```yaml\n");
        const char *end = strstr(at, "```");
        assert_non_null(end);
        struct tr_config *config = test_load_all(at, (size_t)(end - at), NULL, NULL);
        assert_string_equal(test_lines, "");
        assert_non_null(config);
        tr_config_free(config);
        at = end + 3;
    }
    print_message("%zu examples loaded\n", examples);
    assert_true(examples > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_documented),
        cmocka_unit_test(every_place_is_documented),
        cmocka_unit_test(every_example_loads),
    };
    return cmocka_run_group_tests(tests, read_docs, NULL);
}
