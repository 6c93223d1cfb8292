#include "config/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/limits.h"
#include "config/value.h"

#define ROWS(rows) rows, (uint32_t)(sizeof rows / sizeof rows[0])
#define DAY (24 * 60 * TROUPE_MINUTE)

static const struct tr_word automatic[] = { { "auto", 0 }, { NULL, 0 } };
static const struct tr_word shutdowns[] = {
    { "infinity", TR_INFINITY }, { "kill", TR_KILL }, { NULL, 0 }
};
static const struct tr_word unlimiteds[] = { { "unlimited", TR_INFINITY }, { NULL, 0 } };
static const struct tr_word nevers[] = { { "never", TR_INFINITY }, { NULL, 0 } };
static const struct tr_word strategies[] = {
    { "one_for_one", TR_ONE_FOR_ONE },
    { "one_for_all", TR_ONE_FOR_ALL },
    { "rest_for_one", TR_REST_FOR_ONE },
    { "dynamic", TR_DYNAMIC },
    { NULL, 0 }
};
static const struct tr_word auto_shutdowns[] = {
    { "never", TR_NEVER },
    { "any_significant", TR_ANY_SIGNIFICANT },
    { "all_significant", TR_ALL_SIGNIFICANT },
    { NULL, 0 }
};
static const struct tr_word infinities[] = { { "infinity", TR_INFINITY }, { NULL, 0 } };
static const struct tr_word restarts[] = {
    { "permanent", TR_PERMANENT },
    { "transient", TR_TRANSIENT },
    { "temporary", TR_TEMPORARY },
    { NULL, 0 }
};
static const struct tr_word deliveries[] = {
    { "at_most_once", false }, { "at_least_once", true }, { NULL, 0 }
};
static const struct tr_word overflows[] = {
    { "reject", false }, { "drop_newest", true }, { NULL, 0 }
};
/* One more than the lane: 0 is none. */
static const struct tr_word lanes[] = {
    { "direct", TR_LANE_DIRECT + 1 }, { "inproc", TR_LANE_INPROC + 1 }, { "ipc", TR_LANE_IPC + 1 },
    { "tcp", TR_LANE_TCP + 1 }, { NULL, 0 }
};
static const struct tr_word starts[] = {
    { "fork", TR_START_FORK }, { "spawn", TR_START_SPAWN }, { NULL, 0 }
};

static const struct tr_word log_forms[] = {
    { "auto", TR_LOG_AUTO }, { "pretty", TR_LOG_PRETTY }, { "json", TR_LOG_JSON }, { NULL, 0 }
};
static const struct tr_word tails[] = { { "tail", true }, { "inherit", false }, { NULL, 0 } };
static const struct tr_word levels[] = {
    { "debug", TROUPE_DEBUG }, { "info", TROUPE_INFO }, { "warning", TROUPE_WARNING },
    { "error", TROUPE_ERROR }, { NULL, 0 }
};

