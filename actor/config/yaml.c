/*
 * The second pass: libyaml's document, copied into nodes of our own, which can be changed by --set
 * and carry the file they come from. The memory is reserved before the document is opened, so that
 * nothing can fail while it is open. Depth is limited by the scan, so recursion is fine.
 */
#include "config/yaml.h"

#include <string.h>

#include "base/assert.h"
#include "config/yaml_scan.h"

struct builder {
    struct tr_arena *arena;
    struct tr_where start;
    yaml_document_t *document;
    struct tr_yaml *bad_key, *bad_text; /* the first of each */
};

static struct tr_where shifted(struct tr_where start, size_t line, size_t column) {
    uint32_t first = line == 0 ? start.column : 1;
    return (struct tr_where){ start.file, start.line + (uint32_t)line, first + (uint32_t)column };
}

static struct tr_yaml *build(struct builder *builder, int id);

static void build_scalar(struct builder *builder, struct tr_yaml *node, const yaml_node_t *from) {
    const char *text = (const char *)from->data.scalar.value;
    size_t size = from->data.scalar.length;
    node->plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = tr_arena_copy(builder->arena, text, size);
    if (strlen(node->text) != size && builder->bad_text == NULL) builder->bad_text = node;
}

static void build_list(struct builder *builder, struct tr_yaml *node, const yaml_node_t *from) {
    const yaml_node_item_t *first = from->data.sequence.items.start;
    node->kind = TR_YAML_LIST;
    node->count = (uint32_t)(from->data.sequence.items.top - first);
    node->items = tr_arena_array(builder->arena, node->count, sizeof *node->items);
    for (uint32_t i = 0; i < node->count; i++) node->items[i] = build(builder, first[i]);
}

static void build_map(struct builder *builder, struct tr_yaml *node, const yaml_node_t *from) {
    const yaml_node_pair_t *first = from->data.mapping.pairs.start;
    uint32_t count = (uint32_t)(from->data.mapping.pairs.top - first);
    node->kind = TR_YAML_MAP;
    node->pairs = tr_arena_array(builder->arena, count, sizeof *node->pairs);
    for (uint32_t i = 0; i < count; i++) {
        struct tr_yaml *key = build(builder, first[i].key);
        struct tr_yaml *value = build(builder, first[i].value);
        if (key->kind == TR_YAML_SCALAR) {
            node->pairs[node->count++] = (struct tr_yaml_pair){ key, value };
        } else if (builder->bad_key == NULL) {
            builder->bad_key = key;
        }
    }
}

static struct tr_yaml *build(struct builder *builder, int id) {
    const yaml_node_t *from = yaml_document_get_node(builder->document, id);
    tr_assert(from != NULL);
    struct tr_yaml *node = tr_arena_take(builder->arena, sizeof *node);
    node->where = shifted(builder->start, from->start_mark.line, from->start_mark.column);
    if (from->type == YAML_SCALAR_NODE) build_scalar(builder, node, from);
    if (from->type == YAML_SEQUENCE_NODE) build_list(builder, node, from);
    if (from->type == YAML_MAPPING_NODE) build_map(builder, node, from);
    return node;
}

static bool load(struct builder *builder, const char *text, size_t size, struct tr_yaml **root) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (!tr_yaml_open(&parser, text, size)) return false;
    bool loaded = yaml_parser_load(&parser, &document) != 0;
    if (loaded) {
        builder->document = &document;
        if (yaml_document_get_root_node(&document) != NULL) *root = build(builder, 1);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return loaded;
}

static void tell(struct tr_mistakes *mistakes, struct tr_where start,
                 const struct tr_yaml_found *found) {
    struct tr_where where = shifted(start, found->line, found->column);
    if (found->context == NULL) {
        tr_mistake(mistakes, where, "%s", found->what);
    } else {
        tr_mistake(mistakes, where, "%s (%s that begins in line %u)", found->what, found->context,
                   start.line - 1 + found->context_line);
    }
}

static void reserve(struct tr_arena *arena, const struct tr_yaml_scan *scan) {
    size_t each = sizeof(struct tr_yaml) + sizeof(struct tr_yaml_pair) + sizeof(struct tr_yaml *);
    tr_arena_reserve(arena, 2 * scan->nodes + 1, each * scan->nodes + scan->bytes);
}

static void build_all(struct tr_mistakes *mistakes, struct tr_where start, const char *text,
                      size_t size, struct tr_yaml **root) {
    struct builder builder = { .arena = mistakes->arena, .start = start };
    if (!load(&builder, text, size, root)) longjmp(mistakes->arena->out_of_memory, 1);
    if (builder.bad_key != NULL) {
        tr_mistake(mistakes, builder.bad_key->where,
                   "a key must be a word, not a list or a mapping");
    }
    if (builder.bad_text != NULL) {
        tr_mistake(mistakes, builder.bad_text->where, "a text cannot contain the character NUL");
    }
}

bool tr_yaml_read(struct tr_mistakes *mistakes, struct tr_where start, const char *text,
                  size_t size, struct tr_yaml **root) {
    struct tr_yaml_scan scan;
    uint32_t before = mistakes->count + mistakes->untold;
    *root = NULL;
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size > TR_YAML_MAX_SIZE) {
        tr_mistake(mistakes, start, "too large: at most 4 MiB");
        return false;
    }
    tr_yaml_scan(&scan, text, size);
    if (scan.no_memory) longjmp(mistakes->arena->out_of_memory, 1);
    for (uint32_t i = 0; i < scan.found_count; i++) tell(mistakes, start, &scan.found[i]);
    if (scan.safe && scan.nodes > 0) {
        reserve(mistakes->arena, &scan);
        build_all(mistakes, start, text, size, root);
    }
    return mistakes->count + mistakes->untold == before;
}
