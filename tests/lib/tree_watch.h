/*
 * A random tree of supervisors and actors, and somebody who watches it: for simulations with real actors
 * (troupe/test.h). The watcher knows the tree, OTP's rules, and nothing of the code under test. It is told each
 * beginning and each end of a run, in their order, and each request before it is made; and says what may not be.
 *
 * Where several things happen at once (`strict` is false), it cannot know in which order a supervisor hears of them,
 * and leaves out what depends on that.
 */
#ifndef TR_TEST_TREE_WATCH_H
#define TR_TEST_TREE_WATCH_H

#include <troupe.h>
#include <troupe/supervisor.h>
#include <troupe/test.h>

#include "base/random.h"

enum { TREE_MEMBERS = 96, TREE_RESTARTS = 8, TREE_CONFIG = 8192 };

struct member {
    char path[64], name[64];  /* name: that it registers; of a supervisor, none */
    struct member *above;
    bool supervises;
    enum troupe_restart restart;
    enum troupe_strategy strategy;
    enum troupe_auto_shutdown auto_shutdown;
    bool significant;
    uint32_t limit;           /* restarts that are allowed ... */
    int64_t within;           /* ... in so many seconds */
    int64_t restarts[TREE_RESTARTS];
    uint32_t restarted;
    bool added;               /* by code: at `address`, unless that has changed */
    troupe_address address;
    bool forgotten;           /* its supervisor has no such child any more */
    bool alive, expected;     /* it runs; it should, once nothing is left to do */
    uint32_t runs;            /* in the present run of its supervisor */
    bool left;                /* its run is one of the run before of its supervisor, which is to be killed */
    bool gives_up, finishes;  /* a supervisor that has to, or that is done with its significant children */
};

struct tree {
    uint64_t seed;
    bool trace, strict, ending;
    struct tr_random random;
    struct member members[TREE_MEMBERS]; /* parents before children, and these from left to right */
    uint32_t count;
    char config[TREE_CONFIG];
    size_t used;
    troupe_test *kit;
    struct member *asked;     /* that somebody asks its supervisor to start or stop, or NULL */
    uint64_t begun, ended, gave_up, finished; /* of all trees so far */
};

/* Starts an actor of the tree, which the program calls `hand`: the name that it registers, and after how many
 * milliseconds it is ready. */
#define HAND_FIELDS(field) field(str, name) field(u32, late)
TROUPE_MESSAGE(hand_args, HAND_FIELDS)

/* All but the counts begins anew; config is what the kit is to be started with. */
void tree_make(struct tree *tree, uint64_t seed, bool strict, bool trace);
uint32_t tree_draw(struct tree *tree, uint32_t below);
/* A child that code adds, as the last one; not expected yet. NULL: there are enough. */
struct member *tree_add(struct tree *tree, struct member *above, enum troupe_restart restart);

/* Prints the seed and leaves. */
void tree_fail(const struct tree *tree, const char *what, const char *who) __attribute__((noreturn));

/* What has happened is taken in and judged, and what there is then. False: the application has ended. */
bool tree_watch(struct tree *tree);
/* What has happened is taken in. */
void tree_take_events(struct tree *tree);

/* Where it runs, or ran. */
troupe_address tree_address(struct tree *tree, struct member *who);

/* What a supervisor is to reply, before it is asked. */
enum troupe_status tree_expect_terminate(struct tree *tree, struct member *who);
enum troupe_status tree_expect_restart(struct tree *tree, struct member *who);
enum troupe_status tree_expect_delete(struct tree *tree, struct member *who);

#endif
