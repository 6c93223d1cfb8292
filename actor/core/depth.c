#include "core/depth.h"

void tr_cell_saw(struct tr_cell *cell, uint32_t depth) {
    uint32_t limit = atomic_load_explicit(&cell->limit, memory_order_relaxed);
    uint32_t mark = atomic_load_explicit(&cell->high_water, memory_order_relaxed);
    if (depth > limit) depth = limit;
    while (depth > mark && !atomic_compare_exchange_weak(&cell->high_water, &mark, depth)) {
    }
}

enum troupe_status tr_mailbox_info(struct tr_node *node, troupe_address address,
                                   struct troupe_mailbox_info *info) {
    if (info == NULL) return TROUPE_INVALID;
    *info = (struct troupe_mailbox_info){ 0 };
    if (troupe_address_is_none(address)) return TROUPE_GONE;
    if (address.node != node->id) return TROUPE_INVALID;
    struct tr_cell *cell = tr_cells_at(&node->cells, address.slot);
    bool valid = cell != NULL && address.generation != 0 &&
                 atomic_load(&cell->generation) == address.generation;
    if (!valid) return TROUPE_GONE;
    uint32_t depth = tr_cell_depth(cell);
    tr_cell_saw(cell, depth);
    info->limit = atomic_load(&cell->limit);
    info->waiting = depth < info->limit ? depth : info->limit;
    info->high_water = atomic_load(&cell->high_water);
    info->refused = atomic_load(&cell->refused);
    return TROUPE_OK;
}

enum troupe_status troupe_mailbox(const troupe_self *self, troupe_address address,
                                  struct troupe_mailbox_info *info) {
    return tr_mailbox_info(self->worker->node, address, info);
}
