/*
 * Memory for what is sent: blocks of a few sizes that are kept for the next message instead of being given
 * back to the C library.
 *
 * Messages are allocated by the worker that sends and freed by the one that handles: a general allocator
 * either moves each of them back under a lock or lets them pile up on the wrong side. Here a worker puts
 * what it frees on a stack of its own and takes from there. What it has too much of goes to the node's
 * depot, and what it lacks comes from there, in pieces of many blocks: one lock for all of them.
 *
 * Each block is one of malloc's, so that whoever has no worker at hand may simply free() it.
 */
#ifndef TR_POOL_H
#define TR_POOL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TR_POOL_SIZES = 3,      /* 96, 128 and 256 bytes */
    TR_POOL_PIECE = 64,     /* blocks that move at once */
    TR_POOL_PIECES = 1024,  /* of each size in the depot, at most */
};

struct tr_pool_block {
    struct tr_pool_block *next;       /* in its piece */
    struct tr_pool_block *next_piece; /* of a piece's first block, in the depot */
};

/* Of a node; zero-initialised but for the lock. */
struct tr_depot {
    pthread_mutex_t lock;
    struct tr_pool_block *pieces[TR_POOL_SIZES];
    uint32_t count[TR_POOL_SIZES];
};

/* Of a worker; zero-initialised but for the depot. Two stacks, of which one at most is partly filled: so
 * a worker at the edge does not run to the depot for each block. */
struct tr_pool {
    struct tr_depot *depot;
    struct {
        struct tr_pool_block *blocks;
        struct tr_pool_block *piece; /* a full one, or NULL */
        uint32_t count;              /* of blocks */
    } sizes[TR_POOL_SIZES];
};

void tr_depot_init(struct tr_depot *depot);
void tr_depot_free(struct tr_depot *depot);
/* Gives all that the worker keeps back to the C library. */
void tr_pool_free(struct tr_pool *pool);

/* At least `size` bytes, or NULL. `*kind` is for tr_pool_give; 0 if the block is plain memory (without a
 * pool, or a large one). The owner of the pool, or NULL for no pool. */
void *tr_pool_take(struct tr_pool *pool, size_t size, uint8_t *kind);
/* By the owner of this pool, whosever it was; NULL for no pool. */
void tr_pool_give(struct tr_pool *pool, void *block, uint8_t kind);

#endif
