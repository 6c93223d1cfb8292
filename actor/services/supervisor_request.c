/*
 * Requests: what others ask of a supervisor, and how the machine answers.
 *
 * A request that makes sense is noted under a number, which the machine gives back with its answer, at once or
 * later. Whoever asked is kept as any actor keeps an asker: if the supervisor's run ends first, the ask ends with
 * DIED. What makes no sense is answered at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/supervisor_parts.h"

static const enum troupe_status statuses[] = {
    [TR_ANSWER_OK] = TROUPE_OK,             [TR_ANSWER_IGNORED] = TROUPE_OK,
    [TR_ANSWER_FAILED] = TROUPE_FAILED,     [TR_ANSWER_RUNNING] = TROUPE_BUSY,
    [TR_ANSWER_RESTARTING] = TROUPE_BUSY,   [TR_ANSWER_NOT_FOUND] = TROUPE_NOT_FOUND,
    [TR_ANSWER_INVALID] = TROUPE_INVALID,   [TR_ANSWER_STOPPING] = TROUPE_STOPPING,
    [TR_ANSWER_LIMIT] = TROUPE_LIMIT,       [TR_ANSWER_NO_MEMORY] = TROUPE_NO_MEMORY,
};

/* Who asked, and, once it is known, for whom and with which outcome. */
struct tr_request {
    struct tr_request *next;
    struct troupe_asker asker;
    enum tr_answer answer;
    tr_child_id child;
    char *name, *why; /* NULL: "" */
};

/* ---- Answering ---- */

static struct troupe_child answer_of(const struct troupe_supervisor *me, const struct tr_kin *kin,
                                     enum troupe_status status, const char *why) {
    struct troupe_child answer = { .status = (uint32_t)status, .why = why, .name = "" };
    if (kin == NULL) return answer;
    answer.name = kin->spec.name;
    answer.state = tr_kin_state(me, kin);
    answer.address = kin->address;
    return answer;
}

/* Who merely sent the request, and does not handle the answer, does without. */
static void reply(struct troupe_supervisor *me, const struct troupe_asker *asker, const struct troupe_child *answer) {
    if (troupe_address_is_none(asker->address)) return;
    (void)troupe_answer_message(me->self, *asker, &troupe_child_message, answer);
}

static void refuse(struct troupe_supervisor *me, const struct tr_kin *kin, enum troupe_status status,
                   const char *why) {
    struct troupe_child answer = answer_of(me, kin, status, why);
    struct troupe_asker asker = troupe_keep_asker(me->self);
    reply(me, &asker, &answer);
}

/* What the death of a child says of it, if that is what is being told of. */
static char *describe_failure(const struct troupe_supervisor *me, const struct tr_kin *kin) {
    char why[TR_DEATH_TEXT];
    if (me->report == NULL) return NULL;
    struct troupe_death death = *me->report;
    death.path = kin->spec.path;
    troupe_death_print(&death, why, sizeof why);
    return strdup(why);
}

/* It is told when the event is over: what becomes of the child is known only then. */
void tr_supervisor_answer(void *context, uint64_t number, enum tr_answer answer, tr_child_id child) {
    struct troupe_supervisor *me = context;
    struct tr_request *request = tr_ids_remove(&me->requests, number);
    const struct tr_kin *kin = tr_kindred_of(&me->kindred, child);
    request->answer = answer;
    request->child = child;
    if (kin != NULL) request->name = strdup(kin->spec.name);
    if (kin != NULL && answer == TR_ANSWER_FAILED) request->why = describe_failure(me, kin);
    request->next = NULL;
    *(me->answered == NULL ? &me->answered : &me->last_answered->next) = request;
    me->last_answered = request;
}

static void drop(struct tr_request *request) {
    free(request->name);
    free(request->why);
    free(request);
}

static void tell(struct troupe_supervisor *me, const struct tr_request *request) {
    const struct tr_kin *kin = tr_kindred_of(&me->kindred, request->child);
    bool nothing = request->answer == TR_ANSWER_FAILED || request->answer == TR_ANSWER_IGNORED;
    const char *why = request->why == NULL ? "" : request->why;
    struct troupe_child answer = answer_of(me, kin, statuses[request->answer], why);
    answer.name = request->name == NULL ? "" : request->name;
    if (nothing) answer.address = (troupe_address){ 0 };
    reply(me, &request->asker, &answer);
}

void tr_supervisor_tell_askers(struct troupe_supervisor *me) {
    while (me->answered != NULL) {
        struct tr_request *request = me->answered;
        me->answered = request->next;
        tell(me, request);
        drop(request);
    }
}

