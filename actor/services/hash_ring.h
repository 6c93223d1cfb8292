/*
 * Consistent hashing: which member a key belongs to.
 *
 * Each member has a number of points on a circle of 32 bits, by its address alone; a key belongs to the member whose
 * point comes next. So a member that comes takes, of each of the others, about the same share of keys, and no other
 * key moves; and one that goes gives its keys to all the others.
 */
#ifndef TR_HASH_RING_H
#define TR_HASH_RING_H

#include <troupe/message.h>

enum { TR_RING_MEMBERS = 1024, TR_RING_POINTS = 64 };

struct tr_ring_point {
    uint32_t at;
    troupe_address member;
};

/* All zero is empty. Large: what is not used of it is not touched. */
struct tr_hash_ring {
    uint32_t count; /* of points */
    bool sorted;    /* they are, since the last that was added */
    struct tr_ring_point points[TR_RING_MEMBERS * TR_RING_POINTS];
};

/* A member that is not in it yet; there is room. */
void tr_ring_add(struct tr_hash_ring *ring, troupe_address member);
void tr_ring_remove(struct tr_hash_ring *ring, troupe_address member);
/* No address: there are no members. */
troupe_address tr_ring_find(struct tr_hash_ring *ring, uint64_t key);

/* Of the field `name` of a message. False: it has none, or of a kind that is no key: a message, an array. */
bool tr_ring_key(const struct troupe_message_type *type, const void *message, const char *name, uint64_t *key);

#endif
