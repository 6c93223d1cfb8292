/* What a handler may do, of include/troupe/actor.h: who it is, sending, replying, ending. Asks, timers and
 * names are services. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/send.h"
#include "core/worker.h"

troupe_address troupe_self_address(const troupe_self *self) {
    return (troupe_address){ self->worker->node->id, self->cell->slot,
                             self->cell->run_generation };
}

const char *troupe_self_path(const troupe_self *self) {
    const struct tr_cell_more *more = self->cell->more;
    if (more != NULL && more->path != NULL) return more->path;
    return tr_node_path(self->worker->node, troupe_self_address(self), self->worker->path,
                        sizeof self->worker->path);
}

troupe_address troupe_sender(const troupe_self *self) {
    return self->message == NULL ? (troupe_address){ 0 } : self->message->from;
}

uint32_t troupe_self_run(const troupe_self *self) {
    return self->cell->more == NULL ? 0 : self->cell->more->run;
}

int64_t troupe_now(troupe_self *self) { return tr_worker_now(self->worker); }

/* ---- Sending ---- */

enum troupe_status troupe_send_message(troupe_self *self, troupe_address to,
                                       const struct troupe_message_type *type, const void *message) {
    struct tr_outgoing outgoing = {
        .to = to, .from = troupe_self_address(self), .type = type, .body = message
    };
    return tr_send(self->worker->node, self->worker, &outgoing);
}

enum troupe_status troupe_send_many_message(troupe_self *self, const troupe_address *to, size_t count,
                                            enum troupe_status *statuses,
                                            const struct troupe_message_type *type,
                                            const void *message) {
    struct tr_outgoing outgoing = { .from = troupe_self_address(self), .type = type, .body = message };
    return tr_send_many(self->worker->node, self->worker, &outgoing, to, count, statuses);
}

static enum troupe_status reply_to(troupe_self *self, troupe_address to, uint64_t ask,
                                   const struct troupe_message_type *type, const void *message) {
    struct tr_outgoing outgoing = { .to = to, .from = troupe_self_address(self), .type = type,
                                    .body = message, .ask = ask, .flags = TR_MESSAGE_REPLY };
    return tr_send(self->worker->node, self->worker, &outgoing);
}

enum troupe_status troupe_reply_message(troupe_self *self, const struct troupe_message_type *type,
                                        const void *message) {
    const struct tr_message *request = self->message;
    if (request == NULL) return TROUPE_INVALID;
    if ((request->link.flags & TR_MESSAGE_ASKED) == 0)
        return troupe_send_message(self, request->from, type, message);
    if (self->answered || self->kept) return TROUPE_INVALID;
    enum troupe_status status = reply_to(self, request->from, request->ask, type, message);
    if (status == TROUPE_OK) self->answered = true;
    return status;
}

/* ---- Buffers ---- */

void *troupe_buffer(troupe_self *self, size_t size) {
    return tr_buffers_make(self->worker->node->options.buffers, size);
}

const void *troupe_buffer_keep(troupe_self *self, const void *data, size_t size) {
    return tr_buffers_keep(self->worker->node->options.buffers, data, size);
}

enum troupe_status troupe_buffer_release(troupe_self *self, const void *data) {
    return tr_buffers_release(self->worker->node->options.buffers, data);
}

/* ---- Askers kept for later ---- */

static struct troupe_asker *remember(troupe_self *self, uint64_t *id) {
    struct tr_cell_more *more = tr_cell_more(self->cell);
    struct troupe_asker *asker = more == NULL ? NULL : malloc(sizeof *asker);
    if (asker == NULL) return NULL;
    if (more->kept.size == 0) more->kept.first_serial = self->worker->node->options.incarnation << 20;
    *asker = (struct troupe_asker){ self->message->from, self->message->ask };
    *id = tr_ids_add(&more->kept, asker);
    if (*id != 0) return asker;
    free(asker);
    return NULL;
}

/* What the caller gets names the entry in this cell's table, not the ask itself. Without memory for it
 * the ask is not kept: it ends with NO_REPLY unless it is answered now. */
struct troupe_asker troupe_keep_asker(troupe_self *self) {
    struct troupe_asker kept = { .address = troupe_sender(self) };
    const struct tr_message *request = self->message;
    if (request == NULL || (request->link.flags & TR_MESSAGE_ASKED) == 0) return kept;
    if (!self->answered && !self->kept && remember(self, &kept.ask) != NULL) self->kept = true;
    else kept.ask = UINT64_MAX; /* nobody's: whoever answers it is refused */
    return kept;
}

enum troupe_status troupe_answer_message(troupe_self *self, struct troupe_asker asker,
                                         const struct troupe_message_type *type, const void *message) {
    if (asker.ask == 0) return troupe_send_message(self, asker.address, type, message);
    struct tr_ids *ids = self->cell->more == NULL ? NULL : &self->cell->more->kept;
    struct troupe_asker *kept = ids == NULL ? NULL : tr_ids_find(ids, asker.ask);
    if (kept == NULL || !troupe_address_equal(kept->address, asker.address)) return TROUPE_INVALID;
    enum troupe_status status = reply_to(self, kept->address, kept->ask, type, message);
    if (status == TROUPE_OK) free(tr_ids_remove(ids, asker.ask));
    return status;
}

/* ---- Ending ---- */

enum troupe_status troupe_stop_actor(troupe_self *self, troupe_address address) {
    return tr_stop(self->worker->node, self->worker, address, TR_STOP_ORDERLY, troupe_self_address(self));
}

enum troupe_status troupe_exit(troupe_self *self) {
    self->cell->ended = true;
    return TROUPE_OK;
}

enum troupe_status troupe_fail(troupe_self *self, const char *file, int line, const char *format, ...) {
    va_list list;
    const char *name = strrchr(file, '/');
    va_start(list, format);
    int used = vsnprintf(self->failure, sizeof self->failure, format, list);
    va_end(list);
    if (used >= 0 && (size_t)used < sizeof self->failure)
        snprintf(self->failure + used, sizeof self->failure - (size_t)used, " (%s:%d)",
                 name == NULL ? file : name + 1, line);
    return TROUPE_FAILED;
}

void troupe_log(troupe_self *self, enum troupe_level level, const char *format, ...) {
    va_list list;
    va_start(list, format);
    tr_log_list(self->worker->node, level, troupe_self_path(self), format, list);
    va_end(list);
}
