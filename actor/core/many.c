/*
 * One message to many: as so many sends, but what they have in common is done once.
 *
 * For receivers on other nodes that is the payload, which is the same for each: the first lane packs it, and
 * the parcels refer to it (struct tr_packed). For receivers here it is what is large: the message is copied
 * for nobody first, so that its large parts are in buffers, and each receiver's copy shares them.
 */
#include <stdlib.h>

#include "core/dead.h"
#include "core/send.h"

static size_t count_here(const struct tr_node *node, const troupe_address *to, size_t count) {
    size_t here = 0;
    for (size_t i = 0; i < count; i++) here += to[i].node == node->id;
    return here;
}

/* NULL: it would not help, or it cannot be; then each send finds out for itself why. */
static struct tr_message *copy_for_nobody(struct tr_node *node, struct tr_worker *worker,
                                          const struct tr_outgoing *outgoing) {
    struct tr_codec_error error;
    enum troupe_status status;
    if (!outgoing->type->has_pointers) return NULL;
    return tr_message_new(tr_memory_of(node, worker), outgoing->type, outgoing->body, &status, &error);
}

/* NULL: no memory; then each is packed alone. */
static struct tr_packed *packed_new(void) {
    struct tr_packed *packed = calloc(1, sizeof *packed);
    if (packed != NULL) atomic_init(&packed->references, 1);
    return packed;
}

static enum troupe_status send_each(struct tr_node *node, struct tr_worker *worker,
                                    struct tr_outgoing *outgoing, const troupe_address *to, size_t count,
                                    enum troupe_status *statuses) {
    enum troupe_status first = TROUPE_OK;
    for (size_t i = 0; i < count; i++) {
        outgoing->to = to[i];
        enum troupe_status status = tr_send(node, worker, outgoing);
        if (statuses != NULL) statuses[i] = status;
        if (first == TROUPE_OK) first = status;
        if (status == TROUPE_INVALID || status == TROUPE_TOO_BIG) outgoing->told = true;
    }
    return first;
}

static enum troupe_status refuse(struct tr_node *node, struct tr_worker *worker,
                                 const struct tr_outgoing *outgoing) {
    tr_refusal_log(node, outgoing, "it is to many, but there are no addresses");
    tr_count(worker, &tr_counters(node, worker)->refused);
    return TROUPE_INVALID;
}

enum troupe_status tr_send_many(struct tr_node *node, struct tr_worker *worker,
                                const struct tr_outgoing *outgoing, const troupe_address *to,
                                size_t count, enum troupe_status *statuses) {
    struct tr_outgoing each = *outgoing;
    if (to == NULL && count > 0) return refuse(node, worker, outgoing);
    size_t here = count_here(node, to, count);
    struct tr_message *copy = here > 1 ? copy_for_nobody(node, worker, outgoing) : NULL;
    if (copy != NULL) each.body = tr_message_body(copy);
    if (count - here > 1) each.packed = packed_new();
    enum troupe_status status = send_each(node, worker, &each, to, count, statuses);
    tr_packed_drop(each.packed);
    tr_message_free(copy);
    return status;
}
