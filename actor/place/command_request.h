/*
 * What is asked of the keeper when a program is to run: one packet on a socket of its own.
 *
 * Whoever wants a program makes a pair of sockets, writes the request into one end, with the descriptors that the
 * program is to have, and sends the other end to the keeper (TR_CONTROL_COMMAND). From then on that socket is the
 * connection between the two for this one program: the keeper says that it runs, or why not, and how it ended;
 * its owner may have it signalled and ended. Closing it means that nobody wants the program any more, and a process
 * that dies closes all of its own: so nothing needs to be told when an owner is gone.
 *
 * Nothing in a request is believed before it is checked: whoever sent it may be broken, or hostile.
 */
#ifndef TR_COMMAND_REQUEST_H
#define TR_COMMAND_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TR_COMMAND_REQUEST_SIZE = 128 * 1024, /* bytes of one, at most: arguments and environment included */
    TR_COMMAND_DESCRIPTORS = 16           /* that a program may be given: 0 to 15 */
};

/* Lists end with NULL. */
struct tr_command_request {
    char *const *programs;    /* files to execute: the first that is there; at least one */
    char *const *arguments;   /* argv, at least one */
    char *const *environment; /* all of it */
    const char *directory;    /* to work in; "": the keeper's own */
    bool enters;              /* it must be; else it is only where the owner is: then the keeper's own will do, too */
    const char *name;         /* for what is said when it cannot be started */
    uint32_t descriptors;     /* 3 to TR_COMMAND_DESCRIPTORS: what it has as 0, 1, 2, ... in this order */
    int64_t user, group;      /* -1: those of whoever asks */
    bool detached;            /* a session of its own, which outlives its owner */
    int signal;               /* that ends it */
    int64_t grace;            /* ns from that signal to SIGKILL */
};

/* Writes the packet. 0: it would be larger than TR_COMMAND_REQUEST_SIZE, or no memory. */
size_t tr_command_request_encode(const struct tr_command_request *request, uint8_t bytes[TR_COMMAND_REQUEST_SIZE]);

/* The strings stay in `bytes`. NULL: `*error` is a static text; else to be freed with free. */
struct tr_command_request *tr_command_request_decode(const uint8_t *bytes, size_t size, const char **error);

/* Both ways of a packet with descriptors; errno says what failed. The receiver's descriptors are close-on-exec. */
bool tr_command_packet_send(int socket, const uint8_t *bytes, size_t size, const int *descriptors, uint32_t count);
/* The size; 0: the other end is gone, -1: errno, EBADMSG: too long, or too many descriptors. `*count` are the
 * caller's to close, also of a failure. */
int64_t tr_command_packet_receive(int socket, uint8_t bytes[TR_COMMAND_REQUEST_SIZE],
                                  int descriptors[TR_COMMAND_DESCRIPTORS], uint32_t *count);

#endif
