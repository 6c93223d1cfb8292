/*
 * The scribe by hand: bytes into lines however they are split, lines through the buffer to outputs that take
 * them, that do not, and that are gone; and a process's end of the pipe when nobody reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place/log_pipe.h"
#include "place/scribe.h"

/* ---- Lines from bytes ---- */

static char lines[1 << 16];
static uint32_t line_count;
static size_t longest;

static void take(void *context, const char *line, size_t size) {
    (void)context;
    size_t used = strlen(lines);
    assert_true(size > 0 && line[size - 1] == '\n' && used + size < sizeof lines);
    assert_null(memchr(line, '\n', size - 1));
    memcpy(lines + used, line, size);
    lines[used + size] = '\0';
    longest = size > longest ? size : longest;
    line_count++;
}

static struct tr_scribe_source source_open(int *writer) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    lines[0] = '\0';
    line_count = 0;
    longest = 0;
    *writer = ends[1];
    return (struct tr_scribe_source){ .pipe = ends[0] };
}

static void lines_come_whole_however_they_are_split(void **state) {
    (void)state;
    static const char text[] = "one\n\ntwo and more\nthe end";
    for (size_t first = 0; first < sizeof text - 1; first++) {
        int writer;
        struct tr_scribe_source source = source_open(&writer);
        assert_int_equal(write(writer, text, first), first);
        if (first > 0) assert_int_equal(tr_source_read(&source, take, NULL), TR_SOURCE_MORE);
        assert_int_equal(tr_source_read(&source, take, NULL), TR_SOURCE_EMPTY);
        assert_int_equal(write(writer, text + first, sizeof text - 1 - first), sizeof text - 1 - first);
        close(writer);
        assert_int_equal(tr_source_read(&source, take, NULL), TR_SOURCE_MORE);
        assert_int_equal(tr_source_read(&source, take, NULL), TR_SOURCE_ENDED);
        assert_string_equal(lines, "one\n\ntwo and more\n");
        tr_source_drain(&source, take, NULL);
        assert_string_equal(lines, "one\n\ntwo and more\nthe end\n");
        assert_int_equal(source.pipe, -1);
    }
}

static void a_line_that_is_too_long_comes_in_parts(void **state) {
    (void)state;
    static char text[3 * TR_LOG_LINE];
    int writer;
    for (size_t size = TR_LOG_LINE - 2; size <= TR_LOG_LINE + 1; size++) {
        struct tr_scribe_source source = source_open(&writer);
        memset(text, 'a', sizeof text);
        text[size - 1] = '\n';
        assert_int_equal(write(writer, text, size), size);
        close(writer);
        tr_source_drain(&source, take, NULL);
        assert_int_equal(line_count, size > TR_LOG_LINE ? 2 : 1);
        assert_in_range(longest, 1, TR_LOG_LINE);
    }
}

/* A descendant of a dead process may hold its pipe and write for ever. */
static void the_end_is_not_waited_for(void **state) {
    (void)state;
    int writer;
    struct tr_scribe_source source = source_open(&writer);
    assert_int_equal(write(writer, "a\nb", 3), 3);
    tr_source_drain(&source, take, NULL);
    assert_string_equal(lines, "a\nb\n");
    close(writer);
}

/* ---- Outputs ---- */

static struct tr_scribe scribe;

static void say(const char *text, uint32_t number) {
    char line[1100];
    int size = snprintf(line, sizeof line, "%s %u\n", text, (unsigned)number);
    tr_scribe_line(&scribe, line, (size_t)size);
}

static uint32_t count_lines(FILE *in, const char *beginning, uint64_t *dropped) {
    char line[2000];
    uint32_t count = 0;
    unsigned long long some;
    while (fgets(line, sizeof line, in) != NULL) {
        const char *told = strstr(line, "log: ");
        if (told != NULL && sscanf(told, "log: %llu lines were dropped", &some) == 1) *dropped += some;
        if (strncmp(line, beginning, strlen(beginning)) == 0) count++;
    }
    return count;
}

