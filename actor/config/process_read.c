/*
 * The options of a process, as they are written. What depends on this machine (users, cores) is looked up here, so that
 * `check` finds what is not there; a directory may be made later, and is looked for by the process itself.
 */
#include "config/process_read.h"

#include <string.h>

#include "base/rules.h"
#include "config/check.h"
#include "config/cores.h"

const char *tr_process_text(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                            const char *shape) {
    if (node->kind == TR_YAML_SCALAR && !tr_yaml_is_null(node) && node->text[0] != '\0') return node->text;
    tr_check_expected(mistakes, node, key, shape);
    return NULL;
}

/* ---- Environment ---- */

static const char *wrong_name(const char *name) {
    if (name[0] == '\0') return "is empty";
    if (strchr(name, '=') != NULL) return "has a '=' in it";
    return strcmp(name, "TROUPE_NODE") == 0 ? "is Troupe's own" : NULL;
}

static void read_variable(struct tr_mistakes *mistakes, const struct tr_yaml_pair *pair, struct tr_env *env) {
    const struct tr_yaml *value = pair->value;
    const char *wrong = wrong_name(pair->key->text);
    if (wrong != NULL)
        tr_mistake(mistakes, pair->key->where, "env: the name %s %s", tr_mistakes_quote(mistakes, pair->key->text),
                   wrong);
    else if (value->kind != TR_YAML_SCALAR)
        tr_check_expected(mistakes, value, pair->key->text, "a text, or null to unset it");
    else if (strlen(value->text) > TR_PROCESS_MAX_ENV_SIZE)
        tr_mistake(mistakes, value->where, "%s: %zu bytes are too many; at most %d", pair->key->text,
                   strlen(value->text), TR_PROCESS_MAX_ENV_SIZE);
    *env = (struct tr_env){ pair->key->text, tr_yaml_is_null(value) ? NULL : value->text };
}

static void read_env(struct tr_mistakes *mistakes, const struct tr_yaml *node, struct tr_process_options *options) {
    if (node->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, node, "env", "a mapping of names to texts");
        return;
    }
    if (node->count > TR_PROCESS_MAX_ENV) {
        tr_mistake(mistakes, node->where, "env: %u variables are too many; at most %d", node->count, TR_PROCESS_MAX_ENV);
        return;
    }
    tr_check_doubles(mistakes, node);
    struct tr_env *env = tr_arena_array(mistakes->arena, node->count, sizeof *env);
    for (uint32_t i = 0; i < node->count; i++) read_variable(mistakes, &node->pairs[i], &env[i]);
    options->env = env;
    options->env_count = node->count;
}

/* ---- Limits ---- */

static const struct {
    const char *key;
    int resource;
} resources[TR_PROCESS_LIMITS] = {
    { "files", RLIMIT_NOFILE }, { "processes", RLIMIT_NPROC }, { "cpu", RLIMIT_CPU },
    { "core", RLIMIT_CORE },    { "file_size", RLIMIT_FSIZE }, { "stack", RLIMIT_STACK },
    { "address_space", RLIMIT_AS }, { "data", RLIMIT_DATA },   { "locked", RLIMIT_MEMLOCK },
};

