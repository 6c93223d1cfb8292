/* core/codec.h: round trips, evolution, copies, schemas, and everything that must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec.h"
#include "lib/codec_messages.h"
#include "lib/codec_random.h"

/* ---- Helpers: one exact allocation each, so that a sanitizer sees a byte too many ---- */

/* What the messages of the test at hand refer to: released as a whole, and then no buffer is left. */
enum { SHARES = 256 };
static struct tr_buffers buffers;
static struct tr_shares *shares[SHARES];
static uint32_t shares_count;

static struct tr_shares *shares_new(uint32_t count) {
    if (count == 0) return NULL;
    assert_true(shares_count < SHARES);
    struct tr_shares *made = malloc(sizeof *made + count * sizeof made->items[0]);
    *made = (struct tr_shares){ .buffers = &buffers };
    return shares[shares_count++] = made;
}

static uint64_t buffers_live(void) {
    struct troupe_buffer_counts counts;
    tr_buffers_count(&buffers, &counts);
    return counts.live;
}

static int release_shares(void **state) {
    (void)state;
    while (shares_count > 0) {
        tr_shares_release(shares[--shares_count]);
        free(shares[shares_count]);
    }
    assert_int_equal(buffers_live(), 0);
    return 0;
}

static int begin(void **state) {
    (void)state;
    tr_buffers_init(&buffers);
    return 0;
}

static int end(void **state) {
    (void)state;
    tr_buffers_free(&buffers);
    return 0;
}

static void *unpack(const struct troupe_message_type *type, const struct tr_bytes *bytes) {
    struct tr_codec_error error = { .text = "" };
    struct tr_codec_size needed;
    uint8_t *exact = malloc(bytes->size);
    memcpy(exact, bytes->data, bytes->size);
    if (!tr_codec_measure(type, exact, bytes->size, NULL, &needed, &error)) fail_msg("%s", error.text);
    uint8_t *memory = malloc(needed.bytes);
    memset(memory, 0xee, needed.bytes);
    struct tr_shares *list = shares_new(needed.shared);
    assert_true(tr_codec_unpack(type, exact, bytes->size, NULL, memory, list, &error));
    if (list != NULL) assert_int_equal(list->count, needed.shared);
    free(exact);
    return memory;
}

static void *travel(const struct troupe_message_type *from, const void *message,
                    const struct troupe_message_type *to) {
    struct tr_bytes bytes = { 0 };
    struct tr_codec_error error = { .text = "" };
    if (!tr_codec_pack(from, message, &bytes, &error)) fail_msg("%s", error.text);
    void *arrived = unpack(to, &bytes);
    tr_bytes_free(&bytes);
    return arrived;
}

static void *copy(const struct troupe_message_type *type, const void *message) {
    struct tr_codec_error error = { .text = "" };
    struct tr_codec_size needed;
    if (!tr_codec_measure_copy(type, message, &needed, &error)) fail_msg("%s", error.text);
    void *memory = malloc(needed.bytes);
    struct tr_shares *list = shares_new(needed.shared);
    assert_true(tr_codec_copy(type, message, memory, list, &error));
    if (list != NULL) assert_int_equal(list->count, needed.shared);
    return memory;
}

