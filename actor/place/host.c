/*
 * The host's thread: requests from the nodes' threads go to the keeper, what the keeper says is done.
 *
 * The end. The keeper says that main is to stop (a signal, a shutdown), or the tree ends by itself. When
 * the root has ended, main asks for every other node to be stopped, and when the keeper has said of each
 * that it is gone, the host is done: 0, or 2 when the tree gave up. Whatever takes too long is the
 * keeper's affair: it has the one deadline.
 *
 * A host whose time is virtual has no thread either: its keeper is within it, and whoever made it calls
 * tr_host_step instead of tr_host_run, between the steps of its one node.
 */
#include "place/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/log.h"
#include "core/thread.h"
#include "place/host_parts.h"

/* How long a node that stops waits for the other nodes to settle what it had sent them. */
#define LAST_WORDS (TROUPE_SECOND / 5)

int64_t tr_host_now(const struct tr_host *host) {
    return host->options.time == NULL ? tr_thread_clock() : *host->options.time;
}

/* ---- Requests ---- */

static void enqueue(struct tr_host *host, const struct tr_request *what) {
    struct tr_request *request = malloc(sizeof *request);
    tr_assert(request != NULL); /* lost, it would be a node that hangs: better one that is restarted */
    *request = *what;
    pthread_mutex_lock(&host->lock);
    if (host->requests == NULL) host->requests = request;
    else host->last_request->next = request;
    host->last_request = request;
    pthread_mutex_unlock(&host->lock);
    tr_loop_wake(&host->loop);
}

void tr_host_request(struct tr_host *host, enum tr_request_kind kind, enum troupe_status status,
                     const struct tr_control *control) {
    const struct tr_request request = { .kind = kind, .status = status, .control = *control, .descriptor = -1 };
    enqueue(host, &request);
}

void tr_host_request_command(struct tr_host *host, int socket) {
    const struct tr_request request = { .kind = TR_REQUEST_COMMAND, .descriptor = socket };
    enqueue(host, &request);
}

static struct tr_request *take_requests(struct tr_host *host) {
    pthread_mutex_lock(&host->lock);
    struct tr_request *requests = host->requests;
    host->requests = host->last_request = NULL;
    pthread_mutex_unlock(&host->lock);
    return requests;
}

void tr_host_shutdown(struct tr_host *host) {
    struct tr_control control = { .type = TR_CONTROL_SHUTDOWN };
    tr_host_request(host, TR_REQUEST_CONTROL, TROUPE_OK, &control);
}

/* ---- To the keeper ---- */

void tr_host_tell_keeper(struct tr_host *host, const struct tr_control *control) {
    if (control->type == TR_CONTROL_START) host->needed[control->node] = true;
    if (host->keeper != NULL) {
        if (!host->keeper_done)
            tr_keeper_message(host->keeper, TR_MAIN_NODE, control, tr_host_now(host));
        return;
    }
    int keeper = host->options.start->control;
    enum tr_control_result sent = tr_outbox_send(&host->outbox, keeper, control, NULL);
    if (sent == TR_CONTROL_CLOSED) _exit(1); /* the keeper is gone: so are we */
    if (sent == TR_CONTROL_BAD) tr_log_say(host->options.logger, TROUPE_ERROR, NULL, "cannot talk to the keeper");
}

/* ---- Ending ---- */

/* Made once, from whatever comes first: the order to stop, or the end of the tree. */
static void set_deadline(struct tr_host *host) {
    int64_t now = tr_host_now(host), within = host->options.plan->config->shutdown;
    if (host->deadline == 0) host->deadline = within > INT64_MAX - now ? INT64_MAX : now + within;
}

static bool others_left(const struct tr_host *host) {
    for (uint32_t id = 1; id <= host->node_count; id++)
        if (host->needed[id]) return true;
    return false;
}

static void finish(struct tr_host *host) {
    if (host->root_ended && !others_left(host)) host->done = true;
}

