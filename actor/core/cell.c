#include "core/cell.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>


void tr_cells_init(struct tr_cells *cells, uint32_t reserved, uint32_t limit,
                   uint32_t base_generation) {
    memset(cells, 0, sizeof *cells);
    pthread_mutex_init(&cells->lock, NULL);
    cells->next = reserved;
    cells->limit = limit;
    cells->base_generation = base_generation;
}

/* Segment k holds TR_CELL_FIRST << k cells, so that the table grows without ever moving one. */
static uint32_t segment_of(uint32_t slot, uint32_t *offset) {
    uint64_t place = (uint64_t)slot + TR_CELL_FIRST;
    uint32_t segment = (uint32_t)(63 - __builtin_clzll(place)) - 6;
    *offset = (uint32_t)(place - ((uint64_t)TR_CELL_FIRST << segment));
    return segment;
}

static size_t segment_bytes(uint32_t segment) {
    return ((size_t)TR_CELL_FIRST << segment) * sizeof(struct tr_cell);
}

void tr_cells_free(struct tr_cells *cells) {
    for (uint32_t i = 0; i < TR_CELL_SEGMENTS; i++) {
        struct tr_cell *segment = atomic_load(&cells->segments[i]);
        if (segment != NULL) munmap(segment, segment_bytes(i));
    }
    free(cells->free);
    pthread_mutex_destroy(&cells->lock);
}

struct tr_cell *tr_cells_at(struct tr_cells *cells, uint32_t slot) {
    uint32_t offset, number = segment_of(slot, &offset);
    if (number >= TR_CELL_SEGMENTS) return NULL;
    struct tr_cell *segment =
        atomic_load_explicit(&cells->segments[number], memory_order_acquire);
    return segment == NULL ? NULL : segment + offset;
}

/* Of many actors, each is found by its address alone: with small pages, that is one more miss for each. */
static void advise(void *memory, size_t size) {
    enum { HUGE_PAGE = 2 * 1024 * 1024 };
    if (size >= 2 * HUGE_PAGE) (void)madvise(memory, size, MADV_HUGEPAGE);
}

