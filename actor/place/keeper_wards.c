/*
 * The keeper's hands: processes, the descriptors that go with them, and shared memory.
 *
 * Everything that can fail in a callback of the pure keeper is noted here (tr_ward.failed, .broken)
 * and told to it when the callback is over, since callbacks may not call back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "place/keeper_driver.h"
#include "services/name_table.h"
#include "transport/socket.h"

/* How long a process that has closed its control socket may take to exit. */
#define HANG_UP_PATIENCE (INT64_C(1000) * 1000 * 1000)

/* ---- All of them ---- */

/* Whoever counts what is in the page does so now. */
static void end_page(struct tr_driver *driver, struct tr_ward *ward) {
    const struct tr_keeper_options *options = driver->options;
    if (ward->page_used && options->ended != NULL)
        options->ended(options->context, ward->spec->id, ward->page, !ward->died);
    ward->page_used = ward->died = false;
}

static void new_page(struct tr_driver *driver, struct tr_ward *ward) {
    end_page(driver, ward);
    /* Zeroed by giving its memory back: a node uses a small part of it. */
    if (madvise(ward->page, driver->options->flight_size, MADV_REMOVE) != 0)
        memset(ward->page, 0, driver->options->flight_size);
    ward->page_used = true;
    tr_ward_watch_from_now(driver, ward);
}

static bool open_page(struct tr_driver *driver, struct tr_ward *ward) {
    size_t size = driver->options->flight_size;
    ward->flight = tr_memfd_new("troupe-flight", size);
    if (ward->flight < 0) return false;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ward->flight, 0);
    if (page == MAP_FAILED) return false;
    ward->page = page;
    return madvise(page, size, MADV_DONTFORK) == 0; /* a child sees its own page alone */
}

/* The names of the application: what the keeper sees of it is which incarnations live. */
static bool open_names(struct tr_driver *driver) {
    uint64_t nodes = 0;
    for (size_t i = 0; i < driver->ward_count; i++)
        if (driver->wards[i].spec->id > nodes) nodes = driver->wards[i].spec->id;
    size_t size = tr_names_keepers_size(nodes);
    driver->names = tr_memfd_new("troupe-names", tr_names_size(nodes));
    if (driver->names < 0) return false;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, driver->names, 0);
    if (page == MAP_FAILED) return false;
    driver->names_page = page;
    driver->names_size = size;
    return madvise(page, size, MADV_DONTFORK) == 0;
}

static void close_names(struct tr_driver *driver) {
    if (driver->names_page != NULL) munmap(driver->names_page, driver->names_size);
    if (driver->names >= 0) close(driver->names);
}

void tr_ward_lives(struct tr_driver *driver, const struct tr_ward *ward, uint64_t incarnation) {
    tr_names_set_alive(driver->names_page, ward->spec->id, incarnation);
}

bool tr_wards_open(struct tr_driver *driver) {
    const struct tr_keeper_rules *rules = &driver->options->rules;
    driver->wards = calloc(rules->node_count, sizeof *driver->wards);
    if (driver->wards == NULL) return false;
    driver->ward_count = rules->node_count;
    for (size_t i = 0; i < rules->node_count; i++) {
        driver->wards[i] = (struct tr_ward){ .spec = &rules->nodes[i],
                                             .flight = -1,
                                             .pidfd = -1,
                                             .control = -1,
                                             .statm = -1,
                                             .log = { .pipe = -1 },
                                             .errors = { .pipe = -1 },
                                             .output = { .pipe = -1 },
                                             .closed_until = INT64_MAX };
    }
    for (size_t i = 0; i < driver->ward_count; i++) {
        if (!open_page(driver, &driver->wards[i])) return false;
    }
    return open_names(driver) && tr_watch_open(driver);
}

void tr_wards_close(struct tr_driver *driver) {
    for (size_t i = 0; i < driver->ward_count; i++) {
        struct tr_ward *ward = &driver->wards[i];
        tr_assert(ward->pid == 0);
        end_page(driver, ward);
        if (ward->page != NULL) munmap(ward->page, driver->options->flight_size);
        if (ward->flight >= 0) close(ward->flight);
        free(ward->dog);
    }
    close_names(driver);
    if (driver->other_end >= 0) close(driver->other_end);
    for (size_t i = 0; i < driver->ledger_count; i++) close(driver->ledgers[i].memory);
    free(driver->ledgers);
    free(driver->wards);
}

