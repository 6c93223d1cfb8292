#include "app/program.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/supervisor.h>

#include "app/messages.h"

static const struct troupe_actor_type *const own_actors[] = { &tr_agent_actor, &tr_groups_agent_actor,
                                                              &tr_observer_actor, &tr_surveyor_actor,
                                                              &troupe_supervisor_actor };
enum { OWN_ACTORS = sizeof own_actors / sizeof own_actors[0] };

static bool make_classes(struct tr_classes *classes, const struct troupe_actor_type *const *actors,
                         const struct troupe_actor_type *also) {
    size_t count = 0;
    while (actors[count] != NULL) count++;
    const struct troupe_actor_type **all = calloc(count + OWN_ACTORS + 2, sizeof *all);
    if (all == NULL) return false;
    memcpy(all, own_actors, sizeof own_actors);
    memcpy(all + OWN_ACTORS, actors, count * sizeof *all);
    all[OWN_ACTORS + count] = also;
    bool made = tr_classes_init(classes, all);
    free(all);
    return made;
}

static void place_on_main(struct tr_child *child) {
    child->placement = (struct tr_placement){ .place = TR_PLACE_THREAD, .lane = TR_LANE_DIRECT, .rule = "default" };
    for (uint32_t i = 0; i < child->child_count; i++) place_on_main(child->children[i]);
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
    program->config = tr_config_load(&input->config, report, context);
    if (program->config == NULL) return false;
    if (input->one_node) place_on_main(program->config->root);
    program->plan = tr_plan_new(program->config, input->one_process, input->threads);
    if (program->plan != NULL && make_classes(&program->classes, input->config.actors, input->also))
        return true;
    report(context, "error: out of memory");
    tr_program_free(program);
    return false;
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
