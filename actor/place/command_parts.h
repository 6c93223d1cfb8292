/* What the parts of the actor troupe_command share: command.c (the actor), command_wish.c (what is to be started),
 * command_output.c and command_input.c (its pipes). */
#ifndef TR_COMMAND_PARTS_H
#define TR_COMMAND_PARTS_H

#include <troupe/command.h>
#include <troupe/io.h>
#include <troupe/monitor.h>

#include "core/source.h"
#include "place/command_request.h"
#include "place/control.h"

/* Input that waits. */
struct tr_command_write {
    struct tr_command_write *next;
    const void *data; /* kept: troupe_buffer_release */
    uint32_t size, done;
    struct troupe_asker asker;
};

/* Our end of one of the program's descriptors. */
struct tr_command_stream {
    int fd; /* -1: none, or no more */
    bool reads, writes;
    troupe_watcher watch;
    uint32_t events;  /* watched for */
    char *buffer;     /* TROUPE_COMMAND_LINE bytes, made when there is something to read */
    uint32_t begin, end;
    uint64_t total;   /* bytes read */
    struct tr_command_write *first, *last;
    uint64_t waiting; /* bytes of these */
    bool closes;      /* for writing, once nothing waits */
};

/* A source of its run, so that all of it is released however that ends. */
struct tr_command {
    struct tr_source source; /* first: a source is cast to it */
    int socket;              /* to the keeper; -1 */
    troupe_watcher watch;
    troupe_address to;       /* its owner; or none */
    bool supervised, lines, deaf; /* deaf: the owner does not want output */
    uint64_t max_output;
    int64_t timeout;
    int signal;
    struct tr_command_stream streams[TROUPE_COMMAND_DESCRIPTORS];
    uint32_t stream_count;
    uint32_t under_way;      /* outputs */
    bool full;               /* the owner's mailbox: troupe_ready comes */
    /* what happened, and what of it is told */
    bool started, failed, ended, told_started, told_ended, closing;
    bool killed;
    int pid, error, status;
    const char *reason;
    char why[TR_CONTROL_TEXT_SIZE];
};

struct troupe_command {
    struct tr_command *it; /* NULL: not made */
};

/* ---- command.c ---- */

/* Tells what is to be told, as far as the owner has room, and ends when all is. */
enum troupe_status tr_command_go_on(troupe_self *self, struct tr_command *command);
/* Asks the keeper to end the program, for this reason (a static text) unless there is one. */
void tr_command_end(struct tr_command *command, const char *reason);

/* ---- command_wish.c ---- */

/* Takes over the descriptors of the program while it is to be started. Zero-initialised with count 0 is none. */
struct tr_command_ends {
    int fds[TROUPE_COMMAND_DESCRIPTORS];
    bool own[TROUPE_COMMAND_DESCRIPTORS]; /* to be closed */
    uint32_t count;
    uint32_t handles; /* how many of troupe_program's were used */
};

struct tr_command_wish;
/* NULL: `why` says what is wrong. Its texts are those of `args`. */
struct tr_command_wish *tr_command_wish_new(const struct troupe_program *args, char *why, size_t size);
void tr_command_wish_free(struct tr_command_wish *wish);
/* Opens its descriptors and our ends of them. 0, or an errno and `why`. */
int tr_command_open(struct tr_command *command, const struct troupe_program *args, struct tr_command_ends *ends,
                    char *why, size_t size);
/* A new pair of sockets, on which the request waits with its descriptors: our end, and the keeper's. 0, or an errno
 * and `why`. */
int tr_command_ask(const struct tr_command_wish *wish, const struct tr_command_ends *ends, int sockets[2], char *why,
                   size_t size);
void tr_command_ends_close(struct tr_command_ends *ends);

/* ---- command_output.c ---- */

/* One of its descriptors is ready. */
void tr_command_read(troupe_self *self, struct tr_command *command, struct tr_command_stream *stream);
/* Gives on what was read, as far as there is room for it. */
void tr_command_emit(troupe_self *self, struct tr_command *command);
/* All of its outputs have ended, and were given on. */
bool tr_command_is_drained(const struct tr_command *command);

/* ---- command_input.c ---- */

enum troupe_status tr_command_take_input(troupe_self *self, struct tr_command *command,
                                         const struct troupe_command_write *message);
void tr_command_write_some(troupe_self *self, struct tr_command_stream *stream);
void tr_command_finish_input(troupe_self *self, struct tr_command_stream *stream);
/* What waits never will be written. */
void tr_command_drop_input(troupe_self *self, struct tr_command_stream *stream);
/* Watches for what there is to do: nothing, reading, writing. */
void tr_command_watch(troupe_self *self, struct tr_command_stream *stream, uint32_t events);
void tr_command_close_stream(troupe_self *self, struct tr_command_stream *stream);

#endif
