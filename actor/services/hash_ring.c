#include "services/hash_ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"

/* ---- Points ---- */

static int by_place(const void *a, const void *b) {
    const struct tr_ring_point *left = a, *right = b;
    if (left->at != right->at) return left->at < right->at ? -1 : 1;
    return memcmp(&left->member, &right->member, sizeof left->member); /* the same on every node */
}

/* Without padding: an address is hashed as it lies there. */
_Static_assert(sizeof(troupe_address) == 16, "an address has no gaps");

/* Many may come at once: they are sorted when somebody asks. */
void tr_ring_add(struct tr_hash_ring *ring, troupe_address member) {
    uint64_t seed = tr_hash(&member, sizeof member);
    ring->sorted = false;
    for (uint32_t i = 0; i < TR_RING_POINTS; i++)
        ring->points[ring->count++] = (struct tr_ring_point){ (uint32_t)(tr_random_mix(&seed) >> 32), member };
}

void tr_ring_remove(struct tr_hash_ring *ring, troupe_address member) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ring->count; i++)
        if (!troupe_address_equal(ring->points[i].member, member)) ring->points[kept++] = ring->points[i];
    ring->count = kept;
}

static void sort(struct tr_hash_ring *ring) {
    if (!ring->sorted) qsort(ring->points, ring->count, sizeof ring->points[0], by_place);
    ring->sorted = true;
}

troupe_address tr_ring_find(struct tr_hash_ring *ring, uint64_t key) {
    uint32_t at = (uint32_t)(tr_random_mix(&key) >> 32), low = 0, high = ring->count;
    if (ring->count == 0) return (troupe_address){ 0 };
    sort(ring);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ring->points[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return ring->points[low == ring->count ? 0 : low].member;
}

/* ---- Keys ---- */

static size_t size_of(enum troupe_kind kind) {
    switch (kind) {
    case TROUPE_KIND_I8:
    case TROUPE_KIND_U8:
    case TROUPE_KIND_BOOL: return 1;
    case TROUPE_KIND_I16:
    case TROUPE_KIND_U16: return 2;
    case TROUPE_KIND_I32:
    case TROUPE_KIND_U32: return 4;
    case TROUPE_KIND_I64:
    case TROUPE_KIND_U64:
    case TROUPE_KIND_F64: return 8;
    case TROUPE_KIND_ADDRESS: return sizeof(troupe_address);
    case TROUPE_KIND_STR:
    case TROUPE_KIND_BYTES:
    case TROUPE_KIND_MESSAGE:
    case TROUPE_KIND_DESCRIPTOR:
    case TROUPE_KIND_COUNT: break;
    }
    return 0;
}

static const struct troupe_field *field_of(const struct troupe_message_type *type, const char *name) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    for (uint32_t i = 0; i < type->field_count; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

bool tr_ring_key(const struct troupe_message_type *type, const void *message, const char *name, uint64_t *key) {
    const struct troupe_field *field = field_of(type, name);
    if (field == NULL || field->array) return false;
    if (field->kind == TROUPE_KIND_MESSAGE || field->kind == TROUPE_KIND_DESCRIPTOR) return false;
    const uint8_t *at = (const uint8_t *)message + field->offset;
    const void *data = at;
    size_t size = size_of(field->kind);
    if (field->kind == TROUPE_KIND_STR) {
        memcpy(&data, at, sizeof data);
        size = strlen(data);
    } else if (field->kind == TROUPE_KIND_BYTES) {
        struct troupe_bytes bytes;
        memcpy(&bytes, at, sizeof bytes);
        data = bytes.data;
        size = bytes.size;
    }
    *key = tr_hash(data, size);
    return true;
}
