/*
 * The keys of the configuration, as data: what each mapping may hold, what is allowed, the default,
 * and one line of help. The checks, the suggestions and the messages work from these tables, and a
 * test compares docs/configuration.md with them.
 */
#ifndef TR_KEYS_H
#define TR_KEYS_H

#include "config/yaml.h"

enum tr_key_kind {
    TR_KEY_NAME,     /* letters, digits, _ and - */
    TR_KEY_NUMBER,   /* min to max, or one of the words */
    TR_KEY_DURATION, /* min to max, or one of the words */
    TR_KEY_SIZE,     /* min to max bytes, or one of the words */
    TR_KEY_WORD,     /* one of the words */
    TR_KEY_FLAG,     /* true or false */
    TR_KEY_OTHER     /* read by code of its own: `shape` says what it is */
};

struct tr_word {
    const char *text;
    int64_t value;
};

struct tr_key {
    const char *key;
    enum tr_key_kind kind;
    bool required;
    int64_t min, max;            /* numbers, durations (ns), sizes (bytes) */
    const struct tr_word *words; /* end with a NULL text */
    const char *shape;           /* "a list of children" */
    const char *standard;        /* the default as it would be written; NULL: none */
    const char *help;
};

struct tr_keys {
    const char *what; /* "a supervisor" */
    const struct tr_key *rows;
    uint32_t count;
    const struct tr_keys *also; /* the mapping that this one could be taken for */
    const struct tr_keys *with; /* whose keys this one may hold, too */
};

extern const struct tr_keys tr_keys_root, tr_keys_tree, tr_keys_actor, tr_keys_supervisor,
    tr_keys_template, tr_keys_backoff, tr_keys_mailbox, tr_keys_place, tr_keys_process, tr_keys_limits,
    tr_keys_log;

/* All of them, ends with NULL. */
extern const struct tr_keys *const tr_keys_all[];

/* One row after the other, those of `with` included; NULL: no more. */
const struct tr_key *tr_keys_at(const struct tr_keys *keys, uint32_t index);

/* The row of a key; NULL: no such key. */
const struct tr_key *tr_keys_row(const struct tr_keys *keys, const char *key);

/* "1 to 256, auto": for messages and for the documentation. */
enum { TR_KEYS_ALLOWED_SIZE = 160 };
const char *tr_keys_allowed(const struct tr_key *row, char text[TR_KEYS_ALLOWED_SIZE]);

#endif