static void assert_malformed(const struct troupe_message_type *type, const void *data, size_t size,
                             enum troupe_status status, const char *text) {
    struct tr_codec_error error = { .text = "" };
    struct tr_codec_size needed;
    uint8_t *exact = malloc(size);
    if (size != 0) memcpy(exact, data, size);
    assert_false(tr_codec_measure(type, exact, size, NULL, &needed, &error));
    assert_false(tr_codec_measure(type, exact, size, NULL, &needed, NULL));
    free(exact);
    assert_string_equal(error.text, text);
    assert_int_equal(error.status, status);
}
#define MALFORMED(type, literal, text)                                                             \
    assert_malformed(&type##_message, literal, sizeof literal - 1, TROUPE_MALFORMED, text)

/* Refused by packing and by copying alike. */
static void assert_refused(const struct troupe_message_type *type, const void *message,
                           enum troupe_status status, const char *text) {
    struct tr_codec_error packing = { .text = "" }, copying = { .text = "" };
    struct tr_bytes bytes = { 0 };
    struct tr_codec_size needed;
    tr_bytes_append(&bytes, "before", 6);
    assert_false(tr_codec_pack(type, message, &bytes, &packing));
    assert_int_equal(bytes.size, 6);
    assert_false(bytes.failed);
    tr_bytes_free(&bytes);
    assert_false(tr_codec_measure_copy(type, message, &needed, &copying));
    assert_false(tr_codec_measure_copy(type, message, &needed, NULL));
    assert_string_equal(packing.text, text);
    assert_string_equal(copying.text, text);
    assert_int_equal(packing.status, status);
    assert_int_equal(copying.status, status);
}

/* ---- Round trips ---- */

static struct all everything(void) {
    static const struct point points[] = { { 1, "one", { -1, true } },
                                           { 2, NULL, { 2, false } },
                                           { -3, "drei", { 3, true } } };
    static const struct nothing nothings[3];
    return (struct all){
        .i8 = INT8_MIN, .i16 = INT16_MIN, .i32 = INT32_MIN, .i64 = INT64_MIN,
        .u8 = UINT8_MAX, .u16 = UINT16_MAX, .u32 = UINT32_MAX, .u64 = UINT64_MAX,
        .flag = true, .f64 = -0.1, .str = "gr\xc3\xbc\xc3\x9f" "e", .bytes = { "\0\1\2", 3 },
        .address = { UINT64_MAX, 7, UINT32_MAX }, .point = { 4, "inside", { 5, true } },
        .points = { points, 3 }, .nothings = { nothings, 3 },
    };
}

static void check_everything(const struct all *original) {
    struct all *arrived = travel(&all_message, original, &all_message);
    assert_true(tr_test_equal_messages(&all_message, original, arrived));
    free(arrived);
    struct all *copied = copy(&all_message, original);
    assert_true(tr_test_equal_messages(&all_message, original, copied));
    assert_ptr_not_equal(copied->str, original->str);
    free(copied);
}

static void every_kind_alone(void **state) {
    (void)state;
    struct all all = everything();
    check_everything(&all);
    all = (struct all){
        .i8 = INT8_MAX, .i16 = INT16_MAX, .i32 = INT32_MAX, .i64 = INT64_MAX, .f64 = (double)NAN
    };
    check_everything(&all);
    all.f64 = -HUGE_VAL;
    check_everything(&all);
}

static void every_kind_in_arrays(void **state) {
    (void)state;
    static const int8_t i8s[] = { INT8_MIN, 0, INT8_MAX };
    static const int16_t i16s[] = { INT16_MIN, INT16_MAX };
    static const int32_t i32s[] = { INT32_MIN, INT32_MAX };
    static const int64_t i64s[] = { INT64_MIN, INT64_MAX };
    static const uint8_t u8s[] = { 0, 127, 128, 255, 1 };
    static const uint16_t u16s[] = { 0, UINT16_MAX, 300 };
    static const uint32_t u32s[] = { 0, UINT32_MAX };
    static const uint64_t u64s[] = { 0, UINT64_MAX };
    static const bool flags[] = { true, false, true };
    const double f64s[] = { 0.5, -0.0, (double)NAN, HUGE_VAL };
    static const char *const strs[] = { "a", NULL, "", "longer" };
    static const struct troupe_bytes blobs[] = { { "x", 1 }, { NULL, 0 }, { "yz", 2 } };
    static const struct troupe_address addresses[] = { { 1, 2, 3 }, { 0, 0, 0 } };
    struct all all = everything();
    all.i8s = (struct troupe_i8_array){ i8s, 3 };
    all.i16s = (struct troupe_i16_array){ i16s, 2 };
    all.i32s = (struct troupe_i32_array){ i32s, 2 };
    all.i64s = (struct troupe_i64_array){ i64s, 2 };
    all.u8s = (struct troupe_u8_array){ u8s, 5 };
    all.u16s = (struct troupe_u16_array){ u16s, 3 };
    all.u32s = (struct troupe_u32_array){ u32s, 2 };
    all.u64s = (struct troupe_u64_array){ u64s, 2 };
    all.flags = (struct troupe_bool_array){ flags, 3 };
    all.f64s = (struct troupe_f64_array){ f64s, 4 };
    all.strs = (struct troupe_str_array){ strs, 4 };
    all.blobs = (struct troupe_bytes_array){ blobs, 3 };
    all.addresses = (struct troupe_address_array){ addresses, 2 };
    check_everything(&all);
}

static void a_handler_never_sees_null_text(void **state) {
    (void)state;
    static const char *const strs[] = { NULL, "x" };
    static const struct point points[] = { { .x = 1 } };
    struct all all = { .strs = { strs, 2 }, .points = { points, 1 } };
    struct all *ways[] = { travel(&all_message, &all, &all_message), copy(&all_message, &all) };
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(ways[i]->str, "");
        assert_string_equal(ways[i]->strs.items[0], "");
        assert_string_equal(ways[i]->point.name, "");
        assert_string_equal(ways[i]->points.items[0].name, "");
        assert_null(ways[i]->blobs.items);
        assert_null(ways[i]->bytes.data);
        free(ways[i]);
    }
}

static bool is_aligned(const void *items) { return (uintptr_t)items % 8 == 0; }

/* Text of odd lengths before each array: none may slip. */
static void arrays_are_aligned_whatever_stands_before(void **state) {
    (void)state;
    static const uint64_t u64s[] = { 1, 2 };
    static const double f64s[] = { 0.5 };
    static const char *const strs[] = { "a", "bc" };
    static const struct point points[] = { { 1, "p", { 1, true } }, { 2, "qrs", { 2, true } } };
    static const struct troupe_bytes blobs[] = { { "x", 1 }, { "yz", 2 } };
    struct all all = { .str = "ab", .bytes = { "abc", 3 }, .u64s = { u64s, 2 }, .f64s = { f64s, 1 },
                       .strs = { strs, 2 }, .blobs = { blobs, 2 }, .points = { points, 2 } };
    struct all *ways[] = { travel(&all_message, &all, &all_message), copy(&all_message, &all) };
    for (size_t i = 0; i < 2; i++) {
        const struct all *way = ways[i];
        assert_true(is_aligned(way->bytes.data) && is_aligned(way->u64s.items) &&
                    is_aligned(way->f64s.items));
        assert_true(is_aligned(way->strs.items) && is_aligned(way->blobs.items) &&
                    is_aligned(way->points.items));
        assert_true(way->u64s.items[1] == 2 && way->f64s.items[0] > 0.4 &&
                    way->points.items[1].x == 2);
        assert_string_equal(way->points.items[1].name, "qrs");
        free(ways[i]);
    }
}

