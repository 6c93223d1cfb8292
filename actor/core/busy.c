#include "core/busy.h"

enum { MOST = TR_BUSY_CELLS / 4 * 3 }; /* so that looking for one that is not there ends soon */

/* Its place, or the free one where it belongs. One of an earlier generation gives its place to the next. */
static struct tr_busy_cell *place_of(struct tr_busy *busy, uint64_t cell) {
    uint32_t slot = (uint32_t)(cell >> 32), at = slot * 2654435769u >> 20;
    while (busy->cells[at % TR_BUSY_CELLS].cell != 0 && busy->cells[at % TR_BUSY_CELLS].cell >> 32 != slot) at++;
    return &busy->cells[at % TR_BUSY_CELLS];
}

void tr_busy_add(struct tr_busy *busy, uint64_t cell, int64_t time) {
    pthread_mutex_lock(&busy->lock);
    busy->total += time;
    struct tr_busy_cell *place = place_of(busy, cell);
    if (place->cell == 0 && busy->used < MOST) busy->used++;
    else if (place->cell == 0) place = NULL;
    if (place != NULL && place->cell != cell) *place = (struct tr_busy_cell){ .cell = cell };
    if (place != NULL) place->time += time;
    pthread_mutex_unlock(&busy->lock);
}

int64_t tr_busy_of(struct tr_busy *busy, uint64_t cell) {
    pthread_mutex_lock(&busy->lock);
    const struct tr_busy_cell *place = place_of(busy, cell);
    int64_t time = place->cell == cell ? place->time : 0;
    pthread_mutex_unlock(&busy->lock);
    return time;
}

int64_t tr_busy_total(struct tr_busy *busy) {
    pthread_mutex_lock(&busy->lock);
    int64_t total = busy->total;
    pthread_mutex_unlock(&busy->lock);
    return total;
}
