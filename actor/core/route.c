#include "core/route.h"

static uint32_t first_place(uint64_t node) {
    return (uint32_t)((node * UINT64_C(0x9E3779B97F4A7C15)) >> 54) % TR_MAX_ROUTES;
}

struct tr_route *tr_routes_find(struct tr_routes *routes, uint64_t node) {
    uint32_t place = first_place(node);
    for (uint32_t i = 0; i < TR_MAX_ROUTES; i++, place = (place + 1) % TR_MAX_ROUTES) {
        struct tr_route *route =
            atomic_load_explicit(&routes->items[place], memory_order_acquire);
        if (route == NULL || route->node == node) return route;
    }
    return NULL;
}

bool tr_routes_add(struct tr_routes *routes, struct tr_route *route) {
    uint32_t place = first_place(route->node);
    for (uint32_t i = 0; i < TR_MAX_ROUTES; i++, place = (place + 1) % TR_MAX_ROUTES) {
        if (atomic_load_explicit(&routes->items[place], memory_order_relaxed) != NULL) continue;
        atomic_store_explicit(&routes->items[place], route, memory_order_release);
        return true;
    }
    return false;
}