static const struct tr_key root_rows[] = {
    { .key = "name", .kind = TR_KEY_NAME,
      .help = "of the application; default: the name of the file" },
    { .key = "threads", .kind = TR_KEY_NUMBER, .min = 1, .max = 64, .words = automatic,
      .standard = "auto",
      .help = "workers of the main node; auto: one a core" },
    { .key = "work_threads", .kind = TR_KEY_NUMBER, .min = 1, .max = 256, .standard = "8",
      .help = "threads of each node for calls of troupe_work, made as they are needed" },
    { .key = "spin", .kind = TR_KEY_DURATION, .min = 0, .max = 10 * TROUPE_MILLISECOND,
      .standard = "5us",
      .help = "how long a worker without work looks for some before it sleeps" },
    { .key = "pin", .kind = TR_KEY_OTHER, .shape = "true, false, or a list of cores",
      .standard = "false",
      .help = "whether each thread of the main node stays on one core; true: of all that are allowed" },
    { .key = "shutdown", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY,
      .standard = "10s",
      .help = "how long the whole program may take to stop" },
    { .key = "blocked", .kind = TR_KEY_DURATION, .min = 10 * TROUPE_MILLISECOND, .max = 60 * TROUPE_MINUTE,
      .words = nevers, .standard = "100ms",
      .help = "how long a handler may hold its worker up before that is logged" },
    { .key = "main", .shape = "a mapping", .kind = TR_KEY_OTHER,
      .help = "how the main process is made" },
    { .key = "log", .shape = "a mapping", .kind = TR_KEY_OTHER,
      .help = "the form of the log, and what is said in it" },
    { .key = "data", .shape = "a mapping of names to texts", .kind = TR_KEY_OTHER,
      .help = "what every actor may look up, in whatever process: troupe_data" },
    { .key = "tree", .shape = "a mapping", .kind = TR_KEY_OTHER,
      .help = "the root of the supervisor tree" },
    { .key = "placement", .shape = "a mapping of globs to places", .kind = TR_KEY_OTHER,
      .help = "where actors run; overrides their own place" },
};
const struct tr_keys tr_keys_root = { "the configuration", ROWS(root_rows), NULL, NULL };

#define SUPERVISION_ROWS                                                                           \
    { .key = "strategy", .kind = TR_KEY_WORD, .words = strategies, .standard = "one_for_one",      \
      .help = "who is restarted when a child fails" },                                             \
    { .key = "restarts", .kind = TR_KEY_NUMBER, .min = 0, .max = 1000000, .standard = "1",         \
      .help = "restarts allowed ..." },                                                            \
    { .key = "within", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY,             \
      .standard = "5s", .help = "... in this time; one more and the supervisor gives up" },        \
    { .key = "backoff", .kind = TR_KEY_OTHER, .shape = "a mapping",                                \
      .help = "how long a child waits before it is started again" },                               \
    { .key = "auto_shutdown", .kind = TR_KEY_WORD, .words = auto_shutdowns, .standard = "never",   \
      .help = "whether it ends when a significant child has ended by itself, or the last of them" }, \
    { .key = "max_children", .kind = TR_KEY_NUMBER, .min = 1, .max = TR_CONFIG_MAX_CHILDREN,       \
      .help = "how many it may have at once, those that code adds included" },                     \
    { .key = "child", .kind = TR_KEY_OTHER, .shape = "an actor without a name",                    \
      .help = "dynamic: what each child is that code adds; none: whatever is asked for" }

#define NAME_ROW                                                                                   \
    { .key = "name", .kind = TR_KEY_NAME, .required = true, .help = "its part of the path" }
#define RESTART_ROW                                                                                \
    { .key = "restart", .kind = TR_KEY_WORD, .words = restarts, .standard = "permanent",           \
      .help = "always, only after a failure, or never" }
#define SHUTDOWN_ROW(tr_standard)                                                                  \
    { .key = "shutdown", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY,           \
      .words = shutdowns, .standard = tr_standard, .help = "how long it may take to stop" }
#define READY_ROW                                                                                  \
    { .key = "ready", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY,              \
      .words = infinities, .standard = "infinity",                                                 \
      .help = "how long it may take to be ready when it is started, before it is killed" }
#define SIGNIFICANT_ROW                                                                            \
    { .key = "significant", .kind = TR_KEY_FLAG, .standard = "false",                              \
      .help = "whether its own end counts for its supervisor's auto_shutdown" }
#define CHILDREN_ROW                                                                               \
    { .key = "children", .kind = TR_KEY_OTHER, .shape = "a list of children",                      \
      .help = "started in this order, stopped in the opposite one; required unless dynamic" }

static const struct tr_key tree_rows[] = { SUPERVISION_ROWS, CHILDREN_ROW };
const struct tr_keys tr_keys_tree = { "the tree", ROWS(tree_rows), NULL, NULL };

