/*
 * What the keeper and the processes of nodes say to each other: small msgpack messages over one
 * SEQPACKET socket for each process, with at most two descriptors each.
 *
 * Nothing that a process sends is believed before it is checked: it may be broken or hostile.
 * Nothing here ever blocks; what does not fit into the socket waits in a bounded outbox.
 *
 * The end of the socket is a message too: in a node's process TR_CONTROL_CLOSED means that the
 * keeper is gone, and the process leaves at once (_exit); in the keeper that the process is ending,
 * or broken.
 */
#ifndef TR_CONTROL_H
#define TR_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h" /* enum tr_lane */

enum {
    TR_CONTROL_TEXT_SIZE = 256, /* texts for people, the ending NUL included */
    TR_CONTROL_URL_SIZE = 96,
    TR_CONTROL_TOKEN_SIZE = 32,
    TR_CONTROL_MAX_SIZE = 1024,    /* one message in bytes, at most */
    TR_CONTROL_OUTBOX_LIMIT = 4096, /* messages that wait for one process, at most */
    TR_CONTROL_DESCRIPTORS = 2     /* with one message, at most */
};

/* Which fields a type carries stands in its comment; the others are zero after
 * tr_control_decode. */
enum tr_control_type {
    /* From a process to the keeper. `node` lives in the sending process unless said otherwise. */

    /* node: it answers its control messages, can listen and dial. Says nothing of its actors. */
    TR_CONTROL_READY = 1,
    /* node (any but main): a supervisor wants it to run. Idempotent. While it is still stopping:
     * it starts again afterwards. Ignored during the shutdown. */
    TR_CONTROL_START,
    /* node (any but main), within: a supervisor wants it gone. Idempotent. */
    TR_CONTROL_STOP,
    /* node, peer, lane: node needs a lane to peer, and waits for it until peer is ready; `lane` is the number of the
     * last one it was told of, 0 if none. Answered by
     * listen or dial (also by one that is on its way already), refused, gone, or down (the
     * question is dropped: ask again if it is still needed). Asking twice changes nothing. */
    TR_CONTROL_CONNECT,
    /* lane, url: as bound. Answers listen. */
    TR_CONTROL_LISTENING,
    /* lane, text. Answers listen. */
    TR_CONTROL_LISTEN_FAILED,
    /* Stop the application. */
    TR_CONTROL_SHUTDOWN,
    /* text: the tree gave up; main exits with code 2 after it. */
    TR_CONTROL_GAVE_UP,
    /* node (hosted, not the process's own), text: it has ended; an empty text: in order. */
    TR_CONTROL_STOPPED,
    /* signal, taken: answers signal; main only. taken: some actor has asked for it. */
    TR_CONTROL_SIGNAL_ANSWER,
    /* text: this process is about to exit, for this reason; its nodes did not begin, or cannot go on. */
    TR_CONTROL_FAILED,
    /* A program is to run: command_request.h. Descriptor: the socket on which the request waits, and on which all that
     * is said of this program is said from here on: the next two, and the last three of all. */
    TR_CONTROL_COMMAND,
    /* signal: send it this, and all in its group. */
    TR_CONTROL_COMMAND_SIGNAL,
    /* End it, with its signal and, when its grace is over, SIGKILL. Idempotent. */
    TR_CONTROL_COMMAND_END,

    /* From the keeper to a process. `node` lives in the receiving process in the first five. */

    /* node, incarnation: run it in this process. Descriptor: its flight page. */
    TR_CONTROL_START_NODE,
    /* node, within: stop it in order. A process's own node: exit with 0. */
    TR_CONTROL_STOP_NODE,
    /* node, incarnation, peer, peer_incarnation, lane, kind, url, token, ledger: listen for peer.
     * Replaces every earlier lane between the two. Descriptors: the ledger; and if kind is ipc, one end of a socket
     * pair, to which the other node has the other: there is nothing to answer. */
    TR_CONTROL_LISTEN,
    /* The same fields and descriptors: dial; peer listens there. */
    TR_CONTROL_DIAL,
    /* node, peer, lane, text: this lane does not come to be. Close what is held of it; whoever had
     * asked may ask again. */
    TR_CONTROL_REFUSED,
    /* node (any), incarnation, cause, status, text: this incarnation is over. */
    TR_CONTROL_DOWN,
    /* node (any): stopped, until somebody starts it again. When it ran, its down comes first. Also
     * the answer to a connect or stop that comes later. */
    TR_CONTROL_GONE,
    /* signal, times: the application was sent it. To main only, which answers. */
    TR_CONTROL_SIGNAL,
    /* status: it runs, and this is its number. */
    TR_CONTROL_COMMAND_STARTED,
    /* status, text: it does not, with this errno. The last message. */
    TR_CONTROL_COMMAND_FAILED,
    /* status: it ended; -1: nobody knows how. The last message. */
    TR_CONTROL_COMMAND_ENDED,

