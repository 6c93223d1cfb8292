/*
 * Routers: include/troupe/router.h.
 *
 * A router knows its members as a list, in the order in which they came, and for the policy hash as points on a ring
 * too (hash_ring.h). Where they come from decides who changes the list: notices of the group it watches; nobody, if
 * they are configured; or, for a pool, the answers of its supervisor, whom it asks first who is there, then for what
 * is missing. Of the end of a member of a pool it is told, as it monitors them: one that has ended for good is replaced.
 * What cannot be had, because the pool does not answer, is full, or its children fail to start, is tried again every
 * second, one at a time, beginning with who is there: the answer of an earlier request may have come too late.
 *
 * Its state is one piece of memory that the run has, however it ends: there is nothing to release.
 */
#include <stdio.h>
#include <string.h>
#include <troupe/group.h>
#include <troupe/monitor.h>
#include <troupe/router.h>
#include <troupe/supervisor.h>

#include "base/random.h"
#include "core/log.h"
#include "core/run.h"
#include "core/send.h"
#include "services/hash_ring.h"
#include "services/names.h"

enum { NAME = 128 };

static const int64_t patience = TROUPE_MINUTE; /* for answers of the pool's supervisor */
static const int64_t pause = TROUPE_SECOND;    /* until it is asked again for what could not be had */

TROUPE_MESSAGE_EMPTY(tr_router_again)

enum policy { ROUND_ROBIN, RANDOM, HASH, BROADCAST, POLICIES };

static const char *const policies[POLICIES] = { "round_robin", "random", "hash", "broadcast" };

struct troupe_router {
    enum policy policy;
    char key[NAME];
    struct tr_random random;
    uint32_t next;             /* round robin: whose turn it is */
    uint32_t count;
    bool told;                 /* that there are too many: the log says so once */
    troupe_address pool;       /* its supervisor; none: no pool */
    uint32_t size;             /* it is to have so many */
    uint32_t asked;            /* of them are on their way */
    bool waits;                /* for the first answers: messages are put aside */
    bool refused;              /* until it has all again: the log has said so, and one is asked for at a time */
    troupe_timer again;        /* until it is; none: it is not to be */
    troupe_address members[TR_RING_MEMBERS];
    struct tr_hash_ring ring;
};

/* ---- Members ---- */

static uint32_t find(const struct troupe_router *me, troupe_address member) {
    uint32_t at = 0;
    while (at < me->count && !troupe_address_equal(me->members[at], member)) at++;
    return at;
}

static void add(troupe_self *self, struct troupe_router *me, troupe_address member) {
    if (troupe_address_is_none(member) || find(me, member) < me->count) return;
    if (troupe_address_equal(member, troupe_self_address(self))) return; /* what it gets would go round for ever */
    if (me->count == TR_RING_MEMBERS) {
        if (!me->told)
            tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self),
                   "it has %d members, and gives nothing to any more", TR_RING_MEMBERS);
        me->told = true;
        return;
    }
    me->members[me->count++] = member;
    if (me->policy == HASH) tr_ring_add(&me->ring, member);
}

static void drop(struct troupe_router *me, troupe_address member) {
    uint32_t at = find(me, member);
    if (at == me->count) return;
    me->count--;
    memmove(&me->members[at], &me->members[at + 1], (me->count - at) * sizeof me->members[0]);
    if (me->next > at) me->next--;
    if (me->policy == HASH) tr_ring_remove(&me->ring, member);
}

/* ---- The pool ---- */

static enum troupe_status begin_over(troupe_self *self, struct troupe_router *me) {
    me->waits = false;
    (void)troupe_unstash(self);
    return TROUPE_OK;
}

static void try_again(troupe_self *self, struct troupe_router *me, enum troupe_status status, const char *why) {
    if (!me->refused)
        tr_log(self->worker->node, TROUPE_WARNING, troupe_self_path(self), "its pool gives it no more: %s%s%s",
               troupe_status_text(status), why[0] == '\0' ? "" : ": ", why);
    me->refused = true;
    if (me->again.id == 0) (void)troupe_after_empty(self, &me->again, pause, tr_router_again);
}

