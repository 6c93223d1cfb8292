#include "core/source.h"

#include <stdlib.h>

void *tr_source_new(size_t size, const struct tr_source_kind *kind) {
    struct tr_source *source = calloc(1, size);
    if (source == NULL) return NULL; /* errno: ENOMEM */
    source->link.kind = TR_LINK_SOURCE;
    source->kind = kind;
    atomic_store_explicit(&source->references, 1, memory_order_relaxed);
    return source;
}

void tr_source_drop(struct tr_source *source) {
    if (atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) == 1) free(source);
}

bool tr_source_add(struct tr_cell *cell, struct tr_source *source) {
    struct tr_cell_more *more = tr_cell_more(cell);
    source->cell = cell;
    source->id = more == NULL ? 0 : tr_ids_add(&more->sources, source);
    return source->id != 0;
}

struct tr_source *tr_source_find(struct tr_cell *cell, uint64_t id, const struct tr_source_kind *kind) {
    struct tr_source *source = cell->more == NULL ? NULL : tr_ids_find(&cell->more->sources, id);
    return source != NULL && source->kind == kind ? source : NULL;
}

void tr_source_cancel(struct tr_node *node, struct tr_cell *cell, struct tr_source *source) {
    tr_ids_remove(&cell->more->sources, source->id);
    source->cancelled = true;
    source->kind->leave(node, source);
    tr_source_drop(source);
}

void tr_sources_cancel_all(struct tr_node *node, struct tr_cell *cell) {
    if (cell->more == NULL) return;
    struct tr_ids *ids = &cell->more->sources;
    for (uint32_t i = 0; i < ids->size; i++)
        if (ids->entries[i].value != NULL) tr_source_cancel(node, cell, ids->entries[i].value);
}

bool tr_source_happens(struct tr_source *source) {
    if (atomic_exchange(&source->waiting, true)) return false;
    atomic_fetch_add(&source->references, 1);
    return true;
}

bool tr_source_handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    atomic_store(&source->waiting, false);
    bool handled = !source->cancelled && source->kind->handle(worker, cell, source);
    tr_source_drop(source);
    return handled;
}

void tr_source_let_go(struct tr_worker *worker, struct tr_source *source) {
    if (!source->cancelled && source->kind->let_go != NULL) source->kind->let_go(worker, source);
}
