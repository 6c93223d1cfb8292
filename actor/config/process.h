/*
 * How a process is made: what of it is other than the keeper's own. Zero is: as the keeper has it.
 *
 * Plain data, which the keeper works out before it forks (names of users become numbers), so that a new process has
 * nothing left to look up, and can only fail where the system refuses.
 */
#ifndef TR_PROCESS_OPTIONS_H
#define TR_PROCESS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum {
    TR_PROCESS_MAX_ENV = 256,          /* variables */
    TR_PROCESS_MAX_ENV_SIZE = 65536,   /* bytes of one value; the system allows 128 KiB for it, name included */
    TR_PROCESS_MAX_GROUPS = 64,        /* supplementary ones */
    TR_PROCESS_LIMITS = 9
};

struct tr_env {
    const char *name, *value; /* value NULL: unset */
};

struct tr_limit {
    const char *key; /* as it is written */
    int resource;    /* RLIMIT_... */
    struct rlimit value;
};

/* Where standard output or error goes. STANDARD: output as the keeper's, error as `log.stderr` says. */
enum tr_stream_kind { TR_STREAM_STANDARD, TR_STREAM_INHERIT, TR_STREAM_LINES, TR_STREAM_NULL, TR_STREAM_FILE };

struct tr_stream {
    enum tr_stream_kind kind;
    const char *path; /* FILE: appended to, and made if it is not there */
};

/* Who it runs as. */
struct tr_identity {
    uid_t user;
    gid_t group;
    gid_t groups[TR_PROCESS_MAX_GROUPS]; /* all of them, `group` included */
    uint32_t group_count;
    const char *user_text, *group_text; /* as written; NULL: not given */
};

struct tr_process_options {
    const char *exec; /* another program, to be executed; NULL: this one */
    const struct tr_env *env;
    uint32_t env_count;
    const char *cwd;                    /* NULL: the keeper's */
    const struct tr_identity *identity; /* NULL: the keeper's */
    bool has_nice, has_umask;
    int nice;
    mode_t umask;
    const uint32_t *cores;
    uint32_t core_count; /* 0: the keeper's */
    struct tr_limit limits[TR_PROCESS_LIMITS];
    uint32_t limit_count;
    struct tr_stream output, errors;
    int64_t memory;   /* bytes; 0: no limit */
    int64_t watchdog; /* ns; 0: none */
};

/* The hard limit that goes with `memory`: for what comes between two looks of the keeper. Generous, because it counts
 * what is mapped and not used, too: stacks of threads, and memory that malloc holds. */
#define TR_PROCESS_DATA(memory) (4 * (memory) + (INT64_C(1) << 30))

/* Either may be NULL: no options. */
bool tr_process_options_alike(const struct tr_process_options *a, const struct tr_process_options *b);

/* For `explain`: adds ", user nobody, nice 5" to what is in `text` already, cut to fit. Values of variables are not
 * told. NULL adds nothing. */
void tr_process_options_print(const struct tr_process_options *options, char *text, size_t size);

#endif