static void random_messages_come_back(void **state) {
    (void)state;
    struct tr_test_pool pool = { .count = 0 };
    for (uint64_t seed = 0; seed < 10000; seed++) {
        struct tr_random random;
        struct all message;
        tr_random_seed(&random, seed);
        tr_test_random_message(&random, &pool, &all_message, &message);
        struct all *arrived = travel(&all_message, &message, &all_message);
        struct all *copied = copy(&all_message, arrived);
        if (!tr_test_equal_messages(&all_message, &message, arrived))
            fail_msg("packed, seed %d", (int)seed);
        if (!tr_test_equal_messages(&all_message, &message, copied))
            fail_msg("copied, seed %d", (int)seed);
        free(copied);
        free(arrived);
        tr_test_pool_free(&pool);
        release_shares(NULL);
    }
    struct troupe_buffer_counts counts;
    tr_buffers_count(&buffers, &counts);
    assert_in_range(counts.made, 200, 100000); /* there were large ones */
}

/* Any change of one byte is refused or is a message: never a crash. */
static void damaged_messages_do_no_damage(void **state) {
    (void)state;
    struct tr_test_pool pool = { .count = 0 };
    size_t refused = 0;
    for (uint64_t seed = 0; seed < 10000; seed++) {
        struct tr_random random;
        struct all message;
        struct tr_bytes bytes = { 0 };
        struct tr_codec_size needed;
        tr_random_seed(&random, seed);
        tr_test_random_message(&random, &pool, &all_message, &message);
        assert_true(tr_codec_pack(&all_message, &message, &bytes, NULL));
        bytes.data[tr_random_below(&random, bytes.size)] = (uint8_t)tr_random_next(&random);
        if (tr_codec_measure(&all_message, bytes.data, bytes.size, NULL, &needed, NULL))
            free(unpack(&all_message, &bytes));
        else
            refused++;
        tr_bytes_free(&bytes);
        tr_test_pool_free(&pool);
        release_shares(NULL);
    }
    assert_in_range(refused, 1000, 9999);
}

static void a_message_cut_off_anywhere_is_refused(void **state) {
    (void)state;
    struct all all = everything();
    struct tr_bytes bytes = { 0 };
    struct tr_codec_size needed;
    assert_true(tr_codec_pack(&all_message, &all, &bytes, NULL));
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *exact = malloc(size);
        memcpy(exact, bytes.data, size);
        assert_false(tr_codec_measure(&all_message, exact, size, NULL, &needed, NULL));
        free(exact);
    }
    tr_bytes_free(&bytes);
}

static void the_bytes_are_as_documented(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    assert_true(tr_codec_pack(&count_message, &(struct count){ "the", 300 }, &bytes, NULL));
    assert_int_equal(bytes.size, 8);
    assert_memory_equal(bytes.data, "\x92\xa3the\xcd\x01\x2c", 8);
    tr_bytes_clear(&bytes);
    assert_true(tr_codec_pack(&nothing_message, &(struct nothing){ 0 }, &bytes, NULL));
    assert_int_equal(bytes.size, 1);
    assert_memory_equal(bytes.data, "\x90", 1);
    tr_bytes_free(&bytes);
}

/* ---- Evolution ---- */

static void an_older_program_ignores_what_it_does_not_know(void **state) {
    (void)state;
    static const struct point points[] = { { 1, "a", { 1, true } }, { 2, "b", { 2, true } } };
    static const char *const tags[] = { "x", "y" };
    struct new_shape new_shape = { .at = { 7, "seven", { 7, true } },
                                   .points = { points, 2 },
                                   .title = "t",
                                   .tags = { tags, 2 },
                                   .raw = { "raw", 3 },
                                   .owner = { 1, 2, 3 },
                                   .last = { "w", 9 } };
    struct old_shape *old = travel(&new_shape_message, &new_shape, &old_shape_message);
    assert_int_equal(old->at.x, 7);
    assert_int_equal(old->points.count, 2);
    assert_int_equal(old->points.items[0].x, 1);
    assert_int_equal(old->points.items[1].x, 2);
    free(old);
}

static void a_newer_program_sees_zeros(void **state) {
    (void)state;
    static const struct old_point points[] = { { 1 }, { 2 } };
    struct old_shape old = { .at = { 7 }, .points = { points, 2 } };
    struct new_shape *shape = travel(&old_shape_message, &old, &new_shape_message);
    assert_int_equal(shape->at.x, 7);
    assert_string_equal(shape->at.name, "");
    assert_int_equal(shape->at.s.a, 0);
    assert_int_equal(shape->points.items[1].x, 2);
    assert_string_equal(shape->points.items[1].name, "");
    assert_string_equal(shape->title, "");
    assert_int_equal(shape->tags.count, 0);
    assert_null(shape->tags.items);
    assert_int_equal(shape->raw.size, 0);
    assert_true(troupe_address_is_none(shape->owner));
    assert_string_equal(shape->last.word, "");
    assert_int_equal(shape->last.n, 0);
    free(shape);
    struct all *all = travel(&nothing_message, &(struct nothing){ 0 }, &all_message);
    assert_string_equal(all->point.name, "");
    free(all);
}