    TR_CONTROL_TYPES
};

/* How an incarnation ended. */
enum tr_cause {
    TR_CAUSE_STOPPED, /* in order, as asked */
    TR_CAUSE_CRASHED, /* by itself: a signal, an exit, a broken control socket */
    TR_CAUSE_KILLED,  /* with SIGKILL: by the keeper, or by somebody outside, which looks the same from
                         here; what it was handling is not to blame */
    TR_CAUSE_NO_MEMORY, /* it had more memory than it may have */
    TR_CAUSE_STUCK,   /* a handler made no progress for too long */
    TR_CAUSE_FROZEN   /* it was stopped for too long: what it was handling is not to blame */
};

/* Is what it was handling to blame, as far as can be known? */
static inline bool tr_cause_blames(enum tr_cause cause) {
    return cause == TR_CAUSE_CRASHED || cause == TR_CAUSE_NO_MEMORY || cause == TR_CAUSE_STUCK;
}

struct tr_control {
    enum tr_control_type type;
    enum tr_lane kind; /* inproc, ipc or tcp */
    enum tr_cause cause;
    uint64_t node, incarnation;
    uint64_t peer, peer_incarnation;
    uint64_t lane;   /* numbers rise: the highest between two nodes is the newest */
    uint64_t ledger; /* one for each pair of incarnations, whatever the lane */
    int signal;      /* 1 to 64 */
    int status;      /* of a process, as waitpid has it; -1: it has not ended */
    uint32_t times;
    bool taken;
    int64_t within;  /* ns from now; TR_INFINITY, TR_KILL (base/rules.h) */
    uint8_t token[TR_CONTROL_TOKEN_SIZE];
    char url[TR_CONTROL_URL_SIZE];   /* ends with NUL */
    char text[TR_CONTROL_TEXT_SIZE]; /* ends with NUL; cut at the end of a UTF-8 character */
};

enum tr_control_way { TR_CONTROL_TO_KEEPER, TR_CONTROL_TO_NODE };

enum tr_control_result {
    TR_CONTROL_OK,
    TR_CONTROL_AGAIN,  /* nothing to read, or no room to write: wait for the socket */
    TR_CONTROL_CLOSED, /* the other end is gone */
    TR_CONTROL_BAD     /* not a message (receive); the system refused (send) */
};

/* The name of a type ("start_node"), or "unknown". */
const char *tr_control_name(enum tr_control_type type);

/* How many descriptors come with this message? Up to TR_CONTROL_DESCRIPTORS. */
uint32_t tr_control_carries(const struct tr_control *message);

/* Fills in `text` as a printf, cut to fit. */
void tr_control_say(struct tr_control *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Bytes ---- */

/* Returns the size; 0: no memory. The message must be complete: types and texts are asserted. */
size_t tr_control_encode(const struct tr_control *message, uint8_t bytes[TR_CONTROL_MAX_SIZE]);

/* True, and `*message` is filled in; else `*error` is a static text and `*message` is undefined. */
bool tr_control_decode(enum tr_control_way way, const void *bytes, size_t size,
                       struct tr_control *message, const char **error);

/* ---- Sockets ---- */

/* A connected pair: SEQPACKET, non-blocking, close-on-exec. 0, or -1 with errno. */
int tr_control_pair(int sockets[2]);

/* Sends the message, with copies of as many descriptors as it carries. Any thread: messages never
 * mix. */
enum tr_control_result tr_control_send(int socket, const struct tr_control *message,
                                       const int *descriptors);

/* Receives one. The descriptors are the caller's to close, -1 those that the message does not carry. `*error` is set
 * when BAD. */
enum tr_control_result tr_control_receive(int socket, enum tr_control_way way,
                                          struct tr_control *message,
                                          int descriptors[TR_CONTROL_DESCRIPTORS], const char **error);

/* ---- Outbox: what waits for room in a socket. Zero-initialised is empty. One thread. ---- */

struct tr_outbox_item;
struct tr_outbox {
    struct tr_outbox_item *first;
    struct tr_outbox_item *last;
    size_t count;
};

/* Sends behind what waits. The descriptors stay the caller's. OK: sent; AGAIN: it waits, flush when
 * the socket is writable; BAD: over the limit, or no memory, or refused by the system; CLOSED. */
enum tr_control_result tr_outbox_send(struct tr_outbox *outbox, int socket,
                                      const struct tr_control *message, const int *descriptors);
/* OK: empty. */
enum tr_control_result tr_outbox_flush(struct tr_outbox *outbox, int socket);
/* Forgets what waits. */
void tr_outbox_free(struct tr_outbox *outbox);

#endif
