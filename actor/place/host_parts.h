/* The parts of a host: for the host_*.c files only. */
#ifndef TR_HOST_PARTS_H
#define TR_HOST_PARTS_H

#include <signal.h>

#include "core/loop.h"
#include "place/commands.h"
#include "place/host.h"
#include "place/lane.h"

/* A node of this process. */
struct tr_hosted {
    struct tr_host *host;
    struct tr_node *node;      /* NULL: not running */
    struct tr_services services;
    struct tr_hooks hooks;
    pthread_mutex_t lock;      /* for making lanes */
    struct tr_lane_driver **lanes; /* by node id */
    struct tr_cell *door;      /* main's: hears of the root */
    void *page;                /* its flight page, if the keeper gave one */
    bool stuck;                /* a worker never came back: what it uses stays */
    int64_t leaves_by;         /* asked to stop: ends when what it sent is settled, or then; 0: was not */
};

enum tr_request_kind {
    TR_REQUEST_CONTROL,   /* `control` is for the keeper */
    TR_REQUEST_STARTED,   /* the root is ready */
    TR_REQUEST_ENDED,     /* the root has ended: `status`, and the text of `control` */
    TR_REQUEST_COMMAND,   /* somebody wants a program: `descriptor` */
};

struct tr_request {
    struct tr_request *next;
    enum tr_request_kind kind;
    enum troupe_status status;
    struct tr_control control;
    int descriptor; /* -1: none */
};

/* What came from the keeper and waits for its turn: one-process mode. */
struct tr_delivery_item {
    struct tr_delivery_item *next;
    struct tr_control control;
    int descriptor;
};

/* What its loop watches. */
enum { TR_HOST_CONTROL = 1, TR_HOST_SIGNALS, TR_HOST_COMMANDS };

struct tr_host {
    struct tr_host_options options;
    struct tr_hosted *nodes;      /* by node id */
    uint32_t node_count;
    uint64_t own;                 /* the node that this process is */
    _Atomic bool *absent;         /* by place in plan->actors: its supervisor has forgotten it */
    struct tr_loop loop;
    pthread_rwlock_t visitors;    /* outside threads read while they use a node; making and ending one writes */
    struct tr_buffers buffers;    /* of all nodes here */
    void *names_memory;           /* the application's; NULL: not there yet */
    struct tr_names names;
    pthread_mutex_t lock;         /* for all to the next line */
    struct tr_request *requests, *last_request;
    struct troupe_counts counts;  /* of nodes that are no more */
    int signals;                  /* signalfd; -1: none */
    uint32_t asked[NSIG];         /* how many actors have asked for each signal */
    /* the host's thread only */
    sigset_t mask_before;         /* of its thread, where Troupe blocks signals */
    bool *needed;                 /* by node id: started by a supervisor, and not yet gone */
    bool root_ended, done;
    bool stuck;                   /* some node is */
    int64_t deadline;             /* of the end, once it has begun: for all that is to stop; 0: it has not */
    int code;
    char failure[TR_CONTROL_TEXT_SIZE];
    /* with a keeper process */
    struct tr_outbox outbox;
    /* without */
    struct tr_keeper *keeper;
    struct tr_delivery_item *deliveries, *last_delivery;
    struct tr_ledger_memfd *ledgers;
    struct tr_commands *commands; /* NULL: nobody has wanted one yet */
    int64_t keeper_timer;
    bool start_main, keeper_done, main_over;
    uint64_t main_incarnation;
    int main_code;
};

/* ---- host.c ---- */
int64_t tr_host_now(const struct tr_host *host);
/* From any thread: copied. */
void tr_host_request(struct tr_host *host, enum tr_request_kind kind, enum troupe_status status,
                     const struct tr_control *control);
/* The same for a descriptor, which is taken. */
void tr_host_request_command(struct tr_host *host, int socket);
/* The host's thread: to the keeper, wherever that is. */
void tr_host_tell_keeper(struct tr_host *host, const struct tr_control *control);
/* From the keeper. Takes the descriptors; -1 where there is none. */
void tr_host_obey(struct tr_host *host, const struct tr_control *control,
                  int descriptors[TR_CONTROL_DESCRIPTORS]);

/* ---- host_names.c ---- */
/* `descriptor`: what the keeper gave; -1: it is made, for this process alone. `incarnation`: of this process. False
 * with errno. */
bool tr_host_names_open(struct tr_host *host, int descriptor, uint64_t incarnation);
void tr_host_names_close(struct tr_host *host);

/* ---- host_signals.c ---- */
bool tr_host_signals_open(struct tr_host *host);
void tr_host_signals_close(struct tr_host *host);
void tr_host_signals_ready(struct tr_host *host);
/* Tells the actors of this process. False: none has asked for it. */
bool tr_host_signalled(struct tr_host *host, int number, uint32_t times);
void tr_host_want_signal(struct tr_host *host, int number, bool wanted);

/* ---- host_commands.c ---- */
/* Any worker. Somebody on this node wants a program: the socket goes to the keeper, and is taken. False: this system
 * has no programs, for its time is virtual. */
bool tr_hosted_command(struct tr_node *node, int socket);
/* The host's thread. */
void tr_host_command(struct tr_host *host, int socket);

/* ---- host_nodes.c ---- */
bool tr_hosted_start(struct tr_hosted *hosted, uint64_t id, uint64_t incarnation, void *page);
void tr_hosted_stop(struct tr_hosted *hosted, bool halted);
/* Before that, without the lock: its threads end, and its calls of troupe_work. False: some are stuck. */
bool tr_hosted_halt(struct tr_hosted *hosted);
/* It is about to end. True once all that its actors had sent to other nodes is settled: ask again. */
bool tr_hosted_leave(struct tr_hosted *hosted);
/* What its workers are handling, and who. */
void tr_hosted_describe(struct tr_hosted *hosted, char *text, size_t size);
bool tr_hosted_start_root(struct tr_hosted *hosted);
void tr_hosted_stop_root(struct tr_hosted *hosted);
/* The lane of a node to another; makes it. NULL: no memory. Any thread. */
struct tr_lane_driver *tr_hosted_lane(struct tr_hosted *hosted, uint64_t peer);
/* Tells lanes and supervisors that a node died. */
void tr_hosted_node_down(struct tr_hosted *hosted, const struct tr_control *down);

/* ---- host_embedded.c ---- */
bool tr_embedded_begin(struct tr_host *host);
/* Does what the embedded keeper asked for. */
void tr_embedded_turn(struct tr_host *host);
int64_t tr_embedded_next(const struct tr_host *host);
void tr_embedded_end(struct tr_host *host);

#endif