/* What is missing, as far as it has not been asked for. */
static enum troupe_status fill(troupe_self *self, struct troupe_router *me) {
    while (me->count + me->asked < me->size && !(me->refused && me->asked > 0)) {
        enum troupe_status status = troupe_ask_empty(self, me->pool, troupe_start_child, patience);
        if (status == TROUPE_OK) me->asked++;
        else try_again(self, me, status, "");
        if (status != TROUPE_OK) break;
    }
    if (me->count >= me->size) me->refused = false;
    return me->waits && me->asked == 0 ? begin_over(self, me) : TROUPE_OK;
}

/* The youngest, as any child that is terminated; what comes later goes to others. */
static bool give_back(troupe_self *self, struct troupe_router *me) {
    troupe_address member = me->members[me->count - 1];
    enum troupe_status status = troupe_ask(self, me->pool, troupe_terminate_child, patience, .address = member);
    if (status == TROUPE_OK) drop(me, member);
    else
        tr_log(self->worker->node, TROUPE_WARNING, troupe_self_path(self), "its pool cannot be told to stop one: %s",
               troupe_status_text(status));
    return status == TROUPE_OK;
}

TROUPE_ANSWER(troupe_router, troupe_terminate_child, troupe_child) { return TROUPE_OK; }

/* A group says itself when somebody has gone. */
static void missed(troupe_self *self, struct troupe_router *me, troupe_address member) {
    if (troupe_address_is_none(me->pool) || troupe_address_is_none(member)) return;
    drop(me, member);
    (void)fill(self, me);
}

/* The address of one that is started again stays: whether it is, a monitor of the next run tells. */
static void employ(troupe_self *self, struct troupe_router *me, troupe_address member) {
    troupe_monitor_id monitor;
    add(self, me, member);
    if (find(me, member) == me->count) return;
    enum troupe_status status = troupe_monitor(self, member, &monitor);
    if (status != TROUPE_OK)
        tr_log(self->worker->node, TROUPE_WARNING, troupe_self_path(self),
               "it will not know when one of its pool ends: %s", troupe_status_text(status));
}

TROUPE_ON(troupe_router, troupe_down) {
    uint32_t status = msg->death.status;
    if (find(me, msg->who) == me->count) return TROUPE_OK;
    bool for_good = status == TROUPE_GONE || status == TROUPE_NODE_DIED || status == TROUPE_UNREACHABLE;
    if (for_good) missed(self, me, msg->who);
    else employ(self, me, msg->who);
    return TROUPE_OK;
}

TROUPE_ANSWER(troupe_router, troupe_which_children, troupe_children) {
    if (outcome != TROUPE_OK) {
        try_again(self, me, outcome, "");
        return begin_over(self, me);
    }
    uint64_t last = 0;
    for (uint32_t i = 0; i < reply->children.count; i++) {
        const struct troupe_child_info *child = &reply->children.items[i];
        bool goes = child->state == TROUPE_CHILD_STOPPING || child->state == TROUPE_CHILD_KILLING;
        if (!goes && find(me, child->address) == me->count) employ(self, me, child->address);
        last = child->number;
    }
    if (reply->more && me->count < TR_RING_MEMBERS)
        return troupe_ask(self, me->pool, troupe_which_children, patience, .after = last);
    return fill(self, me);
}

/* Fewer may be wanted since it was asked for. */
TROUPE_ANSWER(troupe_router, troupe_start_child, troupe_child) {
    enum troupe_status status = outcome == TROUPE_OK ? (enum troupe_status)reply->status : outcome;
    me->asked--;
    if (status == TROUPE_OK) {
        if (find(me, reply->address) == me->count) employ(self, me, reply->address);
        if (me->count > me->size) (void)give_back(self, me);
        return fill(self, me);
    }
    try_again(self, me, status, outcome == TROUPE_OK ? reply->why : "");
    return me->waits && me->asked == 0 ? begin_over(self, me) : TROUPE_OK;
}

TROUPE_ON(troupe_router, tr_router_again) {
    me->again.id = 0;
    if (me->count + me->asked >= me->size) return TROUPE_OK;
    enum troupe_status status = troupe_ask(self, me->pool, troupe_which_children, patience, .limit = 0);
    if (status != TROUPE_OK) try_again(self, me, status, "");
    return TROUPE_OK;
}

