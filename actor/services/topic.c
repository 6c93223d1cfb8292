/*
 * include/troupe/topic.h: publishing.
 *
 * The subscribers of this node are sent the message as by troupe_send_many. For the other nodes that have some it is
 * packed into a publication, which their groups actors unpack and send to their subscribers. A publication is a
 * message like any other: a node that does not keep up has its publishers refused, with FULL.
 *
 * The table is read with its lock for a moment only: what is sent to is a roster that does not change any more
 * (group_table.h).
 *
 * Dead letters are published here as well, by whatever thread has one, with no lock held. What could come back to
 * here, because it is itself a notice of a dead letter, is let go: so it ends.
 */
#include "services/topic.h"

#include <string.h>

#include "core/death.h"
#include "core/dead.h"
#include "core/log.h"
#include "services/names.h"
#include "services/services.h"

static struct tr_groups *groups_of(struct tr_node *node) { return &tr_services_of(node)->groups; }

/* ---- Publishing ---- */

static enum troupe_status send_to(struct tr_node *node, struct tr_worker *worker, const struct tr_outgoing *outgoing,
                                  const struct tr_roster *roster) {
    return roster == NULL ? TROUPE_OK
                          : tr_send_many(node, worker, outgoing, roster->items, roster->count, NULL);
}

static enum troupe_status send_packed(struct tr_node *node, struct tr_worker *worker, const char *topic,
                                      const struct tr_outgoing *outgoing, const struct tr_roster *there,
                                      const struct tr_bytes *bytes, uint32_t type) {
    struct troupe_publication publication = { .topic = topic, .schema = tr_types_schema(&node->types, type),
                                              .body = { bytes->data, (uint32_t)bytes->size } };
    struct tr_outgoing packed = { .from = outgoing->from, .body = &publication };
    packed.type = outgoing->lossy ? &troupe_publication_message : &tr_dead_publication_message;
    enum troupe_status status = send_to(node, worker, &packed, there);
    return status == TROUPE_GONE ? TROUPE_OK : status; /* its node has just ended: nobody is there */
}

static enum troupe_status send_there(struct tr_node *node, struct tr_worker *worker, const char *topic,
                                     const struct tr_outgoing *outgoing, const struct tr_roster *there) {
    struct tr_codec_error error;
    struct tr_bytes bytes = { .limit = TR_CODEC_MAX_SIZE };
    uint32_t type = there == NULL ? 0 : tr_types_index(&node->types, outgoing->type);
    if (there == NULL) return TROUPE_OK;
    if (type == UINT32_MAX) return TROUPE_LIMIT;
    bool packs = tr_codec_pack(outgoing->type, outgoing->body, &bytes, &error);
    if (!packs) tr_refusal_log(node, outgoing, error.text);
    enum troupe_status status =
        packs ? send_packed(node, worker, topic, outgoing, there, &bytes, type) : error.status;
    tr_bytes_free(&bytes);
    return status;
}

static enum troupe_status publish(struct tr_node *node, struct tr_worker *worker, const char *topic,
                                  const struct tr_outgoing *outgoing) {
    struct tr_roster *here, *there;
    tr_groups_share(groups_of(node), TR_TOPIC, topic, &here, &there);
    enum troupe_status status = send_to(node, worker, outgoing, here);
    enum troupe_status others = send_there(node, worker, topic, outgoing, there);
    tr_roster_drop(here);
    tr_roster_drop(there);
    return status == TROUPE_OK ? others : status;
}

enum troupe_status troupe_publish_message(troupe_self *self, const char *topic,
                                          const struct troupe_message_type *type, const void *message) {
    struct tr_outgoing outgoing = { .from = troupe_self_address(self), .type = type, .body = message, .lossy = true };
    if (tr_name_is_valid(topic)) return publish(self->worker->node, self->worker, topic, &outgoing);
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not published: %s: %s", type->name,
           tr_name_rule);
    return TROUPE_INVALID;
}

/* ---- From another node ---- */

static const struct troupe_message_type *type_of(struct tr_node *node, const char *schema,
                                                 enum troupe_status *status) {
    char name[TR_MAX_SCHEMA + 1];
    size_t length = strcspn(schema, "(");
    *status = TROUPE_MALFORMED;
    if (strlen(schema) > TR_MAX_SCHEMA) return NULL;
    memcpy(name, schema, length);
    name[length] = '\0';
    const struct troupe_message_type *type = tr_types_named(&node->types, name);
    *status = type == NULL ? TROUPE_UNHANDLED : tr_codec_compatible(type, schema) ? TROUPE_OK : TROUPE_INCOMPATIBLE;
    return *status == TROUPE_OK ? type : NULL;
}

static struct tr_message *unpack(struct tr_node *node, struct tr_worker *worker, const char *schema,
                                 struct troupe_bytes body, enum troupe_status *status) {
    struct tr_codec_error error;
    const struct troupe_message_type *type = type_of(node, schema, status);
    if (type == NULL) return NULL;
    return tr_message_unpack(tr_memory_of(node, worker), type, body.data, body.size, status, &error);
}

/* Nobody here gets it: that is the other program's doing, and said here. */
static void drop(troupe_self *self, const char *schema, enum troupe_status why) {
    char name[64];
    size_t length = strcspn(schema, "(");
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, schema, length);
    name[length] = '\0';
    tr_loss_log(self->worker->node, "dropped", troupe_self_address(self), name, why);
}

void tr_topic_hand_on(troupe_self *self, const char *topic, const char *schema, struct troupe_bytes body, bool lossy) {
    struct tr_node *node = self->worker->node;
    enum troupe_status status;
    struct tr_roster *here, *there;
    tr_groups_share(groups_of(node), TR_TOPIC, topic, &here, &there);
    tr_roster_drop(there);
    if (here == NULL) return;
    struct tr_message *message = unpack(node, self->worker, schema, body, &status);
    if (message != NULL) {
        struct tr_outgoing outgoing = { .from = troupe_sender(self), .type = message->type,
                                        .body = tr_message_body(message), .flags = TR_MESSAGE_FORWARDED,
                                        .lossy = lossy };
        (void)send_to(node, self->worker, &outgoing, here);
        tr_message_free(message);
    } else {
        drop(self, schema, status);
    }
    tr_roster_drop(here);
}

/* ---- Dead letters ---- */

static bool is_notice(const struct troupe_message_type *type) {
    return type == &troupe_dead_letter_message || type == &tr_dead_publication_message;
}

void tr_topic_dead_letter(struct tr_node *node, struct tr_worker *worker, const struct tr_dead_news *news) {
    char path[TR_PATH_SIZE];
    bool wanted = atomic_load_explicit(&groups_of(node)->dead_letter_subscribers, memory_order_relaxed) > 0;
    if (!wanted || is_notice(news->type) || atomic_load(&node->stopping)) return;
    struct troupe_dead_letter letter = { .to = news->to, .from = news->from,
                                         .path = tr_node_path(node, news->to, path, sizeof path),
                                         .message = news->type == NULL ? "a reply" : news->type->name,
                                         .reason = (uint32_t)news->reason, .at = tr_death_time() };
    struct tr_outgoing outgoing = { .type = &troupe_dead_letter_message, .body = &letter };
    (void)publish(node, worker, TROUPE_DEAD_LETTERS, &outgoing);
}
