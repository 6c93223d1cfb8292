#include "core/saved.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/supervisor.h>

#include "core/log.h"
#include "core/report.h"
#include "core/send.h"

struct tr_saved *tr_saved_new(const char *type, struct troupe_bytes message) {
    size_t name = strlen(type) + 1;
    struct tr_saved *saved = malloc(sizeof *saved + message.size + name);
    if (saved == NULL) return NULL;
    *saved = (struct tr_saved){ .size = message.size, .type = message.size };
    if (message.size > 0) memcpy(saved->bytes, message.data, message.size);
    memcpy(saved->bytes + message.size, type, name);
    return saved;
}

/* ---- Saving ---- */

static enum troupe_status refuse(troupe_self *self, const char *what, enum troupe_status status, const char *why) {
    if (status != TROUPE_NO_MEMORY)
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not saved: %s: %s", what, why);
    return status;
}

/* To the supervisor: the last of several counts, for they arrive in order, and before the report of the end. */
static enum troupe_status hand_over(troupe_self *self, const char *type, struct troupe_bytes data) {
    const struct tr_cell_more *more = self->cell->more;
    if (more == NULL || troupe_address_is_none(more->owner))
        return refuse(self, type, TROUPE_INVALID, "nobody supervises this actor");
    const struct tr_save save = { .key = more->key, .run = more->run, .type = type, .data = data };
    return troupe_send_message(self, more->owner, &tr_save_message, &save);
}

enum troupe_status troupe_save_message(troupe_self *self, const struct troupe_message_type *type,
                                       const void *message) {
    struct tr_codec_error error = { .text = "" };
    struct tr_bytes bytes = { .limit = TROUPE_SAVE_MAX };
    if (strlen(type->name) > TR_SAVED_NAME) return refuse(self, "a message", TROUPE_TOO_BIG, "its name is too long");
    bool packed = tr_codec_pack(type, message, &bytes, &error);
    enum troupe_status status =
        packed ? hand_over(self, type->name, (struct troupe_bytes){ bytes.data, (uint32_t)bytes.size })
               : refuse(self, type->name, error.status, error.text);
    tr_bytes_free(&bytes);
    return status;
}

enum troupe_status troupe_save_nothing(troupe_self *self) {
    return hand_over(self, "", (struct troupe_bytes){ NULL, 0 });
}

/* ---- What was saved ---- */

static const void *unpack(troupe_self *self, const struct troupe_message_type *type) {
    enum troupe_status status;
    struct tr_codec_error error;
    const struct tr_saved *saved = self->saved;
    self->unpacked = tr_message_unpack(tr_memory_of(self->worker->node, self->worker), type, saved->bytes,
                                       saved->size, &status, &error);
    if (self->unpacked != NULL) return tr_message_body(self->unpacked);
    tr_log(self->worker->node, TROUPE_WARNING, troupe_self_path(self), "what was saved is no %s: %s", type->name,
           error.text);
    return NULL;
}

const void *troupe_saved_message(troupe_self *self, const struct troupe_message_type *type) {
    if (!self->starting || self->saved == NULL || strcmp(tr_saved_type(self->saved), type->name) != 0) return NULL;
    return self->unpacked != NULL ? tr_message_body(self->unpacked) : unpack(self, type);
}
