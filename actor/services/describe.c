/* Asking for children: the part of include/troupe/supervisor.h that runs where the asker is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/supervisor.h>

#include "core/codec.h"
#include "core/log.h"
#include "core/worker.h"

static const struct troupe_message_type *start_type_of(const struct troupe_actor_type *actor) {
    for (uint32_t i = 0; i < actor->entry_count; i++)
        if (actor->entries[i].role == TROUPE_ROLE_START) return actor->entries[i].message;
    return &troupe_none_message;
}

static struct troupe_child_spec spec_of(const struct troupe_child_options *options,
                                        const struct troupe_actor_type *actor,
                                        const struct troupe_message_type *type, struct troupe_bytes args) {
    struct troupe_child_spec spec = { .name = "", .actor = actor->name, .start = type->name, .args = args };
    if (options == NULL) return spec;
    if (options->name != NULL) spec.name = options->name;
    spec.restart = options->restart;
    spec.shutdown = options->shutdown;
    spec.ready = options->ready;
    spec.significant = options->significant;
    spec.mailbox_limit = options->mailbox_limit;
    spec.drop_newest = options->drop_newest;
    spec.keep_mailbox = options->keep_mailbox;
    spec.at_least_once = options->at_least_once;
    return spec;
}

/* `bytes` are the caller's in any case. */
static enum troupe_status pack(struct tr_bytes *bytes, const struct troupe_actor_type *actor,
                               const struct troupe_message_type *type, const void *args,
                               struct tr_codec_error *error) {
    const struct troupe_message_type *wanted = start_type_of(actor);
    snprintf(error->text, sizeof error->text, "%s starts with %s", actor->name, wanted->name);
    if (wanted != type) return TROUPE_INVALID;
    bytes->limit = TR_CODEC_MAX_SIZE;
    return tr_codec_pack(type, args, bytes, error) ? TROUPE_OK : error->status;
}

enum troupe_status troupe_describe_child_of(struct troupe_child_spec *spec,
                                            const struct troupe_child_options *options,
                                            const struct troupe_actor_type *actor,
                                            const struct troupe_message_type *type, const void *args) {
    struct tr_bytes bytes = { 0 };
    struct tr_codec_error error;
    *spec = (struct troupe_child_spec){ 0 };
    enum troupe_status status = pack(&bytes, actor, type, args, &error);
    if (status == TROUPE_OK)
        *spec = spec_of(options, actor, type, (struct troupe_bytes){ bytes.data, (uint32_t)bytes.size });
    else
        tr_bytes_free(&bytes);
    return status;
}

void troupe_child_spec_free(struct troupe_child_spec *spec) {
    free((void *)(uintptr_t)spec->args.data);
    *spec = (struct troupe_child_spec){ 0 };
}

enum troupe_status troupe_ask_start_child_of(troupe_self *self, troupe_address supervisor, int64_t timeout,
                                             const struct troupe_child_options *options,
                                             const struct troupe_actor_type *actor,
                                             const struct troupe_message_type *type, const void *args) {
    struct tr_bytes bytes = { 0 };
    struct tr_codec_error error;
    enum troupe_status status = pack(&bytes, actor, type, args, &error);
    if (status == TROUPE_OK) {
        const struct troupe_start_child request = {
            spec_of(options, actor, type, (struct troupe_bytes){ bytes.data, (uint32_t)bytes.size })
        };
        status = troupe_ask_message(self, supervisor, timeout, &troupe_start_child_message, &request);
    } else {
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not asked: %s: %s", type->name, error.text);
    }
    tr_bytes_free(&bytes);
    return status;
}
