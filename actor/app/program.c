#include "app/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/command.h>
#include <troupe/router.h>
#include <troupe/supervisor.h>

#include "app/messages.h"
#include "config/placing.h"

/* What runs in every program: what may be configured in each, too, and what is Troupe's alone. Each ends with NULL. */
static const struct troupe_actor_type *const common_actors[] = { &troupe_router_actor, &troupe_command_actor,
                                                                 &troupe_runner_actor, NULL };
static const struct troupe_actor_type *const own_actors[] = { &tr_agent_actor, &tr_groups_agent_actor,
                                                              &tr_observer_actor, &tr_surveyor_actor,
                                                              &troupe_supervisor_actor, NULL };

static size_t count_of(const struct troupe_actor_type *const *actors) {
    size_t count = 0;
    while (actors[count] != NULL) count++;
    return count;
}

static bool has(const struct troupe_actor_type *const *actors, const struct troupe_actor_type *actor) {
    while (*actors != NULL && *actors != actor) actors++;
    return *actors != NULL;
}

/* Those, and the others behind them, each once; ends with NULL, to be freed. NULL: no memory. */
static const struct troupe_actor_type **with(const struct troupe_actor_type *const *actors,
                                             const struct troupe_actor_type *const *others) {
    size_t count = count_of(actors);
    const struct troupe_actor_type **all = calloc(count + count_of(others) + 1, sizeof *all);
    if (all == NULL) return NULL;
    memcpy(all, actors, count * sizeof *all);
    for (; *others != NULL; others++)
        if (!has(actors, *others)) all[count++] = *others;
    return all;
}

/* `also`: one more, that the program has not given; or NULL. */
static bool make_classes(struct tr_classes *classes, const struct troupe_actor_type *const *actors,
                         const struct troupe_actor_type *also) {
    const struct troupe_actor_type *const more[] = { also, NULL };
    const struct troupe_actor_type **own = with(actors, own_actors), **all = own == NULL ? NULL : with(own, more);
    bool made = all != NULL && tr_classes_init(classes, all);
    free(own);
    free(all);
    return made;
}

static void place_on_main(struct tr_child *child) {
    child->placement = (struct tr_placement){ .place = TR_PLACE_THREAD, .lane = TR_LANE_DIRECT, .rule = "default" };
    for (uint32_t i = 0; i < child->child_count; i++) place_on_main(child->children[i]);
}

/* Where all run in one process, there is no other program that has it. */
struct missing {
    void (*report)(void *context, const char *line);
    void *context;
    bool any;
};

static void tell_missing(void *context, struct tr_child *child) {
    struct missing *missing = context;
    char line[512];
    if (child->actor != NULL) return;
    missing->any = true;
    snprintf(line, sizeof line, "%.200s:%u:%u: error: the program has no actor '%.64s', and in one process there is no other",
             child->actor_where.file, child->actor_where.line, child->actor_where.column, child->actor_name);
    missing->report(missing->context, line);
}

static bool has_all(const struct tr_config *config, void (*report)(void *context, const char *line), void *context) {
    struct missing missing = { report, context, false };
    tr_tree_each(config->root, tell_missing, &missing);
    return !missing.any;
}

static bool load(struct tr_program *program, const struct tr_program_input *input,
                 const struct troupe_actor_type *const *actors, void (*report)(void *context, const char *line),
                 void *context) {
    struct tr_config_input config = input->config;
    config.actors = actors;
    program->config = tr_config_load(&config, report, context);
    if (program->config == NULL) return false;
    if (input->one_process && !has_all(program->config, report, context)) {
        tr_program_free(program);
        return false;
    }
    if (input->one_node) place_on_main(program->config->root);
    program->plan = tr_plan_new(program->config, input->one_process, input->threads);
    if (program->plan != NULL && make_classes(&program->classes, actors, input->also)) return true;
    report(context, "error: out of memory");
    tr_program_free(program);
    return false;
}

bool tr_program_load(struct tr_program *program, const struct tr_program_input *input,
                     void (*report)(void *context, const char *line), void *context) {
    char error[4096];
    *program = (struct tr_program){ 0 };
    if (input->config.actors == NULL) {
        report(context, "error: there is no list of actor types; an empty one has a NULL in it");
        return false;
    }
    if (!tr_messages_check(error, sizeof error)) {
        report(context, error);
        return false;
    }
    const struct troupe_actor_type **actors = with(input->config.actors, common_actors);
    bool loaded = actors != NULL && load(program, input, actors, report, context);
    if (actors == NULL) report(context, "error: out of memory");
    free(actors);
    return loaded;
}

void tr_program_free(struct tr_program *program) {
    if (program->plan != NULL) tr_plan_free(program->plan);
    if (program->config != NULL) tr_config_free(program->config);
    tr_classes_free(&program->classes);
    *program = (struct tr_program){ 0 };
}

bool tr_program_serialize(void) {
    const char *value = getenv("TROUPE_SERIALIZE");
    return value != NULL && strcmp(value, "always") == 0;
}
