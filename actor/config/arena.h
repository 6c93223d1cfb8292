/*
 * The memory of one configuration: taken piece by piece, released all at once.
 *
 * Never returns NULL: when there is no memory it jumps to `out_of_memory`, which its owner has set
 * with setjmp. So nothing that must be released by hand may be held across an allocation: take what
 * is needed beforehand with tr_arena_reserve, after which that many bytes cannot fail.
 */
#ifndef TR_ARENA_H
#define TR_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

struct tr_arena_block;

struct tr_arena {
    struct tr_arena_block *blocks; /* the newest first: the one that is filled */
    jmp_buf out_of_memory;
};

/* Zero bytes, aligned for anything. */
void *tr_arena_take(struct tr_arena *arena, size_t size);

/* count * size, and no overflow. */
void *tr_arena_array(struct tr_arena *arena, size_t count, size_t size);

/* The next pieces, `count` of them and `size` bytes together, will not fail. */
void tr_arena_reserve(struct tr_arena *arena, size_t count, size_t size);

/* A terminated copy. */
char *tr_arena_copy(struct tr_arena *arena, const char *text, size_t size);

char *tr_arena_print(struct tr_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *tr_arena_vprint(struct tr_arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

void tr_arena_free(struct tr_arena *arena);

#endif