static void unknown_fields_of_any_kind_are_skipped(void **state) {
    (void)state;
    struct tr_bytes bytes = { 0 };
    static const char packed[] = "\x95\xa1w\x05\xc0\x81\xa1k\x93\1\2\3\xc7\1\7x";
    tr_bytes_append(&bytes, packed, sizeof packed - 1);
    struct count *count = unpack(&count_message, &bytes);
    assert_string_equal(count->word, "w");
    assert_int_equal(count->n, 5);
    free(count);
    tr_bytes_free(&bytes);
    MALFORMED(count, "\x93\xa1w\x05\xc1", "message: not msgpack");
}

/* ---- What must be refused ---- */

static void wrong_kinds(void **state) {
    (void)state;
    MALFORMED(count, "\x92\x01\x05", "word: not a str");
    MALFORMED(count, "\x92\xc4\x01w\x05", "word: not a str");
    MALFORMED(count, "\x92\xc0\x05", "word: not a str");
    MALFORMED(count, "\x92\xa1w\xa1w", "n: not an integer");
    MALFORMED(count, "\x92\xa1w\xca\0\0\0\0", "n: not an integer");
    MALFORMED(count, "\x81\x01\x02", "message: not an array");
    MALFORMED(small, "\x92\x01\x01", "b: not a bool");
    MALFORMED(point, "\x93\x01\xa1x\x05", "s: not an array");
    MALFORMED(new_shape, "\x95\x90\x90\xa0\x90\xa1x", "raw: not bytes");
    MALFORMED(new_shape, "\x94\x90\x90\xa0\xa0", "tags: not an array");
    MALFORMED(new_shape, "\x96\x90\x90\xa0\x90\xc4\0\x92\1\2",
              "owner: not an address of three parts");
    MALFORMED(new_shape, "\x96\x90\x90\xa0\x90\xc4\0\x93\1\2\xff", "owner: out of range");
}

static void wrong_values(void **state) {
    (void)state;
    MALFORMED(count, "\x92\xa1w\xff", "n: out of range");
    MALFORMED(small, "\x92\xcc\x80\xc2", "a: out of range");
    MALFORMED(small, "\x92\xd1\xff\x7f\xc2", "a: out of range");
    MALFORMED(count, "\x92\xa2\xc3\x28\x05", "word: not valid UTF-8");
    MALFORMED(count, "\x92\xa3" "a\0b\x05", "word: a NUL in a str");
}

static void wrong_ends(void **state) {
    (void)state;
    MALFORMED(count, "", "message: cut off");
    MALFORMED(count, "\x92\xa1w", "n: cut off");
    MALFORMED(count, "\x92\xa0", "message: more items declared than there are bytes");
    MALFORMED(count, "\x92\xa3w\x05", "word: cut off");
    MALFORMED(count, "\x92\xa1w\xcd\x05", "n: cut off");
    MALFORMED(count, "\x92\xa1w\x05\x05", "message: bytes left over after its end");
    MALFORMED(nothing, "\x90\xc0", "message: bytes left over after its end");
}

static void errors_name_the_path(void **state) {
    (void)state;
    MALFORMED(new_shape, "\x92\x90\x94\x90\x90\x90\x92\x01\xa1\xff",
              "points[3].name: not valid UTF-8");
    MALFORMED(new_shape, "\x92\x90\x92\x90\x93\x01\xa0\x91\xcc\xff", "points[1].s.a: out of range");
    MALFORMED(new_shape, "\x94\x90\x90\xa0\x92\xa0\x01", "tags[1]: not a str");
    MALFORMED(new_shape, "\x91\x93\x01\xa0\x92\x01\x02", "at.s.b: not a bool");
}

/* ---- Bombs ---- */

#define BIG_FIELDS(field)                                                                          \
    field(message(all), a) field(message(all), b) field(message(all), c) field(message(all), d)
TROUPE_MESSAGE(big, BIG_FIELDS)
#define BIGS_FIELDS(field) field(array(message(big)), bigs) field(array(str), strs)
TROUPE_MESSAGE(bigs, BIGS_FIELDS)

static void a_declared_count_allocates_nothing(void **state) {
    (void)state;
    MALFORMED(bigs, "\x91\xdd\xff\xff\xff\xff", "bigs: more items declared than there are bytes");
    MALFORMED(bigs, "\xdd\xff\xff\xff\xff\x90",
              "message: more items declared than there are bytes");
    MALFORMED(bigs, "\x92\x90\xdd\x7f\xff\xff\xff\x90",
              "strs: more items declared than there are bytes");
}

/* One byte an item on the wire, kilobytes in memory: refused at the header of the array. */
static void small_items_that_become_large_are_counted(void **state) {
    (void)state;
    enum { ITEMS_SENT = 16 * 1024 };
    size_t size = 1 + 5 + ITEMS_SENT;
    uint8_t *data = malloc(size);
    memset(data, 0x90, size);
    memcpy(data, "\x91\xdd\0\0\x40\0", 6);
    assert_true(sizeof(struct big) * ITEMS_SENT > TR_CODEC_MAX_SIZE);
    assert_malformed(&bigs_message, data, size, TROUPE_TOO_BIG,
                     "bigs: larger than a message may be");
    free(data);
}