static struct tr_cell *make_locked(struct tr_cells *cells, uint32_t slot) {
    uint32_t offset, number = segment_of(slot, &offset);
    struct tr_cell *cell = tr_cells_at(cells, slot);
    if (cell == NULL) {
        if (slot >= cells->limit || number >= TR_CELL_SEGMENTS) return NULL;
        void *memory = mmap(NULL, segment_bytes(number), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return NULL;
        advise(memory, segment_bytes(number));
        atomic_store_explicit(&cells->segments[number], memory, memory_order_release);
        cell = (struct tr_cell *)memory + offset;
    }
    if (cell->wake.kind == TR_LINK_WAKE) return cell; /* in use before: its consumer may be reading */
    cell->slot = slot;
    cell->guard.kind = cell->wake.kind = TR_LINK_WAKE;
    return cell;
}

struct tr_cell *tr_cells_make(struct tr_cells *cells, uint32_t slot) {
    pthread_mutex_lock(&cells->lock);
    struct tr_cell *cell = make_locked(cells, slot);
    pthread_mutex_unlock(&cells->lock);
    return cell;
}

/* A slot used for the first time begins with a generation that no earlier incarnation gave out. */
static struct tr_cell *take_new(struct tr_cells *cells) {
    if (cells->next >= cells->limit) return NULL;
    struct tr_cell *cell = make_locked(cells, cells->next);
    if (cell == NULL) return NULL;
    cells->next++;
    tr_cell_set_generation(cell, cells->base_generation + 1);
    return cell;
}

static struct tr_cell *take_shared(struct tr_cells *cells, enum troupe_status *status) {
    pthread_mutex_lock(&cells->lock);
    struct tr_cell *cell = cells->free_count > 0
                               ? tr_cells_at(cells, cells->free[--cells->free_count])
                               : take_new(cells);
    *status = cell != NULL ? TROUPE_OK
              : cells->next >= cells->limit ? TROUPE_LIMIT : TROUPE_NO_MEMORY;
    pthread_mutex_unlock(&cells->lock);
    return cell;
}

struct tr_cell *tr_cells_take(struct tr_cells *cells, struct tr_slots *slots,
                              enum troupe_status *status) {
    if (slots == NULL || slots->count == 0) return take_shared(cells, status);
    *status = TROUPE_OK;
    return slots->items[--slots->count];
}

struct tr_cell *tr_cells_take_unused(struct tr_cells *cells) {
    pthread_mutex_lock(&cells->lock);
    struct tr_cell *cell = take_new(cells);
    pthread_mutex_unlock(&cells->lock);
    return cell;
}

static bool grow_free(struct tr_cells *cells) {
    uint32_t size = cells->free_size == 0 ? 2 * TR_SLOTS_AT_HAND : cells->free_size * 2;
    uint32_t *list = realloc(cells->free, size * sizeof *list);
    if (list == NULL) return false;
    cells->free = list;
    cells->free_size = size;
    return true;
}

/* Without memory for the list the slots are not used again: lost, but nothing else is. */
static void release_shared(struct tr_cells *cells, struct tr_cell *const *unused, uint32_t count) {
    pthread_mutex_lock(&cells->lock);
    for (uint32_t i = 0; i < count; i++)
        if (cells->free_count < cells->free_size || grow_free(cells))
            cells->free[cells->free_count++] = unused[i]->slot;
    pthread_mutex_unlock(&cells->lock);
}

void tr_cells_release(struct tr_cells *cells, struct tr_slots *slots, struct tr_cell *cell) {
    if (slots == NULL) {
        release_shared(cells, &cell, 1);
        return;
    }
    if (slots->count == TR_SLOTS_AT_HAND) {
        slots->count /= 2;
        release_shared(cells, slots->items + slots->count, TR_SLOTS_AT_HAND / 2);
    }
    slots->items[slots->count++] = cell;
}

struct tr_cell *tr_cells_next(struct tr_cells *cells, uint32_t *slot) {
    for (; *slot < cells->next; (*slot)++) {
        struct tr_cell *cell = tr_cells_at(cells, *slot);
        if (cell != NULL && atomic_load(&cell->generation) != 0) {
            (*slot)++;
            return cell;
        }
    }
    return NULL;
}

struct tr_cell_more *tr_cell_more(struct tr_cell *cell) {
    if (cell->more == NULL) cell->more = calloc(1, sizeof *cell->more);
    return cell->more;
}

static char *place_string(char **memory, const char *text) {
    if (text == NULL) return NULL;
    char *copy = *memory;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *memory += size;
    return copy;
}

struct tr_notice *tr_notice_start(struct tr_pool *pool, const struct tr_run_spec *start,
                                  uint32_t generation) {
    uint8_t memory_kind;
    size_t strings = (start->path == NULL ? 0 : strlen(start->path) + 1) +
                     (start->name == NULL ? 0 : strlen(start->name) + 1);
    struct tr_order *order = tr_pool_take(pool, sizeof *order + strings, &memory_kind);
    if (order == NULL) return NULL;
    char *memory = (char *)(order + 1);
    *order = (struct tr_order){
        .notice = { .kind = TR_NOTICE_START, .memory = memory_kind, .generation = generation }, .start = *start
    };
    order->start.path = place_string(&memory, start->path);
    order->start.name = place_string(&memory, start->name);
    return &order->notice;
}

void tr_notice_free(struct tr_pool *pool, struct tr_notice *notice) {
    struct tr_run_spec *start = &tr_order_of(notice)->start;
    if (start->args != NULL) tr_message_recycle(pool, start->args);
    free(start->more);
    free(start->saved);
    tr_pool_give(pool, notice, notice->memory);
}
