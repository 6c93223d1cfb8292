/*
 * troupe_main: the command line, and the keeper behind it.
 *
 * `run` makes this process the keeper: it reads the configuration and forks every node, main too; a
 * forked node finds configuration and plan in the memory it inherited. A spawned one begins here again,
 * with the same arguments, and is told by its environment that it is a node; it reads the very text of
 * the configuration that the keeper read. In one-process mode the host does the keeper's work, here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/options.h"
#include "app/program.h"
#include "core/crash.h"
#include "core/log.h"
#include "place/host.h"
#include "place/keeper_process.h"
#include "place/ledger.h"
#include "place/log_pipe.h"
#include "place/title.h"

enum { EXIT_WRONG = 1, REASON_SIZE = 256 };

/* How long the last lines may wait for somebody to read them. */
#define LAST_LINES TROUPE_SECOND

struct application {
    struct tr_options options;
    struct tr_program program;
    const struct troupe_actor_type *const *actors;
    char **argv;
    struct tr_logger logger;
    struct tr_scribe scribe;     /* the keeper's */
    struct tr_log_pipe pipe;     /* of a process that the keeper has made */
    struct troupe_counts counts; /* of all nodes that have ended */
    bool deaths;                 /* some process did not end in order */
    bool stuck;                  /* one-process mode: a handler never returned, and still uses all of this */
};

