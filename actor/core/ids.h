/* A table that gives out 64-bit ids for pointers: {serial, index}, so that a late id is known as late.
 * For one cell's timers and asks; used by the cell's run only. Zero-initialised is empty. */
#ifndef TR_IDS_H
#define TR_IDS_H

#include <stdint.h>

struct tr_id_entry {
    void *value; /* NULL: free */
    uint32_t serial;
    uint32_t next_free; /* index + 1; 0: none */
};

struct tr_ids {
    struct tr_id_entry *entries;
    uint32_t size, count;
    uint32_t free; /* index + 1; 0: none */
    uint32_t first_serial; /* before which no serial is given out */
};

/* 0: no memory. `value` is not NULL. */
uint64_t tr_ids_add(struct tr_ids *ids, void *value);
void *tr_ids_find(const struct tr_ids *ids, uint64_t id);
/* What was there; NULL: nothing. */
void *tr_ids_remove(struct tr_ids *ids, uint64_t id);
void tr_ids_free(struct tr_ids *ids);

#endif