struct tr_ward *tr_wards_find(struct tr_driver *driver, uint64_t node) {
    for (size_t i = 0; i < driver->ward_count; i++) {
        if (driver->wards[i].spec->id == node) return &driver->wards[i];
    }
    return NULL;
}

const struct tr_process_options *tr_ward_options(const struct tr_driver *driver, const struct tr_ward *ward) {
    const struct tr_keeper_options *options = driver->options;
    return options->processes == NULL ? NULL : options->processes[ward - driver->wards];
}

/* ---- Beginning ---- */

/* As the keeper would find it: the new process may have another directory. */
static bool find_program(const struct tr_process_options *options, char *path, size_t size) {
    char here[PATH_MAX] = "";
    if (options == NULL || options->exec == NULL) return false;
    bool relative = options->exec[0] != '/' && getcwd(here, sizeof here) != NULL;
    int length = snprintf(path, size, "%s%s%s", here, relative ? "/" : "", options->exec);
    if (length < 0 || (size_t)length >= size) path[0] = '\0'; /* no such program: executing it says so */
    return true;
}

/* With the arguments of this one but for the first, which is its name. */
__attribute__((noreturn)) static void execute_another(const struct tr_driver *driver, const struct tr_node_start *start,
                                                      char *program) {
    char *const *argv = driver->options->argv;
    size_t count = 0;
    while (argv[count] != NULL) count++;
    char **copy = calloc(count + 2, sizeof *copy);
    if (copy == NULL) tr_process_fail(start->control, "no memory", TR_PROCESS_EXEC_FAILED);
    copy[0] = program;
    for (size_t i = 1; i < count; i++) copy[i] = argv[i];
    tr_process_spawn(start, program, copy);
}

__attribute__((noreturn)) static void be_child(struct tr_driver *driver, const struct tr_ward *ward,
                                               uint64_t incarnation, int control, struct tr_log_ends ends,
                                               pid_t keeper) {
    const struct tr_keeper_options *options = driver->options;
    bool spawn = ward->spec->start == TR_START_SPAWN;
    struct tr_node_start start = { .node = ward->spec->id,
                                   .incarnation = incarnation,
                                   .control = control,
                                   .flight = ward->flight,
                                   .names = driver->names,
                                   .log = ends.log,
                                   .json = ends.log >= 0 && options->scribe->form == TR_LOG_JSON,
                                   .config = spawn ? driver->config : -1 };
    struct tr_process_setup setup = { .application = options->name,
                                      .path = ward->spec->path,
                                      .keeper = keeper,
                                      .output = ends.output,
                                      .errors = ends.errors,
                                      .main = ward->spec->kind == TR_NODE_MAIN,
                                      .options = tr_ward_options(driver, ward),
                                      .start = &start };
    char other[PATH_MAX];
    bool another = find_program(setup.options, other, sizeof other);
    tr_process_setup(&setup);
    if (another) execute_another(driver, &start, other);
    if (spawn) tr_process_spawn(&start, options->program != NULL ? options->program : "/proc/self/exe", options->argv);
    int code = options->run_node(options->context, &start);
    fflush(NULL);
    _exit(code);
}

static void note_failure(struct tr_ward *ward, const char *what) {
    snprintf(ward->failed, sizeof ward->failed, "%s: %s", what, strerror(errno));
}

/* Without pidfd or epoll it could not be looked after: it is killed, and reaped as a stranger. */
static bool adopt(struct tr_driver *driver, struct tr_ward *ward, pid_t pid, int control) {
    if (ward->own_group) setpgid(pid, pid); /* whichever of us is first; it may be gone */
    ward->pidfd = pidfd_open(pid, 0);
    if (ward->pidfd >= 0 && tr_driver_watch(driver, ward->pidfd, EPOLLIN, TR_WATCH_PIDFD, ward) &&
        tr_driver_watch(driver, control, EPOLLIN, TR_WATCH_CONTROL, ward) && tr_ward_watch_log(driver, ward)) {
        ward->pid = pid;
        ward->control = control;
        tr_ward_watch_process(driver, ward);
        return true;
    }
    note_failure(ward, "pidfd");
    kill(pid, SIGKILL);
    if (ward->pidfd >= 0) close(ward->pidfd);
    ward->pidfd = -1;
    return false;
}

