/* For tests of the configuration: inline YAML in, a tree or the lines of its mistakes out. */
#ifndef TEST_CONFIG_TEST_H
#define TEST_CONFIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <troupe/actor.h>

#include "config/config.h"

#define POINT(field) field(i32, x) field(i32, y) field(str, label)
TROUPE_MESSAGE(point, POINT)

#define READ(field)                                                                                \
    field(str, files) field(u8, small) field(i64, big) field(u64, huge) field(bool, loud)          \
    field(f64, rate) field(bytes, raw) field(address, to) field(message(point), at)                \
    field(array(message(point)), points) field(array(i16), numbers) field(array(str), words) \
    field(descriptor, file)
TROUPE_MESSAGE(read, READ)

TROUPE_MESSAGE_EMPTY(tick)

struct reader { int n; };
TROUPE_START(reader, read) {
    return TROUPE_OK;
}
TROUPE_ON(reader, tick) {
    return TROUPE_OK;
}
TROUPE_ACTOR(reader, TROUPE_STARTS(reader, read), TROUPE_HANDLES(reader, tick))

struct counter { int n; };
TROUPE_ON(counter, tick) {
    return TROUPE_OK;
}
TROUPE_ACTOR(counter, TROUPE_HANDLES(counter, tick))

static const struct troupe_actor_type *const test_actors[] = {
    &counter_actor, &reader_actor, NULL
};

/* The lines reported by the last load, one after the other. */
static char test_lines[1024 * 1024];

static inline void test_report(void *context, const char *line) {
    size_t used = strlen(test_lines);
    (void)context;
    snprintf(test_lines + used, sizeof test_lines - used, "%s\n", line);
}

static inline struct tr_config *test_load_all(const char *text, size_t size,
                                              const char *const *settings,
                                              const char *const *placements) {
    struct tr_config_input input = { .file = "app.yaml", .text = text, .text_size = size,
                                     .actors = test_actors, .settings = settings,
                                     .placements = placements };
    test_lines[0] = '\0';
    return tr_config_load(&input, test_report, NULL);
}

/* A configuration without a mistake. */
static inline struct tr_config *test_load_with(const char *text, const char *const *settings,
                                               const char *const *placements) {
    struct tr_config *config = test_load_all(text, strlen(text), settings, placements);
    assert_string_equal(test_lines, "");
    assert_non_null(config);
    return config;
}

static inline struct tr_config *test_load(const char *text) {
    return test_load_with(text, NULL, NULL);
}

/* A configuration with exactly these mistakes. */
static inline void test_wrong_with(const char *text, const char *const *settings,
                                   const char *const *placements, const char *lines) {
    struct tr_config *config = test_load_all(text, strlen(text), settings, placements);
    assert_null(config);
    assert_string_equal(test_lines, lines);
}

static inline void test_wrong(const char *text, const char *lines) {
    test_wrong_with(text, NULL, NULL, lines);
}

/* An actor of the tree, by its path. */
static inline struct tr_child *test_find(struct tr_child *child, const char *path) {
    if (strcmp(child->path, path) == 0) return child;
    for (uint32_t i = 0; i < child->child_count; i++) {
        struct tr_child *found = test_find(child->children[i], path);
        if (found != NULL) return found;
    }
    return NULL;
}

#endif
