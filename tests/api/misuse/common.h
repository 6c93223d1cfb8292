/* Messages and actors for the mistakes. */
#ifndef MISUSE_COMMON_H
#define MISUSE_COMMON_H

#include <troupe.h>

#define COUNT_FIELDS(field) field(str, word) field(u64, n)
TROUPE_MESSAGE(count, COUNT_FIELDS)
#define LOOKUP_FIELDS(field) field(str, word) field(u32, limit)
TROUPE_MESSAGE(lookup, LOOKUP_FIELDS)
#define FOUND_FIELDS(field) field(u64, n)
TROUPE_MESSAGE(found, FOUND_FIELDS)

struct counter {
    uint64_t sum;
    troupe_address other;
};

#endif