static void pointers_to_empty_text_are_counted(void **state) {
    (void)state;
    enum { STRINGS = 2 * 1024 * 1024 };
    size_t size = 2 + 5 + STRINGS;
    uint8_t *data = malloc(size);
    memset(data, 0xa0, size);
    memcpy(data, "\x92\x90\xdd\0\x20\0\0", 7);
    assert_malformed(&bigs_message, data, size, TROUPE_TOO_BIG,
                     "strs: larger than a message may be");
    memcpy(data, "\x92\x90\xdd\0\x1c\x80\0", 7); /* the pointers fit, their terminators do not */
    struct tr_codec_error error;
    struct tr_codec_size needed;
    assert_false(tr_codec_measure(&bigs_message, data, 7 + 0x1c8000, NULL, &needed, &error));
    assert_int_equal(error.status, TROUPE_TOO_BIG);
    assert_non_null(strstr(error.text, "]: larger than a message may be"));
    free(data);
}

static void too_many_bytes_are_not_even_read(void **state) {
    (void)state;
    size_t size = TR_CODEC_MAX_SIZE + 1;
    uint8_t *data = calloc(1, size);
    assert_malformed(&count_message, data, size, TROUPE_TOO_BIG,
                     "message: larger than a message may be");
    free(data);
}

/* Types nested as deeply as allowed, and one deeper. */
#define d0_FIELDS(field) field(str, s)
#define d1_FIELDS(field) field(message(d0), m)
#define d2_FIELDS(field) field(message(d1), m)
#define d3_FIELDS(field) field(message(d2), m)
#define d4_FIELDS(field) field(array(message(d3)), m)
#define d5_FIELDS(field) field(message(d4), m)
#define d6_FIELDS(field) field(message(d5), m)
#define d7_FIELDS(field) field(message(d6), m)
#define d8_FIELDS(field) field(message(d7), m)
#define d9_FIELDS(field) field(message(d8), m)
#define d10_FIELDS(field) field(message(d9), m)
#define d11_FIELDS(field) field(message(d10), m)
#define d12_FIELDS(field) field(message(d11), m)
#define d13_FIELDS(field) field(message(d12), m)
#define d14_FIELDS(field) field(message(d13), m)
#define d15_FIELDS(field) field(message(d14), m)
#define d16_FIELDS(field) field(message(d15), m)
#define d17_FIELDS(field) field(message(d16), m)
TROUPE_MESSAGE(d0, d0_FIELDS)
TROUPE_MESSAGE(d1, d1_FIELDS)
TROUPE_MESSAGE(d2, d2_FIELDS)
TROUPE_MESSAGE(d3, d3_FIELDS)
TROUPE_MESSAGE(d4, d4_FIELDS)
TROUPE_MESSAGE(d5, d5_FIELDS)
TROUPE_MESSAGE(d6, d6_FIELDS)
TROUPE_MESSAGE(d7, d7_FIELDS)
TROUPE_MESSAGE(d8, d8_FIELDS)
TROUPE_MESSAGE(d9, d9_FIELDS)
TROUPE_MESSAGE(d10, d10_FIELDS)
TROUPE_MESSAGE(d11, d11_FIELDS)
TROUPE_MESSAGE(d12, d12_FIELDS)
TROUPE_MESSAGE(d13, d13_FIELDS)
TROUPE_MESSAGE(d14, d14_FIELDS)
TROUPE_MESSAGE(d15, d15_FIELDS)
TROUPE_MESSAGE(d16, d16_FIELDS)
TROUPE_MESSAGE(d17, d17_FIELDS)

#define PATH_17 "m.m.m.m.m.m.m.m.m.m.m.m.m.m[0].m.m.m: nested too deeply"

static void depth_is_limited(void **state) {
    (void)state;
    static const struct d3 leaf[1];
    struct tr_codec_error error;
    struct d16 deep = { 0 };
    struct d17 deeper = { 0 };
    deep.m.m.m.m.m.m.m.m.m.m.m.m.m = (struct d3_array){ leaf, 1 };
    deeper.m = deep;
    assert_true(tr_codec_check_type(&d16_message, &error));
    free(travel(&d16_message, &deep, &d16_message));
    free(copy(&d16_message, &deep));
    assert_false(tr_codec_check_type(&d17_message, &error));
    assert_string_equal(error.text, "m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m: nested too deeply");
    assert_refused(&d17_message, &deeper, TROUPE_INVALID, PATH_17);
    MALFORMED(d17,
              "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xa0",
              PATH_17);
}

/* ---- What a sender can do wrong ---- */

static void bad_senders(void **state) {
    (void)state;
    static const struct point points[] = { { .name = "fine" }, { .name = "\xff" } };
    assert_refused(&count_message, &(struct count){ "\xc0\x80", 1 }, TROUPE_INVALID,
                   "word: not valid UTF-8");
    assert_refused(&all_message, &(struct all){ .points = { points, 2 } }, TROUPE_INVALID,
                   "points[1].name: not valid UTF-8");
    assert_refused(&all_message, &(struct all){ .bytes = { NULL, 1 } }, TROUPE_INVALID,
                   "bytes: NULL with a size");
    assert_refused(&all_message, &(struct all){ .u16s = { NULL, 1 } }, TROUPE_INVALID,
                   "u16s: NULL with a count");
    assert_refused(&all_message, &(struct all){ .blobs = { NULL, 1 } }, TROUPE_INVALID,
                   "blobs: NULL with a count");
}