/* ---- Handing on ---- */

/* That is no reason to give up: the next one may take it. */
static bool is_passed_over(enum troupe_status status) {
    return status == TROUPE_FULL || status == TROUPE_GONE || status == TROUPE_UNHANDLED ||
           status == TROUPE_UNREACHABLE;
}

/* Of several reasons the one that passes: full, before unhandled and unreachable, before gone. */
static enum troupe_status better(enum troupe_status a, enum troupe_status b) {
    return a == TROUPE_FULL || b == TROUPE_GONE ? a : b;
}

static enum troupe_status to_one_of(troupe_self *self, struct troupe_router *me, uint32_t first) {
    enum troupe_status reason = TROUPE_GONE, status = TROUPE_GONE;
    troupe_address gone = { 0 };
    for (uint32_t i = 0; i < me->count && is_passed_over(status); i++) {
        uint32_t at = (first + i) % me->count;
        status = troupe_forward(self, me->members[at]);
        reason = better(reason, status);
        if (status == TROUPE_GONE) gone = me->members[at];
        else if (status == TROUPE_OK) me->next = at + 1;
    }
    missed(self, me, gone);
    if (status == TROUPE_OK) return TROUPE_OK;
    return tr_decline(self, is_passed_over(status) ? reason : status);
}

static enum troupe_status by_key(troupe_self *self, struct troupe_router *me, const void *message) {
    uint64_t key;
    if (!tr_ring_key(self->message->type, message, me->key, &key)) return tr_decline(self, TROUPE_UNHANDLED);
    troupe_address member = tr_ring_find(&me->ring, key);
    enum troupe_status status = me->count == 0 ? TROUPE_GONE : troupe_forward(self, member);
    if (status == TROUPE_GONE) missed(self, me, member);
    return status == TROUPE_OK ? TROUPE_OK : tr_decline(self, status);
}

static enum troupe_status to_all(troupe_self *self, struct troupe_router *me, const void *message) {
    struct tr_outgoing outgoing = { .from = self->message->from, .type = self->message->type, .body = message,
                                    .flags = TR_MESSAGE_FORWARDED, .lossy = true };
    if ((self->message->link.flags & TR_MESSAGE_ASKED) != 0) return tr_decline(self, TROUPE_UNHANDLED);
    if (me->count == 0) return tr_decline(self, TROUPE_GONE);
    (void)tr_send_many(self->worker->node, self->worker, &outgoing, me->members, me->count, NULL);
    return TROUPE_OK;
}

static enum troupe_status until_there_are_some(troupe_self *self) {
    enum troupe_status status = troupe_stash(self);
    return status == TROUPE_OK ? TROUPE_OK : tr_decline(self, status);
}

/* Every message that has no handler here. Troupe's own are for nobody behind it. */
static enum troupe_status route(troupe_self *self, void *state, const void *message) {
    struct troupe_router *me = state;
    if ((self->message->link.flags & TR_MESSAGE_SYSTEM) != 0) return TROUPE_OK;
    if (me->waits) return until_there_are_some(self);
    switch (me->policy) {
    case HASH: return by_key(self, me, message);
    case BROADCAST: return to_all(self, me, message);
    case RANDOM: return to_one_of(self, me, (uint32_t)tr_random_below(&me->random, me->count));
    case ROUND_ROBIN:
    case POLICIES: break;
    }
    return to_one_of(self, me, me->next);
}

/* ---- Beginning ---- */

static enum policy policy_of(const char *name) {
    uint32_t policy = 0;
    while (policy < POLICIES && strcmp(policies[policy], name) != 0) policy++;
    return name[0] == '\0' ? ROUND_ROBIN : (enum policy)policy;
}

/* NULL: nothing. */
static const char *what_is_wrong(const struct troupe_routing *args, const struct troupe_router *me) {
    int sources = (args->group[0] != '\0') + (args->children[0] != '\0') + (args->pool[0] != '\0');
    if (me->policy == POLICIES) return "the policy is none of round_robin, random, hash, broadcast";
    if (sources != 1) return "it has its members from one of these: group, children, pool";
    if ((me->policy == HASH) != (args->key[0] != '\0')) return "the policy hash has a key, and no other has one";
    if (strlen(args->key) >= sizeof me->key) return "the key is too long for the name of a field";
    if (args->group[0] != '\0' && !tr_name_is_valid(args->group)) return tr_name_rule;
    if ((args->pool[0] != '\0') != (args->size > 0)) return "a pool has a size, and nothing else has one";
    return args->size > TR_RING_MEMBERS ? "the pool is too large" : NULL;
}

