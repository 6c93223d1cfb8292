/* What troupe_main and systems share: from a configuration to a plan and classes. */
#ifndef TR_PROGRAM_H
#define TR_PROGRAM_H

#include "core/class.h"
#include "place/plan.h"

struct tr_program {
    struct tr_config *config;
    struct tr_plan *plan;
    struct tr_classes classes; /* the program's, and Troupe's own */
};

struct tr_program_input {
    struct tr_config_input config;
    uint32_t threads;
    bool one_process;
    const struct troupe_actor_type *also; /* one more, which no configuration can name; NULL: none */
    bool one_node;   /* all on main, wherever the configuration places it */
};

/* False: every mistake was reported, a line each; `*program` holds nothing. */
bool tr_program_load(struct tr_program *program, const struct tr_program_input *input,
                     void (*report)(void *context, const char *line), void *context);
void tr_program_free(struct tr_program *program);

/* TROUPE_SERIALIZE=always in the environment. */
bool tr_program_serialize(void);

#endif
