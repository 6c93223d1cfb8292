/* Systems in a program that owns its main: the host of one-process mode, on a thread of its own. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/program.h"
#include "core/depth.h"
#include "core/log.h"
#include "core/send.h"
#include "place/host.h"
#include "services/names.h"

struct troupe_system {
    struct tr_program program;
    struct tr_host *host;
    pthread_t thread;
    int trace;
    struct tr_logger logger;
    pthread_mutex_t log_lock; /* one line at a time for the program's own log */
    troupe_log_line log;
    void *log_context;
    pthread_mutex_t lock;  /* for all below */
    pthread_cond_t changed;
    bool started, ended;
    int code;
};

/* ---- Mistakes, a line each, as far as they fit ---- */

struct mistakes {
    char *text;
    size_t size, used;
};

static void add_mistake(void *context, const char *line) {
    struct mistakes *mistakes = context;
    if (mistakes->used >= mistakes->size) return;
    int added = snprintf(mistakes->text + mistakes->used, mistakes->size - mistakes->used, "%s\n", line);
    if (added > 0) mistakes->used += (size_t)added;
}

static void add_mistake_of(struct mistakes *mistakes, const char *file, const char *why) {
    char line[512];
    snprintf(line, sizeof line, "%s: error: %s", file, why);
    add_mistake(mistakes, line);
}

/* ---- The thread ---- */

static void note_started(void *context) {
    struct troupe_system *system = context;
    pthread_mutex_lock(&system->lock);
    system->started = true;
    pthread_cond_broadcast(&system->changed);
    pthread_mutex_unlock(&system->lock);
}

static void *run(void *context) {
    struct troupe_system *system = context;
    int code = tr_host_run(system->host);
    pthread_mutex_lock(&system->lock);
    system->ended = true;
    system->code = code;
    pthread_cond_broadcast(&system->changed);
    pthread_mutex_unlock(&system->lock);
    return NULL;
}

static int start_thread(struct troupe_system *system) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    int error = pthread_create(&system->thread, NULL, run, system);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* ---- Starting ---- */

/* What no configuration is asked about. */
static bool are_sound(const struct troupe_options *options, struct mistakes *mistakes) {
    char line[96] = "";
    if (options == NULL) snprintf(line, sizeof line, "error: there are no options");
    else if (options->threads > TR_MAX_POOL)
        snprintf(line, sizeof line, "error: the option threads is %u, but may be 1 to %d, or 0", options->threads,
                 TR_MAX_POOL);
    if (line[0] != '\0') add_mistake(mistakes, line);
    return line[0] == '\0';
}

static bool load(struct troupe_system *system, const struct troupe_options *options,
                 struct mistakes *mistakes) {
    const char *text = options->config_file == NULL ? options->config_text : NULL;
    struct tr_program_input input = {
        .config = { .file = options->config_file, .text = text,
                    .text_size = text == NULL ? 0 : strlen(text),
                    .actors = options->actors, .settings = options->settings,
                    .placements = options->placements },
        .threads = options->threads, .one_process = true
    };
    return tr_program_load(&system->program, &input, add_mistake, mistakes);
}

static void pass_line(void *context, enum troupe_level level, const char *line, size_t size) {
    struct troupe_system *system = context;
    pthread_mutex_lock(&system->log_lock);
    system->log(system->log_context, level, line, size);
    pthread_mutex_unlock(&system->log_lock);
}

static void choose_log(struct troupe_system *system, const struct troupe_options *options) {
    const struct tr_config *config = system->program.config;
    bool own = options->log != NULL;
    system->log = options->log;
    system->log_context = options->log_context;
    system->logger = (struct tr_logger){ .form = tr_log_form_of(config->log_form, own ? -1 : STDERR_FILENO),
                                         .level = config->log_level,
                                         .line = own ? pass_line : NULL, .context = system };
}

