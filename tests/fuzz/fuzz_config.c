/*
 * Any bytes as a configuration: mistakes or a tree, never a crash, a hang or a leak. The first line
 * may be a setting ("--set ...") or a placement ("--place ...") instead of YAML.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/actor.h>

#include "config/config.h"

#define POINT(field) field(i32, x) field(str, label)
TROUPE_MESSAGE(point, POINT)
#define READ(field)                                                                                \
    field(str, files) field(u8, small) field(i64, big) field(bool, loud) field(f64, rate)          \
        field(bytes, raw) field(address, to) field(message(point), at)                             \
            field(array(message(point)), points) field(array(i16), numbers)                        \
                field(array(str), words)
TROUPE_MESSAGE(read, READ)

struct reader {
    int n;
};
TROUPE_START(reader, read) {
    return TROUPE_OK;
}
TROUPE_ACTOR(reader, TROUPE_STARTS(reader, read))

struct counter {
    int n;
};
TROUPE_ON(counter, point) {
    return TROUPE_OK;
}
TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, point))

static const struct troupe_actor_type *const actors[] = { &counter_actor, &reader_actor, NULL };

static void count_line(void *context, const char *line) {
    if (strstr(line, "error: ") == NULL || strchr(line, '\n') != NULL) abort();
    ++*(size_t *)context;
}

static void touch(const struct tr_child *child) {
    if (child->path[0] != '/' || child->placement.rule == NULL) abort();
    if (!child->is_supervisor && (child->actor == NULL || child->args == NULL)) abort();
    for (uint32_t i = 0; i < child->child_count; i++) touch(child->children[i]);
}

static void load(const struct tr_config_input *input) {
    static FILE *nowhere;
    size_t lines = 0;
    if (nowhere == NULL) nowhere = fopen("/dev/null", "w");
    struct tr_config *config = tr_config_load(input, count_line, &lines);
    if ((config == NULL) != (lines > 0)) abort();
    if (config == NULL) return;
    touch(config->root);
    if (nowhere != NULL) tr_config_explain(config, nowhere);
    tr_config_free(config);
}

/* As strndup does, but for bytes that have no end of their own. */
static char *copy(const char *text, size_t size) {
    char *value = malloc(size + 1);
    if (value == NULL) return NULL;
    memcpy(value, text, size);
    value[size] = '\0';
    return value;
}

/* The first line, without its end, when it begins with `option`; the text goes on after it. */
static char *take_option(const char *option, const char **text, size_t *size) {
    size_t length = strlen(option);
    if (*size < length || memcmp(*text, option, length) != 0) return NULL;
    const char *end = memchr(*text, '\n', *size);
    size_t line = end == NULL ? *size : (size_t)(end - *text);
    char *value = copy(*text + length, line - length);
    *text += line;
    *size -= line;
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    char *setting = take_option("--set ", &text, &size);
    char *placement = take_option("--place ", &text, &size);
    const char *const settings[] = { setting, NULL }, *const placements[] = { placement, NULL };
    struct tr_config_input input = { .file = "fuzz.yaml",
                                     .text = text,
                                     .text_size = size,
                                     .actors = actors,
                                     .settings = settings,
                                     .placements = placements };
    load(&input);
    free(setting);
    free(placement);
    return 0;
}
