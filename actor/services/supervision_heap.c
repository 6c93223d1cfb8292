/*
 * Heaps of a supervisor's children: whoever is first in some order comes out first, and anybody may leave at
 * any time, in O(log n). A child knows its place in each, so nothing is searched. Room is made when a child is
 * added, so that events allocate nothing.
 */
#include "services/supervision_parts.h"

#include <stdlib.h>

/* Of those that are due at one moment the leftmost comes first, too. */
static bool precedes(enum tr_heap_kind kind, const struct tr_supervised *a, const struct tr_supervised *b) {
    return kind == TR_HEAP_DUE && a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct tr_supervision *s, enum tr_heap_kind kind, uint32_t at, struct tr_supervised *child) {
    s->heaps[kind].items[at] = child;
    child->place[kind] = at + 1;
    s->steps++;
}

/* `at` is free: the child goes there, or further up. */
static void rise(struct tr_supervision *s, enum tr_heap_kind kind, uint32_t at, struct tr_supervised *child) {
    struct tr_supervised **items = s->heaps[kind].items;
    for (; at > 0 && precedes(kind, child, items[(at - 1) / 2]); at = (at - 1) / 2)
        put(s, kind, at, items[(at - 1) / 2]);
    put(s, kind, at, child);
}

/* The lesser child of a place; its own index if it has none. */
static uint32_t lesser(const struct tr_heap *heap, enum tr_heap_kind kind, uint32_t at) {
    uint32_t left = 2 * at + 1, right = left + 1;
    if (left >= heap->count) return at;
    if (right >= heap->count) return left;
    return precedes(kind, heap->items[right], heap->items[left]) ? right : left;
}

/* `at` is free: the child goes there, or further down. */
static void sink(struct tr_supervision *s, enum tr_heap_kind kind, uint32_t at, struct tr_supervised *child) {
    const struct tr_heap *heap = &s->heaps[kind];
    for (uint32_t next; (next = lesser(heap, kind, at)) != at; at = next) {
        if (precedes(kind, child, heap->items[next])) break;
        put(s, kind, at, heap->items[next]);
    }
    put(s, kind, at, child);
}

/* The last one takes its place, and may belong higher or lower than that. */
static void take_out(struct tr_supervision *s, enum tr_heap_kind kind, struct tr_supervised *child) {
    struct tr_heap *heap = &s->heaps[kind];
    uint32_t at = child->place[kind] - 1;
    struct tr_supervised *last = heap->items[--heap->count];
    child->place[kind] = 0;
    if (last == child) return;
    rise(s, kind, at, last);
    sink(s, kind, last->place[kind] - 1, last);
}

void tr_heap_set(struct tr_supervision *s, enum tr_heap_kind kind, struct tr_supervised *child, bool in) {
    struct tr_heap *heap = &s->heaps[kind];
    if (in == (child->place[kind] != 0)) return;
    tr_assert(!in || heap->count < heap->space);
    if (in) rise(s, kind, heap->count++, child);
    else take_out(s, kind, child);
}

struct tr_supervised *tr_heap_first(const struct tr_supervision *s, enum tr_heap_kind kind) {
    return s->heaps[kind].count == 0 ? NULL : s->heaps[kind].items[0];
}

static bool grow(struct tr_heap *heap, uint32_t count) {
    if (heap->space >= count) return true;
    uint32_t space = heap->space == 0 ? 16 : heap->space;
    while (space < count) space *= 2;
    struct tr_supervised **items = realloc(heap->items, space * sizeof(struct tr_supervised *));
    if (items == NULL) return false;
    heap->items = items;
    heap->space = space;
    return true;
}

bool tr_heap_reserve(struct tr_supervision *s, uint32_t count) {
    for (int i = 0; i < TR_HEAPS; i++)
        if (!grow(&s->heaps[i], count)) return false;
    return true;
}