static void too_big_to_send(void **state) {
    (void)state;
    static const char text[TR_CODEC_MAX_SIZE + 1];
    struct all all = { .bytes = { text, TR_CODEC_MAX_SIZE } };
    assert_refused(&all_message, &all, TROUPE_TOO_BIG, "bytes: larger than a message may be");
    all.bytes.size = 0;
    all.u64s = (struct troupe_u64_array){ (const uint64_t *)(const void *)text, UINT32_MAX };
    assert_refused(&all_message, &all, TROUPE_TOO_BIG, "u64s: larger than a message may be");
    all.u64s.count = 0;
    all.bytes = (struct troupe_bytes){ text, TR_CODEC_MAX_SIZE - 4096 };
    free(travel(&all_message, &all, &all_message));
    free(copy(&all_message, &all));
}

/* Fits in memory, not when packed: copying must refuse it too, or placement would matter. */
static void too_big_when_packed(void **state) {
    (void)state;
    enum { COUNT = 9 * 1024 * 1024 };
    uint8_t *items = malloc(COUNT);
    memset(items, 0xff, COUNT);
    struct all all = { .u8s = { items, COUNT } };
    struct tr_codec_error packing = { .text = "" }, copying = { .text = "" };
    struct tr_bytes bytes = { 0 };
    struct tr_codec_size needed;
    assert_false(tr_codec_pack(&all_message, &all, &bytes, &packing));
    assert_false(tr_codec_measure_copy(&all_message, &all, &needed, &copying));
    assert_int_equal(packing.status, TROUPE_TOO_BIG);
    assert_string_equal(strchr(packing.text, ':'), ": larger than a message may be");
    assert_int_equal(copying.status, TROUPE_TOO_BIG);
    memset(items, 0x7f, COUNT);
    tr_bytes_free(&bytes);
    free(travel(&all_message, &all, &all_message));
    free(copy(&all_message, &all));
    free(items);
}

static void a_full_buffer_is_left_as_it_was(void **state) {
    (void)state;
    struct tr_bytes bytes = { .limit = 10 };
    struct tr_codec_error error;
    struct count count = { "the", 3 };
    assert_true(tr_codec_pack(&count_message, &count, &bytes, &error));
    assert_int_equal(bytes.size, 6);
    assert_false(tr_codec_pack(&count_message, &count, &bytes, &error));
    assert_int_equal(error.status, TROUPE_TOO_BIG);
    assert_int_equal(bytes.size, 6);
    assert_false(bytes.failed);
    tr_bytes_free(&bytes);
}

#define N0_FIELDS(field)                                                                           \
    field(str, a_name_of_seventy_characters_is_nobodys_idea_of_a_name_and_yet_allowed)
TROUPE_MESSAGE(n0, N0_FIELDS)
#define N1_FIELDS(field)                                                                           \
    field(message(n0), a_name_of_seventy_characters_is_nobodys_idea_of_a_name_and_yet_allowed)
TROUPE_MESSAGE(n1, N1_FIELDS)
#define N2_FIELDS(field)                                                                           \
    field(array(message(n1)),                                                                      \
          a_name_of_seventy_characters_is_nobodys_idea_of_a_name_and_yet_allowed)
TROUPE_MESSAGE(n2, N2_FIELDS)

static void a_long_path_keeps_its_end(void **state) {
    (void)state;
    struct tr_codec_error error = { .text = "" };
    struct tr_codec_size needed;
    assert_false(
        tr_codec_measure(&n2_message, (const uint8_t *)"\x91\x91\x91\x91\x05", 5, NULL, &needed, &error));
    assert_int_equal(strncmp(error.text, "...", 3), 0);
    assert_non_null(strstr(error.text, "and_yet_allowed: not a str"));
    assert_true(strlen(error.text) < sizeof error.text);
}

/* ---- Large parts ---- */

enum { LARGE = TROUPE_SHARED_SIZE };

static uint8_t large_bytes[3 * LARGE];
static char large_text[LARGE]; /* with its terminator */
static uint64_t large_numbers[LARGE / sizeof(uint64_t)];
static struct troupe_address large_addresses[LARGE / sizeof(struct troupe_address)];
static struct nothing large_nothings[LARGE];

/* One of each kind that can be large: the data of bytes and text, alone and in arrays, and flat items. */
static struct all large_message(void) {
    static struct troupe_bytes blobs[2];
    static const char *strs[2] = { "short", large_text };
    blobs[0] = (struct troupe_bytes){ large_bytes + 1, LARGE };
    blobs[1] = (struct troupe_bytes){ large_bytes, 3 };
    memset(large_text, 'x', LARGE - 1);
    for (uint32_t i = 0; i < sizeof large_bytes; i++) large_bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (uint32_t i = 0; i < LARGE / sizeof(uint64_t); i++) large_numbers[i] = i * UINT64_C(0x123456789);
    for (uint32_t i = 0; i < LARGE / sizeof(struct troupe_address); i++) large_addresses[i].node = i + 1;
    return (struct all){ .str = large_text, .bytes = { large_bytes, sizeof large_bytes },
                         .u64s = { large_numbers, LARGE / sizeof(uint64_t) },
                         .addresses = { large_addresses, LARGE / sizeof(struct troupe_address) },
                         .nothings = { large_nothings, LARGE }, .blobs = { blobs, 2 },
                         .strs = { strs, 2 }, .point = { 1, large_text, { 1, true } } };
}
enum { LARGE_PARTS = 8 };

