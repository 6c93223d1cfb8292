#include "core/message.h"

#include <stdlib.h>
#include <string.h>

#include "core/route.h"

static struct tr_message *message_allocate(struct tr_pool *pool, const struct troupe_message_type *type,
                                           size_t body) {
    uint8_t memory;
    struct tr_message *message = tr_pool_take(pool, sizeof *message + body, &memory);
    if (message == NULL) return NULL;
    *message = (struct tr_message){ .type = type, .link.memory = memory };
    return message;
}

struct tr_message *tr_message_new(struct tr_pool *pool, const struct troupe_message_type *type,
                                  const void *body, enum troupe_status *status,
                                  struct tr_codec_error *error) {
    size_t size = type->size;
    *status = TROUPE_OK;
    if (type->has_pointers) error->text[0] = '\0';
    if (type->has_pointers && !tr_codec_measure_copy(type, body, &size, error)) {
        *status = error->status;
        return NULL;
    }
    struct tr_message *message = message_allocate(pool, type, size);
    if (message == NULL) {
        *status = TROUPE_NO_MEMORY;
        return NULL;
    }
    if (type->has_pointers) tr_codec_copy(type, body, tr_message_body(message));
    else memcpy(tr_message_body(message), body, size);
    return message;
}

struct tr_message *tr_message_unpack(struct tr_pool *pool, const struct troupe_message_type *type,
                                     const uint8_t *data, size_t size, enum troupe_status *status,
                                     struct tr_codec_error *error) {
    size_t needed = 0;
    error->text[0] = '\0';
    if (!tr_codec_measure(type, data, size, &needed, error)) {
        *status = error->status;
        return NULL;
    }
    struct tr_message *message = message_allocate(pool, type, needed);
    if (message == NULL) {
        *status = TROUPE_NO_MEMORY;
        return NULL;
    }
    *status = TROUPE_OK;
    tr_codec_unpack(type, data, size, tr_message_body(message));
    return message;
}

struct tr_message *tr_message_outcome(uint64_t ask, enum troupe_status status) {
    struct tr_message *message = message_allocate(NULL, NULL, 0);
    if (message == NULL) return NULL;
    message->ask = ask;
    message->link.flags = TR_MESSAGE_REPLY | TR_MESSAGE_OUTCOME;
    message->link.status = (uint8_t)status;
    return message;
}

void tr_message_free(struct tr_message *message) {
    if (message != NULL && message->inbound != NULL) tr_inbound_release(message->inbound);
    free(message);
}

void tr_message_recycle(struct tr_pool *pool, struct tr_message *message) {
    if (message->inbound != NULL) tr_inbound_release(message->inbound);
    tr_pool_give(pool, message, message->link.memory);
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
