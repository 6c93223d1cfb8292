/* FNV-1a, 64 bits: for tables and fingerprints. Not for keys that an enemy chooses. */
#ifndef TR_HASH_H
#define TR_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TR_HASH_START UINT64_C(0xcbf29ce484222325)

/* Goes on from `hash`, so that a hash can be taken in parts; begin with TR_HASH_START. */
static inline uint64_t tr_hash_add(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = (const uint8_t *)data;
    for (size_t i = 0; i < size; i++) {
        hash ^= bytes[i];
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

static inline uint64_t tr_hash(const void *data, size_t size) {
    return tr_hash_add(TR_HASH_START, data, size);
}

static inline uint64_t tr_hash_text(const char *text) { return tr_hash(text, strlen(text)); }

#endif
