/* Files in, words out, a piece at a time: what a reader reads with. */
#ifndef WORDCOUNT_WORDS_H
#define WORDCOUNT_WORDS_H

#include <glob.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of several readers that share the files. */
struct words {
    glob_t files;
    size_t first, step; /* ours are the files first, first + step, ... */
    size_t file;        /* the next one to open */
    uint64_t passes;    /* left, the one at hand included */
    bool open;
    int fd;
    char *chunk; /* what was read last, and how much of it is used up */
    size_t at, end;
    char *word; /* the beginning of a word that may go on in the next chunk */
    size_t length, capacity;
    uint64_t bytes, of_bytes; /* read so far, of how many */
    char error[512];
};

enum words_step {
    WORDS_ONE,   /* a word */
    WORDS_PAUSE, /* none yet, but a chunk was read: a good moment to let others work */
    WORDS_END,   /* there are no more; further calls say the same */
    WORDS_ERROR  /* words->error says why */
};

/* `patterns` are names of files or globs. On false `words->error` says why; words_close either way. */
bool words_open(struct words *words, const char *const *patterns, uint32_t count, size_t first,
                size_t step, uint64_t passes);

/* A run of ASCII letters, in lower case; valid until the next call. Reads at most one chunk. */
enum words_step words_next(struct words *words, const char **word);

/* Copes with a half-opened one, and with all zero. */
void words_close(struct words *words);

#endif
