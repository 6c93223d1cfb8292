/* Titles of processes, as ps reads them: in a child, which is looked at from outside. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "place/title.h"

struct seen {
    char title[4096], name[64];
    size_t size; /* of the title */
};

static size_t read_file(const char *name, pid_t pid, char *text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    ssize_t got = read(file, text, size - 1);
    close(file);
    assert_true(got >= 0);
    text[got] = '\0';
    return (size_t)got;
}

/* It is there until the pipe is closed; a byte comes when it has its title. */
static void be_child(const char *application, const char *path, int told, int wait) {
    char *home = getenv("HOME"), before[256];
    snprintf(before, sizeof before, "%s", home == NULL ? "" : home);
    tr_process_title(application, path);
    bool same = strcmp(before, home == NULL ? "" : home) == 0 && setenv("TITLE_TEST", "value", 1) == 0 &&
                strcmp(getenv("TITLE_TEST"), "value") == 0;
    char byte = same ? 'y' : 'n';
    if (write(told, &byte, 1) != 1 || read(wait, &byte, 1) != 0) _exit(1);
    _exit(0);
}

static struct seen look(const char *application, const char *path) {
    struct seen seen;
    int told[2], wait[2], status;
    char byte;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(wait), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(wait[1]);
        be_child(application, path, told[1], wait[0]);
    }
    close(told[1]);
    close(wait[0]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y'); /* its environment is what it was */
    seen.size = read_file("cmdline", pid, seen.title, sizeof seen.title);
    read_file("comm", pid, seen.name, sizeof seen.name);
    close(wait[1]);
    close(told[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return seen;
}

/* A kernel that cannot leaves the command line as it was. */
static bool kernel_can(void) { return strstr(look("probe", "/x").title, "probe: /x") != NULL; }

static void a_place_in_the_tree(void **state) {
    (void)state;
    struct seen seen = look("words", "/counter/3");
    assert_string_equal(seen.name, "troupe:ounter/3\n");
    if (!kernel_can()) skip();
    assert_string_equal(seen.title, "words: /counter/3");
    assert_int_equal(seen.size, strlen("words: /counter/3") + 1);
    assert_string_equal(look(NULL, "main").title, "troupe: main");
}

static void it_is_bounded(void **state) {
    (void)state;
    char path[1000], name[300];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    memcpy(path + sizeof path - 5, "/end", 5);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    struct seen seen = look(name, path);
    assert_int_equal(strlen(seen.name), 16);
    if (!kernel_can()) skip();
    assert_int_equal(seen.size, TR_TITLE_SIZE);
    assert_string_equal(seen.title + strlen(seen.title) - 5, "p/end");
}

static void said_twice_the_last_counts(void **state) {
    (void)state;
    if (!kernel_can()) skip();
    tr_process_title("first", "/a");
    struct seen seen = look("second", "/b"); /* in a child, which has the first one from us */
    assert_string_equal(seen.title, "second: /b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_in_the_tree),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(said_twice_the_last_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
