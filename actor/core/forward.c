/*
 * Handing a message on (include/troupe/actor.h): it is sent as if its sender had sent it. So whoever gets it answers
 * that one, and what becomes of it is told to that one, on whichever node it is. For the actor at hand an ask is
 * answered with it.
 *
 * A lane over which an ask goes remembers it, to end it when the other node dies, until its deadline. That is not
 * known here: after so long, the deadline at the asker has to do.
 */
#include "core/log.h"
#include "core/send.h"

static const int64_t remembered = TROUPE_MINUTE;

static const char *what_is_wrong(const troupe_self *self) {
    const struct tr_message *message = self->message;
    if (message == NULL || !self->counted || (message->link.flags & TR_MESSAGE_REPLY) != 0)
        return "there is none at hand";
    if (self->let_go == TR_LET_ASIDE) return "it was put aside";
    bool over = (message->link.flags & TR_MESSAGE_ASKED) != 0 && (self->answered || self->kept);
    return over ? "it was answered, or its asker kept" : NULL;
}

enum troupe_status troupe_forward(troupe_self *self, troupe_address to) {
    struct tr_message *message = self->message;
    const char *wrong = what_is_wrong(self);
    if (wrong != NULL) {
        tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "no message forwarded: %s", wrong);
        return TROUPE_INVALID;
    }
    struct tr_outgoing outgoing = { .to = to, .from = message->from, .type = message->type,
                                    .body = tr_message_body(message), .ask = message->ask,
                                    .deadline = troupe_now(self) + remembered };
    outgoing.flags = (uint8_t)(TR_MESSAGE_FORWARDED | (message->link.flags & TR_MESSAGE_ASKED));
    enum troupe_status status = tr_send(self->worker->node, self->worker, &outgoing);
    if (status == TROUPE_OK) self->answered = true;
    return status;
}
