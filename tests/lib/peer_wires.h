/*
 * Simulated wires between two machines, and strangers who get hold of one end.
 *
 * A wire has two ends. Each end is taken up (joined) and let go at its own time: what is on its way when
 * one side lets go can still be read by the other, who then finds the end of it. A machine reads from the
 * wire it joined last, and from no other. Whoever breaks a wire loses the last frames of it, and a stalled
 * one keeps them until later.
 *
 * A stranger does not know the token, or is a run of the other node that has ended. It may say what was
 * said on another wire before, or sit in between and change one frame of the handshake.
 */
#ifndef TESTS_PEER_WIRES_H
#define TESTS_PEER_WIRES_H

#include "base/random.h"
#include "transport/peer.h"

enum { WIRES = 6, WIRE_FRAMES = 64 };

enum wire_kind {
    WIRE_GENUINE,
    WIRE_TAMPERED, /* one of its greetings is changed on the way */
    WIRE_REPLAYED, /* from here on strangers: frames of an earlier wire */
    WIRE_GARBAGE,  /* well-formed entries of any kind, and bytes that are none */
    WIRE_IMPOSTOR, /* a peer with another token, or of a run that has ended */
    WIRE_KINDS
};

struct wire_frame {
    uint8_t *bytes;
    size_t size;
    int descriptors[TR_PEER_FRAME_DESCRIPTORS]; /* numbers: nothing here is open */
    uint32_t count;
    bool cut; /* there were more: the reader's process had no room for them */
};

struct wire_queue {
    struct wire_frame frames[WIRE_FRAMES];
    int first, end;
};

struct wire {
    bool used;
    enum wire_kind kind;
    bool open[2];       /* nobody has let go of this end */
    uint64_t run[2];    /* the machine's at this end; of a stranger's end 0 */
    int dialer;
    uint8_t token[TR_PEER_TOKEN_SIZE];
    int64_t stalled_until[2];
    struct wire_queue to[2];
    int said[2];        /* frames by each end */
    int victim;         /* the machine at the end that is no stranger's */
    int tampered[2];    /* which frame of which end is changed: the end, its number */
    struct tr_peer *impostor;
    bool impostor_sending;
};

struct wires {
    struct wire all[WIRES];
    struct wire record; /* the first frames on some genuine wire, for those who say them again */
    const struct wire *recorded;
    struct tr_random *random;
};

void wires_open(struct wires *wires, struct tr_random *random);
void wires_close(struct wires *wires);

/* `run`: of the machines at both ends. */
struct wire *wire_genuine(struct wires *wires, bool tampered, int dialer, const uint64_t run[2],
                          const uint8_t token[TR_PEER_TOKEN_SIZE]);
/* At the other end there is somebody else. For an impostor `options` says who; NULL for others. */
struct wire *wire_strange(struct wires *wires, enum wire_kind kind, int victim, int dialer,
                          const uint8_t token[TR_PEER_TOKEN_SIZE], const struct tr_peer_options *options);
bool wire_is_strange(const struct wire *wire);

/* `from` says something: copied. Lost when the other end is let go. */
void wire_say(struct wires *wires, struct wire *wire, int from, const uint8_t *bytes, size_t size,
              const int *descriptors, uint32_t count);
bool wire_has_room(const struct wire *wire, int from);
/* The next frame for `to`, which frees its bytes. False: none, or not yet. */
bool wire_hear(struct wires *wires, struct wire *wire, int to, int64_t now, struct wire_frame *frame);
/* Nothing more will ever come. */
bool wire_is_over(const struct wire *wire, int to);
/* `lost`: how many of the frames that it said last do not arrive. */
void wire_let_go(struct wire *wire, int end, int lost);
/* Whoever is no machine does something. */
void wire_stranger_acts(struct wires *wires, struct wire *wire, int64_t now);

#endif
