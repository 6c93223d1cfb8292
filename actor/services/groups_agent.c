/*
 * The agent for groups of a node: tells the other nodes of its members, and hears of theirs (groups.h).
 *
 * A node that begins attaches to the hub, which answers with all memberships it knows of, and tells it of all changes
 * from then on. The node's own changes go to the hub, which puts them into its own table and tells the others. All of
 * that is Troupe's own: in order, neither counted nor bounded, lost only with the incarnation it was for, which
 * attaches anew.
 *
 * When a node dies, the hub hears of it from its host, takes its members out and tells the others. What that node had
 * said before may still arrive, even its attachment: the hub knows by its incarnation that it is over. So whatever
 * the order, no member outlives its process.
 *
 * What another process says is checked: only the hub speaks of nodes that are not its own, and only of those that are
 * not ours.
 */
#include <stdlib.h>

#include "core/log.h"
#include "core/send.h"
#include "services/names.h"
#include "services/services.h"
#include "services/topic.h"

enum { NEWS_MAX = 256 };

/* Another node, as the hub knows it. */
struct attached {
    uint64_t node;
    uint64_t incarnation; /* that hears of changes; 0: none */
    uint64_t over;        /* the last that is known to be over */
};

struct tr_groups_agent {
    struct attached *nodes;  /* the hub's */
    troupe_address *hearers; /* room for as many */
    uint32_t count, size;
};

static struct tr_groups *groups_of(const troupe_self *self) { return &tr_services_of(self->worker->node)->groups; }

static bool is_hub(const troupe_self *self) { return self->worker->node->id == groups_of(self)->hub; }

/* ---- The nodes that the hub knows ---- */

static bool make_room(struct tr_groups_agent *me) {
    if (me->count < me->size) return true;
    uint32_t size = me->size == 0 ? 8 : me->size * 2;
    struct attached *nodes = realloc(me->nodes, size * sizeof *nodes);
    if (nodes != NULL) me->nodes = nodes;
    troupe_address *hearers = realloc(me->hearers, size * sizeof *hearers);
    if (hearers != NULL) me->hearers = hearers;
    if (nodes == NULL || hearers == NULL) return false;
    me->size = size;
    return true;
}

/* Makes it. NULL: no memory. */
static struct attached *node_of(struct tr_groups_agent *me, uint64_t id) {
    for (uint32_t i = 0; i < me->count; i++)
        if (me->nodes[i].node == id) return &me->nodes[i];
    if (!make_room(me)) return NULL;
    me->nodes[me->count] = (struct attached){ .node = id };
    return &me->nodes[me->count++];
}

/* Who is to be told of a change by the hub: all but the node that it came from. */
static uint32_t find_hearers(struct tr_groups_agent *me, uint64_t but) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < me->count; i++)
        if (me->nodes[i].incarnation != 0 && me->nodes[i].node != but)
            me->hearers[found++] = tr_groups_address(me->nodes[i].node);
    return found;
}

/* ---- Telling ---- */

static void tell(troupe_self *self, const troupe_address *to, uint32_t count, const struct troupe_message_type *type,
                 const void *message) {
    struct tr_outgoing outgoing = { .from = troupe_self_address(self), .type = type, .body = message,
                                    .flags = TR_MESSAGE_SYSTEM };
    (void)tr_send_many(self->worker->node, self->worker, &outgoing, to, count, NULL);
}

/* To the hub; by the hub, to all but the node that the change came from. */
static void spread(troupe_self *self, struct tr_groups_agent *me, uint64_t but,
                   const struct troupe_message_type *type, const void *message) {
    const troupe_address hub = tr_groups_address(groups_of(self)->hub);
    if (is_hub(self)) tell(self, me->hearers, find_hearers(me, but), type, message);
    else tell(self, &hub, 1, type, message);
}

/* Changes that go out together. */
struct news {
    troupe_self *self;
    struct tr_groups_agent *me;
    uint64_t but;              /* of spread ... */
    const troupe_address *to;  /* ... unless they are for this one alone */
    uint32_t count;
    struct tr_group_change changes[NEWS_MAX];
};

static void news_send(struct news *news) {
    struct tr_groups_news message = { .incarnation = news->self->worker->node->options.incarnation,
                                      .changes = { news->changes, news->count } };
    if (news->count == 0) return;
    if (news->to != NULL) tell(news->self, news->to, 1, &tr_groups_news_message, &message);
    else spread(news->self, news->me, news->but, &tr_groups_news_message, &message);
    news->count = 0;
}

/* What is full is sent. */
static void news_add(struct news *news, const struct tr_group_change *change) {
    news->changes[news->count++] = *change;
    if (news->count == NEWS_MAX) news_send(news);
}

/* Of a topic the other nodes hear where it has subscribers. */
static troupe_address as_told(const struct tr_membership *change) {
    return change->topic ? tr_groups_address(change->member.node) : change->member;
}

TROUPE_ON(tr_groups_agent, tr_groups_changed) {
    struct tr_membership *changes = tr_groups_take(groups_of(self));
    struct news news = { .self = self, .me = me };
    for (struct tr_membership *change = changes; change != NULL; change = change->next)
        news_add(&news, &(struct tr_group_change){ change->topic, change->joined, change->name, as_told(change) });
    news_send(&news);
    while (changes != NULL) {
        struct tr_membership *next = changes->next;
        free(changes);
        changes = next;
    }
    return TROUPE_OK;
}

