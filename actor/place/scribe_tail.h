/*
 * The last words of a process: what it wrote to standard error before it ended, kept for the report of its
 * death. Its last lines, and apart from them the calls that led to a crash (core/crash.h). Pure.
 */
#ifndef TR_SCRIBE_TAIL_H
#define TR_SCRIBE_TAIL_H

#include <stdbool.h>
#include <stddef.h>

enum { TR_TAIL_LINES = 8, TR_TAIL_SIZE = 1024, TR_TAIL_CRASH = 2048 };

/* Zero is empty. The texts are terminated, their lines separated by line feeds. */
struct tr_tail {
    char output[TR_TAIL_SIZE]; /* at most TR_TAIL_LINES; of a longer line the beginning */
    unsigned lines;
    char crash[TR_TAIL_CRASH]; /* as many frames as fit */
    bool crashing;             /* between the two marks */
    unsigned frames;
};

/* Takes a line, with its line feed. True: it is for people; false: it belongs to a crash, and is only kept. */
bool tr_tail_add(struct tr_tail *tail, const char *line, size_t size);

#endif
