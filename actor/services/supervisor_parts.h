/*
 * The insides of the supervisor actor, shared by its files alone. supervisor.c has the essay.
 */
#ifndef TR_SUPERVISOR_PARTS_H
#define TR_SUPERVISOR_PARTS_H

#include <troupe/death.h>
#include <troupe/supervisor.h>

#include "core/death.h"
#include "core/worker.h"
#include "services/services.h"

enum { TR_WHY = 512 };

/* A child, as the actor keeps it; what it is at, the machine knows. */
struct tr_kin {
    struct tr_child_spec spec;
    tr_child_id id;
    uint64_t key;           /* in the messages about it; no other child of any run of a supervisor has it */
    uint64_t number;        /* rises from left to right */
    troupe_address address; /* none: it has no cell at the moment */
    bool added;             /* by code, or by the start message: its cell was taken for it, here */
    bool begun;             /* added: its cell has seen a run */
    uint64_t run;           /* the latest; 0: it has not run, or has exited */
    int64_t since;          /* when that was started */
    struct tr_saved *saved; /* for its next run; NULL: nothing */
    char *failure;          /* its latest death that was a failure, printed; NULL: none */
    int64_t failed_at;      /* ns since 1970 */
    uint8_t *args;          /* of an added one: its start message */
    struct tr_kin *next_by_name, *next_by_place;
    char memory[];          /* what the spec of an added one points to */
};

struct tr_request;

/* The children, to be found by what they are known by. */
struct tr_kindred {
    struct tr_kin **by_index; /* of their ids */
    struct tr_kin **names, **places;
    uint32_t indexes, size, count; /* size: of the two tables, a power of two; 0: there are none */
    uint32_t supervisors;          /* of `count` */
    uint64_t numbers;              /* given out so far */
};

struct troupe_supervisor {
    char *path;
    uint64_t epoch;            /* 32 bits; no other run of a supervisor on any incarnation of this node has it */
    struct tr_supervision_rules rules;
    struct tr_kin *template;   /* dynamic: what each child is; NULL: whatever is asked for */
    struct tr_kin *configured; /* an array; those that were forgotten stay in it */
    struct tr_supervision *machine;
    struct tr_kindred kindred;
    struct tr_kin **remote;    /* the configured ones on other nodes, sorted by these */
    uint32_t configured_count, remote_count;
    tr_child_id *lost;         /* children that died with their node: for the event at hand */
    struct tr_ids requests;    /* struct tr_request: who waits for the machine's answer */
    struct tr_request *answered, *last_answered; /* in the event at hand */
    troupe_timer timer;
    bool ready, stopped;
    enum tr_over over;
    char cause[TR_DEATH_TEXT]; /* of the latest failure: for the report when it gives up */
    /* of the handler at hand */
    troupe_self *self;
    const struct troupe_death *report; /* the end that is being told of; NULL: none */
};

static inline struct tr_node *tr_supervisor_node(const struct troupe_supervisor *me) {
    return me->self->worker->node;
}

/* ---- supervisor_kin.c ---- */

/* One that is not in the table yet, with copies of all. `path`: the supervisor's. NULL: no memory. */
struct tr_kin *tr_kin_new(const struct tr_child_spec *spec, const char *path, const char *name);
/* It will not be started again: large arguments of many would be kept for nothing. */
void tr_kin_drop_args(struct tr_kin *kin);
/* An added one that is in no table. NULL is fine. */
void tr_kin_free(struct tr_kin *kin);
/* The machine knows it by this id. False: no memory. */
bool tr_kindred_add(struct tr_kindred *kindred, struct tr_kin *kin, tr_child_id id, uint64_t epoch);
/* Out of the table; it stays the caller's. */
void tr_kindred_remove(struct tr_kindred *kindred, struct tr_kin *kin);
/* It has this address now, or none. */
void tr_kindred_move(struct tr_kindred *kindred, struct tr_kin *kin, troupe_address address);
/* NULL: none, or none any more. */
struct tr_kin *tr_kindred_of(const struct tr_kindred *kindred, tr_child_id id);
struct tr_kin *tr_kindred_keyed(const struct tr_kindred *kindred, uint64_t key);
struct tr_kin *tr_kindred_named(const struct tr_kindred *kindred, const char *name);
struct tr_kin *tr_kindred_at(const struct tr_kindred *kindred, troupe_address address);
void tr_kindred_free(struct tr_kindred *kindred);

/* ---- supervisor_children.c: what the machine asks for, done to children ---- */

void tr_kin_start(struct troupe_supervisor *me, struct tr_kin *kin, uint64_t run, bool flush);
void tr_kin_stop(struct troupe_supervisor *me, const struct tr_kin *kin, bool kill);
/* It rests: it has no cell from here on, or none that is known to be its. */
void tr_kin_rest(struct troupe_supervisor *me, struct tr_kin *kin);
/* There is no such child any more. */
void tr_kin_forget(struct troupe_supervisor *me, struct tr_kin *kin);
/* Gives an added child the cell that its next run is to be in, so that its address is known. */
enum troupe_status tr_kin_settle(struct troupe_supervisor *me, struct tr_kin *kin);
/* What a run has left for the next one. */
void tr_kin_save(struct troupe_supervisor *me, struct tr_kin *kin, const char *type, struct troupe_bytes data);
/* The supervisor ends: what it has added ends with it, `kill` if it runs. */
void tr_kin_leave_all(struct troupe_supervisor *me);

/* ---- supervisor_spec.c: what is asked for, checked ---- */

/* OK, or what is wrong, and `why`. Points into the message. */
enum troupe_status tr_spec_read(const struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                struct tr_child_spec *spec, char why[TR_WHY]);
/* The rules of a supervisor, and its template. */
enum troupe_status tr_spec_rules(struct troupe_supervisor *me, const struct troupe_supervise *asked,
                                 char why[TR_WHY]);

/* ---- supervisor_request.c ---- */

/* Adds a child to table and machine; it is to be started next. What is wrong, and `why`; *kin is then whoever has the
 * name already, or NULL. */
enum troupe_status tr_supervisor_add(struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                     struct tr_kin **kin, char why[TR_WHY]);
void tr_supervisor_launch(struct troupe_supervisor *me, const struct troupe_start_child *msg, int64_t now);

enum tr_child_request { TR_REQUEST_TERMINATE, TR_REQUEST_RESTART, TR_REQUEST_DELETE };
void tr_supervisor_request(struct troupe_supervisor *me, enum tr_child_request kind, const char *name,
                           troupe_address address, int64_t now);
/* The machine's: see supervision.h. */
void tr_supervisor_answer(void *context, uint64_t request, enum tr_answer answer, tr_child_id child);
/* Ends every event: tells those whom the machine has answered. */
void tr_supervisor_tell_askers(struct troupe_supervisor *me);
/* Nobody is answered any more. */
void tr_supervisor_forget_askers(struct troupe_supervisor *me);

/* ---- supervisor_look.c ---- */

enum troupe_status tr_supervisor_which(struct troupe_supervisor *me, const struct troupe_which_children *msg);
enum troupe_status tr_supervisor_count(struct troupe_supervisor *me);
enum troupe_child_state tr_kin_state(const struct troupe_supervisor *me, const struct tr_kin *kin);

#endif