void tr_ward_fork(struct tr_driver *driver, struct tr_ward *ward, uint64_t incarnation) {
    struct tr_log_ends ends;
    int sockets[2];
    pid_t keeper = getpid();
    tr_assert(ward->pid == 0);
    if (tr_control_pair(sockets) != 0) {
        note_failure(ward, "socketpair");
        return;
    }
    if (!tr_ward_open_log(driver, ward, &ends)) {
        note_failure(ward, "pipe");
        close(sockets[0]);
        close(sockets[1]);
        return;
    }
    new_page(driver, ward);
    ward->own_group = tr_process_own_group(ward->spec->kind == TR_NODE_MAIN);
    fflush(NULL); /* what waits in stdio is written once, by us */
    pid_t pid = fork();
    if (pid == 0) be_child(driver, ward, incarnation, sockets[1], ends, keeper);
    if (pid < 0) note_failure(ward, "fork");
    close(sockets[1]);
    tr_log_ends_close(&ends);
    if (pid < 0 || !adopt(driver, ward, pid, sockets[0])) {
        close(sockets[0]);
        tr_ward_end_log(driver, ward);
        return;
    }
    tr_driver_log(driver, "process %s pid %d started (incarnation %llu)", ward->spec->path, (int)pid,
                  (unsigned long long)incarnation);
}

/* ---- End ---- */

/* The number of its group cannot be another's: the process is not reaped. */
void tr_ward_kill(const struct tr_ward *ward) {
    if (ward->pid == 0) return;
    pidfd_send_signal(ward->pidfd, SIGKILL, NULL, 0);
    if (ward->own_group) kill(-ward->pid, SIGKILL);
}

/* One that is stopped goes on, if only to die. */
void tr_ward_abort(const struct tr_ward *ward) {
    if (ward->pid == 0) return;
    pidfd_send_signal(ward->pidfd, SIGABRT, NULL, 0);
    pidfd_send_signal(ward->pidfd, SIGCONT, NULL, 0);
}

static void close_control(struct tr_ward *ward) {
    if (ward->control >= 0) close(ward->control);
    ward->control = -1;
    ward->writes = false;
    tr_outbox_free(&ward->outbox);
}

void tr_ward_clear(struct tr_driver *driver, struct tr_ward *ward) {
    (void)driver;
    close_control(ward);
    tr_ward_unwatch(ward);
    close(ward->pidfd);
    ward->pidfd = -1;
    ward->pid = 0;
    ward->broken = NULL;
    ward->closed_until = INT64_MAX;
}

void tr_ward_hang_up(struct tr_driver *driver, struct tr_ward *ward) {
    (void)driver;
    if (ward->control < 0) return;
    close_control(ward);
    ward->closed_until = tr_driver_now() + HANG_UP_PATIENCE;
}

/* ---- Ledgers ---- */

static int find_ledger(const struct tr_driver *driver, uint64_t number) {
    for (size_t i = 0; i < driver->ledger_count; i++) {
        if (driver->ledgers[i].number == number) return driver->ledgers[i].memory;
    }
    return -1;
}

static bool more_room(struct tr_driver *driver) {
    if (driver->ledger_count < driver->ledger_room) return true;
    size_t room = driver->ledger_room == 0 ? 8 : 2 * driver->ledger_room;
    struct tr_ward_ledger *ledgers = realloc(driver->ledgers, room * sizeof *ledgers);
    if (ledgers == NULL) return false;
    driver->ledgers = ledgers;
    driver->ledger_room = room;
    return true;
}

static int ledger_of(struct tr_driver *driver, uint64_t number) {
    int memory = find_ledger(driver, number);
    if (memory >= 0 || !more_room(driver)) return memory;
    memory = tr_memfd_new("troupe-ledger", driver->options->ledger_size);
    if (memory < 0) return -1;
    driver->ledgers[driver->ledger_count++] = (struct tr_ward_ledger){ number, memory };
    return memory;
}

