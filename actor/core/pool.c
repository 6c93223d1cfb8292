#include "core/pool.h"

#include <stdbool.h>
#include <stdlib.h>

/* The sanitizer of addresses is to see every use of a block that was freed. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TR_POOL_OFF 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TR_POOL_OFF 1
#endif

static const size_t sizes[TR_POOL_SIZES] = { 96, 128, 256 };

void tr_depot_init(struct tr_depot *depot) {
    *depot = (struct tr_depot){ .count = { 0 } };
    pthread_mutex_init(&depot->lock, NULL);
}

static void free_blocks(struct tr_pool_block *block) {
    while (block != NULL) {
        struct tr_pool_block *next = block->next;
        free(block);
        block = next;
    }
}

void tr_depot_free(struct tr_depot *depot) {
    for (uint32_t i = 0; i < TR_POOL_SIZES; i++)
        while (depot->pieces[i] != NULL) {
            struct tr_pool_block *piece = depot->pieces[i];
            depot->pieces[i] = piece->next_piece;
            free_blocks(piece);
        }
    pthread_mutex_destroy(&depot->lock);
}

void tr_pool_free(struct tr_pool *pool) {
    for (uint32_t i = 0; i < TR_POOL_SIZES; i++) {
        free_blocks(pool->sizes[i].blocks);
        free_blocks(pool->sizes[i].piece);
        pool->sizes[i].blocks = pool->sizes[i].piece = NULL;
        pool->sizes[i].count = 0;
    }
}

/* ---- The depot ---- */

static struct tr_pool_block *depot_take(struct tr_depot *depot, uint32_t size) {
    pthread_mutex_lock(&depot->lock);
    struct tr_pool_block *piece = depot->pieces[size];
    if (piece != NULL) {
        depot->pieces[size] = piece->next_piece;
        depot->count[size]--;
    }
    pthread_mutex_unlock(&depot->lock);
    return piece;
}

static void depot_give(struct tr_depot *depot, uint32_t size, struct tr_pool_block *piece) {
    pthread_mutex_lock(&depot->lock);
    bool room = depot->count[size] < TR_POOL_PIECES;
    if (room) {
        piece->next_piece = depot->pieces[size];
        depot->pieces[size] = piece;
        depot->count[size]++;
    }
    pthread_mutex_unlock(&depot->lock);
    if (!room) free_blocks(piece);
}

/* ---- The worker's own ---- */

/* Blocks to take from; false: there are none. */
static bool refill(struct tr_pool *pool, uint32_t size) {
    struct tr_pool_block *piece = pool->sizes[size].piece;
    pool->sizes[size].piece = NULL;
    if (piece == NULL) piece = depot_take(pool->depot, size);
    if (piece == NULL) return false;
    pool->sizes[size].blocks = piece;
    pool->sizes[size].count = TR_POOL_PIECE;
    return true;
}

static void put_aside(struct tr_pool *pool, uint32_t size) {
    if (pool->sizes[size].piece != NULL) depot_give(pool->depot, size, pool->sizes[size].piece);
    pool->sizes[size].piece = pool->sizes[size].blocks;
    pool->sizes[size].blocks = NULL;
    pool->sizes[size].count = 0;
}

static void *take(struct tr_pool *pool, uint32_t size) {
    if (pool->sizes[size].blocks == NULL && !refill(pool, size)) return malloc(sizes[size]);
    struct tr_pool_block *block = pool->sizes[size].blocks;
    pool->sizes[size].blocks = block->next;
    pool->sizes[size].count--;
    return block;
}

void *tr_pool_take(struct tr_pool *pool, size_t size, uint8_t *kind) {
    uint32_t at = 0;
    *kind = 0;
#ifdef TR_POOL_OFF
    pool = NULL;
#endif
    while (at < TR_POOL_SIZES && sizes[at] < size) at++;
    if (pool == NULL || at == TR_POOL_SIZES) return malloc(size);
    *kind = (uint8_t)(at + 1);
    return take(pool, at);
}

void tr_pool_give(struct tr_pool *pool, void *memory, uint8_t kind) {
    if (kind == 0 || pool == NULL) {
        free(memory);
        return;
    }
    uint32_t size = kind - 1u;
    struct tr_pool_block *block = memory;
    if (pool->sizes[size].count == TR_POOL_PIECE) put_aside(pool, size);
    block->next = pool->sizes[size].blocks;
    pool->sizes[size].blocks = block;
    pool->sizes[size].count++;
}
