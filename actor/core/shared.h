/* What is in a region of include/troupe/shared.h, and the futexes on its words. */
#ifndef TR_SHARED_H
#define TR_SHARED_H

#include <stdatomic.h>
#include <troupe/shared.h>

/* The word at this offset. NULL: there is none. */
const _Atomic uint32_t *tr_shared_word(const troupe_shared *region, size_t offset);

/* Wakes so many that wait at a word of a region; 0 wakes nobody. How many there were. */
int64_t tr_shared_wake(const _Atomic uint32_t *word, uint32_t count);

#endif
