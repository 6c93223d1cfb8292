#include "config/args.h"

#include <string.h>

#include "config/args_value.h"
#include "config/check.h"
#include "config/limits.h"

const struct troupe_message_type *tr_args_type(const struct troupe_actor_type *actor) {
    for (uint32_t i = 0; i < actor->entry_count; i++) {
        if (actor->entries[i].role == TROUPE_ROLE_START) return actor->entries[i].message;
    }
    return &troupe_none_message;
}

static const struct troupe_field *fields_of(const struct troupe_message_type *type) {
    return type->field_count == 0 ? NULL : type->fields();
}

/* Every str a reader sees is at least "", and no descriptor is 0: in nested messages too. */
static void start_empty(const struct troupe_message_type *type, unsigned char *message) {
    static const char *const empty = "";
    static const int none = -1;
    const struct troupe_field *fields = fields_of(type);
    for (uint32_t i = 0; i < type->field_count; i++) {
        unsigned char *at = message + fields[i].offset;
        if (fields[i].array) continue;
        if (fields[i].kind == TROUPE_KIND_STR) memcpy(at, &empty, sizeof empty);
        if (fields[i].kind == TROUPE_KIND_DESCRIPTOR) memcpy(at, &none, sizeof none);
        if (fields[i].kind == TROUPE_KIND_MESSAGE) start_empty(fields[i].nested, at);
    }
}

static void fill_message(struct tr_mistakes *mistakes, const char *what,
                         const struct troupe_message_type *type, const struct tr_yaml *node,
                         unsigned char *message);

static void fill_one(struct tr_mistakes *mistakes, const struct troupe_field *field,
                     const struct tr_yaml *node, unsigned char *at) {
    if (field->kind != TROUPE_KIND_MESSAGE) {
        tr_args_value(mistakes, field, node, at);
    } else if (node->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, node, field->name, "a mapping");
    } else {
        fill_message(mistakes, field->name, field->nested, node, at);
    }
}

static size_t item_size(const struct troupe_field *field) {
    return field->kind == TROUPE_KIND_MESSAGE ? field->nested->size : tr_args_size(field->kind);
}

/* Every array is {items, count}, whatever its items. */
static void fill_array(struct tr_mistakes *mistakes, const struct troupe_field *field,
                       const struct tr_yaml *node, unsigned char *at) {
    struct troupe_bytes_array array = { NULL, node->count };
    size_t size = item_size(field);
    if (node->kind != TR_YAML_LIST) {
        tr_check_expected(mistakes, node, field->name, "a list");
        return;
    }
    if (node->count > TR_CONFIG_MAX_ARGS / size) {
        tr_mistake(mistakes, node->where, "%s: the list is too long", field->name);
        return;
    }
    unsigned char *items = tr_arena_array(mistakes->arena, node->count, size);
    array.items = node->count == 0 ? NULL : (const void *)items;
    for (uint32_t i = 0; i < node->count; i++) {
        if (field->kind == TROUPE_KIND_MESSAGE) start_empty(field->nested, items + i * size);
        fill_one(mistakes, field, node->items[i], items + i * size);
    }
    memcpy(at, &array, sizeof array);
}

static const struct troupe_field *field_named(const struct troupe_message_type *type,
                                              const char *name) {
    const struct troupe_field *fields = fields_of(type);
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

static void tell_unknown(struct tr_mistakes *mistakes, const char *what,
                         const struct troupe_message_type *type, const struct tr_yaml *key) {
    struct tr_suggest suggest;
    const struct troupe_field *fields = fields_of(type);
    const char *names = "";
    if (tr_mistakes_full(mistakes)) return;
    tr_suggest_start(&suggest, key->text);
    for (uint32_t i = 0; i < type->field_count; i++) {
        tr_suggest_consider(&suggest, fields[i].name);
        names = tr_arena_print(mistakes->arena, "%s%s%s", names, i == 0 ? "" : ", ",
                               fields[i].name);
    }
    tr_mistake_suggest(mistakes, key->where, &suggest, names, "unknown argument %s of %s",
                       tr_mistakes_quote(mistakes, key->text), what);
}

static void fill_message(struct tr_mistakes *mistakes, const char *what,
                         const struct troupe_message_type *type, const struct tr_yaml *node,
                         unsigned char *message) {
    tr_check_doubles(mistakes, node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct tr_yaml_pair *pair = &node->pairs[i];
        const struct troupe_field *field = field_named(type, pair->key->text);
        if (field == NULL) {
            tell_unknown(mistakes, what, type, pair->key);
        } else if (field->array) {
            fill_array(mistakes, field, pair->value, message + field->offset);
        } else {
            fill_one(mistakes, field, pair->value, message + field->offset);
        }
    }
}

const void *tr_args_fill(struct tr_mistakes *mistakes, const struct troupe_actor_type *actor,
                         const struct tr_yaml *args) {
    const struct troupe_message_type *type = tr_args_type(actor);
    unsigned char *message = tr_arena_take(mistakes->arena, type->size);
    start_empty(type, message);
    if (args == NULL) return message;
    if (args->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, args, "args", "a mapping");
    } else if (type->field_count == 0 && args->count > 0) {
        tr_mistake(mistakes, args->where, "the actor '%s' takes no arguments", actor->name);
    } else {
        fill_message(mistakes, tr_arena_print(mistakes->arena, "the actor '%s'", actor->name), type,
                     args, message);
    }
    return message;
}