static const struct tr_key supervisor_rows[] = {
    NAME_ROW, SUPERVISION_ROWS, RESTART_ROW, SHUTDOWN_ROW("infinity"), READY_ROW, SIGNIFICANT_ROW,
    { .key = "place", .kind = TR_KEY_OTHER, .shape = "a place", .standard = "thread",
      .help = "where it runs, and its children unless they have another place" },
    CHILDREN_ROW
};
const struct tr_keys tr_keys_supervisor = { "a supervisor", ROWS(supervisor_rows), &tr_keys_actor, NULL };

#define ACTOR_ROW                                                                                  \
    { .key = "actor", .kind = TR_KEY_OTHER, .shape = "an actor type of the program",               \
      .required = true, .help = "what it is" }
#define ARGS_ROW                                                                                   \
    { .key = "args", .kind = TR_KEY_OTHER, .shape = "a mapping of the fields of its start message", \
      .help = "what it is started with; what is left out is zero or empty" }
#define MAILBOX_ROWS                                                                               \
    { .key = "mailbox", .kind = TR_KEY_OTHER, .shape = "a mapping, or keep",                       \
      .help = "how much waits for it; keep: as { keep: true }" },                                  \
    { .key = "delivery", .kind = TR_KEY_WORD, .words = deliveries, .standard = "at_most_once",     \
      .help = "whether messages are delivered again after a restart" }

static const struct tr_key actor_rows[] = {
    NAME_ROW, ACTOR_ROW, ARGS_ROW,
    { .key = "count", .kind = TR_KEY_NUMBER, .min = 1, .max = TR_CONFIG_MAX_COUNT,
      .help = "so many of them, named NAME/0, NAME/1, ..." },
    { .key = "place", .kind = TR_KEY_OTHER, .shape = "a place", .standard = "thread",
      .help = "where it runs" },
    RESTART_ROW, SHUTDOWN_ROW("5s"), READY_ROW, SIGNIFICANT_ROW, MAILBOX_ROWS
};
const struct tr_keys tr_keys_actor = { "an actor", ROWS(actor_rows), &tr_keys_supervisor, NULL };

static const struct tr_key template_rows[] = { ACTOR_ROW, ARGS_ROW, RESTART_ROW, SHUTDOWN_ROW("5s"), READY_ROW,
                                               MAILBOX_ROWS };
const struct tr_keys tr_keys_template = { "a dynamic child", ROWS(template_rows), &tr_keys_actor, NULL };

static const struct tr_key backoff_rows[] = {
    { .key = "initial", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY, .required = true,
      .help = "the first wait" },
    { .key = "factor", .kind = TR_KEY_NUMBER, .min = 100, .max = 10000, .standard = "200",
      .help = "percent: each restart in a row waits so much of what the one before did ..." },
    { .key = "maximum", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY, .standard = "30s",
      .help = "... and no longer than this" },
    { .key = "jitter", .kind = TR_KEY_NUMBER, .min = 0, .max = 100, .standard = "0",
      .help = "percent, up to which a wait is longer or shorter, drawn for each" },
    { .key = "reset", .kind = TR_KEY_DURATION, .min = TROUPE_MILLISECOND, .max = DAY, .standard = "1m",
      .help = "a child that ran for so long begins with the first wait again" },
};
const struct tr_keys tr_keys_backoff = { "a backoff", ROWS(backoff_rows), NULL, NULL };

static const struct tr_key mailbox_rows[] = {
    { .key = "limit", .kind = TR_KEY_NUMBER, .min = 1, .max = TR_CONFIG_MAX_MAILBOX,
      .standard = "1024",
      .help = "messages that may wait" },
    { .key = "overflow", .kind = TR_KEY_WORD, .words = overflows, .standard = "reject",
      .help = "when it is full: refuse the send, or take the message and drop it, a dead letter" },
    { .key = "keep", .kind = TR_KEY_FLAG, .standard = "false",
      .help = "keep what waits when a sibling's failure restarts it" },
};
const struct tr_keys tr_keys_mailbox = { "a mailbox", ROWS(mailbox_rows), NULL, NULL };

