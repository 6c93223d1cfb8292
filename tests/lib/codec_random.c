#include "lib/codec_random.h"

#include "core/codec_internal.h"
#include "core/buffer.h"

#include <stdlib.h>
#include <string.h>

static void *pool_take(struct tr_test_pool *pool, size_t size) {
    void *block = calloc(1, size == 0 ? 1 : size);
    if (block == NULL || pool->count == sizeof pool->blocks / sizeof pool->blocks[0]) abort();
    return pool->blocks[pool->count++] = block;
}

void tr_test_pool_free(struct tr_test_pool *pool) {
    while (pool->count > 0)
        free(pool->blocks[--pool->count]);
}

/* Numbers of every width, so that each msgpack form turns up. */
static uint64_t any_number(struct tr_random *random) {
    return tr_random_next(random) >> tr_random_below(random, 64);
}

/* Now and then a size about that from which on a part is shared, or well above it. */
static size_t large_or(struct tr_random *random, size_t size) {
    if (!tr_random_one_in(random, 500)) return size;
    uint64_t spread = tr_random_one_in(random, 2) ? 18 : 20000;
    return (size_t)TROUPE_SHARED_SIZE - 9 + (size_t)tr_random_below(random, spread);
}

static const char *any_text(struct tr_random *random, struct tr_test_pool *pool) {
    static const char *const pieces[] = {
        "a", "Z", " ", "\n", "\"", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"
    };
    size_t count = (size_t)tr_random_below(random, tr_random_one_in(random, 20) ? 100 : 6);
    if (tr_random_one_in(random, 10)) return NULL;
    count = large_or(random, count);
    char *text = pool_take(pool, count * 4 + 1), *at = text;
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, pieces[tr_random_below(random, sizeof pieces / sizeof pieces[0])]);
    return text;
}

static struct troupe_bytes any_bytes(struct tr_random *random, struct tr_test_pool *pool) {
    uint32_t size = (uint32_t)tr_random_below(random, tr_random_one_in(random, 20) ? 300 : 8);
    size = (uint32_t)large_or(random, size);
    uint8_t *data = pool_take(pool, size);
    for (uint32_t i = 0; i < size; i++)
        data[i] = (uint8_t)tr_random_next(random);
    return (struct troupe_bytes){ data, size };
}

static void fill(struct tr_random *random, struct tr_test_pool *pool,
                 const struct troupe_field *field, uint8_t *into) {
    uint64_t number = any_number(random);
    if (field->kind == TROUPE_KIND_STR) {
        const char *text = any_text(random, pool);
        memcpy(into, &text, sizeof text);
    } else if (field->kind == TROUPE_KIND_BYTES) {
        struct troupe_bytes bytes = any_bytes(random, pool);
        memcpy(into, &bytes, sizeof bytes);
    } else if (field->kind == TROUPE_KIND_ADDRESS) {
        struct troupe_address address = { number, (uint32_t)any_number(random),
                                          (uint32_t)any_number(random) };
        memcpy(into, &address, sizeof address);
    } else if (field->kind == TROUPE_KIND_MESSAGE) {
        tr_test_random_message(random, pool, field->nested, into);
    } else if (field->kind == TROUPE_KIND_BOOL) {
        bool value = number & 1;
        memcpy(into, &value, sizeof value);
    } else {
        if (tr_random_one_in(random, 2)) number = 0 - number;
        memcpy(into, &number, tr_codec_item_size(field));
    }
}

static void fill_array(struct tr_random *random, struct tr_test_pool *pool,
                       const struct troupe_field *field, uint8_t *into) {
    size_t size = tr_codec_item_size(field);
    struct tr_any_array array = { NULL, (uint32_t)tr_random_below(random, 5) };
    if (tr_random_one_in(random, 50)) array.count = 20;
    if (tr_codec_is_flat(field)) array.count = (uint32_t)(large_or(random, array.count * size) / size);
    uint8_t *items = pool_take(pool, array.count * size);
    for (uint32_t i = 0; i < array.count; i++)
        fill(random, pool, field, items + i * size);
    array.items = items;
    memcpy(into, &array, sizeof array);
}

void tr_test_random_message(struct tr_random *random, struct tr_test_pool *pool,
                            const struct troupe_message_type *type, void *message) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    memset(message, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        uint8_t *into = (uint8_t *)message + fields[i].offset;
        if (fields[i].array)
            fill_array(random, pool, &fields[i], into);
        else
            fill(random, pool, &fields[i], into);
    }
}

static bool equal_text(const uint8_t *a, const uint8_t *b) {
    const char *left, *right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return strcmp(left == NULL ? "" : left, right == NULL ? "" : right) == 0;
}

static bool equal_bytes(const uint8_t *a, const uint8_t *b) {
    struct troupe_bytes left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static bool equal_values(const struct troupe_field *field, const uint8_t *a, const uint8_t *b) {
    if (field->kind == TROUPE_KIND_STR) return equal_text(a, b);
    if (field->kind == TROUPE_KIND_BYTES) return equal_bytes(a, b);
    if (field->kind == TROUPE_KIND_MESSAGE) return tr_test_equal_messages(field->nested, a, b);
    return memcmp(a, b, tr_codec_item_size(field)) == 0;
}

static bool equal_arrays(const struct troupe_field *field, const uint8_t *a, const uint8_t *b) {
    struct tr_any_array left, right;
    size_t size = tr_codec_item_size(field);
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    if (left.count != right.count) return false;
    for (uint32_t i = 0; i < left.count; i++)
        if (!equal_values(field, (const uint8_t *)left.items + i * size,
                          (const uint8_t *)right.items + i * size))
            return false;
    return true;
}

bool tr_test_equal_messages(const struct troupe_message_type *type, const void *a, const void *b) {
    const struct troupe_field *fields = type->field_count == 0 ? NULL : type->fields();
    for (uint32_t i = 0; i < type->field_count; i++) {
        const uint8_t *left = (const uint8_t *)a + fields[i].offset;
        const uint8_t *right = (const uint8_t *)b + fields[i].offset;
        if (!(fields[i].array ? equal_arrays : equal_values)(&fields[i], left, right)) return false;
    }
    return true;
}
