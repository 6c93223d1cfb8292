/*
 * One end of a connection between two processes of one machine: a unix stream socket, frames in and out, with
 * descriptors beside them. No threads and no waiting: whoever owns it is told by a loop when there is something
 * to read or room to write, and calls.
 *
 * One thread at a time.
 */
#ifndef TR_SOCKET_H
#define TR_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TR_SOCKET_DESCRIPTORS = 64 /* beside one frame, at most; the kernel takes 253 */
};

struct tr_socket;

enum tr_socket_result {
    TR_SOCKET_OK,
    TR_SOCKET_AGAIN,  /* wait for the socket */
    TR_SOCKET_CLOSED, /* the other end is gone */
    TR_SOCKET_BAD     /* what it sends is no frame, or there is no memory */
};

/* Bytes and descriptors are the socket's, until the next call; a descriptor that the caller wants is duplicated, or
 * taken: then its place is set to -1. */
struct tr_socket_frame {
    const uint8_t *bytes;
    size_t size;
    int *descriptors;
    uint32_t count; /* how many were sent with it ... */
    bool complete;  /* ... all of which are here; false: this process had no room for more, and all are -1 */
};

/* Two connected ends: non-blocking, close-on-exec. 0, or -1 with errno. */
int tr_socket_pair(int descriptors[2]);

/* Takes the descriptor. NULL: no memory; then it does not. */
struct tr_socket *tr_socket_new(int descriptor, size_t max_frame);
/* Closes it. NULL is nothing. */
void tr_socket_free(struct tr_socket *socket);

/* One frame; the next after an OK. The descriptors stay the caller's. OK: it is with the kernel. AGAIN: the rest is
 * kept here, and tr_socket_flush sends it; the kernel says when, unless it has too many descriptors on their way:
 * then after a moment (tr_socket_is_late). */
enum tr_socket_result tr_socket_send(struct tr_socket *socket, const uint8_t *bytes, size_t size,
                                     const int *descriptors, uint32_t count);
/* OK: nothing waits, or not any more. */
enum tr_socket_result tr_socket_flush(struct tr_socket *socket);
/* What waits does so for no event: flush again in some milliseconds. */
bool tr_socket_is_late(const struct tr_socket *socket);

/* The next frame that has come. AGAIN: none. CLOSED comes after the last one. */
enum tr_socket_result tr_socket_receive(struct tr_socket *socket, struct tr_socket_frame *frame);

#endif
