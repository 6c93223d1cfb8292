/*
 * The wire of a lane, as its cell sees it.
 *
 * Between processes of one machine it is a socket that the keeper made: the worker that runs the cell reads and
 * writes it itself, and an edge in its loop says when there is more. Otherwise it is a wire of the transport, whose
 * threads post events into the cell's mailbox; each carries the number of its wire, so that one of a wire that is
 * closed is known as such.
 */
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/edge.h"
#include "place/lane_parts.h"
#include "transport/frame.h"

struct tr_lane_wire {
    struct tr_lane_driver *lane;
    uint64_t number;
    struct tr_wire *wire;     /* NULL: it is a socket */
    struct tr_socket *socket; /* NULL: it is a wire */
    struct tr_edge *edge;
    bool waits; /* for the socket to take the rest of a frame */
};

/* ---- Events of the transport's threads ---- */

static void wire_up(void *context) {
    struct tr_lane_wire *wire = context;
    tr_lane_post(wire->lane, TR_LANE_UP, wire->number, NULL);
}

static void wire_frame(void *context, struct tr_wire_frame *frame) {
    struct tr_lane_wire *wire = context;
    tr_lane_post(wire->lane, TR_LANE_FRAME, wire->number, frame);
}

static void wire_sent(void *context, bool ok) {
    struct tr_lane_wire *wire = context;
    (void)ok; /* if it did not leave, the wire is down, and says so */
    tr_lane_post(wire->lane, TR_LANE_SENT, wire->number, NULL);
}

static void wire_down(void *context) {
    struct tr_lane_wire *wire = context;
    tr_lane_post(wire->lane, TR_LANE_LOST, wire->number, NULL);
}

static const struct tr_wire_events wire_events = { wire_up, wire_frame, wire_sent, wire_down };

/* ---- Opening and closing ---- */

static bool open_wire(struct tr_lane_wire *wire, char *error, size_t size) {
    struct tr_lane_driver *lane = wire->lane;
    char bound[sizeof lane->offer.url];
    const struct tr_wire_options options = { .url = lane->offer.url, .max_frame = TR_FRAME_MAX,
                                             .events = &wire_events, .context = wire };
    if (!lane->offer.listen) return tr_wire_dial(&options, &wire->wire, error, size) == TROUPE_OK;
    bool bound_it = tr_wire_listen(&options, &wire->wire, bound, sizeof bound, error, size) == TROUPE_OK;
    lane->host.listening(lane->host.host, lane->offer.lane, bound_it ? bound : NULL, error);
    return bound_it;
}

static bool open_socket(struct tr_lane_wire *wire, char *error, size_t size) {
    struct tr_lane_driver *lane = wire->lane;
    const int descriptor = lane->offer.socket;
    wire->socket = tr_socket_new(descriptor, TR_FRAME_MAX);
    if (wire->socket == NULL) return false;
    lane->offer.socket = -1;
    wire->edge = tr_edge_new(lane->worker, lane->cell, descriptor);
    if (wire->edge == NULL) snprintf(error, size, "its socket cannot be watched: %s", strerror(errno));
    return wire->edge != NULL;
}

bool tr_lane_wire_open(struct tr_lane_driver *lane, char *error, size_t size) {
    const bool is_socket = lane->offer.socket >= 0;
    struct tr_lane_wire *wire = calloc(1, sizeof *wire), *before = lane->wire;
    bool open = false;
    if (wire != NULL) {
        *wire = (struct tr_lane_wire){ .lane = lane, .number = ++lane->wires };
        lane->wire = wire; /* its events may come before it is open; they wait in the mailbox */
        open = is_socket ? open_socket(wire, error, size) : open_wire(wire, error, size);
    }
    if (lane->offer.socket >= 0) close(lane->offer.socket);
    lane->offer.socket = -1;
    if (open) return true;
    lane->wire = before;
    tr_lane_wire_close(wire);
    return false;
}

void tr_lane_wire_close(struct tr_lane_wire *wire) {
    if (wire == NULL) return;
    if (wire->edge != NULL) tr_edge_cancel(wire->edge);
    tr_socket_free(wire->socket);
    tr_wire_close(wire->wire);
    free(wire);
}

bool tr_lane_wire_is_up(const struct tr_lane_wire *wire) { return wire->socket != NULL; }

uint64_t tr_lane_wire_number(const struct tr_lane_wire *wire) { return wire->number; }

/* ---- Frames ---- */

/* A socket whose other end is gone tells so by its edge, after the last that came from there. */
static bool took(struct tr_lane_wire *wire, enum tr_socket_result result) {
    wire->waits = result == TR_SOCKET_AGAIN;
    if (result == TR_SOCKET_BAD) tr_lane_post(wire->lane, TR_LANE_LOST, wire->number, NULL);
    return result == TR_SOCKET_OK;
}

bool tr_lane_wire_send(struct tr_lane_wire *wire, const uint8_t *frame, size_t size, const int *descriptors,
                       uint32_t count) {
    if (wire->socket != NULL) return took(wire, tr_socket_send(wire->socket, frame, size, descriptors, count));
    tr_assert(count == 0); /* no such lane carries any: nothing is packed with them */
    if (tr_wire_send(wire->wire, frame, size) != TROUPE_OK)
        tr_lane_post(wire->lane, TR_LANE_LOST, wire->number, NULL);
    return false;
}

bool tr_lane_wire_flush(struct tr_lane_wire *wire) {
    return wire->waits && took(wire, tr_socket_flush(wire->socket));
}

bool tr_lane_wire_is_late(const struct tr_lane_wire *wire) {
    return wire->waits && tr_socket_is_late(wire->socket);
}

void tr_lane_wire_next(struct tr_lane_wire *wire) { tr_wire_next(wire->wire); }

bool tr_lane_wire_ready(struct tr_lane_driver *lane, struct tr_link *link) {
    uint32_t happened;
    struct tr_edge *edge = tr_edge_took(lane->worker, link, &happened);
    return edge != NULL && lane->wire != NULL && lane->wire->edge == edge;
}

enum tr_socket_result tr_lane_wire_receive(struct tr_lane_wire *wire, struct tr_socket_frame *frame) {
    return tr_socket_receive(wire->socket, frame);
}

void tr_lane_wire_again(struct tr_lane_wire *wire, struct tr_worker *worker) {
    tr_edge_again(worker, wire->edge);
}