/* Those that supervisors in other processes may have started, too: of them nobody has told. */
static bool may_run(const struct tr_host *host, uint64_t id) {
    const struct tr_planned_node *node = tr_plan_node(host->options.plan, id);
    for (uint32_t i = 0; i < node->above_count; i++)
        if (tr_plan_supervisor(host->options.plan, node->above[i]).node != TR_MAIN_NODE) return true;
    return host->needed[id];
}

static void stop_others(struct tr_host *host) {
    for (uint32_t id = 1; id <= host->node_count; id++) {
        if (id != TR_MAIN_NODE) host->needed[id] = may_run(host, id);
        struct tr_control control = { .type = TR_CONTROL_STOP, .node = id,
                                      .within = host->options.plan->config->shutdown };
        if (host->needed[id]) tr_host_tell_keeper(host, &control);
    }
    finish(host);
}

static void root_ended(struct tr_host *host, enum troupe_status status, const char *why) {
    bool gave_up = status != TROUPE_OK && status != TROUPE_STOPPING;
    host->root_ended = true;
    set_deadline(host);
    if (gave_up) {
        struct tr_control control = { .type = TR_CONTROL_GAVE_UP };
        host->code = 2;
        snprintf(host->failure, sizeof host->failure, "%s", why);
        tr_control_say(&control, "%s", why);
        tr_host_tell_keeper(host, &control);
    }
    stop_others(host);
}

static void serve(struct tr_host *host, const struct tr_request *request) {
    switch (request->kind) {
    case TR_REQUEST_CONTROL: tr_host_tell_keeper(host, &request->control); break;
    case TR_REQUEST_STARTED:
        if (host->options.started != NULL) host->options.started(host->options.context);
        break;
    case TR_REQUEST_ENDED: root_ended(host, request->status, request->control.text); break;
    case TR_REQUEST_COMMAND: tr_host_command(host, request->descriptor); break;
    }
}

static void serve_all(struct tr_host *host) {
    struct tr_request *request = take_requests(host);
    while (request != NULL) {
        struct tr_request *next = request->next;
        serve(host, request);
        free(request);
        request = next;
    }
}

/* ---- From the keeper ---- */

static void tell_stopped(struct tr_host *host, uint64_t node, const char *why) {
    struct tr_control control = { .type = TR_CONTROL_STOPPED, .node = node };
    tr_control_say(&control, "%s", why);
    tr_host_tell_keeper(host, &control);
}