static void into_a_file(void **state) {
    (void)state;
    uint64_t dropped = 0;
    FILE *file = tmpfile();
    fputs("before\n", file);
    fflush(file);
    assert_true(tr_scribe_open(&scribe, fileno(file), TR_LOG_PRETTY));
    for (uint32_t i = 0; i < 1000; i++) say("line", i);
    assert_true(tr_scribe_flush(&scribe));
    tr_scribe_close(&scribe, 0);
    rewind(file);
    assert_int_equal(count_lines(file, "line", &dropped), 1000);
    rewind(file);
    assert_int_equal(count_lines(file, "before", &dropped), 1);
    fclose(file);
}

/* More than all buffers hold: the rest is counted; and the pipe is still one that blocks. */
static void into_a_pipe_that_nobody_reads(void **state) {
    (void)state;
    enum { LINES = 5000 };
    char filling[1001];
    uint64_t dropped = 0;
    int ends[2];
    memset(filling, 'x', sizeof filling - 1);
    filling[sizeof filling - 1] = '\0';
    assert_int_equal(pipe(ends), 0);
    assert_true(tr_scribe_open(&scribe, ends[1], TR_LOG_PRETTY));
    bool had_room = tr_scribe_has_room(&scribe);
    for (uint32_t i = 0; i < LINES; i++) {
        say(filling, i);
        tr_scribe_flush(&scribe);
    }
    assert_true(had_room && !tr_scribe_has_room(&scribe));
    assert_false(tr_scribe_flush(&scribe));
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    assert_true(scribe.dropped > 0);
    char *text = malloc(8 << 20);
    size_t used = 0;
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (bool done = false; !done;) {
        done = tr_scribe_flush(&scribe);
        for (ssize_t got; (got = read(ends[0], text + used, (8 << 20) - used)) > 0;) used += (size_t)got;
    }
    assert_true(tr_scribe_has_room(&scribe));
    FILE *in = fmemopen(text, used, "r");
    uint32_t came = count_lines(in, "xxx", &dropped);
    fclose(in);
    free(text);
    tr_scribe_close(&scribe, 0);
    close(ends[0]);
    close(ends[1]);
    print_message("%u came, %llu dropped\n", came, (unsigned long long)dropped);
    assert_int_equal(came + dropped, LINES);
}

static void into_a_pipe_that_is_closed(void **state) {
    (void)state;
    sigset_t mask;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(tr_scribe_open(&scribe, ends[1], TR_LOG_PRETTY));
    close(ends[0]);
    say("nobody", 1);
    assert_true(tr_scribe_flush(&scribe));
    tr_scribe_close(&scribe, TROUPE_SECOND);
    close(ends[1]);
    sigemptyset(&mask);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGPIPE), 0);
}

/* ---- A process's end ---- */

static void a_full_pipe_drops_and_says_how_many(void **state) {
    (void)state;
    static const char line[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    struct tr_log_pipe pipe;
    uint32_t written = 0;
    uint64_t dropped = 0;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    tr_log_pipe_open(&pipe, ends[1], TR_LOG_PRETTY);
    for (; atomic_load(&pipe.dropped) < 10; written++)
        tr_log_pipe_line(&pipe, TROUPE_ERROR, line, sizeof line - 1);
    char some[TR_LOG_LINE + 1];
    ssize_t got = read(ends[0], some, TR_LOG_LINE); /* room again */
    assert_int_equal(got % (ssize_t)(sizeof line - 1), 0);
    tr_log_pipe_line(&pipe, TROUPE_INFO, line, sizeof line - 1);
    written++;
    tr_log_pipe_close(&pipe);
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    uint32_t came = count_lines(in, "0123", &dropped) + (uint32_t)got / (uint32_t)(sizeof line - 1);
    fclose(in);
    assert_int_equal(dropped, 10);
    assert_int_equal(came + dropped, written);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_however_they_are_split),
        cmocka_unit_test(a_line_that_is_too_long_comes_in_parts),
        cmocka_unit_test(the_end_is_not_waited_for),
        cmocka_unit_test(into_a_file),
        cmocka_unit_test(into_a_pipe_that_nobody_reads),
        cmocka_unit_test(into_a_pipe_that_is_closed),
        cmocka_unit_test(a_full_pipe_drops_and_says_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