static const struct tr_key place_rows[] = {
    { .key = "process", .kind = TR_KEY_NAME,
      .help = "a process, shared by all of this name; own: of its own" },
    { .key = "thread", .kind = TR_KEY_NAME,
      .help = "own: a thread of its own; else an inproc node, shared by all of this name" },
    { .key = "lane", .kind = TR_KEY_WORD, .words = lanes,
      .help = "how messages get there; default: ipc for a process, direct for thread: own, else inproc" },
    { .key = "start", .kind = TR_KEY_WORD, .words = starts, .standard = "fork",
      .help = "how a process is made: from the keeper, or executed anew" },
    { .key = "exec", .kind = TR_KEY_OTHER, .shape = "the path of a program",
      .help = "what is executed anew, instead of this program; then it is spawned" },
};
const struct tr_keys tr_keys_place = { "a place", ROWS(place_rows), NULL, &tr_keys_process };

static const struct tr_key process_rows[] = {
    { .key = "env", .kind = TR_KEY_OTHER, .shape = "a mapping of names to texts",
      .help = "its environment: what of it is set, or, if null, unset" },
    { .key = "cwd", .kind = TR_KEY_OTHER, .shape = "a directory",
      .help = "its working directory" },
    { .key = "user", .kind = TR_KEY_OTHER, .shape = "a name or a number",
      .help = "who it runs as, with his groups" },
    { .key = "group", .kind = TR_KEY_OTHER, .shape = "a name or a number",
      .help = "its group, instead of the user's own" },
    { .key = "nice", .kind = TR_KEY_NUMBER, .min = -20, .max = 19,
      .help = "how willingly it leaves the cores to others: 19 most" },
    { .key = "cores", .kind = TR_KEY_OTHER, .shape = "a list of cores",
      .help = "the cores that its threads may use" },
    { .key = "umask", .kind = TR_KEY_OTHER, .shape = "octal digits, as 022",
      .help = "permissions that files it makes do not get" },
    { .key = "limits", .kind = TR_KEY_OTHER, .shape = "a mapping",
      .help = "of what the system lets it use" },
    { .key = "stdout", .kind = TR_KEY_OTHER, .shape = "inherit, lines, null, or the path of a file",
      .standard = "inherit", .help = "its standard output: the application's, lines of the log, nothing, or a file" },
    { .key = "stderr", .kind = TR_KEY_OTHER, .shape = "inherit, lines, null, or the path of a file",
      .help = "its standard error; default: what log.stderr says" },
    { .key = "memory", .kind = TR_KEY_SIZE, .min = INT64_C(1) << 20, .max = INT64_C(1) << 50,
      .help = "what it may have for itself alone; past it, it is killed" },
    { .key = "watchdog", .kind = TR_KEY_DURATION, .min = 100 * TROUPE_MILLISECOND, .max = DAY, .words = nevers,
      .standard = "never", .help = "how long one handler may take, or the process be stopped, before it is killed" },
};
const struct tr_keys tr_keys_process = { "a process", ROWS(process_rows), NULL, NULL };

#define UNLIMITED_SIZE(name, least, what)                                                          \
    { .key = name, .kind = TR_KEY_SIZE, .min = least, .max = INT64_C(1) << 50, .words = unlimiteds, .help = what }