static void assert_same_places(const struct all *a, const struct all *b) {
    assert_ptr_equal(a->str, b->str);
    assert_ptr_equal(a->bytes.data, b->bytes.data);
    assert_ptr_equal(a->u64s.items, b->u64s.items);
    assert_ptr_equal(a->addresses.items, b->addresses.items);
    assert_ptr_equal(a->nothings.items, b->nothings.items);
    assert_ptr_equal(a->blobs.items[0].data, b->blobs.items[0].data);
    assert_ptr_equal(a->strs.items[1], b->strs.items[1]);
    assert_ptr_equal(a->point.name, b->point.name);
}

/* What was received by one, or sent from plain memory, is copied; from there on it stays where it is. */
static void large_parts_are_copied_once(void **state) {
    (void)state;
    struct all original = large_message();
    struct all *first = copy(&all_message, &original);
    assert_int_equal(shares[0]->count, LARGE_PARTS);
    assert_int_equal(buffers_live(), LARGE_PARTS);
    assert_true(tr_test_equal_messages(&all_message, &original, first));
    assert_ptr_not_equal(first->str, original.str);
    assert_ptr_not_equal(first->bytes.data, original.bytes.data);
    struct all *second = copy(&all_message, first);
    assert_same_places(first, second);
    assert_int_equal(buffers_live(), LARGE_PARTS);
    assert_ptr_not_equal(first->strs.items[0], second->strs.items[0]);
    tr_shares_release(shares[0]); /* the first message goes; the second keeps everything */
    assert_int_equal(buffers_live(), LARGE_PARTS);
    assert_true(tr_test_equal_messages(&all_message, &original, second));
    free(first);
    free(second);
}

static void a_part_that_is_not_large_is_the_messages_own(void **state) {
    (void)state;
    struct all all = { .bytes = { large_bytes, LARGE - 1 } };
    struct all *copied = copy(&all_message, &all), *arrived = travel(&all_message, &all, &all_message);
    assert_int_equal(shares_count, 0);
    free(copied);
    free(arrived);
}

static void large_parts_of_packed_bytes_get_a_buffer_each(void **state) {
    (void)state;
    struct all original = large_message();
    struct all *arrived = travel(&all_message, &original, &all_message);
    assert_int_equal(buffers_live(), LARGE_PARTS);
    assert_true(tr_test_equal_messages(&all_message, &original, arrived));
    struct all *copied = copy(&all_message, arrived);
    assert_same_places(arrived, copied);
    assert_int_equal(buffers_live(), LARGE_PARTS);
    free(arrived);
    free(copied);
}

static void parts_of_one_buffer_are_shared_wherever_they_lie(void **state) {
    (void)state;
    char *buffer = tr_buffers_make(&buffers, 2 * LARGE);
    memset(buffer, 'y', 2 * LARGE);
    buffer[2 * LARGE - 1] = '\0';
    struct troupe_bytes blobs[] = { { buffer, LARGE }, { buffer + 1, 2 * LARGE - 1 }, { buffer, 9 } };
    struct all all = { .str = buffer + LARGE, .bytes = { buffer + LARGE, LARGE }, .blobs = { blobs, 3 } };
    struct all *copied = copy(&all_message, &all);
    assert_int_equal(shares[0]->count, 4);
    assert_int_equal(buffers_live(), 1);
    assert_ptr_equal(copied->str, all.str); /* its terminator is the last byte of the buffer */
    assert_ptr_equal(copied->bytes.data, all.bytes.data);
    assert_ptr_equal(copied->blobs.items[0].data, buffer);
    assert_ptr_equal(copied->blobs.items[1].data, buffer + 1);
    assert_ptr_not_equal(copied->blobs.items[2].data, buffer);
    assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_OK);
    assert_true(tr_test_equal_messages(&all_message, &all, copied));
    free(copied);
}

/* One buffer seventeen times makes a message of 17 MiB, for every other node would have to hold it. */
static void what_is_shared_counts_all_the_same(void **state) {
    (void)state;
    enum { PARTS = 17, PART = 1024 * 1024 };
    uint8_t *buffer = tr_buffers_make(&buffers, PART);
    struct troupe_bytes blobs[PARTS];
    memset(buffer, 1, PART);
    for (uint32_t i = 0; i < PARTS; i++) blobs[i] = (struct troupe_bytes){ buffer, PART };
    struct all all = { .blobs = { blobs, PARTS } };
    assert_refused(&all_message, &all, TROUPE_TOO_BIG, "blobs[15]: larger than a message may be");
    all.blobs.count = PARTS - 2;
    struct all *copied = copy(&all_message, &all);
    assert_int_equal(shares[0]->count, PARTS - 2);
    free(copied);
    assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_OK);
}

#define PAIR_FIELDS(field) field(array(u64), a) field(array(u64), b)
TROUPE_MESSAGE(pair, PAIR_FIELDS)

/* A byte an item on the wire, eight in memory: each array fits, both do not. */
static void large_parts_count_together(void **state) {
    (void)state;
    enum { ITEMS = 1536 * 1024, PART = 5 + ITEMS };
    uint8_t *data = calloc(1, 1 + 2 * PART);
    data[0] = 0x92;
    memcpy(data + 1, "\xdd\0\x18\0\0", 5);
    memcpy(data + 1 + PART, "\xdd\0\x18\0\0", 5);
    assert_malformed(&pair_message, data, 1 + 2 * PART, TROUPE_TOO_BIG, "b: larger than a message may be");
    free(data);
}