/* One without `count` has no number. */
static enum troupe_status use_children(troupe_self *self, struct troupe_router *me, const char *path) {
    char child[512];
    uint32_t count = troupe_count(self, path);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(child, sizeof child, "%s/%u", path, i);
        add(self, me, troupe_lookup(self, child));
    }
    if (me->count == 0) add(self, me, troupe_lookup(self, path));
    return me->count > 0 ? TROUPE_OK : TROUPE_FAIL(self, "the configuration has no children %s", path);
}

/* Who is in it already may be sent to at once; the first notice says so again. */
static enum troupe_status use_group(troupe_self *self, struct troupe_router *me, const char *group) {
    troupe_address members[TR_RING_MEMBERS];
    size_t count = troupe_members(self, group, members, TR_RING_MEMBERS);
    for (size_t i = 0; i < count && i < TR_RING_MEMBERS; i++) add(self, me, members[i]);
    return troupe_group_watch(self, group);
}

static enum troupe_status use_pool(troupe_self *self, struct troupe_router *me, const struct troupe_routing *args) {
    me->pool = troupe_lookup(self, args->pool);
    me->size = args->size;
    me->waits = true;
    if (troupe_address_is_none(me->pool)) return TROUPE_FAIL(self, "there is no supervisor %s", args->pool);
    return troupe_ask(self, me->pool, troupe_which_children, patience, .limit = 0);
}

TROUPE_START(troupe_router, troupe_routing) {
    me->policy = policy_of(args->policy);
    const char *wrong = what_is_wrong(args, me);
    if (wrong != NULL) return TROUPE_FAIL(self, "%s", wrong);
    snprintf(me->key, sizeof me->key, "%s", args->key);
    tr_random_seed(&me->random, (uint64_t)troupe_now(self));
    if (args->group[0] != '\0') return use_group(self, me, args->group);
    if (args->children[0] != '\0') return use_children(self, me, args->children);
    return use_pool(self, me, args);
}

TROUPE_ON(troupe_router, troupe_joined) {
    for (uint32_t i = 0; i < msg->members.count; i++) add(self, me, msg->members.items[i]);
    return TROUPE_OK;
}

TROUPE_ON(troupe_router, troupe_left) {
    for (uint32_t i = 0; i < msg->members.count; i++) drop(me, msg->members.items[i]);
    return TROUPE_OK;
}

/* ---- What it is asked itself ---- */

static enum troupe_status answer(troupe_self *self, const struct troupe_router *me, enum troupe_status status) {
    return troupe_reply(self, troupe_member_count, .status = (uint32_t)status, .count = me->count);
}

TROUPE_ON(troupe_router, troupe_count_members) { return answer(self, me, TROUPE_OK); }

TROUPE_ON(troupe_router, troupe_resize) {
    bool sound = !troupe_address_is_none(me->pool) && msg->size > 0 && msg->size <= TR_RING_MEMBERS;
    if (!sound) return answer(self, me, TROUPE_INVALID);
    me->size = msg->size;
    while (me->count > me->size && give_back(self, me)) {
    }
    if (!me->waits) (void)fill(self, me);
    return answer(self, me, TROUPE_OK);
}

TROUPE_ACTOR(troupe_router, TROUPE_STARTS(troupe_router, troupe_routing),
             TROUPE_HANDLES(troupe_router, troupe_joined, troupe_left, troupe_down, troupe_count_members, troupe_resize,
                            tr_router_again),
             TROUPE_ANSWERS(troupe_router, troupe_which_children, troupe_children),
             TROUPE_ANSWERS(troupe_router, troupe_start_child, troupe_child),
             TROUPE_ANSWERS(troupe_router, troupe_terminate_child, troupe_child),
             { .role = TROUPE_ROLE_HANDLE, .thunk = route })
