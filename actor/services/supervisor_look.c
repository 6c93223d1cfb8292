/* Who there is: the children of a supervisor as others see them. */
#include <stdlib.h>

#include "services/supervisor_parts.h"

enum { MOST = 1000 };

#define SAME(tr_state) (int)TROUPE_CHILD_##tr_state == (int)TR_CHILD_##tr_state
_Static_assert((int)TROUPE_CHILD_UNKNOWN == (int)TR_CHILD_GONE && SAME(DOWN) && SAME(STARTING) && SAME(RUNNING) &&
                   SAME(STOPPING) && SAME(KILLING) && SAME(ENDED) && SAME(WAITING) && SAME(RESTING),
               "what a child is at has the same number inside and outside");

static const char *const names[] = {
#define NAME(code, name) [TROUPE_CHILD_##code] = name,
    TROUPE_CHILD_LIST(NAME)
#undef NAME
};

const char *troupe_child_state_name(enum troupe_child_state state) {
    return (unsigned)state < TROUPE_CHILD_STATES ? names[state] : names[TROUPE_CHILD_UNKNOWN];
}

enum troupe_child_state tr_kin_state(const struct troupe_supervisor *me, const struct tr_kin *kin) {
    struct tr_child_look look;
    bool known = tr_supervision_look(me->machine, kin->id, &look);
    return known ? (enum troupe_child_state)look.state : TROUPE_CHILD_UNKNOWN;
}

static struct troupe_child_info info_of(const struct troupe_supervisor *me, const struct tr_kin *kin) {
    struct tr_child_look look = { 0 };
    (void)tr_supervision_look(me->machine, kin->id, &look);
    return (struct troupe_child_info){ .number = kin->number, .name = kin->spec.name, .path = kin->spec.path,
                                       .actor = kin->spec.actor, .address = kin->address,
                                       .is_supervisor = kin->spec.is_supervisor, .state = look.state,
                                       .since = look.since, .restarts = look.restarts,
                                       .restart = kin->spec.rules.restart,
                                       .failure = kin->failure == NULL ? "" : kin->failure,
                                       .failed_at = kin->failure == NULL ? 0 : kin->failed_at };
}

/* True: there are more behind those that fit. */
static bool collect(const struct troupe_supervisor *me, uint64_t after, uint32_t limit,
                    struct troupe_child_info *items, uint32_t *count) {
    tr_child_id id;
    *count = 0;
    for (bool more = tr_supervision_first(me->machine, &id); more; more = tr_supervision_next(me->machine, &id)) {
        const struct tr_kin *kin = tr_kindred_of(&me->kindred, id);
        if (kin->number <= after) continue;
        if (*count == limit) return true;
        items[(*count)++] = info_of(me, kin);
    }
    return false;
}

/* Without memory the ask ends with NO_REPLY. */
enum troupe_status tr_supervisor_which(struct troupe_supervisor *me, const struct troupe_which_children *msg) {
    uint32_t limit = msg->limit == 0 || msg->limit > MOST ? MOST : msg->limit, count;
    if (limit > me->kindred.count) limit = me->kindred.count;
    struct troupe_child_info *items = calloc((size_t)limit + 1, sizeof *items);
    if (items == NULL) return TROUPE_OK;
    bool more = collect(me, msg->after, limit, items, &count);
    (void)troupe_reply(me->self, troupe_children, .children = { items, count }, .more = more,
                       .now = troupe_now(me->self), .strategy = me->rules.strategy);
    free(items);
    return TROUPE_OK;
}

enum troupe_status tr_supervisor_count(struct troupe_supervisor *me) {
    struct troupe_child_counts counts = { .supervisors = me->kindred.supervisors };
    counts.specs = tr_supervision_count(me->machine, &counts.active);
    counts.workers = counts.specs - counts.supervisors;
    (void)troupe_reply_message(me->self, &troupe_child_counts_message, &counts);
    return TROUPE_OK;
}
