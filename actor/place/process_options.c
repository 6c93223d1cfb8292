#include "place/process_options.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct failure {
    char *text;
    size_t size;
};

/* "cwd /nowhere: No such file or directory" */
static bool failed(const struct failure *failure, const char *what, const char *value) {
    snprintf(failure->text, failure->size, "%s%s%.120s: %s", what, value[0] == '\0' ? "" : " ", value, strerror(errno));
    return false;
}

static bool set_env(const struct tr_process_options *options, const struct failure *failure) {
    for (uint32_t i = 0; i < options->env_count; i++) {
        const struct tr_env *env = &options->env[i];
        int set = env->value == NULL ? unsetenv(env->name) : setenv(env->name, env->value, 1);
        if (set != 0) return failed(failure, "env", env->name);
    }
    return true;
}

static bool set_limits(const struct tr_process_options *options, const struct failure *failure) {
    for (uint32_t i = 0; i < options->limit_count; i++) {
        const struct tr_limit *limit = &options->limits[i];
        if (setrlimit((__rlimit_resource_t)limit->resource, &limit->value) != 0)
            return failed(failure, "limits", limit->key);
    }
    return true;
}

/* As whoever the keeper is, and from where that is: before anything else changes, but for the umask. */
static bool set_stream(struct tr_stream stream, int descriptor, const struct failure *failure) {
    const char *path = stream.kind == TR_STREAM_NULL ? "/dev/null" : stream.path;
    if (path == NULL) return true;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    if (file < 0) return failed(failure, descriptor == STDOUT_FILENO ? "stdout" : "stderr", path);
    bool done = dup2(file, descriptor) >= 0;
    close(file);
    return done || failed(failure, "dup2", path);
}

static bool limits_data(const struct tr_process_options *options) {
    for (uint32_t i = 0; i < options->limit_count; i++)
        if (options->limits[i].resource == RLIMIT_DATA) return true;
    return false;
}

/* Only ever lower than it was. */
static bool set_memory(const struct tr_process_options *options, const struct failure *failure) {
    struct rlimit now, wanted = { (rlim_t)TR_PROCESS_DATA(options->memory), (rlim_t)TR_PROCESS_DATA(options->memory) };
    if (options->memory == 0 || limits_data(options)) return true;
    if (getrlimit(RLIMIT_DATA, &now) != 0) return failed(failure, "memory", "");
    if (now.rlim_max <= wanted.rlim_max || setrlimit(RLIMIT_DATA, &wanted) == 0) return true;
    return failed(failure, "memory", "");
}

static bool set_nice(const struct tr_process_options *options, const struct failure *failure) {
    char value[16];
    snprintf(value, sizeof value, "%d", options->nice);
    if (!options->has_nice || setpriority(PRIO_PROCESS, 0, options->nice) == 0) return true;
    return failed(failure, "nice", value);
}

static bool set_cores(const struct tr_process_options *options, const struct failure *failure) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (uint32_t i = 0; i < options->core_count; i++) CPU_SET(options->cores[i], &cores);
    if (options->core_count == 0 || sched_setaffinity(0, sizeof cores, &cores) == 0) return true;
    return failed(failure, "cores", "");
}

/* ---- Who it is ---- */

static bool is_already(const struct tr_identity *identity) {
    uid_t user[3];
    gid_t group[3];
    if (getresuid(&user[0], &user[1], &user[2]) != 0 || getresgid(&group[0], &group[1], &group[2]) != 0) return false;
    for (int i = 0; i < 3; i++)
        if (user[i] != identity->user || group[i] != identity->group) return false;
    return identity->group_count == 1 && getgroups(0, NULL) == 0;
}

static bool become(const struct tr_identity *identity, const struct failure *failure) {
    const char *group = identity->group_text != NULL ? identity->group_text : identity->user_text;
    const char *user = identity->user_text != NULL ? identity->user_text : "";
    if (setgroups(identity->group_count, identity->groups) != 0) return failed(failure, "the groups of", group);
    if (setresgid(identity->group, identity->group, identity->group) != 0) return failed(failure, "group", group);
    if (setresuid(identity->user, identity->user, identity->user) != 0) return failed(failure, "user", user);
    return true;
}

/* Whoever is that user already needs no privilege to be it. A dump of its memory is allowed again only where one is asked
 * for: the system forbids it to those that have changed their user. */
static bool set_identity(const struct tr_process_options *options, pid_t keeper, const struct failure *failure) {
    const struct tr_identity *identity = options->identity;
    if (identity == NULL || is_already(identity)) return true;
    if (!become(identity, failure)) return false;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed(failure, "prctl", "");
    if (getppid() != keeper) _exit(1); /* it died while nobody would have killed us */
    for (uint32_t i = 0; i < options->limit_count; i++)
        if (options->limits[i].resource == RLIMIT_CORE && options->limits[i].value.rlim_cur > 0)
            prctl(PR_SET_DUMPABLE, 1);
    return true;
}

bool tr_process_options_apply(const struct tr_process_options *options, pid_t keeper, char *error, size_t size) {
    struct failure failure = { error, size };
    if (options == NULL) return true;
    if (options->has_umask) umask(options->umask);
    bool done = set_stream(options->output, STDOUT_FILENO, &failure) &&
                set_stream(options->errors, STDERR_FILENO, &failure) && set_env(options, &failure) && set_limits(options, &failure) && set_memory(options, &failure) &&
                set_nice(options, &failure) && set_cores(options, &failure) &&
                set_identity(options, keeper, &failure);
    if (!done || options->cwd == NULL || chdir(options->cwd) == 0) return done;
    return failed(&failure, "cwd", options->cwd);
}
