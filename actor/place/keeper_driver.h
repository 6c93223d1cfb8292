/* What the parts of the keeper's process share: keeper_process.c (the loop), keeper_wards.c
 * (processes, their descriptors, ledgers), keeper_signals.c (signals that actors may want),
 * keeper_log.c (what processes log), keeper_watch.c (whether they get on), keeper_surroundings.c (this process, before
 * and after). External programs are in commands.h.
 */
#ifndef TR_KEEPER_DRIVER_H
#define TR_KEEPER_DRIVER_H

#include <signal.h>
#include <sys/resource.h>

#include "place/commands.h"
#include "place/keeper_process.h"
#include "place/scribe_tail.h"
#include "place/watchdog.h"

/* One node, with its process while there is one. */
struct tr_ward {
    const struct tr_node_spec *spec;
    int flight; /* the page of this node, kept across incarnations */
    void *page;
    bool page_used;     /* by an incarnation that `ended` has not been told of ... */
    bool died;          /* ... and that did not end in order */
    pid_t pid;          /* 0: no process */
    bool own_group;     /* its process group is its own, to be killed whole */
    int pidfd, control; /* -1 without a process; control also once it was closed */
    struct tr_scribe_source log, errors, output; /* what it logs; its standard error and output */
    struct tr_tail tail;                 /* of the latter */
    struct tr_watchdog *dog; /* NULL: nobody watches this node */
    uint32_t workers;    /* of its pool */
    int64_t look_at;     /* when it is looked at next; 0: at once */
    int statm;           /* of a process whose memory is limited; else -1 */
    int64_t calm;        /* ns until the next look at it, if it does not grow meanwhile */
    int64_t memory;      /* what it had at the last look, for itself ... */
    int64_t shared;      /* ... and shared with others */
    bool writes;        /* the outbox waits for room */
    struct tr_outbox outbox;
    int64_t closed_until; /* the control socket was closed: to exit before this. INT64_MAX: open */
    char failed[128];     /* fork_node failed, and the keeper does not know yet; "" else */
    const char *broken;   /* the same for a broken process; NULL else */
};

struct tr_ward_ledger {
    uint64_t number;
    int memory;
};

/* A signal that main is asked about. */
struct tr_signal_asked {
    bool passed;    /* main has not answered yet */
    uint32_t times; /* that it came since */
};

struct tr_driver {
    const struct tr_keeper_options *options;
    struct tr_keeper *keeper;
    struct tr_ward *wards;
    size_t ward_count;
    struct tr_ward_ledger *ledgers;
    size_t ledger_count, ledger_room;
    int other_end;                     /* of the socket pair of a lane of which one half was sent; -1: none */
    int epoll, signals, timer, config; /* -1: not open */
    int names;                         /* the names of the application; -1: not made */
    void *names_page; /* its beginning, which the keeper writes */
    size_t names_size;
    int64_t timer_at;                  /* what the keeper asked for */
    int64_t look_at;                   /* when somebody is looked at next; INT64_MAX: nobody is there to be */
    sigset_t mask_before;
    struct rlimit files_before;
    struct tr_commands *commands; /* NULL: nobody has wanted one yet */
    struct tr_signal_asked asked[NSIG];
    bool log_waits;  /* for room in the output */
    bool log_paused; /* the pipes of processes are not read */
    bool over;
    int exit_code;
};

/* What an epoll event is about. */
enum tr_watch {
    TR_WATCH_SIGNALS,
    TR_WATCH_TIMER,
    TR_WATCH_PIDFD,
    TR_WATCH_CONTROL,
    TR_WATCH_LOG,   /* something was logged */
    TR_WATCH_ERRORS,
    TR_WATCH_STDOUT,
    TR_WATCH_OUTPUT, /* the log's output takes more */
    TR_WATCH_COMMANDS
};

/* ---- keeper_process.c ---- */