void tr_ward_forget_ledger(struct tr_driver *driver, uint64_t number) {
    for (size_t i = 0; i < driver->ledger_count; i++) {
        if (driver->ledgers[i].number != number) continue;
        close(driver->ledgers[i].memory);
        driver->ledgers[i] = driver->ledgers[--driver->ledger_count];
        return;
    }
}

/* ---- Messages ---- */

static void want_room(struct tr_driver *driver, struct tr_ward *ward, bool writes) {
    if (ward->writes == writes) return;
    ward->writes = writes;
    uint32_t events = writes ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (!tr_driver_watch(driver, ward->control, events, TR_WATCH_CONTROL, ward)) {
        ward->broken = "its control socket cannot be watched";
    }
}

static void after_send(struct tr_driver *driver, struct tr_ward *ward,
                       enum tr_control_result result) {
    switch (result) {
    case TR_CONTROL_OK: want_room(driver, ward, false); break;
    case TR_CONTROL_AGAIN: want_room(driver, ward, true); break;
    case TR_CONTROL_CLOSED: break; /* reading finds the end, after what was said before it */
    case TR_CONTROL_BAD: ward->broken = "it does not read what the keeper sends"; break;
    }
}

static void drop_other_end(struct tr_driver *driver) {
    if (driver->other_end >= 0) close(driver->other_end);
    driver->other_end = -1;
}

/* The first half of a lane makes the pair; the other end is for the second, which comes next. */
static int socket_of(struct tr_driver *driver, const struct tr_control *message) {
    int ends[2], end = driver->other_end;
    if (message->type == TR_CONTROL_DIAL) {
        driver->other_end = -1;
        return end;
    }
    drop_other_end(driver);
    if (tr_socket_pair(ends) != 0) return -1;
    driver->other_end = ends[1];
    return ends[0];
}

/* The descriptors that go with the message; false when one could not be made. The second is for it alone. */
static bool find_descriptors(struct tr_driver *driver, const struct tr_control *message,
                             int descriptors[TR_CONTROL_DESCRIPTORS]) {
    uint32_t count = tr_control_carries(message);
    if (count > 1) descriptors[1] = socket_of(driver, message);
    if (message->type == TR_CONTROL_START_NODE) {
        struct tr_ward *hosted = tr_wards_find(driver, message->node);
        new_page(driver, hosted);
        descriptors[0] = hosted->flight;
    } else if (count > 0) {
        descriptors[0] = ledger_of(driver, message->ledger);
    }
    return (count < 1 || descriptors[0] >= 0) && (count < 2 || descriptors[1] >= 0);
}

/* Whoever wants the lane asks again. */
static struct tr_control refusal(const struct tr_control *message) {
    struct tr_control refused = { .type = TR_CONTROL_REFUSED, .node = message->node, .peer = message->peer,
                                  .lane = message->lane };
    tr_control_say(&refused, "the keeper has no descriptor for it: %s", strerror(errno));
    return refused;
}

void tr_ward_send(struct tr_driver *driver, struct tr_ward *ward,
                  const struct tr_control *message) {
    int descriptors[TR_CONTROL_DESCRIPTORS] = { -1, -1 };
    struct tr_control refused;
    if (ward->control < 0) {
        if (message->type == TR_CONTROL_DIAL) drop_other_end(driver);
        return;
    }
    if (!find_descriptors(driver, message, descriptors)) {
        refused = refusal(message);
        tr_driver_log(driver, "a lane of node %llu: %s", (unsigned long long)message->node, refused.text);
        message = &refused;
    }
    after_send(driver, ward, tr_outbox_send(&ward->outbox, ward->control, message, descriptors));
    if (descriptors[1] >= 0) close(descriptors[1]);
}

void tr_ward_flush(struct tr_driver *driver, struct tr_ward *ward) {
    if (ward->control < 0 || !ward->writes) return;
    enum tr_control_result result = tr_outbox_flush(&ward->outbox, ward->control);
    if (result == TR_CONTROL_CLOSED) tr_outbox_free(&ward->outbox);
    if (result == TR_CONTROL_CLOSED) result = TR_CONTROL_OK; /* no more EPOLLOUT */
    after_send(driver, ward, result);
}
