/* A counter's journal: every batch that it took, in its own file. */
#ifndef WORDCOUNT_JOURNAL_H
#define WORDCOUNT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "messages.h"

/* All zero is a journal that is not open: appending to it does nothing and works. */
struct journal {
    bool open;
    int fd;
    uint8_t *record; /* the one at hand */
    size_t capacity;
};

/* Opens or makes the file and hands every whole record in it to `take`, in order; cuts off a torn one
 * at the end. `take` returns false when it cannot go on. On false, `error` says why. The words of a
 * batch are valid during the call. */
bool journal_open(struct journal *journal, const char *path,
                  bool (*take)(void *context, const struct batch *batch), void *context, char *error,
                  size_t error_size);

/* False: the batch is not in the journal (errno says why), and the file is as it was. */
bool journal_append(struct journal *journal, const struct batch *batch);

/* Copes with one that is not open. */
void journal_close(struct journal *journal);

#endif