int64_t tr_driver_now(void);
void tr_driver_log(struct tr_driver *driver, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* False with errno. Watching again changes the events. */
bool tr_driver_watch(struct tr_driver *driver, int descriptor, uint32_t events, enum tr_watch what,
                     const struct tr_ward *ward);

/* ---- keeper_wards.c ---- */

/* Makes the pages. False: said on the log. */
bool tr_wards_open(struct tr_driver *driver);
/* Closes and frees everything; processes must be gone. */
void tr_wards_close(struct tr_driver *driver);
struct tr_ward *tr_wards_find(struct tr_driver *driver, uint64_t node);
/* How its process is made; NULL: as this one. */
const struct tr_process_options *tr_ward_options(const struct tr_driver *driver, const struct tr_ward *ward);

/* This incarnation's names are names from now on; 0: no incarnation's are. */
void tr_ward_lives(struct tr_driver *driver, const struct tr_ward *ward, uint64_t incarnation);
void tr_ward_fork(struct tr_driver *driver, struct tr_ward *ward, uint64_t incarnation);
void tr_ward_kill(const struct tr_ward *ward);
void tr_ward_abort(const struct tr_ward *ward);
/* The process was reaped: closes what it had. */
void tr_ward_clear(struct tr_driver *driver, struct tr_ward *ward);
void tr_ward_send(struct tr_driver *driver, struct tr_ward *ward, const struct tr_control *message);
void tr_ward_flush(struct tr_driver *driver, struct tr_ward *ward);
/* It closed the control socket, or says that it did: it has a moment to exit. */
void tr_ward_hang_up(struct tr_driver *driver, struct tr_ward *ward);

void tr_ward_forget_ledger(struct tr_driver *driver, uint64_t number);

/* ---- keeper_log.c ---- */

/* A new process's ends of three pipes; each -1 if it has none. */
struct tr_log_ends {
    int log, errors, output;
};

/* False: errno. */
bool tr_ward_open_log(struct tr_driver *driver, struct tr_ward *ward, struct tr_log_ends *theirs);
void tr_log_ends_close(const struct tr_log_ends *ends);
/* From here on it is read: the process is there. False: errno. */
bool tr_ward_watch_log(struct tr_driver *driver, const struct tr_ward *ward);
void tr_ward_read_log(struct tr_driver *driver, struct tr_ward *ward);
void tr_ward_read_errors(struct tr_driver *driver, struct tr_ward *ward);
void tr_ward_read_output(struct tr_driver *driver, struct tr_ward *ward);
/* The process is dead, or never was: what it had logged is taken, and its pipes are closed. */
void tr_ward_end_log(struct tr_driver *driver, struct tr_ward *ward);
/* After that: its last words, if it did not end in order and had any. `status` is waitpid's. */
void tr_ward_report(struct tr_driver *driver, const struct tr_ward *ward, int status);
/* After each turn of the loop: writes what has come. */
void tr_driver_write_log(struct tr_driver *driver);

/* ---- keeper_watch.c ---- */

/* False: no memory. */
bool tr_watch_open(struct tr_driver *driver);
/* An incarnation of this node begins; its page is fresh. */
void tr_ward_watch_from_now(struct tr_driver *driver, struct tr_ward *ward);
/* Its process is there, and reaped. */
void tr_ward_watch_process(struct tr_driver *driver, struct tr_ward *ward);
void tr_ward_unwatch(struct tr_ward *ward);
/* Looks at whom it is time to look at. */
void tr_driver_look(struct tr_driver *driver, int64_t now);
/* It did not end in order: did it have more memory than it may have? `why` then says so. */
bool tr_ward_exceeded(const struct tr_driver *driver, const struct tr_ward *ward, const struct rusage *usage,
                      char *why, size_t size);

/* ---- keeper_signals.c ---- */

/* This process got a signal that actors may have asked for. */
void tr_driver_signal(struct tr_driver *driver, int number);
/* False: the message is not the answer to one. */
bool tr_driver_signal_answered(struct tr_driver *driver, struct tr_ward *ward,
                               const struct tr_control *message);
void tr_driver_main_ended(struct tr_driver *driver, bool in_order);

/* ---- keeper_surroundings.c ---- */

/* What is put back at the end. */
struct tr_surroundings {
    sigset_t handled; /* what the keeper reads from its signalfd */
    sigset_t mask;
    struct sigaction child; /* SIGCHLD's */
    int subreaper;
    struct rlimit files;
};

/* False with errno: nothing works without. */
bool tr_surroundings_enter(struct tr_surroundings *before);
void tr_surroundings_leave(const struct tr_surroundings *before);
/* Kills and reaps every child but what is spared of these (NULL: nothing). All nodes are gone by then. */
void tr_surroundings_sweep(const struct tr_commands *commands);

#endif