static const struct tr_key limit_rows[] = {
    { .key = "files", .kind = TR_KEY_NUMBER, .min = 8, .max = 1048576, .help = "descriptors open at once" },
    { .key = "processes", .kind = TR_KEY_NUMBER, .min = 1, .max = 4194304, .words = unlimiteds,
      .help = "threads and processes of its user, everywhere; root is not held to it" },
    { .key = "cpu", .kind = TR_KEY_DURATION, .min = TROUPE_SECOND, .max = 365 * DAY, .words = unlimiteds,
      .help = "time on cores, in whole seconds; past it: SIGXCPU, a second later SIGKILL" },
    UNLIMITED_SIZE("core", 0, "the dump of a crash; 0B: none"),
    UNLIMITED_SIZE("file_size", 0, "a file that it writes; past it: SIGXFSZ"),
    UNLIMITED_SIZE("stack", 65536, "the stack of a thread, as threads made later get it"),
    UNLIMITED_SIZE("address_space", 1048576, "addresses, mapped files included; past it: no memory"),
    UNLIMITED_SIZE("data", 1048576, "its own memory: heap, stacks of threads; past it: no memory"),
    UNLIMITED_SIZE("locked", 0, "memory that is kept from being swapped out"),
};
const struct tr_keys tr_keys_limits = { "the limits", ROWS(limit_rows), NULL, NULL };

static const struct tr_key log_rows[] = {
    { .key = "form", .kind = TR_KEY_WORD, .words = log_forms, .standard = "auto",
      .help = "for people, or an object a line; auto: pretty on a terminal, json otherwise" },
    { .key = "level", .kind = TR_KEY_WORD, .words = levels, .standard = "info",
      .help = "what is logged: this, and what is worse" },
    { .key = "stderr", .kind = TR_KEY_WORD, .words = tails, .standard = "tail",
      .help = "of processes: through the keeper, which reports its last lines; or as it is" },
};
const struct tr_keys tr_keys_log = { "the log", ROWS(log_rows), NULL, NULL };

const struct tr_keys *const tr_keys_all[] = {
    &tr_keys_root, &tr_keys_tree, &tr_keys_actor, &tr_keys_supervisor,
    &tr_keys_template, &tr_keys_backoff, &tr_keys_mailbox, &tr_keys_place, &tr_keys_process,
    &tr_keys_limits, &tr_keys_log, NULL
};

const struct tr_key *tr_keys_at(const struct tr_keys *keys, uint32_t index) {
    if (index < keys->count) return &keys->rows[index];
    return keys->with == NULL ? NULL : tr_keys_at(keys->with, index - keys->count);
}

const struct tr_key *tr_keys_row(const struct tr_keys *keys, const char *key) {
    const struct tr_key *row;
    for (uint32_t i = 0; (row = tr_keys_at(keys, i)) != NULL; i++)
        if (strcmp(row->key, key) == 0) return row;
    return NULL;
}

static const char *range(const struct tr_key *row, char *text, size_t size) {
    char min[TR_VALUE_DURATION_SIZE], max[TR_VALUE_DURATION_SIZE];
    if (row->kind == TR_KEY_NUMBER) {
        snprintf(text, size, "%" PRId64 " to %" PRId64, row->min, row->max);
    } else if (row->kind == TR_KEY_SIZE) {
        snprintf(text, size, "%s to %s", tr_value_print_size(row->min, min), tr_value_print_size(row->max, max));
    } else {
        snprintf(text, size, "%s to %s", tr_value_print_duration(row->min, min),
                 tr_value_print_duration(row->max, max));
    }
    return text;
}

static void add(char *text, const char *word) {
    size_t used = strlen(text);
    snprintf(text + used, TR_KEYS_ALLOWED_SIZE - used, "%s%s", used == 0 ? "" : ", ", word);
}

const char *tr_keys_allowed(const struct tr_key *row, char text[TR_KEYS_ALLOWED_SIZE]) {
    char numbers[TR_KEYS_ALLOWED_SIZE / 2];
    text[0] = '\0';
    if (row->kind == TR_KEY_NAME) add(text, "letters, digits, _ and -, at most 64");
    if (row->kind == TR_KEY_FLAG) add(text, "true, false");
    if (row->kind == TR_KEY_OTHER) add(text, row->shape);
    if (row->kind == TR_KEY_NUMBER || row->kind == TR_KEY_DURATION || row->kind == TR_KEY_SIZE) {
        add(text, range(row, numbers, sizeof numbers));
    }
    for (const struct tr_word *word = row->words; word != NULL && word->text != NULL; word++) {
        add(text, word->text);
    }
    return text;
}