/* 0: no memory. */
static uint64_t note_request(struct troupe_supervisor *me) {
    struct tr_request *request = calloc(1, sizeof *request);
    uint64_t number = request == NULL ? 0 : tr_ids_add(&me->requests, request);
    if (number == 0) free(request);
    else request->asker = troupe_keep_asker(me->self);
    return number;
}

void tr_supervisor_forget_askers(struct troupe_supervisor *me) {
    for (uint32_t i = 0; i < me->requests.size; i++)
        if (me->requests.entries[i].value != NULL) drop(me->requests.entries[i].value);
    tr_ids_free(&me->requests);
}

/* ---- Adding ---- */

/* A name that nobody has. */
static const char *number_name(const struct troupe_supervisor *me, char name[32]) {
    uint64_t number = me->kindred.numbers;
    do snprintf(name, 32, "%llu", (unsigned long long)++number);
    while (tr_kindred_named(&me->kindred, name) != NULL);
    return name;
}

static enum troupe_status join(struct troupe_supervisor *me, struct tr_kin *kin) {
    tr_child_id id;
    enum tr_answer answer = tr_supervision_add(me->machine, &kin->spec.rules, &id);
    if (answer != TR_ANSWER_OK) return statuses[answer];
    if (tr_kindred_add(&me->kindred, kin, id, me->epoch)) return TROUPE_OK;
    tr_supervision_drop(me->machine, id);
    return TROUPE_NO_MEMORY;
}

enum troupe_status tr_supervisor_add(struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                     struct tr_kin **added, char why[TR_WHY]) {
    char number[32];
    struct tr_child_spec spec;
    why[0] = '\0';
    *added = NULL;
    enum troupe_status status = tr_spec_read(me, asked, &spec, why);
    if (status != TROUPE_OK) return status;
    const char *name = asked->name[0] != '\0' ? asked->name : number_name(me, number);
    *added = tr_kindred_named(&me->kindred, name);
    if (*added != NULL) return TROUPE_EXISTS;
    struct tr_kin *kin = tr_kin_new(&spec, me->path, name);
    status = kin == NULL ? TROUPE_NO_MEMORY : join(me, kin);
    if (status == TROUPE_OK) *added = kin;
    else tr_kin_free(kin);
    return status;
}

/* A cell is taken first, so that there being none is said as what it is. */
static enum troupe_status add_with_cell(struct troupe_supervisor *me, const struct troupe_child_spec *asked,
                                        struct tr_kin **kin, char why[TR_WHY]) {
    enum troupe_status status = tr_supervisor_add(me, asked, kin, why);
    if (status != TROUPE_OK) return status;
    status = tr_kin_settle(me, *kin);
    if (status == TROUPE_OK) return status;
    tr_supervision_drop(me->machine, (*kin)->id);
    tr_kindred_remove(&me->kindred, *kin);
    tr_kin_free(*kin);
    *kin = NULL;
    return status;
}

void tr_supervisor_launch(struct troupe_supervisor *me, const struct troupe_start_child *msg, int64_t now) {
    char why[TR_WHY];
    struct tr_kin *kin;
    uint64_t request = note_request(me);
    enum troupe_status status = request == 0 ? TROUPE_NO_MEMORY : add_with_cell(me, &msg->child, &kin, why);
    if (status == TROUPE_OK) {
        tr_supervision_launch(me->machine, kin->id, request, now);
        return;
    }
    struct tr_request *noted = request == 0 ? NULL : tr_ids_remove(&me->requests, request);
    if (noted == NULL) {
        refuse(me, NULL, status, "");
        return;
    }
    struct troupe_child answer = answer_of(me, kin, status, why);
    reply(me, &noted->asker, &answer);
    drop(noted);
}

/* ---- Those that there are ---- */

static struct tr_kin *find(const struct troupe_supervisor *me, const char *name, troupe_address address) {
    return name[0] != '\0' ? tr_kindred_named(&me->kindred, name) : tr_kindred_at(&me->kindred, address);
}

void tr_supervisor_request(struct troupe_supervisor *me, enum tr_child_request kind, const char *name,
                           troupe_address address, int64_t now) {
    struct tr_kin *kin = find(me, name, address);
    if (kin == NULL) {
        refuse(me, NULL, TROUPE_NOT_FOUND, "the supervisor has no such child");
        return;
    }
    uint64_t request = note_request(me);
    if (request == 0) {
        refuse(me, kin, TROUPE_NO_MEMORY, "");
        return;
    }
    switch (kind) {
    case TR_REQUEST_TERMINATE: tr_supervision_terminate(me->machine, kin->id, request, now); return;
    case TR_REQUEST_RESTART: tr_supervision_restart(me->machine, kin->id, request, now); return;
    case TR_REQUEST_DELETE: tr_supervision_delete(me->machine, kin->id, request, now); return;
    }
}
