/*
 * Linear probing. Removal moves later cells of the run back into the hole, so that there are no
 * tombstones and a table that lives for months stays as fast as a new one.
 */
#include "transport/endpoints.h"

#include <stdlib.h>

#include "base/assert.h"

enum { FIRST_SIZE = 16 };

struct tr_endpoints_cell {
    struct tr_endpoint key;
    uint32_t taken; /* the channel + 1; 0: free */
};

static bool same(struct tr_endpoint a, struct tr_endpoint b) {
    return a.slot == b.slot && a.generation == b.generation;
}

static uint32_t home(const struct tr_endpoints *table, struct tr_endpoint key) {
    uint64_t both = (uint64_t)key.generation << 32 | key.slot;
    return (uint32_t)((both * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (table->size - 1);
}

/* The cell of the key, or the free one where it belongs. */
static uint32_t probe(const struct tr_endpoints *table, struct tr_endpoint key) {
    uint32_t at = home(table, key);
    while (table->cells[at].taken != 0 && !same(table->cells[at].key, key))
        at = (at + 1) & (table->size - 1);
    return at;
}

uint32_t tr_endpoints_find(const struct tr_endpoints *table, struct tr_endpoint key) {
    if (table->count == 0) return UINT32_MAX;
    return table->cells[probe(table, key)].taken - 1; /* 0 - 1: none */
}

static bool grow(struct tr_endpoints *table) {
    struct tr_endpoints larger = { .size = table->size == 0 ? FIRST_SIZE : table->size * 2,
                                   .count = table->count };
    larger.cells = calloc(larger.size, sizeof *larger.cells);
    if (larger.cells == NULL) return false;
    for (uint32_t i = 0; i < table->size; i++)
        if (table->cells[i].taken != 0)
            larger.cells[probe(&larger, table->cells[i].key)] = table->cells[i];
    free(table->cells);
    *table = larger;
    return true;
}

bool tr_endpoints_add(struct tr_endpoints *table, struct tr_endpoint key, uint32_t channel) {
    if (table->count * 2 >= table->size && !grow(table)) return false;
    uint32_t at = probe(table, key);
    tr_assert(table->cells[at].taken == 0);
    table->cells[at] = (struct tr_endpoints_cell){ key, channel + 1 };
    table->count++;
    return true;
}

/* Whether a cell at `at` may move back to `hole`: its home is not in between. */
static bool may_move(const struct tr_endpoints *table, uint32_t at, uint32_t hole) {
    uint32_t mask = table->size - 1;
    return ((at - home(table, table->cells[at].key)) & mask) >= ((at - hole) & mask);
}

void tr_endpoints_remove(struct tr_endpoints *table, struct tr_endpoint key) {
    tr_assert(table->count > 0);
    uint32_t hole = probe(table, key);
    tr_assert(table->cells[hole].taken != 0);
    for (uint32_t at = (hole + 1) & (table->size - 1); table->cells[at].taken != 0;
         at = (at + 1) & (table->size - 1)) {
        if (!may_move(table, at, hole)) continue;
        table->cells[hole] = table->cells[at];
        hole = at;
    }
    table->cells[hole].taken = 0;
    table->count--;
}

void tr_endpoints_free(struct tr_endpoints *table) {
    free(table->cells);
    *table = (struct tr_endpoints){ 0 };
}
