/*
 * What a supervisor is asked for, checked: descriptions of children, and of a supervisor that code has started. They
 * come from anybody, on any node: nothing of them is believed, and every mistake is said.
 */
#include <stdio.h>
#include <string.h>

#include "services/names.h"
#include "services/supervisor_parts.h"

enum { MOST_MAILBOX = 1 << 20, MOST_RESTARTS = 1000000, MOST_FACTOR = 10000 };
#define SHUTDOWN (5 * TROUPE_SECOND)
#define WITHIN (5 * TROUPE_SECOND)
#define MOST_BACKOFF (24 * 60 * TROUPE_MINUTE)

_Static_assert((int)TROUPE_ONE_FOR_ALL == (int)TR_ONE_FOR_ALL && (int)TROUPE_REST_FOR_ONE == (int)TR_REST_FOR_ONE &&
                   (int)TROUPE_DYNAMIC == (int)TR_DYNAMIC,
               "strategies have the same numbers inside and outside");
_Static_assert((int)TROUPE_TRANSIENT == (int)TR_TRANSIENT && (int)TROUPE_TEMPORARY == (int)TR_TEMPORARY,
               "so have the rules of restart");
_Static_assert((int)TROUPE_ANY_SIGNIFICANT == (int)TR_ANY_SIGNIFICANT &&
                   (int)TROUPE_ALL_SIGNIFICANT == (int)TR_ALL_SIGNIFICANT,
               "and those of auto_shutdown");

#define WRONG(tr_status, ...) (snprintf(why, TR_WHY, __VA_ARGS__), TROUPE_##tr_status)

/* ---- A child ---- */

/* Those of every node are nobody's children. */
static bool is_service(const struct troupe_actor_type *type) {
    for (uint32_t i = 0; i < TR_SERVICE_ACTORS; i++)
        if (tr_service_actors[i].type == type) return true;
    return false;
}

static enum troupe_status read_actor(const struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                     struct tr_child_spec *spec, char why[TR_WHY]) {
    struct tr_codec_error error;
    struct tr_codec_size needed;
    const struct tr_class *class = tr_class_named(tr_supervisor_node(me)->options.classes, asked->actor);
    if (class == NULL || is_service(class->type))
        return WRONG(NOT_FOUND, "the program has no actor type '%.100s'", asked->actor);
    const char *starts = class->start_type->name;
    if (strcmp(starts, asked->start) != 0)
        return WRONG(INVALID, "%s starts with %s, not with %.100s", class->type->name, starts, asked->start);
    if (!tr_codec_measure(class->start_type, asked->args.data, asked->args.size, NULL, &needed, &error))
        return WRONG(INVALID, "%s: %s", starts, error.text);
    spec->actor = class->type->name;
    spec->is_supervisor = class->type == &troupe_supervisor_actor;
    spec->args = asked->args.data;
    spec->args_size = asked->args.size;
    return TROUPE_OK;
}

static int64_t shutdown_of(const struct troupe_child_spec *asked, bool is_supervisor) {
    if (asked->shutdown == 0) return is_supervisor ? TR_INFINITY : SHUTDOWN;
    return asked->shutdown == TROUPE_KILL ? TR_KILL : asked->shutdown;
}

static enum troupe_status read_rules(const struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                     struct tr_child_spec *spec, char why[TR_WHY]) {
    if (asked->restart > TROUPE_TEMPORARY) return WRONG(INVALID, "restart: there is no %u", asked->restart);
    if (asked->shutdown < TROUPE_KILL) return WRONG(INVALID, "shutdown: less than nothing");
    if (asked->ready < 0) return WRONG(INVALID, "ready: less than nothing");
    if (asked->mailbox_limit > MOST_MAILBOX)
        return WRONG(INVALID, "mailbox_limit: %u is more than %d", asked->mailbox_limit, MOST_MAILBOX);
    bool counts = me->rules.auto_shutdown != TR_NEVER && me->rules.strategy != TR_DYNAMIC;
    if (asked->significant && (asked->restart == TROUPE_PERMANENT || !counts))
        return WRONG(INVALID, "significant: it must not be permanent, and its supervisor needs auto_shutdown, and not "
                              "to be dynamic");
    spec->rules = (struct tr_child_rules){ .restart = (enum tr_restart)asked->restart,
                                           .shutdown = shutdown_of(asked, spec->is_supervisor),
                                           .ready = asked->ready == 0 ? TR_INFINITY : asked->ready,
                                           .significant = asked->significant };
    spec->mailbox_limit = asked->mailbox_limit;
    spec->drop_newest = asked->drop_newest;
    spec->keep_mailbox = asked->keep_mailbox;
    spec->at_least_once = asked->at_least_once;
    return TROUPE_OK;
}

