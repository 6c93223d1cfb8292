/*
 * Scenarios for the supervisor machine. What it does is written down in short, separated by blanks, and
 * compared as text:
 *
 *   +2  start child 2      +2~  ... and flush its mailbox      -2  stop it        x2  kill it
 *   r2  it rests           f2   it is forgotten                7:ok  request 7 is answered
 *   ready; stopped, gave-up, finished                          @5000  timer       @-  no timer
 *
 * Children are numbered as they are added, from 0. Include after cmocka.h.
 */
#ifndef TR_SUPERVISION_SCRIPT_H
#define TR_SUPERVISION_SCRIPT_H

#include "services/supervision.h"

enum { SCRIPT_CHILDREN = 16, SECOND = 1000 };

struct script {
    struct tr_supervision *machine;
    int64_t now;
    tr_child_id ids[SCRIPT_CHILDREN];
    uint64_t runs[SCRIPT_CHILDREN];
    uint32_t count;
    char log[1024];
};

/* What is given stands after the defaults, and replaces them. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A permanent child without deadlines, but for what is given (.restart = TR_TRANSIENT, ...). */
#define CHILD(...)                                                                                 \
    (&(const struct tr_child_rules){ .shutdown = TR_INFINITY, .ready = TR_INFINITY, __VA_ARGS__ })
/* one_for_one, no restart allowed, within 5 s, but for what is given. */
#define RULES(...) (&(const struct tr_supervision_rules){ .within = 5 * SECOND, __VA_ARGS__ })

/* What has been done since the last time; nothing else. */
#define expect(script, log) script_expect((script), (log), __FILE__, __LINE__)
void script_expect(struct script *script, const char *log, const char *file, int line);
/* Nothing more is done; the end. */
void finish(struct script *script);

void script_create(struct script *script, const struct tr_supervision_rules *rules);
extern const struct tr_child_rules permanent[4];
/* With these children, not started yet. */
void create(struct script *script, enum tr_strategy strategy, uint32_t restarts, uint32_t count,
            const struct tr_child_rules *children);
/* The answer of the machine is checked: OK. */
void add(struct script *script, const struct tr_child_rules *rules);
/* So many children of one kind, all running; 3 restarts are allowed. */
void run_kinds(struct script *script, enum tr_strategy strategy, uint32_t count, const enum tr_restart *kinds);
void run_three(struct script *script, enum tr_strategy strategy, enum tr_restart kind);
/* These children, all running. Nothing has been done. */
void run_all(struct script *script, const struct tr_supervision_rules *rules, uint32_t count,
             const struct tr_child_rules *children);

void begin(struct script *script);
void up(struct script *script, uint32_t child);
void up_all(struct script *script); /* in their order */
void ignores(struct script *script, uint32_t child);
void ends(struct script *script, uint32_t child, enum tr_exit why);
void fails(struct script *script, uint32_t child);
void down(struct script *script, uint32_t child); /* as it was told */
void lose(struct script *script, const char *children);
void tick(struct script *script, int64_t now);
void stop(struct script *script);

/* A child is added and launched: the request has this number. */
void launch(struct script *script, uint64_t request, const struct tr_child_rules *rules);
void terminate(struct script *script, uint64_t request, uint32_t child);
void restart(struct script *script, uint64_t request, uint32_t child);
void delete_child(struct script *script, uint64_t request, uint32_t child);

/* All it has and how many of them live. */
void expect_count(struct script *script, uint32_t count, uint32_t living);
uint64_t restarts_of(struct script *script, uint32_t child);
enum tr_child_state state_of(struct script *script, uint32_t child);

#endif
