/*
 * From files and command line to a configuration: read, parse, change (--set), check, place. Pure
 * but for the reading. Everything is in one arena; there is one way out of it when memory ends,
 * which is the setjmp here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "config/check.h"
#include "config/child.h"
#include "config/cores.h"
#include "config/limits.h"
#include "config/placing.h"
#include "config/process_read.h"
#include "config/settings.h"
#include "config/tree.h"
#include "config/value.h"

/* What lives as long as the configuration, `text` apart. */
struct tr_load {
    struct tr_arena arena;
    struct tr_mistakes mistakes;
    const struct tr_config_input *input;
    struct tr_config *config;
    char *text; /* while a file is being read */
};

enum { TEXT_MAX = TR_YAML_MAX_SIZE + 4 }; /* one more than is allowed, with a byte order mark */

/* At most TEXT_MAX bytes; the parser tells when that is too much. 0 or errno. */
static int read_all(int fd, char *text, size_t *size) {
    *size = 0;
    while (*size < TEXT_MAX) {
        ssize_t got = read(fd, text + *size, TEXT_MAX - *size);
        if (got == 0) return 0;
        if (got > 0)
            *size += (size_t)got;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

static int read_file(const char *file, char *text, size_t *size) {
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = read_all(fd, text, size);
    close(fd);
    return error;
}

/* Into memory outside the arena first, for a file need not know its size: it may be a pipe. */
static void read_source(struct tr_load *load) {
    size_t size = 0;
    load->text = malloc(TEXT_MAX);
    if (load->text == NULL) longjmp(load->arena.out_of_memory, 1);
    int error = read_file(load->input->file, load->text, &size);
    if (error != 0) {
        struct tr_where where = { load->mistakes.file, 0, 0 };
        tr_mistake(&load->mistakes, where, "cannot be read: %s", strerror(error));
        size = 0;
    }
    load->config->source = tr_arena_copy(&load->arena, load->text, size);
    load->config->source_size = size;
}

static void find_source(struct tr_load *load) {
    const struct tr_config_input *input = load->input;
    if (input->text != NULL) {
        load->config->source = tr_arena_copy(&load->arena, input->text, input->text_size);
        load->config->source_size = input->text_size;
    } else if (input->file != NULL) {
        read_source(load);
    } else {
        load->config->source = "";
    }
}

/* "texts/word count.yaml" gives "word_count". */
static const char *default_name(struct tr_load *load) {
    const char *file = load->input->file == NULL ? "" : load->input->file;
    const char *slash = strrchr(file, '/'), *base = slash == NULL ? file : slash + 1;
    size_t size = strcspn(base, ".");
    if (size > TR_VALUE_NAME_MAX) size = TR_VALUE_NAME_MAX;
    char *name = tr_arena_copy(&load->arena, base, size);
    for (size_t i = 0; i < size; i++) {
        char letter[2] = { name[i], '\0' };
        if (tr_value_name(letter) != NULL) name[i] = '_';
    }
    return size == 0 ? "troupe" : name;
}

/* Without the mapping the defaults of its keys. */
static void read_log(struct tr_load *load, const struct tr_yaml *log) {
    static const struct tr_yaml none = { .kind = TR_YAML_MAP };
    struct tr_mistakes *mistakes = &load->mistakes;
    if (log == NULL || !tr_check_map(mistakes, &tr_keys_log, log)) log = &none;
    load->config->log_form = (enum tr_log_form)tr_check_value(mistakes, &tr_keys_log, log, "form");
    load->config->log_level = (enum troupe_level)tr_check_value(mistakes, &tr_keys_log, log, "level");
    load->config->log_tails = tr_check_value(mistakes, &tr_keys_log, log, "stderr") != 0;
}

static void read_datum(struct tr_mistakes *mistakes, const struct tr_yaml_pair *pair, struct tr_datum *datum) {
    const char *wrong = tr_value_name(pair->key->text);
    if (wrong != NULL)
        tr_mistake(mistakes, pair->key->where, "data: the name %s %s", tr_mistakes_quote(mistakes, pair->key->text), wrong);
    if (pair->value->kind != TR_YAML_SCALAR || tr_yaml_is_null(pair->value)) tr_check_expected(mistakes, pair->value, pair->key->text, "a text");
    else *datum = (struct tr_datum){ pair->key->text, pair->value->text };
}

static void read_data(struct tr_load *load, const struct tr_yaml *data) {
    if (data == NULL) return;
    if (data->kind != TR_YAML_MAP) {
        tr_check_expected(&load->mistakes, data, "data", "a mapping of names to texts");
        return;
    }
    if (data->count > TR_CONFIG_MAX_DATA) {
        tr_mistake(&load->mistakes, data->where, "data: %u names are too many; at most %d", data->count,
                   TR_CONFIG_MAX_DATA);
        return;
    }
    tr_check_doubles(&load->mistakes, data);
    struct tr_datum *items = tr_arena_array(&load->arena, data->count, sizeof *items);
    for (uint32_t i = 0; i < data->count; i++) read_datum(&load->mistakes, &data->pairs[i], &items[i]);
    load->config->data = items;
    load->config->data_count = data->count;
}

static const struct tr_process_options *read_main(struct tr_mistakes *mistakes, const struct tr_yaml *node) {
    if (node == NULL || !tr_check_map(mistakes, &tr_keys_process, node)) return NULL;
    return tr_process_options_read(mistakes, &tr_keys_process, node);
}

static void read_root(struct tr_load *load, const struct tr_yaml *root) {
    static const struct tr_yaml none = { .kind = TR_YAML_MAP };
    struct tr_config *config = load->config;
    if (root != NULL && !tr_check_map(&load->mistakes, &tr_keys_root, root)) root = NULL;
    if (root == NULL) root = &none;
    config->name = tr_check_name(&load->mistakes, &tr_keys_root, root, "name");
    if (config->name == NULL) config->name = default_name(load);
    config->threads = (uint32_t)tr_check_value(&load->mistakes, &tr_keys_root, root, "threads");
    config->work_threads = (uint32_t)tr_check_value(&load->mistakes, &tr_keys_root, root, "work_threads");
    config->spin = tr_check_value(&load->mistakes, &tr_keys_root, root, "spin");
    tr_cores_read(&load->mistakes, tr_yaml_get(root, "pin"), config);
    config->shutdown = tr_check_value(&load->mistakes, &tr_keys_root, root, "shutdown");
    config->blocked = tr_check_value(&load->mistakes, &tr_keys_root, root, "blocked");
    config->main = read_main(&load->mistakes, tr_yaml_get(root, "main"));
    read_log(load, tr_yaml_get(root, "log"));
    read_data(load, tr_yaml_get(root, "data"));
}

static void read_tree(struct tr_load *load, const struct tr_yaml *root) {
    struct tr_tree_input tree = { &load->mistakes, load->input->actors, 0 };
    struct tr_rules rules;
    load->config->root = tr_tree_build(&tree, tr_yaml_get(root, "tree"));
    tr_rules_read(&load->mistakes, &rules, tr_yaml_get(root, "placement"), load->input->placements);
    tr_rules_apply(&load->mistakes, &rules, load->config->root);
    tr_child_check_actors(&tree, load->config->root);
}

static void run(struct tr_load *load) {
    struct tr_yaml *root = NULL;
    load->config = tr_arena_take(&load->arena, sizeof *load->config);
    load->config->arena = load;
    find_source(load);
    struct tr_where start = { load->mistakes.file, 1, 1 };
    bool sound = tr_yaml_read(&load->mistakes, start, load->config->source,
                              load->config->source_size, &root);
    if (!sound && root == NULL) return; /* what is not there cannot be checked */
    if (root != NULL && tr_yaml_is_null(root)) root = NULL;
    tr_settings_apply(&load->mistakes, &root, load->input->settings);
    read_root(load, root);
    read_tree(load, root);
}

static struct tr_load *new_load(const struct tr_config_input *input) {
    struct tr_load *load = calloc(1, sizeof *load);
    if (load == NULL) return NULL;
    load->input = input;
    load->mistakes.arena = &load->arena;
    load->mistakes.file = input->file == NULL ? "configuration" : input->file;
    load->mistakes.checked = input->checked;
    return load;
}

static void free_load(struct tr_load *load) {
    if (load == NULL) return;
    free(load->text);
    tr_arena_free(&load->arena);
    free(load);
}

/* False: out of memory, told; or mistakes, told. */
static bool run_guarded(struct tr_load *load, void (*report)(void *context, const char *line),
                        void *context) {
    if (setjmp(load->arena.out_of_memory) != 0) {
        report(context, "configuration: error: out of memory");
        return false;
    }
    run(load);
    tr_mistakes_tell(&load->mistakes, report, context);
    return !tr_mistakes_any(&load->mistakes);
}

struct tr_config *tr_config_load(const struct tr_config_input *input,
                                 void (*report)(void *context, const char *line), void *context) {
    tr_assert(input != NULL && report != NULL);
    if (input->actors != NULL && !tr_actors_check(input->actors, report, context)) return NULL;
    struct tr_load *load = new_load(input);
    if (load == NULL) {
        report(context, "configuration: error: out of memory");
        return NULL;
    }
    if (!run_guarded(load, report, context)) {
        free_load(load);
        return NULL;
    }
    free(load->text);
    load->text = NULL;
    load->input = NULL;
    return load->config;
}

void tr_config_free(struct tr_config *config) {
    if (config != NULL) free_load(config->arena);
}