static void report(void *context, const char *line) {
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* ---- Running a node in this process ---- */

static int open_trace(const struct application *application) {
    if (application->options.trace == NULL) return -1;
    return open(application->options.trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static int run_host(struct application *application, const struct tr_node_start *start) {
    int trace = open_trace(application), code = EXIT_WRONG;
    struct tr_host_options options = { .plan = application->program.plan,
                                       .classes = &application->program.classes,
                                       .start = start, .trace = trace,
                                       .logger = &application->logger,
                                       .serialize = tr_program_serialize(),
                                       .signals = start == NULL };
    struct tr_host *host = tr_host_new(&options);
    if (host != NULL) {
        code = tr_host_run(host);
        tr_host_counts(host, &application->counts);
        application->stuck = !tr_host_free(host);
        if (application->stuck) return code;
    }
    if (trace >= 0) close(trace);
    tr_host_fini();
    return code;
}

/* As the keeper says, which alone knows where the log goes in the end. */
static void open_log(struct application *application, const struct tr_node_start *start) {
    struct tr_logger *logger = &application->logger;
    if (start->log < 0) return;
    logger->form = start->json ? TR_LOG_JSON : TR_LOG_PRETTY;
    tr_log_pipe_open(&application->pipe, start->log, logger->form);
    logger->line = tr_log_pipe_line;
    logger->context = &application->pipe;
}

static int run_node(void *context, const struct tr_node_start *start) {
    struct application *application = context;
    const struct tr_planned_node *node = tr_plan_node(application->program.plan, start->node);
    bool lines = node->options != NULL && node->options->output.kind == TR_STREAM_LINES;
    if (lines) setvbuf(stdout, NULL, _IOLBF, 0); /* what is read line by line is written so */
    open_log(application, start);
    tr_crash_open();
    int code = run_host(application, start);
    if (start->log >= 0) tr_log_pipe_close(&application->pipe);
    tr_program_free(&application->program);
    return code;
}

/* ---- The keeper's side ---- */

struct place {
    const struct tr_plan *plan;
    uint64_t node;
};

static const char *path_of(void *context, uint32_t slot, uint32_t generation) {
    const struct place *place = context;
    const struct tr_planned *planned = tr_plan_at(place->plan, place->node, slot);
    return planned == NULL || generation != TR_BOUND_GENERATION ? NULL : planned->child->path;
}

static void describe(void *context, uint64_t node, const void *page, char *text, size_t size) {
    struct application *application = context;
    struct place place = { application->program.plan, node };
    application->deaths = true;
    tr_flight_describe(page, path_of, &place, text, size);
}

static void ended(void *context, uint64_t node, void *page, bool in_order) {
    struct application *application = context;
    (void)node;
    if (!in_order) tr_flight_close(page);
    tr_flight_counts(page, &application->counts);
}

static void log_line(void *context, const char *line) {
    const struct application *application = context;
    tr_log_say(&application->logger, TROUPE_INFO, NULL, "%s", line);
}

/* What dead processes had sent and nobody received: the rest, when somebody died. */
static void log_counts(struct application *application) {
    struct troupe_counts *counts = &application->counts;
    uint64_t known = counts->handled + counts->dead_letters + counts->in_doubt;
    if (application->deaths && counts->sent > known) {
        counts->dead_by_reason[TROUPE_SENDER_DIED] += counts->sent - known;
        counts->dead_letters += counts->sent - known;
    }
    char line[1024];
    int used = snprintf(line, sizeof line,
                        "messages: sent=%" PRIu64 " handled=%" PRIu64 " dead_letters=%" PRIu64
                        " in_doubt=%" PRIu64 " refused=%" PRIu64,
                        counts->sent, counts->handled, counts->dead_letters, counts->in_doubt,
                        counts->refused);
    for (int i = 0; i < TROUPE_STATUS_COUNT && used > 0 && (size_t)used < sizeof line; i++)
        if (counts->dead_by_reason[i] != 0)
            used += snprintf(line + used, sizeof line - (size_t)used, " %s=%" PRIu64,
                             troupe_status_name((enum troupe_status)i), counts->dead_by_reason[i]);
    tr_log_say(&application->logger, TROUPE_INFO, NULL, "%s", line);
}

/* Forking a process with threads copies only one of them, and the locks of all: then nodes are executed
 * anew after the fork. */
static bool has_threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    if (tasks == NULL) return false;
    while (readdir(tasks) != NULL) count++;
    closedir(tasks);
    return count > 3; /* ".", "..", and this one */
}

static int run_keeper(struct application *application) {
    const struct tr_plan *plan = application->program.plan;
    const struct tr_config *config = application->program.config;
    struct tr_node_spec *specs = calloc(plan->node_count, sizeof *specs);
    const struct tr_process_options **processes = calloc(plan->node_count, sizeof *processes);
    uint32_t *workers = calloc(plan->node_count, sizeof *workers);
    if (specs == NULL || processes == NULL || workers == NULL) {
        free(specs);
        free(processes);
        free(workers);
        return EXIT_WRONG;
    }
    bool threads = has_threads();
    for (uint32_t i = 0; i < plan->node_count; i++) {
        specs[i] = plan->nodes[i].spec;
        processes[i] = plan->nodes[i].options;
        workers[i] = plan->nodes[i].workers;
        if (threads) specs[i].start = TR_START_SPAWN;
    }
    struct tr_keeper_options options = {
        .rules = { .nodes = specs, .node_count = plan->node_count, .shutdown = config->shutdown,
                   .restarts = config->root->restarts, .within = config->root->within },
        .name = config->name, .processes = processes, .workers = workers,
        .flight_size = sizeof(struct tr_flight), .ledger_size = sizeof(struct tr_ledger),
        .config = config->source, .config_size = config->source_size, .argv = application->argv,
        .scribe = &application->scribe, .tails = config->log_tails, .run_node = run_node, .describe = describe, .ended = ended, .log = log_line,
        .context = application
    };
    tr_crash_prepare();
    int code = tr_keeper_run(&options);
    free(workers);
    free(processes);
    free(specs);
    return code;
}

/* Found out before anything is started. */
static bool can_trace(const struct application *application) {
    int trace = open_trace(application);
    if (trace >= 0) close(trace);
    if (trace >= 0 || application->options.trace == NULL) return true;
    fprintf(stderr, "%s: %s: %s\n", application->options.program, application->options.trace,
            strerror(errno));
    return false;
}

static void choose_log(struct application *application) {
    const struct tr_config *config = application->program.config;
    application->logger.form = tr_log_form_of(config->log_form, STDERR_FILENO);
    application->logger.level = config->log_level;
}

static void write_line(void *context, enum troupe_level level, const char *line, size_t size) {
    (void)level;
    tr_scribe_line(context, line, size);
}

/* From the first process to the last line, one writer. */
static int run_with_scribe(struct application *application) {
    struct tr_logger *logger = &application->logger;
    if (!tr_scribe_open(&application->scribe, STDERR_FILENO, logger->form)) {
        fprintf(stderr, "%s: no memory left\n", application->options.program);
        return EXIT_WRONG;
    }
    logger->line = write_line;
    logger->context = &application->scribe;
    int code = run_keeper(application);
    log_counts(application);
    tr_scribe_close(&application->scribe, LAST_LINES);
    return code;
}

static int run(struct application *application) {
    choose_log(application);
    if (!can_trace(application)) return EXIT_WRONG;
    if (!application->options.one_process) return run_with_scribe(application);
    int code = run_host(application, NULL);
    log_counts(application);
    return code;
}

/* ---- Spawned nodes ---- */

/* The text of the configuration as the keeper read it. NULL: none, or unreadable. */
static const char *map_config(int descriptor, size_t *size) {
    struct stat status;
    *size = 0;
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || status.st_size == 0) return "";
    void *text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    *size = (size_t)status.st_size;
    return text == MAP_FAILED ? NULL : text;
}

static struct tr_program_input input_of(const struct application *application) {
    const struct tr_options *options = &application->options;
    return (struct tr_program_input){ .config = { .file = options->config,
                                                  .actors = application->actors,
                                                  .settings = options->settings,
                                                  .placements = options->placements },
                                      .threads = options->threads,
                                      .one_process = options->one_process };
}

/* The first mistake is the reason that the keeper is told. */
static void keep_first(void *context, const char *line) {
    char *first = context;
    if (first[0] == '\0') snprintf(first, REASON_SIZE, "%s", line);
    fprintf(stderr, "%s\n", line);
}

/* NULL, or why this program cannot be that node. */
static const char *unfit(const struct application *application, const struct tr_node_start *start, char *why) {
    const struct tr_planned_node *node = tr_plan_node(application->program.plan, start->node);
    if (node == NULL) return "it has no such node: its arguments are not those of the application";
    if (start->page_size != sizeof(struct tr_flight)) return "it has another version of Troupe than the application";
    for (uint32_t slot = TR_FIRST_SLOT; slot < node->next_slot; slot++) {
        const struct tr_child *child = node->by_slot[slot]->child;
        if (child->is_supervisor || child->actor != NULL) continue;
        snprintf(why, REASON_SIZE, "%.100s has no actor '%.64s'", application->argv[0], child->actor_name);
        return why;
    }
    return NULL;
}

static int run_spawned(struct application *application, struct tr_node_start *start) {
    char why[REASON_SIZE] = "";
    struct tr_program_input input = input_of(application);
    input.config.checked = true;
    input.config.text = map_config(start->config, &input.config.text_size);
    if (input.config.text == NULL) tr_process_fail(start->control, "its configuration cannot be read", EXIT_WRONG);
    if (!tr_program_load(&application->program, &input, keep_first, why))
        tr_process_fail(start->control, why, EXIT_WRONG);
    const char *wrong = unfit(application, start, why);
    if (wrong != NULL) tr_process_fail(start->control, wrong, EXIT_WRONG);
    tr_process_title(application->program.config->name, tr_plan_node(application->program.plan, start->node)->spec.path);
    choose_log(application);
    int code = run_node(application, start);
    tr_node_start_release(start);
    return code;
}

/* ---- Commands ---- */

static int load_and(struct application *application, int (*then)(struct application *application)) {
    struct tr_program_input input = input_of(application);
    if (!tr_program_load(&application->program, &input, report, NULL)) return EXIT_WRONG;
    int code = then(application);
    if (!application->stuck) tr_program_free(&application->program);
    return code;
}

static int explain(struct application *application) {
    tr_config_explain(application->program.config, stdout);
    return 0;
}

static int check(struct application *application) {
    printf("ok: %" PRIu32 " actors and supervisors on %" PRIu32 " nodes\n",
           application->program.plan->actor_count, application->program.plan->node_count);
    return 0;
}

static int obey(struct application *application) {
    switch (application->options.command) {
    case TR_COMMAND_HELP: tr_options_help(application->options.program); return 0;
    case TR_COMMAND_VERSION:
        printf("%s (Troupe %s)\n", application->options.program, TROUPE_VERSION);
        return 0;
    case TR_COMMAND_CHECK: return load_and(application, check);
    case TR_COMMAND_EXPLAIN: return load_and(application, explain);
    case TR_COMMAND_RUN: break;
    }
    return load_and(application, run);
}

int troupe_main_with(int argc, char **argv, const struct troupe_actor_type *const *actors) {
    struct application application = { .actors = actors, .argv = argv };
    struct tr_node_start start;
    char error[256];
    if (!tr_options_parse(&application.options, argc, argv)) return EXIT_WRONG;
    int spawned = tr_node_start_read(&start, error, sizeof error);
    if (spawned < 0) {
        fprintf(stderr, "%s: %s\n", application.options.program, error);
        return EXIT_WRONG;
    }
    return spawned > 0 ? run_spawned(&application, &start) : obey(&application);
}

int troupe_main(int argc, char **argv, ...) {
    enum { MOST = 256 };
    const struct troupe_actor_type *actors[MOST + 1] = { NULL };
    va_list list;
    int count = 0;
    va_start(list, argv);
    while ((actors[count] = va_arg(list, const struct troupe_actor_type *)) != NULL && count < MOST) count++;
    va_end(list);
    if (actors[count] == NULL) return troupe_main_with(argc, argv, actors);
    fprintf(stderr, "more than %d actor types for troupe_main: give them to troupe_main_with\n", MOST);
    return EXIT_WRONG;
}