static enum troupe_status make_host(struct troupe_system *system, const struct troupe_options *options,
                                    struct mistakes *mistakes) {
    if (options->trace_file != NULL) {
        system->trace = open(options->trace_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (system->trace < 0) {
            add_mistake_of(mistakes, options->trace_file, strerror(errno));
            return TROUPE_SYSTEM;
        }
    }
    choose_log(system, options);
    struct tr_host_options host = { .plan = system->program.plan, .classes = &system->program.classes,
                                    .trace = system->trace, .logger = &system->logger,
                                    .serialize = tr_program_serialize(),
                                    .started = note_started, .context = system };
    system->host = tr_host_new(&host);
    if (system->host == NULL || start_thread(system) != 0) {
        add_mistake(mistakes, "error: no memory, descriptors or threads left");
        return TROUPE_SYSTEM;
    }
    return TROUPE_OK;
}

static void release(struct troupe_system *system) {
    if (system->host != NULL && !tr_host_free(system->host)) return; /* a stuck worker still uses it */
    if (system->trace >= 0) close(system->trace);
    tr_program_free(&system->program);
    pthread_cond_destroy(&system->changed);
    pthread_mutex_destroy(&system->lock);
    pthread_mutex_destroy(&system->log_lock);
    free(system);
}

static bool wait_for_start(struct troupe_system *system) {
    pthread_mutex_lock(&system->lock);
    while (!system->started && !system->ended) pthread_cond_wait(&system->changed, &system->lock);
    bool started = system->started;
    pthread_mutex_unlock(&system->lock);
    return started;
}

enum troupe_status troupe_system_start(const struct troupe_options *options, troupe_system **system,
                                       char *error, size_t error_size) {
    if (error == NULL) error_size = 0;
    struct mistakes mistakes = { error, error_size, 0 };
    enum troupe_status status = TROUPE_INVALID;
    *system = NULL;
    if (error_size > 0) error[0] = '\0';
    struct troupe_system *made = calloc(1, sizeof *made);
    if (made == NULL) return TROUPE_NO_MEMORY;
    made->trace = -1;
    pthread_mutex_init(&made->lock, NULL);
    pthread_mutex_init(&made->log_lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    if (are_sound(options, &mistakes) && load(made, options, &mistakes)) status = make_host(made, options, &mistakes);
    if (status != TROUPE_OK) {
        release(made);
        return status;
    }
    if (wait_for_start(made)) {
        *system = made;
        return TROUPE_OK;
    }
    pthread_join(made->thread, NULL);
    add_mistake(&mistakes, tr_host_failure(made->host));
    release(made);
    return TROUPE_FAILED;
}

/* ---- The end ---- */

void troupe_system_stop(troupe_system *system) { tr_host_shutdown(system->host); }

int troupe_system_wait(troupe_system *system) {
    pthread_mutex_lock(&system->lock);
    while (!system->ended) pthread_cond_wait(&system->changed, &system->lock);
    int code = system->code;
    pthread_mutex_unlock(&system->lock);
    return code;
}

int troupe_system_free(troupe_system *system) {
    if (system == NULL) return 0;
    troupe_system_stop(system);
    int code = troupe_system_wait(system);
    pthread_join(system->thread, NULL);
    release(system);
    return code;
}

/* ---- From outside the actors ---- */

enum troupe_status troupe_system_send_message(troupe_system *system, troupe_address to,
                                              const struct troupe_message_type *type,
                                              const void *message) {
    struct tr_outgoing outgoing = { .to = to, .type = type, .body = message };
    struct tr_node *node = tr_host_enter(system->host);
    if (node == NULL) return TROUPE_STOPPING;
    enum troupe_status status = tr_send(node, NULL, &outgoing);
    tr_host_leave(system->host);
    return status;
}

enum troupe_status troupe_system_spawn_actor(troupe_system *system, troupe_address *address,
                                             const struct troupe_actor_type *actor,
                                             const struct troupe_spawn_options *options,
                                             const struct troupe_message_type *type, const void *args) {
    troupe_address unused;
    struct tr_node *node = tr_host_enter(system->host);
    if (node == NULL) return TROUPE_STOPPING;
    bool bonds = options != NULL && (options->link || options->monitor != NULL);
    enum troupe_status status = TROUPE_INVALID;
    if (bonds) tr_log(node, TROUPE_ERROR, NULL, "not spawned: %s: only an actor has links and monitors", actor->name);
    else status = tr_spawn_named(node, NULL, address == NULL ? &unused : address, actor, options, type, args);
    tr_host_leave(system->host);
    return status;
}

troupe_address troupe_system_lookup(troupe_system *system, const char *name) {
    struct tr_node *node = tr_host_enter(system->host);
    if (node == NULL) return (troupe_address){ 0 };
    troupe_address address = tr_lookup(node, name);
    tr_host_leave(system->host);
    return address;
}

/* ---- Buffers: the host's, so that they outlive the nodes ---- */

void *troupe_system_buffer(troupe_system *system, size_t size) {
    return tr_buffers_make(tr_host_buffers(system->host), size);
}

enum troupe_status troupe_system_buffer_release(troupe_system *system, const void *data) {
    return tr_buffers_release(tr_host_buffers(system->host), data);
}

void troupe_system_buffers(troupe_system *system, struct troupe_buffer_counts *counts) {
    tr_buffers_count(tr_host_buffers(system->host), counts);
}

enum troupe_status troupe_system_mailbox(troupe_system *system, troupe_address address,
                                         struct troupe_mailbox_info *info) {
    struct tr_node *node = tr_host_enter(system->host);
    if (info != NULL) *info = (struct troupe_mailbox_info){ 0 };
    if (node == NULL) return TROUPE_STOPPING;
    enum troupe_status status = tr_mailbox_info(node, address, info);
    tr_host_leave(system->host);
    return status;
}

void troupe_system_counts(troupe_system *system, struct troupe_counts *counts) {
    tr_host_counts(system->host, counts);
}