static bool is_plain(const struct troupe_child_spec *asked) {
    return asked->restart == 0 && asked->shutdown == 0 && asked->ready == 0 && !asked->significant &&
           asked->mailbox_limit == 0 && !asked->drop_newest && !asked->keep_mailbox && !asked->at_least_once;
}

/* One more of what the template says. */
static enum troupe_status read_another(const struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                       struct tr_child_spec *spec, char why[TR_WHY]) {
    const struct tr_child_spec *template = &me->template->spec;
    if (!is_plain(asked)) return WRONG(INVALID, "the options of these children are those of their template");
    if (asked->actor[0] != '\0' && strcmp(asked->actor, template->actor) != 0)
        return WRONG(INVALID, "the children here are %s, not %.100s", template->actor, asked->actor);
    enum troupe_status status = asked->actor[0] == '\0' ? TROUPE_OK : read_actor(me, asked, spec, why);
    struct troupe_bytes args = { spec->args, spec->args_size };
    *spec = *template;
    if (asked->actor[0] == '\0') return status;
    spec->args = args.data;
    spec->args_size = args.size;
    return status;
}

enum troupe_status tr_spec_read(const struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                struct tr_child_spec *spec, char why[TR_WHY]) {
    *spec = (struct tr_child_spec){ 0 };
    if (asked->name[0] != '\0' && !tr_name_is_valid(asked->name)) return WRONG(INVALID, "%s", tr_name_rule);
    if (me->template != NULL) return read_another(me, asked, spec, why);
    enum troupe_status status = read_actor(me, asked, spec, why);
    if (status == TROUPE_OK) status = read_rules(me, asked, spec, why);
    spec->node = tr_supervisor_node(me)->id;
    return status;
}

/* ---- A supervisor ---- */

static enum troupe_status read_backoff(struct tr_backoff_rules *rules, const struct troupe_backoff *asked,
                                       char why[TR_WHY]) {
    *rules = (struct tr_backoff_rules){ .initial = asked->initial,
                                        .maximum = asked->maximum == 0 ? TR_BACKOFF_MAXIMUM : asked->maximum,
                                        .reset = asked->reset == 0 ? TR_BACKOFF_RESET : asked->reset,
                                        .factor = asked->factor == 0 ? TR_BACKOFF_FACTOR : asked->factor,
                                        .jitter = asked->jitter };
    bool times = rules->initial >= 0 && rules->initial <= MOST_BACKOFF && rules->maximum > 0 &&
                 rules->maximum <= MOST_BACKOFF && rules->reset > 0;
    if (times && rules->factor >= 100 && rules->factor <= MOST_FACTOR && rules->jitter <= 100) return TROUPE_OK;
    return WRONG(INVALID, "backoff: times up to a day, factor 100 to %d percent, jitter up to 100", MOST_FACTOR);
}

static uint32_t restarts_of(const struct troupe_supervise *asked) {
    return asked->restarts == 0 ? 1 : asked->restarts == TROUPE_NO_RESTARTS ? 0 : asked->restarts;
}

static enum troupe_status read_template(struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                        char why[TR_WHY]) {
    struct tr_child_spec spec;
    if (asked->actor[0] == '\0') return TROUPE_OK;
    if (me->rules.strategy != TR_DYNAMIC) return WRONG(INVALID, "child: only a dynamic supervisor has a template");
    enum troupe_status status = tr_spec_read(me, asked, &spec, why);
    if (status != TROUPE_OK) return status;
    me->template = tr_kin_new(&spec, me->path, "");
    return me->template == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

enum troupe_status tr_spec_rules(struct troupe_supervisor *me, const struct troupe_supervise *asked,
                                 char why[TR_WHY]) {
    if (asked->strategy > TROUPE_DYNAMIC) return WRONG(INVALID, "strategy: there is no %u", asked->strategy);
    if (asked->auto_shutdown > TROUPE_ALL_SIGNIFICANT)
        return WRONG(INVALID, "auto_shutdown: there is no %u", asked->auto_shutdown);
    if (restarts_of(asked) > MOST_RESTARTS) return WRONG(INVALID, "restarts: more than %d", MOST_RESTARTS);
    if (asked->within < 0) return WRONG(INVALID, "within: less than nothing");
    if (asked->max_children > TR_MAX_CHILDREN) return WRONG(INVALID, "max_children: more than %d", TR_MAX_CHILDREN);
    me->rules = (struct tr_supervision_rules){ .strategy = (enum tr_strategy)asked->strategy,
                                               .auto_shutdown = (enum tr_auto_shutdown)asked->auto_shutdown,
                                               .restarts = restarts_of(asked),
                                               .within = asked->within == 0 ? WITHIN : asked->within,
                                               .max_children = asked->max_children };
    enum troupe_status status = read_backoff(&me->rules.backoff, &asked->backoff, why);
    return status == TROUPE_OK ? read_template(me, &asked->child, why) : status;
}
