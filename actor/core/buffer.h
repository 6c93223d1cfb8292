/*
 * Buffers: memory that several messages and actors share, so that what is large is never copied between
 * the actors of one node. See buffer.c for how a pointer is recognised, buffer_file.c for how it is shared
 * with other processes.
 *
 * A buffer lives as long as somebody refers to it: a message (struct tr_shares), or the program, by
 * troupe_buffer and troupe_buffer_keep. The two are counted apart, so that a program that releases too
 * often is told, and takes nothing away from a message.
 *
 * Everything here may be called from any thread.
 */
#ifndef TR_BUFFER_H
#define TR_BUFFER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <troupe/buffer.h>

struct tr_buffer;

/* All buffers of a process: its nodes have them together, so that a thread outside the actors may hold
 * one for longer than a node runs. */
struct tr_buffers {
    pthread_rwlock_t lock; /* for all below */
    void *tree;            /* of tsearch, by address */
    struct troupe_buffer_counts counts;
    int descriptors;       /* those from this number on are left to the program: see buffer_file.c */
};

void tr_buffers_init(struct tr_buffers *buffers);
/* Frees those that are left, too. */
void tr_buffers_free(struct tr_buffers *buffers);
void tr_buffers_count(struct tr_buffers *buffers, struct troupe_buffer_counts *counts);

/* ---- For programs ---- */

/* NULL: no memory. */
void *tr_buffers_make(struct tr_buffers *buffers, size_t size);
const void *tr_buffers_keep(struct tr_buffers *buffers, const void *data, size_t size);
/* INVALID: not within a buffer, or nobody holds it. */
enum troupe_status tr_buffers_release(struct tr_buffers *buffers, const void *data);

/* ---- For messages ---- */

/* What a message refers to, or owns, beside its memory: one of the two. */
struct tr_share {
    struct tr_buffer *buffer;
    int *descriptor; /* the field that has it, within the message; less than 0: none any more */
};

/* All of a message: the end of its allocation. */
struct tr_shares {
    struct tr_buffers *buffers; /* where they are found, and made */
    uint32_t count;
    struct tr_share items[];
};

/* Each adds one to the list, which must have room. NULL: no memory. */
/* Where `data` may be read from as long as the list lives: where it is, if that is within a buffer, else
 * in a copy. */
const void *tr_shares_take(struct tr_shares *shares, const void *data, size_t size);
/* A new buffer, to be filled. */
void *tr_shares_make(struct tr_shares *shares, size_t size);
/* A buffer that is part of a file which another process made: MALFORMED unless that is memory which nobody can
 * change any more, and large enough. The descriptor stays the caller's, or is taken, and -1 then. */
const void *tr_shares_map(struct tr_shares *shares, int *descriptor, uint64_t offset, size_t size,
                          enum troupe_status *status);
/* The message owns the descriptor of this field of its. */
void tr_shares_own(struct tr_shares *shares, int *field);

/* ---- For messages to other processes ---- */

/* A new descriptor, the caller's, of a file that has these bytes from `*offset` on, and will have them for ever. -1:
 * not to be had; then they must travel in another way. */
int tr_buffers_file(struct tr_buffers *buffers, const void *data, size_t size, uint64_t *offset);

/* Releases all, and closes the descriptors. */
void tr_shares_release(struct tr_shares *shares);

#endif
