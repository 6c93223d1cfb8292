/*
 * Programs that are run to their end: troupe_runner of include/troupe/command.h.
 *
 * For each request there is a job: a troupe_command that this actor spawns and owns, what that has written so far,
 * and a monitor of whoever asked, whose end is the end of the program. A request for which there is no room yet is put
 * aside, and comes again when a job has ended.
 *
 * A job ends exactly once: its command says that it is closed or could not start, or has ended without (the monitor
 * of it says so); or whoever asked is gone. The jobs are a source of the run (core/source.h), so that they are
 * released however that ends; their commands end with it by themselves, and the asks as those that were kept do.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe/behaviour.h>
#include <troupe/command.h>
#include <troupe/monitor.h>

#include "core/run.h"
#include "core/source.h"

enum { AT_ONCE = 16, MAX_OUTPUT = 1024 * 1024, MOST_OUTPUT = 7 * 1024 * 1024 };

struct kept {
    char *data;
    uint32_t size, room;
};

struct job {
    struct job *next;
    struct troupe_asker asker;
    troupe_address command;
    troupe_monitor_id of_command, of_asker;
    struct kept outputs[2];
    bool no_memory; /* for all that it wrote */
};

struct jobs {
    struct tr_source source; /* first: a source is cast to it */
    struct job *first;
};

struct troupe_runner {
    struct jobs *jobs;
    uint32_t at_once, running;
};

/* ---- Jobs ---- */

static void free_job(struct job *job) {
    free(job->outputs[0].data);
    free(job->outputs[1].data);
    free(job);
}

static bool never_happens(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    (void)worker, (void)cell, (void)source;
    return false;
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct jobs *jobs = (struct jobs *)(void *)source;
    (void)node;
    while (jobs->first != NULL) {
        struct job *job = jobs->first;
        jobs->first = job->next;
        free_job(job);
    }
}

static const struct tr_source_kind kind = { .handle = never_happens, .leave = leave };

TROUPE_START(troupe_runner, troupe_running) {
    me->at_once = args->at_once > 0 ? args->at_once : AT_ONCE;
    me->jobs = tr_source_new(sizeof *me->jobs, &kind);
    if (me->jobs == NULL) return TROUPE_NO_MEMORY;
    if (tr_source_add(self->cell, &me->jobs->source)) return TROUPE_OK;
    tr_source_drop(&me->jobs->source);
    return TROUPE_NO_MEMORY;
}

static struct job *job_of(const struct troupe_runner *me, troupe_address command) {
    struct job *job = me->jobs->first;
    while (job != NULL && !troupe_address_equal(job->command, command)) job = job->next;
    return job;
}

static struct job *job_of_monitor(const struct troupe_runner *me, uint64_t monitor) {
    struct job *job = me->jobs->first;
    while (job != NULL && job->of_command.id != monitor && job->of_asker.id != monitor) job = job->next;
    return job;
}

static void end_job(troupe_self *self, struct troupe_runner *me, struct job *job) {
    struct job **at = &me->jobs->first;
    while (*at != job) at = &(*at)->next;
    *at = job->next;
    (void)troupe_demonitor(self, job->of_command);
    (void)troupe_demonitor(self, job->of_asker);
    free_job(job);
    me->running--;
    (void)troupe_unstash(self);
}

/* ---- Starting ---- */

static const char *what_is_wrong(const struct troupe_run *run) {
    return run->max_output > MOST_OUTPUT ? "max_output is more than 7 MiB" : NULL;
}

static enum troupe_status spawn(troupe_self *self, const struct troupe_run *run, struct job *job) {
#define COPY(kind, name) .name = run->name,
    struct troupe_program program = { TROUPE_PROGRAM_FIELDS(COPY) };
#undef COPY
    const struct troupe_spawn_options options = { .monitor = &job->of_command };
    program.to = troupe_self_address(self);
    program.owner = "";
    program.lines = program.detached = false;
    program.stdio = (struct troupe_str_array){ NULL, 0 };
    program.handles = (struct troupe_descriptors){ NULL, 0 };
    if (program.max_output == 0) program.max_output = MAX_OUTPUT;
    return troupe_spawn_actor(self, &job->command, &troupe_command_actor, &options, &troupe_program_message, &program);
}

/* It is new: there is room for both. */
static enum troupe_status give_input(troupe_self *self, const struct troupe_run *run, troupe_address command) {
    enum troupe_status status = TROUPE_OK;
    if (run->input.size > 0) status = troupe_send(self, command, troupe_command_write, .data = run->input);
    return status == TROUPE_OK ? troupe_send(self, command, troupe_command_finish, .stream = 0) : status;
}

