#include "core/message.h"

#include <stdlib.h>
#include <string.h>

#include "core/route.h"

enum { UNIT = 8 }; /* of link.shares */

_Static_assert(_Alignof(struct tr_shares) <= UNIT, "the list is aligned");
_Static_assert(TR_CODEC_MAX_SIZE / UNIT < 1 << 24, "link.shares reaches behind every body");

static struct tr_message *message_allocate(struct tr_pool *pool, const struct troupe_message_type *type,
                                           size_t body) {
    uint8_t memory;
    struct tr_message *message = tr_pool_take(pool, sizeof *message + body, &memory);
    if (message == NULL) return NULL;
    *message = (struct tr_message){ .type = type, .link.memory = memory };
    return message;
}

static struct tr_shares *shares_of(struct tr_message *message) {
    uint8_t *body = tr_message_body(message);
    return (struct tr_shares *)(void *)(body + (size_t)message->link.shares * UNIT);
}

/* With an empty list behind the body. */
static struct tr_message *allocate_sharing(struct tr_memory memory, const struct troupe_message_type *type,
                                           const struct tr_codec_size *size) {
    size_t units = (size->bytes + UNIT - 1) / UNIT;
    size_t list = sizeof(struct tr_shares) + (size->shared + size->descriptors) * sizeof(struct tr_share);
    struct tr_message *message = message_allocate(memory.pool, type, units * UNIT + list);
    if (message == NULL) return NULL;
    message->link.shares = units & 0xffffff;
    *shares_of(message) = (struct tr_shares){ .buffers = memory.buffers };
    return message;
}

static struct tr_message *message_sized(struct tr_memory memory, const struct troupe_message_type *type,
                                        const struct tr_codec_size *size) {
    return size->shared + size->descriptors == 0 ? message_allocate(memory.pool, type, size->bytes)
                             : allocate_sharing(memory, type, size);
}

static struct tr_message *no_message(enum troupe_status *status, enum troupe_status why) {
    *status = why;
    return NULL;
}

/* A copy that stopped half-way: what it refers to by then is in its list. */
static struct tr_message *filled(struct tr_message *message, bool whole, enum troupe_status *status,
                                 const struct tr_codec_error *error) {
    *status = whole ? TROUPE_OK : error->status;
    if (whole) return message;
    tr_message_free(message);
    return NULL;
}

static struct tr_message *copy_with_pointers(struct tr_memory memory, const struct troupe_message_type *type,
                                             const void *body, enum troupe_status *status,
                                             struct tr_codec_error *error) {
    struct tr_codec_size size;
    error->text[0] = '\0';
    if (!tr_codec_measure_copy(type, body, &size, error)) return no_message(status, error->status);
    struct tr_message *message = message_sized(memory, type, &size);
    if (message == NULL) return no_message(status, TROUPE_NO_MEMORY);
    void *copy = tr_message_body(message);
    return filled(message, tr_codec_copy(type, body, copy, shares_of(message), error), status, error);
}

struct tr_message *tr_message_new(struct tr_memory memory, const struct troupe_message_type *type,
                                  const void *body, enum troupe_status *status,
                                  struct tr_codec_error *error) {
    if (type->has_pointers) return copy_with_pointers(memory, type, body, status, error);
    struct tr_message *message = message_allocate(memory.pool, type, type->size);
    if (message == NULL) return no_message(status, TROUPE_NO_MEMORY);
    memcpy(tr_message_body(message), body, type->size);
    *status = TROUPE_OK;
    return message;
}

struct tr_message *tr_message_unpack_with(struct tr_memory memory, const struct troupe_message_type *type,
                                          const uint8_t *data, size_t size, const struct tr_arrived *arrived,
                                          enum troupe_status *status, struct tr_codec_error *error) {
    struct tr_codec_size needed;
    error->text[0] = '\0';
    if (!tr_codec_measure(type, data, size, arrived, &needed, error)) return no_message(status, error->status);
    struct tr_message *message = message_sized(memory, type, &needed);
    if (message == NULL) return no_message(status, TROUPE_NO_MEMORY);
    void *body = tr_message_body(message);
    bool whole = tr_codec_unpack(type, data, size, arrived, body, shares_of(message), error);
    return filled(message, whole, status, error);
}

struct tr_message *tr_message_unpack(struct tr_memory memory, const struct troupe_message_type *type,
                                     const uint8_t *data, size_t size, enum troupe_status *status,
                                     struct tr_codec_error *error) {
    return tr_message_unpack_with(memory, type, data, size, NULL, status, error);
}

struct tr_message *tr_message_empty(struct tr_pool *pool) { return message_allocate(pool, NULL, 0); }

struct tr_message *tr_message_outcome(uint64_t ask, enum troupe_status status) {
    struct tr_message *message = tr_message_empty(NULL);
    if (message == NULL) return NULL;
    message->ask = ask;
    message->link.flags = TR_MESSAGE_REPLY | TR_MESSAGE_OUTCOME;
    message->link.status = (uint8_t)status;
    return message;
}

void tr_message_free(struct tr_message *message) {
    if (message == NULL) return;
    if (message->inbound != NULL) tr_inbound_release(message->inbound);
    if (message->link.shares != 0) tr_shares_release(shares_of(message));
    free(message);
}

/* Apart, so that the others pay for no more than the question. */
static __attribute__((noinline)) void recycle_sharing(struct tr_pool *pool, struct tr_message *message) {
    tr_shares_release(shares_of(message));
    tr_pool_give(pool, message, message->link.memory);
}

void tr_message_recycle(struct tr_pool *pool, struct tr_message *message) {
    if (message->inbound != NULL) tr_inbound_release(message->inbound);
    if (message->link.shares != 0) recycle_sharing(pool, message);
    else tr_pool_give(pool, message, message->link.memory);
}

struct tr_event *tr_event_new(uint32_t code, uint64_t number, void *data) {
    struct tr_event *event = calloc(1, sizeof *event);
    if (event == NULL) return NULL;
    event->link.kind = TR_LINK_EVENT;
    event->code = code;
    event->number = number;
    event->data = data;
    return event;
}