/* A process that gets SIGXCPU dies of it; the last word is the hard limit's. */
static struct rlimit limit_of(int resource, int64_t value) {
    if (value == TR_INFINITY) return (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
    if (resource != RLIMIT_CPU) return (struct rlimit){ (rlim_t)value, (rlim_t)value };
    rlim_t seconds = (rlim_t)((value + TROUPE_SECOND - 1) / TROUPE_SECOND);
    return (struct rlimit){ seconds, seconds + 1 };
}

static void read_limits(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                        struct tr_process_options *options) {
    if (!tr_check_map(mistakes, &tr_keys_limits, node)) return;
    for (uint32_t i = 0; i < TR_PROCESS_LIMITS; i++) {
        if (tr_yaml_get(node, resources[i].key) == NULL) continue;
        int64_t value = tr_check_value(mistakes, &tr_keys_limits, node, resources[i].key);
        options->limits[options->limit_count++] = (struct tr_limit){
            resources[i].key, resources[i].resource, limit_of(resources[i].resource, value) };
    }
}

/* ---- The rest ---- */

/* Octal, with or without a zero before it, as umask(1) takes it. */
static void read_umask(struct tr_mistakes *mistakes, const struct tr_yaml *node,
                       struct tr_process_options *options) {
    const char *text = tr_process_text(mistakes, node, "umask", "octal digits, as 022");
    if (text == NULL) return;
    if (strlen(text) > 4 || text[strspn(text, "01234567")] != '\0' || (strlen(text) == 4 && text[0] != '0')) {
        tr_mistake(mistakes, node->where, "umask: %s is not a mask of permissions; allowed: octal digits, 000 to 777",
                   tr_mistakes_quote(mistakes, text));
        return;
    }
    options->has_umask = true;
    for (; *text != '\0'; text++) options->umask = options->umask * 8 + (mode_t)(*text - '0');
}

/* A path has a slash in it, so that no slip of a word becomes a file. */
static void read_stream(struct tr_mistakes *mistakes, const struct tr_yaml *map, const char *key,
                        struct tr_stream *stream) {
    static const char shape[] = "inherit, lines, null, or the path of a file";
    static const char *const words[] = { "inherit", "lines", "null" };
    const struct tr_yaml *node = tr_yaml_get(map, key);
    struct tr_suggest suggest;
    if (node == NULL) return;
    bool null = tr_yaml_is_null(node) && node->text != NULL && strcmp(node->text, "null") == 0;
    const char *text = null ? "null" : tr_process_text(mistakes, node, key, shape);
    if (text == NULL) return;
    tr_suggest_start(&suggest, text);
    for (int i = 0; i < 3; i++) {
        tr_suggest_consider(&suggest, words[i]);
        if (strcmp(text, words[i]) == 0) stream->kind = (enum tr_stream_kind)(TR_STREAM_INHERIT + i);
    }
    if (stream->kind != TR_STREAM_STANDARD) return;
    *stream = (struct tr_stream){ TR_STREAM_FILE, text };
    if (strchr(text, '/') == NULL)
        tr_mistake_suggest(mistakes, node->where, &suggest, "inherit, lines, null, or the path of a file, as ./output",
                           "%s: %s is not known", key, tr_mistakes_quote(mistakes, text));
}

static void read_values(struct tr_mistakes *mistakes, const struct tr_keys *keys, const struct tr_yaml *map,
                        struct tr_process_options *options) {
    const struct tr_yaml *cwd = tr_yaml_get(map, "cwd"), *user = tr_yaml_get(map, "user"),
                         *group = tr_yaml_get(map, "group"), *exec = tr_yaml_get(map, "exec");
    options->has_nice = tr_yaml_get(map, "nice") != NULL;
    options->nice = (int)tr_check_value(mistakes, keys, map, "nice");
    read_stream(mistakes, map, "stdout", &options->output);
    read_stream(mistakes, map, "stderr", &options->errors);
    options->memory = tr_check_value(mistakes, keys, map, "memory");
    options->watchdog = tr_check_value(mistakes, keys, map, "watchdog");
    if (options->watchdog == TR_INFINITY) options->watchdog = 0;
    if (exec != NULL) options->exec = tr_process_text(mistakes, exec, "exec", "the path of a program");
    if (cwd != NULL) options->cwd = tr_process_text(mistakes, cwd, "cwd", "a directory");
    if (user != NULL || group != NULL) options->identity = tr_identity_read(mistakes, user, group);
}

static bool has_any(const struct tr_yaml *map) {
    for (uint32_t i = 0; i < map->count; i++)
        if (tr_keys_row(&tr_keys_process, map->pairs[i].key->text) != NULL) return true;
    return tr_yaml_get(map, "exec") != NULL;
}

const struct tr_process_options *tr_process_options_read(struct tr_mistakes *mistakes, const struct tr_keys *keys,
                                                         const struct tr_yaml *map) {
    const struct tr_yaml *env = tr_yaml_get(map, "env"), *cores = tr_yaml_get(map, "cores"),
                         *mask = tr_yaml_get(map, "umask"), *limits = tr_yaml_get(map, "limits");
    if (!has_any(map)) return NULL;
    struct tr_process_options *options = tr_arena_take(mistakes->arena, sizeof *options);
    read_values(mistakes, keys, map, options);
    if (env != NULL) read_env(mistakes, env, options);
    if (cores != NULL) options->core_count = tr_cores_list(mistakes, cores, "cores", &options->cores);
    if (mask != NULL) read_umask(mistakes, mask, options);
    if (limits != NULL) read_limits(mistakes, limits, options);
    return options;
}
