/* What the parts of the keeper share: keeper.c (the application), keeper_life.c (its nodes),
 * keeper_lanes.c (lanes between them), keeper_messages.c (what processes ask for), keeper_commands.c (external
 * programs). */
#ifndef TR_KEEPER_PARTS_H
#define TR_KEEPER_PARTS_H

#include "place/keeper.h"

struct tr_member {
    struct tr_node_spec spec;  /* the path is our own copy */
    struct tr_member *process; /* whose process it lives in: its host, or itself */
    enum tr_node_state state;
    uint64_t incarnation; /* the present or last one */
    bool ready;           /* has said so in this incarnation */
    bool again;           /* started anew while it was still stopping */
    int64_t deadline;     /* of its stop; INT64_MAX: none */

    /* main and processes */
    bool exists;         /* there is a process: forked, and not yet reaped */
    int status;          /* how it ended, as waitpid has it; -1: there is one, or there never was */
    bool killed;         /* kill_node was called: it counts as good as dead */
    int64_t ready_by;    /* executed anew: it is killed then if it is not; INT64_MAX: it is, or may take its time */
    int64_t abort_until; /* abort_node was called: it is killed then; INT64_MAX: it was not */
    enum tr_cause cause; /* of the kill, or of the abort */
    char why[TR_CONTROL_TEXT_SIZE];
    char fault[TR_CONTROL_TEXT_SIZE]; /* why it exits, as it said itself; "": it has not */
};

enum tr_lane_state {
    TR_PAIR_QUIET,   /* no lane is being made */
    TR_PAIR_WAITING, /* asked for; the listener is not ready */
    TR_PAIR_OPENING  /* the listener was told, and has not answered */
};

/* Two nodes that have wanted a lane since both came to life. */
struct tr_pair {
    struct tr_member *ends[2];
    bool asked[2];     /* who waits for the lane */
    unsigned listener; /* which end */
    enum tr_lane_state state;
    enum tr_lane kind;
    uint64_t lane, ledger; /* 0: none yet */
    uint64_t given;        /* the last lane of which both ends were told at once; 0: none */
    int64_t deadline;      /* of the listener's answer */
    uint8_t token[TR_CONTROL_TOKEN_SIZE];
    char url[TR_CONTROL_URL_SIZE];
};

/* An external program that runs, or is about to. */
struct tr_keeper_command {
    uint64_t number;
    struct tr_command_rules rules;
    bool asked, killed; /* it was sent its signal, SIGKILL */
    int64_t deadline;   /* when it is killed, or given up; INT64_MAX: it is not */
};

enum tr_keeper_phase {
    TR_PHASE_BEFORE,
    TR_PHASE_UP,
    TR_PHASE_RESTARTING, /* main died: everybody is killed before it starts again */
    TR_PHASE_STOPPING,   /* main was asked to stop */
    TR_PHASE_ENDING,     /* everybody is killed; then exit */
    TR_PHASE_ENDED,
    TR_PHASES
};

struct tr_keeper {
    const struct tr_keeper_io *io;
    void *context;
    struct tr_member *members;
    size_t member_count;
    struct tr_member *main;
    enum tr_keeper_phase phase;
    int exit_code;
    unsigned signals; /* how many asked us to stop */
    int signal;       /* the last of them, and when; 0: none */
    int64_t signalled_at;
    int64_t now;      /* of the latest event */
    int64_t shutdown; /* ns */
    int64_t deadline; /* of the shutdown */
    int64_t armed;    /* what io->timer was last told */

    uint32_t restarts; /* allowed in `within`; the size of the ring below */
    int64_t within;
    int64_t *restarted; /* when: a ring */
    uint64_t restart_count;

    struct tr_pair *pairs;
    size_t pair_count, pair_room;
    uint64_t last_lane, last_ledger;

    struct tr_keeper_command *commands;
    size_t command_count, command_room;
};

#define TR_BIT(state) (1u << (state))

/* ---- keeper.c ---- */

/* Everybody is killed, or as good as. */
bool tr_keeper_dying(const struct tr_keeper *keeper);
void tr_keeper_shut_down(struct tr_keeper *keeper, int64_t now);

/* ---- keeper_messages.c: NULL, or what is wrong with the message ---- */

const char *tr_keeper_obey(struct tr_keeper *keeper, struct tr_member *process,
                           const struct tr_control *message, int64_t now);

/* ---- keeper_life.c ---- */

struct tr_member *tr_keeper_find(const struct tr_keeper *keeper, uint64_t node); /* NULL: unknown */
bool tr_member_alive(const struct tr_member *member);
/* now + within, never past the end of time. */
int64_t tr_keeper_later(int64_t now, int64_t within);
void tr_keeper_say(struct tr_keeper *keeper, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Nothing for a process that is killed or not there. */
void tr_keeper_send(struct tr_keeper *keeper, const struct tr_member *process,
                    const struct tr_control *message);
void tr_member_move(struct tr_member *member, enum tr_node_state state);
void tr_member_start(struct tr_keeper *keeper, struct tr_member *member);
void tr_member_stop(struct tr_keeper *keeper, struct tr_member *member, int64_t within,
                    int64_t now);
void tr_member_kill(struct tr_keeper *keeper, struct tr_member *process, enum tr_cause cause,
                    const char *why);
void tr_keeper_kill_everyone(struct tr_keeper *keeper, const char *why);
/* The present incarnation is over. Its process, if it was its own, is reaped. */
void tr_member_end(struct tr_keeper *keeper, struct tr_member *member, enum tr_cause cause,
                   const char *why);
void tr_member_tell_gone(struct tr_keeper *keeper, const struct tr_member *member);
/* The deadlines of stops. */
void tr_lives_tick(struct tr_keeper *keeper, int64_t now);
int64_t tr_lives_deadline(const struct tr_keeper *keeper);

/* ---- keeper_lanes.c: each returns NULL, or what is wrong with the message ---- */

const char *tr_lanes_connect(struct tr_keeper *keeper, struct tr_member *from, struct tr_member *to,
                             uint64_t known, int64_t now);
const char *tr_lanes_listening(struct tr_keeper *keeper, const struct tr_member *process,
                               const struct tr_control *message);
const char *tr_lanes_failed(struct tr_keeper *keeper, const struct tr_member *process,
                            const struct tr_control *message);
/* Opens what waited for this node. */
void tr_lanes_ready(struct tr_keeper *keeper, const struct tr_member *member, int64_t now);
/* Forgets its lanes and ledgers. */
void tr_lanes_drop(struct tr_keeper *keeper, const struct tr_member *member);
void tr_lanes_tick(struct tr_keeper *keeper, int64_t now);
int64_t tr_lanes_deadline(const struct tr_keeper *keeper);

/* ---- keeper_commands.c ---- */

/* NULL, or why not. */
const char *tr_commands_begin(struct tr_keeper *keeper, uint64_t number, const struct tr_command_rules *rules);
void tr_commands_end(struct tr_keeper *keeper, uint64_t number, bool gone, int64_t now);
void tr_commands_exited(struct tr_keeper *keeper, uint64_t number);
/* In order: each with its grace, but until this deadline at most. Else they are killed. */
void tr_commands_end_all(struct tr_keeper *keeper, bool in_order, int64_t deadline, int64_t now);
void tr_commands_tick(struct tr_keeper *keeper, int64_t now);
int64_t tr_commands_deadline(const struct tr_keeper *keeper);

#endif
