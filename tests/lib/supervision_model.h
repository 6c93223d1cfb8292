/*
 * A second supervisor machine, to compare the real one with. It is written in the plainest way: one array of
 * all children there ever were, in their order, looked through from one end to the other for everything; all
 * restarts ever, counted anew each time; causes as numbers. No heap, no list, no ring, no entry is used twice.
 *
 * It says which actions must follow an event, to the letter. Children are named by their place in the array.
 */
#ifndef TR_SUPERVISION_MODEL_H
#define TR_SUPERVISION_MODEL_H

#include "base/random.h"
#include "services/supervision.h"

enum { MODEL_KIDS = 24, MODEL_ACTIONS = 160, MODEL_ASKERS = 32, MODEL_RESTARTS = 512 };

enum model_act { START, FLUSH_START, STOP, KILL, REST, FORGET, ANSWER, STARTED, STOPPED };

struct model_action {
    enum model_act act;
    uint32_t kid;     /* ANSWER: request */
    uint32_t outcome; /* ANSWER: enum tr_answer; STOPPED: enum tr_over */
};

struct model_actions {
    struct model_action list[MODEL_ACTIONS];
    uint32_t count;
};

void model_note(struct model_actions *actions, enum model_act act, uint32_t kid, uint32_t outcome);

struct model_kid {
    struct tr_child_rules rules;
    enum tr_child_state state;
    enum tr_exit why;
    bool failed, late, asked, fresh, flush, told;
    uint64_t starts, cause, stamp;
    uint32_t in_a_row; /* restarts, for the backoff */
    int64_t since, due;
    uint32_t starter, askers[MODEL_ASKERS], asker_count;
};

enum model_mode { M_NEW, M_OPENING, M_IDLE, M_CLEARING, M_BACKING, M_RESTARTING, M_ENDING, M_OVER };

struct model {
    struct tr_supervision_rules rules;
    struct tr_random random;
    struct model_kid kids[MODEL_KIDS];
    uint32_t count, first, at;
    int origin;
    enum model_mode mode;
    enum tr_over over;
    int64_t now, delay;
    uint64_t groups, causes, counted[MODEL_RESTARTS];
    int64_t restarts[MODEL_RESTARTS];
    uint32_t restart_count;
    struct model_actions actions;
};

void model_begin(struct model *m, const struct tr_supervision_rules *rules);
/* The place of the new one. */
uint32_t model_add(struct model *m, const struct tr_child_rules *rules);
bool model_lives(const struct model *m, uint32_t kid);
/* The earliest deadline; INT64_MAX: none. */
int64_t model_due(const struct model *m);

void model_start(struct model *m);
void model_started(struct model *m, uint32_t kid);
void model_ignored(struct model *m, uint32_t kid);
void model_exited(struct model *m, uint32_t kid, enum tr_exit why);
/* Those whose bit is set. */
void model_lost(struct model *m, uint64_t kids);
void model_tick(struct model *m);
void model_stop(struct model *m);
void model_launch(struct model *m, uint32_t kid, uint32_t request);
void model_terminate(struct model *m, uint32_t kid, uint32_t request);
void model_restart(struct model *m, uint32_t kid, uint32_t request);
void model_delete(struct model *m, uint32_t kid, uint32_t request);

#endif
