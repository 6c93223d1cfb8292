/*
 * The probe: an actor that handles every message and every answer by keeping a copy for the test. Asks that it gets
 * are kept, to be answered when the test likes.
 */
#include <stdlib.h>

#include "core/send.h"
#include "testing/kit.h"

enum { MAILBOX = 1 << 20 };

struct tr_probe {
    char unused;
};

static troupe_test *kit_of(troupe_self *self) { return self->worker->node->options.watcher->context; }

void tr_kit_free_got(struct tr_got *got) {
    if (got == NULL) return;
    if (got->message != NULL) tr_message_free(got->message);
    free(got);
}

static struct tr_message *copy(troupe_self *self, const struct troupe_message_type *type, const void *body) {
    enum troupe_status status;
    struct tr_codec_error error;
    return tr_message_new(tr_memory_of(self->worker->node, NULL), type, body, &status, &error);
}

static enum troupe_status keep(troupe_self *self, const struct tr_got *what, const void *body) {
    troupe_test *kit = kit_of(self);
    if (kit->got == TR_KIT_GOTS)
        return TROUPE_FAIL(self, "the test takes nothing of the %d messages it has got", TR_KIT_GOTS);
    struct tr_got *got = malloc(sizeof *got);
    if (got == NULL) return TROUPE_NO_MEMORY;
    *got = *what;
    if (body != NULL) got->message = copy(self, self->message->type, body);
    if (body != NULL && got->message == NULL) {
        free(got);
        return TROUPE_NO_MEMORY;
    }
    if (kit->first == NULL) kit->first = got;
    else kit->last->next = got;
    kit->last = got;
    kit->got++;
    return TROUPE_OK;
}

static enum troupe_status keep_message(troupe_self *self, void *me, const void *message) {
    (void)me;
    const struct tr_got what = { .kind = TR_GOT_MESSAGE, .asker = troupe_keep_asker(self) };
    return keep(self, &what, message);
}

static enum troupe_status keep_answer(troupe_self *self, void *me, const void *message) {
    const struct troupe_answer *answer = message;
    (void)me;
    const struct tr_got what = { .kind = TR_GOT_ANSWER, .outcome = answer->outcome };
    return keep(self, &what, answer->reply);
}

/* No message is named: each stands for all. */
static const struct troupe_entry entries[] = { { .role = TROUPE_ROLE_HANDLE, .thunk = keep_message },
                                               { .role = TROUPE_ROLE_ANSWER, .thunk = keep_answer } };

const struct troupe_actor_type tr_probe_actor = { "troupe_probe", sizeof(struct tr_probe),
                                                  sizeof entries / sizeof entries[0], entries };

bool tr_kit_start_probe(troupe_test *kit) {
    struct tr_node *node = kit->node;
    struct tr_run_spec start = { .class = tr_class_of(node->options.classes, &tr_probe_actor),
                                 .mailbox_limit = MAILBOX };
    enum troupe_status status;
    struct tr_codec_error error;
    start.args = tr_message_new(tr_memory_of(node, NULL), &troupe_none_message, &(struct troupe_none){ 0 }, &status,
                                &error);
    if (start.args == NULL) return false;
    status = tr_spawn(node, NULL, &start, &kit->probe);
    if (status != TROUPE_OK) tr_message_free(start.args);
    return status == TROUPE_OK;
}
