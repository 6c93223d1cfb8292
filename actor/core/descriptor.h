/* Descriptors that messages own: each is closed exactly once, by whoever has it last. Any thread. */
#ifndef TR_DESCRIPTOR_H
#define TR_DESCRIPTOR_H

#include <troupe/message.h>

/* A duplicate, closed on exec, above the standard ones. -1: `*status` is INVALID (it is not open) or LIMIT. */
int tr_descriptor_duplicate(int descriptor, enum troupe_status *status);
/* Less than 0 is none. */
void tr_descriptor_close(int descriptor);
void tr_descriptors_close(const int *descriptors, uint32_t count);

/* How many of the process's descriptors Troupe may use to save copies: half, so that a program finds some. The kernel
 * gives the lowest number that is free, so a number tells how many there are. */
int tr_descriptors_ours(void);

#endif