static enum troupe_status begin(troupe_self *self, struct troupe_runner *me, const struct troupe_run *run) {
    struct job *job = calloc(1, sizeof *job);
    enum troupe_status status = job == NULL ? TROUPE_NO_MEMORY : spawn(self, run, job);
    if (status == TROUPE_OK && !troupe_address_is_none(troupe_sender(self)))
        status = troupe_monitor(self, troupe_sender(self), &job->of_asker);
    if (status == TROUPE_OK) status = give_input(self, run, job->command);
    if (status != TROUPE_OK && job != NULL) {
        if (!troupe_address_is_none(job->command)) (void)troupe_stop_actor(self, job->command);
        (void)troupe_demonitor(self, job->of_command);
        (void)troupe_demonitor(self, job->of_asker);
        free_job(job);
    }
    if (status != TROUPE_OK) return troupe_reply(self, troupe_ran, .why = troupe_status_text(status), .code = -1);
    job->asker = troupe_keep_asker(self);
    job->next = me->jobs->first;
    me->jobs->first = job;
    me->running++;
    return TROUPE_OK;
}

TROUPE_ON(troupe_runner, troupe_run) {
    const char *wrong = what_is_wrong(msg);
    if (wrong != NULL) return troupe_reply(self, troupe_ran, .why = wrong, .code = -1);
    if (me->running < me->at_once) return begin(self, me, msg);
    enum troupe_status status = troupe_stash(self);
    return status == TROUPE_OK ? TROUPE_OK : tr_decline(self, status);
}

/* ---- What it writes ---- */

static bool append(struct kept *kept, const struct troupe_bytes *data) {
    if (kept->room - kept->size < data->size) {
        uint32_t room = kept->room * 2 > kept->size + data->size ? kept->room * 2 : kept->size + data->size;
        char *more = realloc(kept->data, room);
        if (more == NULL) return false;
        kept->data = more;
        kept->room = room;
    }
    if (data->size > 0) memcpy(kept->data + kept->size, data->data, data->size);
    kept->size += data->size;
    return true;
}

TROUPE_ON(troupe_runner, troupe_command_output) {
    struct job *job = job_of(me, troupe_sender(self));
    if (job == NULL || (msg->stream != 1 && msg->stream != 2)) return TROUPE_OK;
    if (append(&job->outputs[msg->stream - 1], &msg->data)) return TROUPE_OK;
    job->no_memory = true;
    return troupe_send_empty(self, job->command, troupe_command_abort);
}

/* ---- How it ends ---- */

static void reply(troupe_self *self, struct troupe_runner *me, struct job *job, struct troupe_ran *ran) {
    const struct kept *outputs = job->outputs;
    if (job->no_memory) ran->why = "there was no memory for its output";
    ran->output = (struct troupe_bytes){ outputs[0].data, outputs[0].size };
    ran->errors = (struct troupe_bytes){ outputs[1].data, outputs[1].size };
    (void)troupe_answer_message(self, job->asker, &troupe_ran_message, ran);
    end_job(self, me, job);
}

static void describe(const struct troupe_command_closed *end, char *why, size_t size) {
    const char *name = end->signal > 0 ? sigabbrev_np(end->signal) : NULL;
    const char *colon = end->reason[0] != '\0' ? ": " : "";
    if (end->signal > 0)
        snprintf(why, size, "%s%skilled by signal %d (SIG%s)", end->reason, colon, end->signal, name != NULL ? name : "?");
    else if (end->code != 0 || end->reason[0] != '\0')
        snprintf(why, size, "%s%sexited with code %d", end->reason, colon, end->code);
}

TROUPE_ON(troupe_runner, troupe_command_closed) {
    struct job *job = job_of(me, troupe_sender(self));
    char why[128] = "";
    if (job == NULL) return TROUPE_OK;
    describe(msg, why, sizeof why);
    struct troupe_ran ran = { .why = why, .code = msg->code, .signal = msg->signal, .reason = msg->reason,
                              .killed = msg->killed };
    reply(self, me, job, &ran);
    return TROUPE_OK;
}

TROUPE_ON(troupe_runner, troupe_command_error) {
    struct job *job = job_of(me, troupe_sender(self));
    struct troupe_ran ran = { .why = msg->why, .error = msg->error, .code = -1 };
    if (job != NULL) reply(self, me, job, &ran);
    return TROUPE_OK;
}

TROUPE_ON(troupe_runner, troupe_down) {
    struct job *job = job_of_monitor(me, msg->monitor);
    if (job == NULL) return TROUPE_OK;
    if (job->of_command.id == msg->monitor) {
        struct troupe_ran ran = { .why = msg->death.text[0] != '\0' ? msg->death.text : "its command has ended",
                                  .code = -1 };
        reply(self, me, job, &ran);
        return TROUPE_OK;
    }
    (void)troupe_stop_actor(self, job->command);
    end_job(self, me, job);
    return TROUPE_OK;
}

TROUPE_ACTOR(troupe_runner, TROUPE_STARTS(troupe_runner, troupe_running),
    TROUPE_HANDLES(troupe_runner, troupe_run, troupe_command_output, troupe_command_closed, troupe_command_error,
                   troupe_down))