static void tell_one(void *context, const struct tr_group *group, troupe_address member) {
    news_add(context, &(struct tr_group_change){ group->space == TR_TOPIC, true, group->name, member });
}

/* ---- Hearing ---- */

/* The node that the message at hand is from; 0: it only says so. */
static uint64_t speaker_of(const troupe_self *self) {
    const struct tr_message *message = self->message;
    if (message->inbound == NULL) return self->worker->node->id;
    return (message->link.flags & TR_MESSAGE_FORWARDED) != 0 ? 0 : message->from.node;
}

/* From here on nothing that the node had said before counts. */
static void lose(troupe_self *self, struct tr_groups_agent *me, struct attached *node) {
    struct tr_groups_down down = { .node = node->node, .incarnation = node->over };
    node->incarnation = 0;
    tr_groups_lose_node(self->worker->node, self->worker, node->node);
    spread(self, me, node->node, &tr_groups_down_message, &down);
}

TROUPE_ON(tr_groups_agent, tr_groups_attach) {
    uint64_t id = speaker_of(self);
    struct attached *node = is_hub(self) && id != 0 && id != self->worker->node->id ? node_of(me, id) : NULL;
    if (node == NULL || msg->incarnation <= node->over) return TROUPE_OK;
    const troupe_address to = tr_groups_address(id);
    struct news news = { .self = self, .me = me, .to = &to };
    if (node->incarnation != 0) lose(self, me, node);
    node->incarnation = msg->incarnation;
    tr_groups_tell_all(self->worker->node, id, tell_one, &news);
    news_send(&news);
    return TROUPE_OK;
}

/* A node speaks of its own members, the hub of all but ours. */
static bool may_say(const troupe_self *self, uint64_t speaker, const struct tr_group_change *change) {
    uint64_t of = change->member.node;
    bool known = is_hub(self) ? of == speaker : of != self->worker->node->id;
    bool sound = change->member.generation != 0 && tr_name_is_valid(change->name);
    return known && sound && (!change->topic || troupe_address_equal(change->member, tr_groups_address(of)));
}

static void hear(troupe_self *self, const struct tr_group_change *change) {
    struct tr_node *node = self->worker->node;
    enum troupe_status status =
        tr_groups_apply(node, self->worker, change->topic, change->joined, change->name, change->member);
    if (status != TROUPE_OK)
        tr_log(node, TROUPE_ERROR, NULL, "a member of %s %s on node %llu is not known here: %s",
               change->topic ? "topic" : "group", change->name, (unsigned long long)change->member.node,
               troupe_status_text(status));
}

/* Is this of a node that is to be heard? */
static bool is_heard(troupe_self *self, struct tr_groups_agent *me, uint64_t speaker, uint64_t incarnation) {
    if (!is_hub(self)) return speaker == groups_of(self)->hub;
    struct attached *node = speaker == 0 || speaker == self->worker->node->id ? NULL : node_of(me, speaker);
    return node != NULL && node->incarnation == incarnation && incarnation != 0;
}

TROUPE_ON(tr_groups_agent, tr_groups_news) {
    uint64_t speaker = speaker_of(self);
    struct news news = { .self = self, .me = me, .but = speaker };
    if (!is_heard(self, me, speaker, msg->incarnation)) return TROUPE_OK;
    for (uint32_t i = 0; i < msg->changes.count; i++) {
        const struct tr_group_change *change = &msg->changes.items[i];
        if (!may_say(self, speaker, change)) continue;
        hear(self, change);
        if (is_hub(self)) news_add(&news, change);
    }
    news_send(&news);
    return TROUPE_OK;
}

/* To the hub its host says so, to the others the hub. */
TROUPE_ON(tr_groups_agent, tr_groups_down) {
    uint64_t speaker = speaker_of(self);
    struct tr_node *own = self->worker->node;
    if (speaker != groups_of(self)->hub || msg->node == own->id) return TROUPE_OK;
    if (!is_hub(self)) {
        tr_groups_lose_node(own, self->worker, msg->node);
        return TROUPE_OK;
    }
    struct attached *node = node_of(me, msg->node);
    if (node == NULL) return TROUPE_OK;
    if (msg->incarnation > node->over) node->over = msg->incarnation;
    if (node->incarnation != 0 && node->incarnation <= node->over) lose(self, me, node);
    return TROUPE_OK;
}

/* ---- Topics ---- */

TROUPE_ON(tr_groups_agent, troupe_publication) {
    tr_topic_hand_on(self, msg->topic, msg->schema, msg->body, true);
    return TROUPE_OK;
}

TROUPE_ON(tr_groups_agent, tr_dead_publication) {
    tr_topic_hand_on(self, msg->topic, msg->schema, msg->body, false);
    return TROUPE_OK;
}

/* ---- Beginning and end ---- */

TROUPE_START(tr_groups_agent, troupe_none) {
    struct tr_groups_attach attach = { .incarnation = self->worker->node->options.incarnation };
    if (is_hub(self)) return TROUPE_OK;
    spread(self, me, 0, &tr_groups_attach_message, &attach);
    return TROUPE_OK;
}

TROUPE_STOP(tr_groups_agent) {
    free(me->nodes);
    free(me->hearers);
}

TROUPE_ACTOR(tr_groups_agent, TROUPE_STARTS(tr_groups_agent, troupe_none), TROUPE_STOPS(tr_groups_agent),
             TROUPE_HANDLES(tr_groups_agent, tr_groups_changed, tr_groups_attach, tr_groups_news, tr_groups_down,
                            troupe_publication, tr_dead_publication))
