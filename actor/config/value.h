/* Numbers, durations and names as they are written. No locale has a say in them. */
#ifndef TR_VALUE_H
#define TR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tr_value_result {
    TR_VALUE_OK,
    TR_VALUE_NOT_ONE,  /* not a number, not a duration */
    TR_VALUE_ZERO,     /* a leading zero, which means octal to some */
    TR_VALUE_TOO_BIG,  /* for 64 bits */
    TR_VALUE_NO_UNIT,  /* durations and sizes: a bare number */
    TR_VALUE_BAD_UNIT, /* durations and sizes */
};

/* A whole number: decimal, or hexadecimal after 0x. */
struct tr_integer {
    bool negative;
    uint64_t magnitude;
};

enum tr_value_result tr_value_integer(const char *text, struct tr_integer *value);

/* 5s, 200ms, 10us, 1m, 2h, in nanoseconds. */
enum tr_value_result tr_value_duration(const char *text, int64_t *value);

/* 512B, 64KiB, 10MiB, 2GiB, 1TiB, in bytes. */
enum tr_value_result tr_value_size(const char *text, int64_t *value);

/* 1, -2.5, 1e-3, .inf, -.inf, .nan */
enum tr_value_result tr_value_real(const char *text, double *value);

enum { TR_VALUE_NAME_MAX = 64 };

/* NULL when it may name an actor or a group, else what is wrong with it. */
const char *tr_value_name(const char *text);

/* A duration with its largest unit that fits, for messages: "5s", "1500ms". */
enum { TR_VALUE_DURATION_SIZE = 32 };
const char *tr_value_print_duration(int64_t value, char text[TR_VALUE_DURATION_SIZE]);
/* The same for a size. */
const char *tr_value_print_size(int64_t value, char text[TR_VALUE_DURATION_SIZE]);

#endif
