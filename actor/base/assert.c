/*
 * The last words of a process whose invariant does not hold. No stdio: it may run in a signal
 * handler, in a child between fork and exec, or with a lock of stdio held.
 */
#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 512 };

struct line {
    char text[LINE_SIZE];
    size_t size;
};

/* Keeps the last byte for the newline, whatever was cut off. */
static void add(struct line *line, const char *text) {
    size_t size = strlen(text);
    size_t room = LINE_SIZE - 1 - line->size;
    if (size > room) size = room;
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

static void add_number(struct line *line, unsigned number) {
    char digits[12];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    add(line, at);
}

void tr_assert_failed(const char *condition, const char *file, int number) {
    struct line line = { .size = 0 };
    add(&line, file);
    add(&line, ":");
    add_number(&line, (unsigned)number);
    add(&line, ": assertion failed: ");
    add(&line, condition);
    line.text[line.size++] = '\n';
    /* Nothing is left to do about a failure to say it. */
    ssize_t written = write(STDERR_FILENO, line.text, line.size);
    (void)written;
    abort();
}