static void *map(int descriptor, size_t size) {
    void *memory = descriptor < 0 ? MAP_FAILED
                                  : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void start_node(struct tr_host *host, uint64_t id, uint64_t incarnation, void *page) {
    struct tr_hosted *hosted = &host->nodes[id];
    struct tr_control ready = { .type = TR_CONTROL_READY, .node = id };
    hosted->host = host;
    if (hosted->stuck) {
        tell_stopped(host, id, "a handler of its last run has not returned");
        return;
    }
    pthread_rwlock_wrlock(&host->visitors);
    bool started = tr_hosted_start(hosted, id, incarnation, page);
    pthread_rwlock_unlock(&host->visitors);
    if (!started) {
        if (id == host->own) return; /* its process ends, which says it */
        tell_stopped(host, id, "no memory, descriptors or threads for it");
        return;
    }
    tr_host_tell_keeper(host, &ready);
}

static void stop_node(struct tr_host *host, uint64_t id) {
    struct tr_hosted *hosted = &host->nodes[id];
    if (id == TR_MAIN_NODE) {
        set_deadline(host);
        if (hosted->node != NULL) tr_hosted_stop_root(hosted);
    } else if (hosted->node != NULL && hosted->leaves_by == 0) {
        hosted->leaves_by = tr_host_now(host) + LAST_WORDS;
    }
}

/* While its threads end, outside threads may still come: the node refuses what they want. A call of
 * troupe_work that sends to the system must not wait for the end that waits for it. */
static void stop_hosted(struct tr_host *host, struct tr_hosted *hosted) {
    bool halted = tr_hosted_halt(hosted);
    pthread_rwlock_wrlock(&host->visitors);
    tr_hosted_stop(hosted, halted);
    pthread_rwlock_unlock(&host->visitors);
}

static void end_node(struct tr_host *host, uint64_t id) {
    if (id == host->own) {
        host->root_ended = host->done = true;
        return;
    }
    stop_hosted(host, &host->nodes[id]);
    tell_stopped(host, id, "");
}

/* Nodes that were asked to stop. Their actors have; what these sent last may still be under way, and if it
 * were given up now, it would be counted as dead here and as handled over there. */
static bool see_off(struct tr_host *host) {
    bool waits = false;
    for (uint32_t id = 1; id <= host->node_count; id++) {
        struct tr_hosted *hosted = &host->nodes[id];
        if (hosted->node == NULL || hosted->leaves_by == 0) continue;
        if (tr_hosted_leave(hosted) || tr_host_now(host) >= hosted->leaves_by) end_node(host, id);
        else waits = true;
    }
    return waits;
}

static void offer_lane(struct tr_host *host, const struct tr_control *control,
                       int descriptors[TR_CONTROL_DESCRIPTORS]) {
    struct tr_hosted *hosted = &host->nodes[control->node];
    struct tr_lane_driver *lane =
        hosted->node == NULL ? NULL : tr_hosted_lane(hosted, control->peer);
    if (lane == NULL) return;
    struct tr_lane_offer offer = { .lane = control->lane,
                                   .listen = control->type == TR_CONTROL_LISTEN,
                                   .ledger = control->ledger,
                                   .memory = map(descriptors[0], sizeof(struct tr_ledger)),
                                   .socket = descriptors[1] };
    descriptors[1] = -1;
    memcpy(offer.token, control->token, sizeof offer.token);
    snprintf(offer.url, sizeof offer.url, "%s", control->url);
    tr_lane_attach(lane, &offer);
}

static struct tr_lane_driver *lane_of(struct tr_host *host, uint64_t node, uint64_t peer) {
    struct tr_node *found = host->nodes[node].node;
    return found == NULL ? NULL
                         : (struct tr_lane_driver *)(void *)tr_routes_find(&found->routes, peer);
}

static void node_gone(struct tr_host *host, uint64_t id) {
    for (uint32_t i = 1; i <= host->node_count; i++) {
        struct tr_lane_driver *lane = lane_of(host, i, id);
        if (lane != NULL) tr_lane_gone(lane);
    }
    host->needed[id] = false;
    finish(host);
}

static void node_down(struct tr_host *host, const struct tr_control *down) {
    for (uint32_t i = 1; i <= host->node_count; i++)
        if (host->nodes[i].node != NULL && i != down->node)
            tr_hosted_node_down(&host->nodes[i], down);
}

static bool names_nodes(const struct tr_host *host, const struct tr_control *control) {
    return control->node >= 1 && control->node <= host->node_count &&
           control->peer <= host->node_count;
}

static void pass_signal(struct tr_host *host, const struct tr_control *control) {
    struct tr_control answer = { .type = TR_CONTROL_SIGNAL_ANSWER, .signal = control->signal };
    answer.taken = tr_host_signalled(host, control->signal, control->times);
    tr_host_tell_keeper(host, &answer);
}

void tr_host_obey(struct tr_host *host, const struct tr_control *control,
                  int descriptors[TR_CONTROL_DESCRIPTORS]) {
    struct tr_lane_driver *lane;
    if (control->type == TR_CONTROL_SIGNAL) {
        pass_signal(host, control);
    } else if (names_nodes(host, control)) {
        switch (control->type) {
        case TR_CONTROL_START_NODE:
            start_node(host, control->node, control->incarnation,
                       map(descriptors[0], sizeof(struct tr_flight)));
            break;
        case TR_CONTROL_STOP_NODE: stop_node(host, control->node); break;
        case TR_CONTROL_LISTEN:
        case TR_CONTROL_DIAL: offer_lane(host, control, descriptors); break;
        case TR_CONTROL_REFUSED:
            lane = lane_of(host, control->node, control->peer);
            if (lane != NULL) tr_lane_refused(lane, control->lane);
            break;
        case TR_CONTROL_DOWN: node_down(host, control); break;
        case TR_CONTROL_GONE: node_gone(host, control->node); break;
        default: break; /* not for a process: tr_control_decode refuses it */
        }
    }
    for (size_t i = 0; i < TR_CONTROL_DESCRIPTORS; i++)
        if (descriptors[i] >= 0) close(descriptors[i]);
}

/* The keeper's end of the socket closes only with the keeper. */
static void control_ready(struct tr_host *host) {
    struct tr_control control;
    const char *error = NULL;
    int descriptors[TR_CONTROL_DESCRIPTORS];
    for (;;) {
        switch (tr_control_receive(host->options.start->control, TR_CONTROL_TO_NODE, &control, descriptors, &error)) {
        case TR_CONTROL_OK: tr_host_obey(host, &control, descriptors); break;
        case TR_CONTROL_AGAIN: return;
        case TR_CONTROL_CLOSED: _exit(1);
        case TR_CONTROL_BAD:
            tr_log_say(host->options.logger, TROUPE_ERROR, NULL, "the keeper said something unreadable: %s", error);
            _exit(1);
        }
    }
}

static void ready(void *context, uint64_t what, uint32_t events) {
    struct tr_host *host = context;
    (void)events;
    if (what == TR_HOST_CONTROL) control_ready(host);
    else if (what == TR_HOST_SIGNALS) tr_host_signals_ready(host);
    else tr_commands_turn(host->commands, tr_host_now(host));
}

/* ---- Running ---- */

static bool begin_with_keeper(struct tr_host *host) {
    const struct tr_node_start *start = host->options.start;
    host->own = start->node;
    if (!tr_host_names_open(host, start->names, start->incarnation)) return false;
    if (!tr_host_signals_open(host)) return false;
    if (!tr_loop_watch(&host->loop, start->control, TR_HOST_CONTROL, EPOLLIN)) return false;
    start_node(host, start->node, start->incarnation, map(start->flight, sizeof(struct tr_flight)));
    struct tr_hosted *hosted = &host->nodes[start->node];
    if (hosted->node == NULL) return false;
    return start->node != TR_MAIN_NODE || tr_hosted_start_root(hosted);
}

static int64_t time_to_sleep(struct tr_host *host) {
    if (host->keeper == NULL) return host->outbox.count > 0 ? TROUPE_MILLISECOND : INT64_MAX;
    int64_t next = tr_embedded_next(host), now = tr_host_now(host);
    return next == INT64_MAX ? INT64_MAX : next > now ? next - now : 0;
}

static void turn(struct tr_host *host) {
    bool leaving = see_off(host);
    int64_t sleep = host->done ? 0 : time_to_sleep(host);
    tr_loop_park(&host->loop, leaving && sleep > TROUPE_MILLISECOND ? TROUPE_MILLISECOND : sleep);
    serve_all(host);
}

static void run_with_keeper(struct tr_host *host) {
    if (!begin_with_keeper(host)) {
        tr_log_say(host->options.logger, TROUPE_ERROR, NULL, "node %llu cannot start: %s", (unsigned long long)host->own,
               strerror(errno));
        host->code = 1;
        return;
    }
    while (!host->done) {
        turn(host);
        if (host->outbox.count > 0) tr_outbox_flush(&host->outbox, host->options.start->control);
    }
}

static void run_embedded(struct tr_host *host) {
    if (!tr_embedded_begin(host)) {
        host->code = 1;
        return;
    }
    while (!host->keeper_done) {
        tr_embedded_turn(host);
        if (!host->keeper_done) turn(host);
    }
    tr_embedded_end(host);
}

static void stop_all(struct tr_host *host) {
    for (uint32_t id = host->node_count; id >= 1; id--)
        if (host->nodes[id].node != NULL) stop_hosted(host, &host->nodes[id]);
}

static int end(struct tr_host *host) {
    stop_all(host);
    tr_host_signals_close(host);
    if (host->stuck) host->code = 128 + SIGKILL;
    return host->code;
}

int tr_host_run(struct tr_host *host) {
    if (host->options.start != NULL) run_with_keeper(host);
    else run_embedded(host);
    return end(host);
}

/* ---- Stepped ---- */

bool tr_host_begin(struct tr_host *host) { return tr_embedded_begin(host); }

bool tr_host_is_over(const struct tr_host *host) { return host->keeper_done; }

int tr_host_code(const struct tr_host *host) { return host->code; }

int64_t tr_host_next(const struct tr_host *host) { return host->keeper_done ? INT64_MAX : tr_embedded_next(host); }

bool tr_host_step(struct tr_host *host) {
    if (host->requests == NULL && tr_host_next(host) > tr_host_now(host)) return false;
    if (!host->keeper_done) tr_embedded_turn(host);
    serve_all(host);
    return true;
}

int tr_host_end(struct tr_host *host) {
    tr_embedded_end(host);
    return end(host);
}

/* ---- Making and freeing ---- */

struct tr_host *tr_host_new(const struct tr_host_options *options) {
    struct tr_host *host = calloc(1, sizeof *host);
    if (host == NULL) return NULL;
    host->options = *options;
    host->node_count = options->plan->node_count;
    host->signals = -1;
    pthread_mutex_init(&host->lock, NULL);
    pthread_rwlock_init(&host->visitors, NULL);
    tr_buffers_init(&host->buffers);
    host->nodes = calloc(host->node_count + 1, sizeof *host->nodes);
    host->needed = calloc(host->node_count + 1, sizeof *host->needed);
    host->absent = calloc(options->plan->actor_count, sizeof *host->absent);
    bool loop = tr_loop_init(&host->loop, ready, host);
    if (host->nodes != NULL && host->needed != NULL && host->absent != NULL && loop) return host;
    if (!loop) host->loop = (struct tr_loop){ .epoll = -1, .wake = -1 };
    tr_host_free(host);
    return NULL;
}

/* No message is left: these the program has forgotten. */
static void free_buffers(struct tr_host *host) {
    struct troupe_buffer_counts left;
    tr_buffers_count(&host->buffers, &left);
    if (left.live > 0)
        tr_log_say(host->options.logger, TROUPE_WARNING, "buffers",
               "%llu of them, %llu bytes, were never given to troupe_buffer_release",
               (unsigned long long)left.live, (unsigned long long)left.bytes);
    tr_buffers_free(&host->buffers);
}

bool tr_host_free(struct tr_host *host) {
    if (host->stuck) return false;
    free_buffers(host);
    struct tr_request *request = take_requests(host);
    while (request != NULL) {
        struct tr_request *next = request->next;
        if (request->descriptor >= 0) close(request->descriptor);
        free(request);
        request = next;
    }
    tr_host_names_close(host);
    tr_outbox_free(&host->outbox);
    tr_loop_free(&host->loop);
    pthread_rwlock_destroy(&host->visitors);
    pthread_mutex_destroy(&host->lock);
    free(host->nodes);
    free(host->needed);
    free(host->absent);
    free(host);
    return true;
}

void tr_host_fini(void) { tr_wire_fini(); }

struct tr_node *tr_host_enter(struct tr_host *host) {
    pthread_rwlock_rdlock(&host->visitors);
    struct tr_node *node = host->nodes[TR_MAIN_NODE].node;
    if (node == NULL) pthread_rwlock_unlock(&host->visitors);
    return node;
}

void tr_host_leave(struct tr_host *host) { pthread_rwlock_unlock(&host->visitors); }

const char *tr_host_failure(const struct tr_host *host) { return host->failure; }

struct tr_buffers *tr_host_buffers(struct tr_host *host) { return &host->buffers; }

void tr_host_counts(struct tr_host *host, struct troupe_counts *counts) {
    pthread_rwlock_rdlock(&host->visitors);
    pthread_mutex_lock(&host->lock);
    *counts = host->counts;
    for (uint32_t i = 1; i <= host->node_count; i++)
        if (host->nodes[i].node != NULL) tr_flight_counts(host->nodes[i].node->flight, counts);
    pthread_mutex_unlock(&host->lock);
    pthread_rwlock_unlock(&host->visitors);
}
