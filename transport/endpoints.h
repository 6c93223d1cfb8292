/* A hash table from endpoint to the number of its channel. Open addressing, at most half full. */
#ifndef TR_ENDPOINTS_H
#define TR_ENDPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "transport/peer.h"

struct tr_endpoints {
    struct tr_endpoints_cell *cells; /* NULL while empty */
    uint32_t size;                   /* a power of two */
    uint32_t count;
};

/* UINT32_MAX: none. */
uint32_t tr_endpoints_find(const struct tr_endpoints *table, struct tr_endpoint key);
/* The key is not in the table yet. False: no memory; nothing changed. */
bool tr_endpoints_add(struct tr_endpoints *table, struct tr_endpoint key, uint32_t channel);
/* The key is in the table. */
void tr_endpoints_remove(struct tr_endpoints *table, struct tr_endpoint key);
/* Empties the table and gives its memory back. */
void tr_endpoints_free(struct tr_endpoints *table);

#endif
