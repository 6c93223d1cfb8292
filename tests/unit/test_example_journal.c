/* The journal of the word count example: what it promises about torn records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/wordcount/journal.c"

enum { BATCHES = 5 };

struct seen {
    uint64_t last;
    uint32_t batches, words;
    uint32_t refuse_after; /* 0: never */
};

static bool take(void *context, const struct batch *batch) {
    struct seen *seen = context;
    if (seen->refuse_after != 0 && seen->batches == seen->refuse_after) return false;
    assert_int_equal(batch->id, seen->last + 1);
    assert_int_equal(batch->reader, 7);
    assert_int_equal(batch->words.count, 3);
    assert_string_equal(batch->words.items[0], "first");
    assert_string_equal(batch->words.items[1], "");
    assert_string_equal(batch->words.items[2], "third");
    seen->last = batch->id;
    seen->batches++;
    seen->words += batch->words.count;
    return true;
}

static void append(struct journal *journal, uint64_t id) {
    static const char *const words[] = { "first", "", "third" };
    struct batch batch = { .reader = 7, .id = id, .words = { words, 3 } };
    assert_true(journal_append(journal, &batch));
}

static struct seen reopen(struct journal *journal, const char *path) {
    struct seen seen = { 0 };
    char error[300];
    assert_true(journal_open(journal, path, take, &seen, error, sizeof error));
    return seen;
}

/* A fresh path, as *state. */
static int make_path(void **state) {
    char *path = strdup("/tmp/troupe-journal-XXXXXX");
    int fd = path == NULL ? -1 : mkstemp(path);
    *state = path;
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state) {
    int result = unlink(*state);
    free(*state);
    return result;
}

static long fill_with_batches(const char *path) {
    struct journal journal;
    assert_int_equal(reopen(&journal, path).batches, 0);
    for (uint64_t id = 1; id <= BATCHES; id++) append(&journal, id);
    off_t size = lseek(journal.fd, 0, SEEK_END);
    journal_close(&journal);
    assert_int_equal(size % BATCHES, 0);
    return (long)size;
}

static void gives_back_what_it_was_given(void **state) {
    struct journal journal;
    fill_with_batches(*state);
    struct seen seen = reopen(&journal, *state);
    assert_int_equal(seen.batches, BATCHES);
    assert_int_equal(seen.words, 3 * BATCHES);
    journal_close(&journal);
}

/* Cut off after every possible byte: what was whole is there, what was torn is gone, and the journal
 * goes on from there. */
static void survives_a_torn_end_at_any_byte(void **state) {
    long size = fill_with_batches(*state), record = size / BATCHES;
    for (long cut = size - 1; cut >= 0; cut--) {
        struct journal journal;
        assert_int_equal(truncate(*state, cut), 0);
        struct seen seen = reopen(&journal, *state);
        assert_int_equal(seen.batches, cut / record);
        assert_int_equal(lseek(journal.fd, 0, SEEK_END), cut / record * record);
        append(&journal, seen.last + 1);
        journal_close(&journal);
        seen = reopen(&journal, *state);
        assert_int_equal(seen.batches, cut / record + 1);
        journal_close(&journal);
    }
}

static void cuts_off_from_a_damaged_byte_on(void **state) {
    long size = fill_with_batches(*state), record = size / BATCHES;
    for (long at = record; at < 2 * record; at++) {
        assert_int_equal(truncate(*state, 0), 0);
        assert_int_equal(fill_with_batches(*state), size);
        FILE *file = fopen(*state, "r+");
        assert_non_null(file);
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        int byte = fgetc(file);
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        fputc(byte ^ 0x10, file);
        assert_int_equal(fclose(file), 0);
        struct journal journal;
        assert_int_equal(reopen(&journal, *state).batches, 1);
        assert_int_equal(lseek(journal.fd, 0, SEEK_END), record);
        journal_close(&journal);
    }
}

static void says_why_it_cannot_be_opened(void **state) {
    (void)state;
    struct journal journal;
    struct seen seen = { 0 };
    char error[300];
    assert_false(journal_open(&journal, "/nowhere/journal", take, &seen, error, sizeof error));
    assert_string_equal(error, "the journal /nowhere/journal: No such file or directory");
    journal_close(&journal);
}

static void stops_when_the_taker_refuses(void **state) {
    struct journal journal;
    struct seen seen = { .refuse_after = 2 };
    char error[300];
    long size = fill_with_batches(*state);
    assert_false(journal_open(&journal, *state, take, &seen, error, sizeof error));
    assert_int_equal(seen.batches, 2);
    assert_int_equal(reopen(&journal, *state).batches, BATCHES);
    assert_int_equal(lseek(journal.fd, 0, SEEK_END), size);
    journal_close(&journal);
}

/* What cannot be written leaves the journal as it was. */
static void a_failed_append_leaves_no_trace(void **state) {
    struct journal journal;
    long size = fill_with_batches(*state);
    assert_int_equal(reopen(&journal, *state).batches, BATCHES);
    int fd = journal.fd;
    journal.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    static const char *const words[] = { "lost" };
    struct batch batch = { .reader = 7, .id = BATCHES + 1, .words = { words, 1 } };
    assert_false(journal_append(&journal, &batch));
    assert_int_equal(errno, ENOSPC);
    close(journal.fd);
    journal.fd = fd;
    journal_close(&journal);
    assert_int_equal(reopen(&journal, *state).batches, BATCHES);
    assert_int_equal(lseek(journal.fd, 0, SEEK_END), size);
    journal_close(&journal);
}

static void a_journal_that_is_not_open_takes_everything(void **state) {
    (void)state;
    struct journal journal = { 0 };
    append(&journal, 1);
    journal_close(&journal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_it_was_given, make_path, remove_path),
        cmocka_unit_test_setup_teardown(survives_a_torn_end_at_any_byte, make_path, remove_path),
        cmocka_unit_test_setup_teardown(cuts_off_from_a_damaged_byte_on, make_path, remove_path),
        cmocka_unit_test_setup_teardown(stops_when_the_taker_refuses, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_failed_append_leaves_no_trace, make_path, remove_path),
        cmocka_unit_test(says_why_it_cannot_be_opened),
        cmocka_unit_test(a_journal_that_is_not_open_takes_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