/* What is left in the message's own memory does not slip, whatever the size of what is not. */
static void what_stands_behind_a_large_part_is_aligned(void **state) {
    (void)state;
    static const uint64_t u64s[] = { 1, 2 };
    for (size_t length = 0; length < 9; length++) {
        char *text = malloc(LARGE + length + 1);
        memset(text, 'x', LARGE + length);
        text[LARGE + length] = '\0';
        struct all all = { .str = text, .bytes = { "abc", 3 }, .u64s = { u64s, 2 } };
        struct all *ways[] = { travel(&all_message, &all, &all_message), copy(&all_message, &all) };
        for (size_t i = 0; i < 2; i++) {
            assert_true(is_aligned(ways[i]->bytes.data) && is_aligned(ways[i]->u64s.items));
            assert_true(tr_test_equal_messages(&all_message, &all, ways[i]));
            free(ways[i]);
        }
        free(text);
    }
}

/* ---- Schemas ---- */

static bool compatible(const struct troupe_message_type *a, const struct troupe_message_type *b) {
    char schema[2048];
    assert_true(troupe_message_schema(b, schema, sizeof schema) < sizeof schema);
    return tr_codec_compatible(a, schema);
}

static void schemas_are_compared_by_their_beginnings(void **state) {
    (void)state;
    assert_true(compatible(&count_message, &count_message));
    assert_true(compatible(&all_message, &all_message));
    assert_true(compatible(&nothing_message, &nothing_message));
    assert_true(tr_codec_compatible(&count_message, "count()"));
    assert_true(tr_codec_compatible(&count_message, "count(word:str)"));
    assert_true(tr_codec_compatible(&count_message,
                                    "count(word:str,n:u64,at:point(x:i32,ok:bool),ws:[str])"));
    assert_true(tr_codec_compatible(&nothing_message, "nothing(x:[point(a:b())])"));
    assert_true(tr_codec_compatible(&point_message, "point(x:i32,name:str,s:small(a:i8))"));
    assert_true(tr_codec_compatible(&point_message,
                                    "point(x:i32,name:str,s:small(a:i8,b:bool,c:q(d:i8)),e:u8)"));
    assert_true(tr_codec_compatible(&point_message, "point(x:i32,name:str,s:small())"));
    assert_false(compatible(&count_message, &point_message));
    assert_false(compatible(&old_shape_message, &new_shape_message));
}

static void other_schemas_are_incompatible(void **state) {
    (void)state;
    static const char *const others[] = {
        "",
        "count",
        "count(",
        "coun(word:str)",
        "counter(word:str)",
        "count(word:st)",
        "count(word:strs)",
        "count(wor:str)",
        "count(words:str)",
        "count(word:[str])",
        "count(word:bytes)",
        "count(n:u64,word:str)",
        "count(word:str,n:u6)",
        "count(word:str,n:u64",
        "count(word:str,n:u64,",
        "count(word:str,n:u64,x:i8",
        "count(word:str,n:u64)x",
        "count(word:str,n:u64,x:y(z:i8)",
        "count(word:str)n:u64",
        "count(word:str,)",
        "count(word:str,n:u64))",
        "count(word:str(),n:u64)",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (tr_codec_compatible(&count_message, others[i])) fail_msg("compatible: %s", others[i]);
    assert_false(tr_codec_compatible(&point_message, "point(x:i32,name:str,s:small(b:bool))"));
    assert_false(
        tr_codec_compatible(&point_message, "point(x:i32,name:str,s:[small(a:i8,b:bool)])"));
    assert_false(tr_codec_compatible(&old_shape_message,
                                     "old_shape(at:old_point(x:i32),points:old_point(x:i32))"));
}

/* Each ends with no buffer left. */
#define TEST(name) cmocka_unit_test_teardown(name, release_shares)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_alone),
        TEST(every_kind_in_arrays),
        TEST(a_handler_never_sees_null_text),
        TEST(arrays_are_aligned_whatever_stands_before),
        TEST(random_messages_come_back),
        TEST(damaged_messages_do_no_damage),
        TEST(a_message_cut_off_anywhere_is_refused),
        TEST(the_bytes_are_as_documented),
        TEST(an_older_program_ignores_what_it_does_not_know),
        TEST(a_newer_program_sees_zeros),
        TEST(unknown_fields_of_any_kind_are_skipped),
        TEST(wrong_kinds),
        TEST(wrong_values),
        TEST(wrong_ends),
        TEST(errors_name_the_path),
        TEST(a_declared_count_allocates_nothing),
        TEST(small_items_that_become_large_are_counted),
        TEST(pointers_to_empty_text_are_counted),
        TEST(too_many_bytes_are_not_even_read),
        TEST(depth_is_limited),
        TEST(bad_senders),
        TEST(too_big_to_send),
        TEST(too_big_when_packed),
        TEST(a_full_buffer_is_left_as_it_was),
        TEST(a_long_path_keeps_its_end),
        TEST(large_parts_are_copied_once),
        TEST(a_part_that_is_not_large_is_the_messages_own),
        TEST(large_parts_of_packed_bytes_get_a_buffer_each),
        TEST(parts_of_one_buffer_are_shared_wherever_they_lie),
        TEST(what_is_shared_counts_all_the_same),
        TEST(large_parts_count_together),
        TEST(what_stands_behind_a_large_part_is_aligned),
        TEST(schemas_are_compared_by_their_beginnings),
        TEST(other_schemas_are_incompatible),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
