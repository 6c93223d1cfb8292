/* Options of processes, compared and told. */
#include "config/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/value.h"

/* ---- Alike ---- */

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_env(const struct tr_process_options *a, const struct tr_process_options *b) {
    if (a->env_count != b->env_count) return false;
    for (uint32_t i = 0; i < a->env_count; i++)
        if (!same_text(a->env[i].name, b->env[i].name) || !same_text(a->env[i].value, b->env[i].value)) return false;
    return true;
}

static bool same_limits(const struct tr_process_options *a, const struct tr_process_options *b) {
    if (a->limit_count != b->limit_count) return false;
    for (uint32_t i = 0; i < a->limit_count; i++)
        if (a->limits[i].resource != b->limits[i].resource ||
            a->limits[i].value.rlim_cur != b->limits[i].value.rlim_cur)
            return false;
    return true;
}

/* By what was written: a number and a name for the same user are two ways to say it, and told apart. */
static bool same_identity(const struct tr_identity *a, const struct tr_identity *b) {
    if (a == NULL || b == NULL) return a == b;
    return same_text(a->user_text, b->user_text) && same_text(a->group_text, b->group_text);
}

static bool same_cores(const struct tr_process_options *a, const struct tr_process_options *b) {
    return a->core_count == b->core_count &&
           (a->core_count == 0 || memcmp(a->cores, b->cores, a->core_count * sizeof *a->cores) == 0);
}

static bool same_stream(struct tr_stream a, struct tr_stream b) { return a.kind == b.kind && same_text(a.path, b.path); }

bool tr_process_options_alike(const struct tr_process_options *a, const struct tr_process_options *b) {
    static const struct tr_process_options none;
    if (a == NULL) a = &none;
    if (b == NULL) b = &none;
    return same_text(a->exec, b->exec) && same_env(a, b) && same_text(a->cwd, b->cwd) && same_identity(a->identity, b->identity) &&
           a->has_nice == b->has_nice && a->nice == b->nice && a->has_umask == b->has_umask && a->umask == b->umask &&
           same_cores(a, b) && same_limits(a, b) && same_stream(a->output, b->output) &&
           same_stream(a->errors, b->errors) && a->memory == b->memory && a->watchdog == b->watchdog;
}

/* ---- Told ---- */

struct out {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void add(struct out *out, const char *format, ...) {
    size_t used = strlen(out->text);
    va_list arguments;
    if (used > 0) snprintf(out->text + used, out->size - used, ", ");
    used = strlen(out->text);
    va_start(arguments, format);
    vsnprintf(out->text + used, out->size - used, format, arguments);
    va_end(arguments);
}

static void add_limit(struct out *out, const struct tr_limit *limit) {
    if (limit->value.rlim_cur == RLIM_INFINITY) add(out, "%s unlimited", limit->key);
    else add(out, "%s %llu", limit->key, (unsigned long long)limit->value.rlim_cur);
}

static void add_stream(struct out *out, const char *key, struct tr_stream stream) {
    static const char *const words[] = { "", "inherit", "lines", "null", "" };
    if (stream.kind != TR_STREAM_STANDARD) add(out, "%s %s", key, stream.path != NULL ? stream.path : words[stream.kind]);
}

static void add_cores(struct out *out, const struct tr_process_options *options) {
    add(out, "cores %u", options->cores[0]);
    for (uint32_t i = 1; i < options->core_count; i++) {
        size_t used = strlen(out->text);
        snprintf(out->text + used, out->size - used, " %u", options->cores[i]);
    }
}

void tr_process_options_print(const struct tr_process_options *options, char *text, size_t size) {
    struct out out = { text, size };
    if (options == NULL) return;
    const struct tr_identity *identity = options->identity;
    if (options->exec != NULL) add(&out, "exec %s", options->exec);
    if (identity != NULL && identity->user_text != NULL) add(&out, "user %s", identity->user_text);
    if (identity != NULL && identity->group_text != NULL) add(&out, "group %s", identity->group_text);
    if (options->cwd != NULL) add(&out, "cwd %s", options->cwd);
    for (uint32_t i = 0; i < options->env_count; i++)
        add(&out, "%s %s", options->env[i].value == NULL ? "without" : "env", options->env[i].name);
    if (options->has_nice) add(&out, "nice %d", options->nice);
    if (options->core_count > 0) add_cores(&out, options);
    if (options->has_umask) add(&out, "umask %03o", (unsigned)options->umask);
    for (uint32_t i = 0; i < options->limit_count; i++) add_limit(&out, &options->limits[i]);
    add_stream(&out, "stdout", options->output);
    add_stream(&out, "stderr", options->errors);
    char value[TR_VALUE_DURATION_SIZE];
    if (options->memory > 0) add(&out, "memory %s", tr_value_print_size(options->memory, value));
    if (options->watchdog > 0) add(&out, "watchdog %s", tr_value_print_duration(options->watchdog, value));
}
