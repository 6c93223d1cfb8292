/*
 * Buffers: large data that messages share instead of copying it.
 *
 * Between the actors of one node, a part of a message of TROUPE_SHARED_SIZE bytes or more (the data of a
 * `bytes`, a `str` with its terminator, the items of an array without pointers) is never copied twice. If
 * it lies within a buffer, anywhere, the message refers to that buffer. If it lies elsewhere, the send
 * copies it into a new buffer, and that is the last copy: a handler that sends on what its message
 * points to copies nothing, however often it does.
 *
 *     TROUPE_ON(reader, next) {
 *         void *block = troupe_buffer(self, BLOCK);               one reference, this actor's
 *         if (block == NULL) return TROUPE_NO_MEMORY;
 *         size_t size = fread(block, 1, BLOCK, me->file);
 *         enum troupe_status status = troupe_send(self, me->to, chunk, .data = { block, (uint32_t)size });
 *         troupe_buffer_release(self, block);                     the message has its own
 *         return status;
 *     }
 *
 * What was sent once must not be written to any more: receivers read the same memory, on other threads.
 *
 * To another process of this machine such a part goes in shared memory (a sealed memfd): it is written there once, and
 * read there by the receiver, in a buffer that nobody can write to. A buffer that is sent whole, and one that came so,
 * is not written again for the next process. What a message has of array(message(...)), more than 16 parts, and
 * all of it when half of the process's descriptors are in use, is packed in line instead. By tcp and inproc all is.
 *
 * The parts of one message count as its size, shared or not: 16 MiB in all. A buffer may be larger, and
 * messages carry parts of it.
 */
#ifndef TROUPE_BUFFER_H
#define TROUPE_BUFFER_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes from which on a part of a message is shared. */
enum { TROUPE_SHARED_SIZE = 64 * 1024 };

/* A new buffer of `size` bytes, not initialised, aligned for any type; the caller holds one reference. It
 * belongs to nobody in particular: it outlives the run that made it, and one that is never released is
 * counted in the log when its process ends. NULL: no memory. */
void *troupe_buffer(troupe_self *self, size_t size) TROUPE_MUST_USE;

/* Keeps `size` bytes that a message points to beyond the end of its handler: returns where they are from
 * then on, to be given to troupe_buffer_release once. Within a buffer that is `data` itself and nothing is
 * copied; anything else is copied into a new buffer. NULL: no memory, or there are no such bytes (`data` is
 * NULL). */
const void *troupe_buffer_keep(troupe_self *self, const void *data, size_t size) TROUPE_MUST_USE;

/* Gives up a reference of troupe_buffer or troupe_buffer_keep: `data` is any address within the buffer; its
 * memory goes when no message refers to it either. NULL is fine. INVALID: not within a buffer, or released
 * more often than it was taken; then nothing has changed. References have no owner: who gives up one too many
 * takes it from another actor that keeps the same buffer. */
enum troupe_status troupe_buffer_release(troupe_self *self, const void *data);

/* The same for a pointer that is set to NULL with it: what was sent is the receivers' from then on, and who touches it
 * by mistake is found out at once. Node's transferList. If it is not OK, nothing has changed. */
static inline enum troupe_status troupe_buffer_forget(troupe_self *self, void **data) {
    enum troupe_status status = troupe_buffer_release(self, *data);
    if (status == TROUPE_OK) *data = NULL;
    return status;
}

/* The buffers of a process. A pipeline that passes data on makes none. */
struct troupe_buffer_counts {
    uint64_t live;  /* that somebody refers to: the program, or a message */
    uint64_t bytes; /* of these together */
    uint64_t made;  /* since the start */
};

#ifdef __cplusplus
}
#endif
#endif
