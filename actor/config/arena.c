#include "config/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { BLOCK_SIZE = 16 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct tr_arena_block {
    struct tr_arena_block *older;
    size_t used, size; /* of bytes */
    _Alignas(max_align_t) unsigned char bytes[];
};

static size_t aligned(size_t size) {
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void grow(struct tr_arena *arena, size_t size) {
    size_t wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct tr_arena_block *block = calloc(1, sizeof *block + wanted);
    if (block == NULL) longjmp(arena->out_of_memory, 1);
    block->size = wanted;
    block->older = arena->blocks;
    arena->blocks = block;
}

static size_t left(const struct tr_arena *arena) {
    return arena->blocks == NULL ? 0 : arena->blocks->size - arena->blocks->used;
}

void *tr_arena_take(struct tr_arena *arena, size_t size) {
    if (size > SIZE_MAX / 4) longjmp(arena->out_of_memory, 1);
    size = aligned(size == 0 ? 1 : size);
    if (left(arena) < size) grow(arena, size);
    struct tr_arena_block *block = arena->blocks;
    void *taken = block->bytes + block->used;
    block->used += size;
    tr_assert(block->used <= block->size);
    return taken;
}

void *tr_arena_array(struct tr_arena *arena, size_t count, size_t size) {
    tr_assert(size > 0);
    if (count > SIZE_MAX / 4 / size) longjmp(arena->out_of_memory, 1);
    return tr_arena_take(arena, count * size);
}

void tr_arena_reserve(struct tr_arena *arena, size_t count, size_t size) {
    if (count > SIZE_MAX / 4 / ALIGNMENT || size > SIZE_MAX / 4) longjmp(arena->out_of_memory, 1);
    size_t needed = aligned(size + count * ALIGNMENT);
    if (left(arena) < needed) grow(arena, needed);
}

char *tr_arena_copy(struct tr_arena *arena, const char *text, size_t size) {
    char *copy = tr_arena_take(arena, size + 1);
    if (size > 0) memcpy(copy, text, size);
    return copy;
}

char *tr_arena_vprint(struct tr_arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    tr_assert(size >= 0);
    char *text = tr_arena_take(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

char *tr_arena_print(struct tr_arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = tr_arena_vprint(arena, format, arguments);
    va_end(arguments);
    return text;
}

void tr_arena_free(struct tr_arena *arena) {
    while (arena->blocks != NULL) {
        struct tr_arena_block *older = arena->blocks->older;
        free(arena->blocks);
        arena->blocks = older;
    }
}
