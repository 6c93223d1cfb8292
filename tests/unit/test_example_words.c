/* How the word count example cuts files into words, and counts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/wordcount/table.c"
#include "examples/wordcount/words.c"

/* A fresh folder, as *state. */
static int make_folder(void **state) {
    char *folder = strdup("/tmp/troupe-words-XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL ? -1 : 0;
}

static void file_path(char *path, size_t size, const char *folder, const char *name) {
    snprintf(path, size, "%s/%s", folder, name);
}

static int remove_folder(void **state) {
    static const char *const names[] = { "a", "b", "c" };
    char path[100];
    for (size_t i = 0; i < 3; i++) {
        file_path(path, sizeof path, *state, names[i]);
        unlink(path);
    }
    int result = rmdir(*state);
    free(*state);
    return result;
}

static void write_file(const char *folder, const char *name, const char *text, size_t size) {
    char path[100];
    file_path(path, sizeof path, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void open_folder(struct words *words, const char *folder, size_t first, size_t step,
                        uint64_t passes) {
    char pattern[100];
    snprintf(pattern, sizeof pattern, "%s/*", folder);
    const char *const patterns[] = { pattern };
    assert_true(words_open(words, patterns, 1, first, step, passes));
}

/* All words of the folder, each followed by a blank. */
static void expect_words(const char *folder, size_t first, size_t step, uint64_t passes,
                         const char *expected) {
    struct words words;
    char all[1000] = "";
    size_t length = 0;
    const char *word;
    enum words_step got;
    open_folder(&words, folder, first, step, passes);
    while ((got = words_next(&words, &word)) != WORDS_END) {
        assert_int_not_equal(got, WORDS_ERROR);
        if (got == WORDS_ONE) length += (size_t)snprintf(all + length, sizeof all - length, "%s ", word);
    }
    assert_string_equal(all, expected);
    assert_int_equal(words_next(&words, &word), WORDS_END);
    assert_int_equal(words.bytes, words.of_bytes);
    words_close(&words);
}

static void words_are_runs_of_letters(void **state) {
    static const char text[] = "The cat's 2nd--life: na\303\257ve\0Zero_@[`{";
    write_file(*state, "a", text, sizeof text - 1);
    expect_words(*state, 0, 1, 1, "the cat s nd life na ve zero ");
}

static void files_end_words_and_passes_repeat_them(void **state) {
    write_file(*state, "a", "one", 3);
    write_file(*state, "b", "", 0);
    write_file(*state, "c", "two three\n", 10);
    expect_words(*state, 0, 1, 1, "one two three ");
    expect_words(*state, 0, 1, 2, "one two three one two three ");
    expect_words(*state, 0, 2, 2, "one two three one two three ");
    expect_words(*state, 1, 2, 2, "");
    expect_words(*state, 3, 4, 2, "");
}

/* One word across every border between chunks. */
static void chunks_do_not_cut_words(void **state) {
    size_t size = 3 * CHUNK;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    memcpy(text + CHUNK - 3, "border", 6);
    memcpy(text + 2 * CHUNK - 1, "line", 4);
    memcpy(text + size - 3, "end", 3);
    write_file(*state, "a", text, size);
    free(text);
    expect_words(*state, 0, 1, 1, "border line end ");
}

static void a_word_has_an_upper_limit(void **state) {
    size_t size = LONGEST_WORD + 1;
    char *text = malloc(size);
    const char *word;
    struct words words;
    enum words_step got;
    assert_non_null(text);
    memset(text, 'x', size);
    write_file(*state, "a", text, size);
    free(text);
    open_folder(&words, *state, 0, 1, 1);
    do got = words_next(&words, &word);
    while (got == WORDS_PAUSE);
    assert_int_equal(got, WORDS_ERROR);
    assert_string_equal(words.error, "a word of more than 1048576 letters");
    words_close(&words);
}

static void what_is_no_file_is_named(void **state) {
    struct words words;
    const char *const missing[] = { "/nowhere/at/all" };
    const char *const folder[] = { *state };
    assert_false(words_open(&words, missing, 1, 0, 1, 1));
    assert_string_equal(words.error, "/nowhere/at/all: No such file or directory");
    words_close(&words);
    assert_false(words_open(&words, folder, 1, 0, 1, 1));
    assert_non_null(strstr(words.error, ": not a file"));
    words_close(&words);
}

static void the_table_counts_and_ranks(void **state) {
    (void)state;
    struct table table = { 0 };
    struct table_entry top[3];
    char word[20];
    assert_int_equal(table_top(&table, top, 3), 0);
    for (uint64_t i = 0; i < 5000; i++) {
        snprintf(word, sizeof word, "w%u", (unsigned)i);
        assert_true(table_add(&table, word, 1));
    }
    assert_true(table_add(&table, "w77", 2));
    assert_true(table_add(&table, "w9", 1));
    assert_true(table_add(&table, "w8", 1));
    assert_int_equal(table.used, 5000);
    assert_int_equal(table.total, 5004);
    assert_int_equal(table_top(&table, top, 3), 3);
    assert_string_equal(top[0].word, "w77");
    assert_int_equal(top[0].n, 3);
    assert_string_equal(top[1].word, "w8");
    assert_string_equal(top[2].word, "w9");
    table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_are_runs_of_letters, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_end_words_and_passes_repeat_them, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(chunks_do_not_cut_words, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_word_has_an_upper_limit, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_named, make_folder, remove_folder),
        cmocka_unit_test(the_table_counts_and_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
