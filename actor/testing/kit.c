/* The beginning and the end of a kit. */
#include "testing/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/names.h"

/* Not 0, which some take for no time. */
#define BEGINNING TROUPE_SECOND

/* ---- Making ---- */

static void add_mistake(void *context, const char *line) {
    troupe_test *kit = context;
    size_t used = strlen(kit->mistakes);
    snprintf(kit->mistakes + used, sizeof kit->mistakes - used, "%s%s", used == 0 ? "" : "\n", line);
}

static bool load(troupe_test *kit) {
    static const struct troupe_actor_type *const none[] = { NULL };
    const struct troupe_test_options *options = &kit->options;
    struct tr_program_input input = {
        .config = { .file = options->config == NULL ? options->config_file : NULL, .text = options->config,
                    .text_size = options->config == NULL ? 0 : strlen(options->config),
                    .actors = options->actors == NULL ? none : options->actors, .settings = options->settings },
        .threads = 1, .one_process = true, .one_node = true, .also = &tr_probe_actor
    };
    return tr_program_load(&kit->program, &input, add_mistake, kit);
}

static bool open_trace(troupe_test *kit) {
    const char *file = kit->options.trace_file;
    if (file == NULL) return true;
    kit->trace = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (kit->trace < 0) snprintf(kit->mistakes, sizeof kit->mistakes, "%s: %s", file, strerror(errno));
    return kit->trace >= 0;
}

static bool make_host(troupe_test *kit) {
    tr_kit_watch(kit);
    struct tr_host_options options = { .plan = kit->program.plan, .classes = &kit->program.classes,
                                       .trace = kit->trace, .logger = &kit->logger,
                                       .serialize = tr_program_serialize(), .time = &kit->time,
                                       .watcher = &kit->watcher };
    kit->host = tr_host_new(&options);
    return kit->host != NULL && tr_host_begin(kit->host);
}

/* The keeper's machine asks for main, the host makes it, and the root's start waits there. */
static bool make_node(troupe_test *kit) {
    while (kit->node == NULL && tr_host_step(kit->host)) {
        kit->node = tr_host_enter(kit->host);
        if (kit->node != NULL) tr_host_leave(kit->host);
    }
    return kit->node != NULL && tr_kit_start_probe(kit);
}

static void release(troupe_test *kit) {
    if (kit->host != NULL) tr_host_free(kit->host);
    tr_kit_unwatch(kit);
    tr_kit_free_faults(kit);
    tr_program_free(&kit->program);
    if (kit->trace >= 0) close(kit->trace);
    free(kit);
}

static troupe_test *make(const struct troupe_test_options *options) {
    troupe_test *kit = calloc(1, sizeof *kit);
    if (kit == NULL) return NULL;
    kit->options = *options;
    kit->time = BEGINNING;
    kit->trace = -1;
    tr_random_seed(&kit->random, options->seed);
    return kit;
}

troupe_test *troupe_test_begin(const struct troupe_test_options *options, const char *file, int line) {
    char text[TR_KIT_TEXT] = "no memory or descriptors for a kit";
    const struct troupe_test_options kept = *options;
    troupe_test *kit = make(options);
    if (kit != NULL && open_trace(kit) && load(kit) && make_host(kit) && make_node(kit)) {
        troupe_test_run(kit);
        return kit;
    }
    if (kit != NULL && kit->mistakes[0] != '\0') snprintf(text, sizeof text, "%s", kit->mistakes);
    if (kit != NULL && kit->host != NULL) tr_host_end(kit->host);
    if (kit != NULL) release(kit);
    tr_kit_fail_early(&kept, file, line, text);
    return NULL;
}

/* ---- For the test ---- */

troupe_self *troupe_test_self(troupe_test *kit) { return &kit->node->workers[0].self; }

troupe_address troupe_test_find_actor(troupe_test *kit, const char *name, const char *file, int line) {
    troupe_address found = tr_lookup(kit->node, name);
    if (troupe_address_is_none(found)) tr_kit_fail(kit, file, line, "no actor has the name or the path %s", name);
    return found;
}

bool troupe_test_ended(troupe_test *kit, int *code) {
    bool over = tr_host_is_over(kit->host);
    if (over && code != NULL) *code = tr_host_code(kit->host);
    return over;
}

void troupe_test_counts(troupe_test *kit, struct troupe_counts *counts) { tr_host_counts(kit->host, counts); }

/* ---- The end ---- */

/* The keeper's machine has a deadline for it. */
static void stop(troupe_test *kit) {
    tr_kit_let_all_go(kit);
    tr_host_shutdown(kit->host);
    bool goes_on = tr_kit_settle(kit);
    while (goes_on && !tr_host_is_over(kit->host)) goes_on = tr_kit_pass(kit, INT64_MAX);
}

static void check_counts(const struct troupe_counts *counts, char *text, size_t size) {
    if (counts->sent == counts->handled + counts->dead_letters + counts->in_doubt) return;
    snprintf(text, size, "messages are not accounted for: %llu were sent, %llu handled, %llu dead letters, "
                         "%llu in doubt",
             (unsigned long long)counts->sent, (unsigned long long)counts->handled,
             (unsigned long long)counts->dead_letters, (unsigned long long)counts->in_doubt);
}

static void forget_gots(troupe_test *kit) {
    tr_kit_free_got(kit->taken); /* they may be the last to hold a buffer */
    kit->taken = NULL;
    while (kit->first != NULL) {
        struct tr_got *next = kit->first->next;
        tr_kit_free_got(kit->first);
        kit->first = next;
    }
}

int troupe_test_end(troupe_test *kit, const char *file, int line) {
    char text[512] = "";
    struct troupe_counts counts;
    struct troupe_buffer_counts buffers;
    if (kit == NULL) return 0;
    const struct troupe_test_options options = kit->options;
    if (!tr_host_is_over(kit->host)) stop(kit);
    tr_kit_let_all_go(kit);
    bool over = tr_host_is_over(kit->host);
    int code = tr_host_end(kit->host);
    forget_gots(kit);
    tr_host_counts(kit->host, &counts);
    tr_buffers_count(tr_host_buffers(kit->host), &buffers);
    check_counts(&counts, text, sizeof text);
    if (!over) snprintf(text, sizeof text, "the actors go on for ever: they could not be stopped");
    if (buffers.live > 0)
        snprintf(text, sizeof text, "%llu buffers were never given to troupe_buffer_release",
                 (unsigned long long)buffers.live);
    release(kit);
    if (text[0] != '\0') tr_kit_fail_early(&options, file, line, text);
    return code;
}
