/* core/attachments.h, descriptor.h, buffer_file.c: what a message owns is closed once, and what another process sends
 * along is believed only when it was checked. Every test ends with as many open descriptors as it began with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/descriptor.h"
#include "core/message.h"

#define FILES_FIELDS(field) \
    field(u32, n) field(descriptor, one) field(array(descriptor), more) field(str, name) field(descriptor, last)
TROUPE_MESSAGE(files, FILES_FIELDS)
#define LESS_FIELDS(field) field(u32, n)
TROUPE_MESSAGE(less, LESS_FIELDS)
#define OUTER_FIELDS(field) field(message(files), files) field(array(message(files)), list)
TROUPE_MESSAGE(outer, OUTER_FIELDS)
#define LARGE_FIELDS(field) \
    field(bytes, bytes) field(str, str) field(array(f64), reals) field(array(bool), flags) field(array(address), who)
TROUPE_MESSAGE(large, LARGE_FIELDS)

enum { SIZE = 1 << 20, MANY = 100000 };

static struct tr_buffers buffers;
static int before;

static int count_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static int begin(void **state) {
    (void)state;
    tr_buffers_init(&buffers);
    before = count_open();
    return 0;
}

static int end(void **state) {
    struct troupe_buffer_counts counts;
    (void)state;
    tr_buffers_count(&buffers, &counts);
    assert_int_equal(counts.live, 0);
    tr_buffers_free(&buffers);
    assert_int_equal(count_open(), before);
    return 0;
}

static struct tr_memory memory(void) { return (struct tr_memory){ .buffers = &buffers }; }

static int new_file(void) {
    int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(file >= 0);
    return file;
}

static bool same(int a, int b) {
    struct stat left, right;
    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

static struct tr_message *copy(const struct troupe_message_type *type, const void *body) {
    struct tr_codec_error error = { .text = "" };
    enum troupe_status status;
    struct tr_message *message = tr_message_new(memory(), type, body, &status, &error);
    if (message == NULL) fail_msg("%s", error.text);
    return message;
}

/* As between processes, in which numbers differ. */
static struct tr_message *travel(const struct troupe_message_type *from, const void *body,
                                 const struct troupe_message_type *to) {
    struct tr_bytes bytes = { 0 };
    struct tr_codec_error error = { .text = "" };
    struct tr_attachments sent = { .buffers = &buffers };
    int numbers[TR_MAX_ATTACHMENTS];
    enum troupe_status status;
    if (!tr_codec_pack_with(from, body, &bytes, &sent, &error)) fail_msg("%s", error.text);
    for (uint32_t i = 0; i < sent.count; i++) numbers[i] = tr_descriptor_duplicate(sent.descriptors[i], &status);
    const struct tr_arrived arrived = { numbers, sent.count };
    tr_attachments_close(&sent);
    struct tr_message *message = tr_message_unpack_with(memory(), to, bytes.data, bytes.size, &arrived, &status, &error);
    tr_descriptors_close(numbers, arrived.count);
    tr_bytes_free(&bytes);
    if (message == NULL) fail_msg("%s", error.text);
    return message;
}

/* ---- Descriptors ---- */

static void check_files(const struct files *files, int one, const int *more, uint32_t count) {
    assert_true(same(files->one, one) && files->one != one);
    assert_int_equal(files->more.count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_true(same(files->more.items[i], more[i]) && files->more.items[i] != more[i]);
    assert_true((fcntl(files->one, F_GETFD) & FD_CLOEXEC) != 0);
    assert_string_equal(files->name, "x");
    assert_int_equal(files->last, -1);
}

static void a_message_has_duplicates_which_end_with_it(void **state) {
    (void)state;
    int one = new_file(), more[2] = { new_file(), new_file() };
    const struct files files = { 7, one, { more, 2 }, "x", -1 };
    struct tr_message *first = copy(&files_message, &files), *second = travel(&files_message, &files, &files_message);
    assert_int_equal(count_open(), before + 9);
    check_files(tr_message_body(first), one, more, 2);
    check_files(tr_message_body(second), one, more, 2);
    tr_message_free(first);
    tr_message_free(second);
    assert_int_equal(count_open(), before + 3);
    tr_descriptors_close((int[]){ one, more[0], more[1] }, 3);
}

static void nested_ones_are_found(void **state) {
    (void)state;
    int one = new_file();
    const struct files list[2] = { { 1, one, { &one, 1 }, "x", -1 }, { 2, one, { NULL, 0 }, "x", -1 } };
    const struct outer outer = { { 3, one, { &one, 1 }, "x", -1 }, { list, 2 } };
    struct tr_message *messages[2] = { copy(&outer_message, &outer), travel(&outer_message, &outer, &outer_message) };
    for (int i = 0; i < 2; i++) {
        const struct outer *body = tr_message_body(messages[i]);
        check_files(&body->files, one, &one, 1);
        check_files(&body->list.items[0], one, &one, 1);
        check_files(&body->list.items[1], one, NULL, 0);
        tr_message_free(messages[i]);
    }
    close(one);
}

static void what_is_taken_is_the_takers(void **state) {
    (void)state;
    int one = new_file();
    struct tr_message *message = copy(&files_message, &(struct files){ 7, one, { &one, 1 }, NULL, -1 });
    const struct files *body = tr_message_body(message);
    int number = body->one, taken = troupe_take_descriptor(&body->one);
    assert_int_equal(taken, number);
    assert_int_equal(body->one, -1);
    assert_int_equal(troupe_take_descriptor(&body->one), -1);
    assert_int_equal(troupe_take_descriptor(&body->last), -1);
    struct tr_message *next = copy(&files_message, body); /* has none there, not another's number */
    assert_int_equal(((const struct files *)tr_message_body(next))->one, -1);
    tr_message_free(next);
    tr_message_free(message);
    assert_true(same(taken, one));
    close(taken);
    close(one);
}

static void refused(const struct files *files, enum troupe_status expected, const char *text) {
    enum troupe_status status;
    struct tr_codec_error error = { .text = "" };
    struct tr_bytes bytes = { 0 };
    struct tr_attachments sent = { .buffers = &buffers };
    int open = count_open();
    assert_null(tr_message_new(memory(), &files_message, files, &status, &error));
    assert_string_equal(error.text, text);
    assert_int_equal(status, expected);
    assert_false(tr_codec_pack_with(&files_message, files, &bytes, &sent, &error));
    assert_string_equal(error.text, text);
    assert_int_equal(error.status, expected);
    assert_int_equal(sent.count, 0);
    assert_int_equal(count_open(), open);
    tr_bytes_free(&bytes);
}

static void what_cannot_be_sent_is_refused_and_nothing_is_left(void **state) {
    (void)state;
    int one = new_file(), many[TROUPE_MAX_DESCRIPTORS + 1];
    for (int i = 0; i <= TROUPE_MAX_DESCRIPTORS; i++) many[i] = one;
    refused(&(struct files){ 7, one, { many, 2 }, "", 0 }, TROUPE_INVALID,
            "last: 0, as when it is left out: say -1 for none, or send a dup(2) of standard input");
    refused(&(struct files){ 7, one, { many, 2 }, "", 9999 }, TROUPE_INVALID, "last: not an open descriptor");
    refused(&(struct files){ 7, one, { many, TROUPE_MAX_DESCRIPTORS }, "", -1 }, TROUPE_TOO_BIG,
            "more[15]: more descriptors than a message may have");
    refused(&(struct files){ 7, one, { many, 2 }, "\xff", -1 }, TROUPE_INVALID, "name: not valid UTF-8");
    tr_message_free(copy(&files_message, &(struct files){ 7, one, { many, TROUPE_MAX_DESCRIPTORS - 1 }, "", -1 }));
    close(one);
}

static void without_a_free_descriptor_it_is_refused(void **state) {
    (void)state;
    int one = new_file(), last = new_file();
    struct rlimit limit, low;
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = (rlim_t)last + 2; /* room for one of the three */
    setrlimit(RLIMIT_NOFILE, &low);
    enum troupe_status status;
    struct tr_codec_error error = { .text = "" };
    const struct files files = { 7, one, { (int[]){ one, one }, 2 }, "", -1 };
    assert_null(tr_message_new(memory(), &files_message, &files, &status, &error));
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(status, TROUPE_LIMIT);
    assert_string_equal(error.text, "more[0]: this process has no descriptors left");
    close(one);
    close(last);
}

static void without_a_way_it_is_refused(void **state) {
    (void)state;
    int one = new_file();
    struct tr_bytes bytes = { 0 };
    struct tr_codec_error error = { .text = "" };
    assert_false(tr_codec_pack(&files_message, &(struct files){ 7, one, { NULL, 0 }, "", -1 }, &bytes, &error));
    assert_int_equal(error.status, TROUPE_INVALID);
    assert_non_null(strstr(error.text, "one: a descriptor goes to actors of this node"));
    assert_true(tr_codec_pack(&files_message, &(struct files){ 7, -1, { NULL, 0 }, "", -1 }, &bytes, &error));
    tr_bytes_free(&bytes);
    close(one);
}

static void other_programs_know_more_or_less(void **state) {
    (void)state;
    int one = new_file();
    struct tr_message *more = travel(&less_message, &(struct less){ 5 }, &files_message);
    const struct files *body = tr_message_body(more);
    assert_int_equal(body->one, -1);
    assert_int_equal(body->last, -1);
    assert_int_equal(body->more.count, 0);
    tr_message_free(more);
    tr_message_free(travel(&files_message, &(struct files){ 7, one, { &one, 1 }, "", -1 }, &less_message));
    close(one);
}

/* ---- Hostile bytes about descriptors ---- */

static void malformed(const struct troupe_message_type *type, const void *data, size_t size, int *numbers,
                      uint32_t count, const char *text) {
    struct tr_codec_error error = { .text = "" };
    enum troupe_status status = TROUPE_OK;
    const struct tr_arrived arrived = { numbers, count };
    uint8_t *exact = malloc(size);
    memcpy(exact, data, size);
    struct tr_message *message = tr_message_unpack_with(memory(), type, exact, size, &arrived, &status, &error);
    free(exact);
    assert_null(message);
    assert_string_equal(error.text, text);
    assert_int_equal(status, TROUPE_MALFORMED);
}
#define MALFORMED(type, literal, numbers, count, text) \
    malformed(&type##_message, literal, sizeof literal - 1, numbers, count, text)

static void bytes_that_lie_about_descriptors(void **state) {
    (void)state;
    int numbers[2] = { new_file(), new_file() };
    MALFORMED(files, "\x93\x07\x02\x90", numbers, 2, "one: refers to a descriptor that did not come along");
    MALFORMED(files, "\x93\x07\x00\x91\x00", numbers, 2, "more[0]: refers to another field's descriptor");
    MALFORMED(files, "\x93\x07\xff\x90", numbers, 2, "one: out of range");
    MALFORMED(files, "\x93\x07\xa0\x90", numbers, 2, "one: not an integer");
    MALFORMED(files, "\x93\x07\x00\x91\x01\x01", numbers, 2, "message: bytes left over after its end");
    MALFORMED(files, "\x92\x07\xcc", numbers, 2, "one: cut off");
    tr_descriptors_close(numbers, 2);
}

/* ---- Large parts ---- */

static void fill(char *text, uint64_t seed) {
    for (int i = 0; i < SIZE - 1; i++) text[i] = (char)('a' + (int)((seed = seed * 25214903917 + 11) >> 20) % 26);
    text[SIZE - 1] = '\0';
}

static bool equal(const struct large *a, const struct large *b) {
    return a->bytes.size == b->bytes.size && memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0 &&
           strcmp(a->str, b->str) == 0 && a->reals.count == b->reals.count && a->flags.count == b->flags.count &&
           memcmp(a->reals.items, b->reals.items, a->reals.count * sizeof(double)) == 0 &&
           memcmp(a->flags.items, b->flags.items, a->flags.count) == 0 && a->who.count == b->who.count &&
           memcmp(a->who.items, b->who.items, a->who.count * sizeof(troupe_address)) == 0;
}

static void large_parts_travel_as_files_and_are_what_they_were(void **state) {
    (void)state;
    char *text = malloc(SIZE);
    double *reals = calloc(MANY, sizeof *reals);
    bool *flags = calloc(MANY, sizeof *flags);
    troupe_address *who = calloc(MANY, sizeof *who);
    fill(text, 1);
    for (int i = 0; i < MANY; i++) {
        reals[i] = i / 3.0;
        flags[i] = i % 3 == 0;
        who[i].node = (uint64_t)i;
    }
    const struct large large = { { text, SIZE }, text, { reals, MANY }, { flags, MANY }, { who, MANY } };
    struct tr_message *first = travel(&large_message, &large, &large_message);
    assert_true(equal(tr_message_body(first), &large));
    assert_int_equal(count_open(), before + 5);
    struct tr_message *here = copy(&large_message, tr_message_body(first));
    struct tr_message *second = travel(&large_message, tr_message_body(first), &large_message);
    tr_message_free(first);
    assert_true(equal(tr_message_body(second), &large));
    assert_true(equal(tr_message_body(here), &large));
    tr_message_free(second);
    tr_message_free(here);
    free(text);
    free(reals);
    free(flags);
    free(who);
}

static uint64_t file_of(struct tr_buffers *from, const void *data, size_t size, uint64_t expected) {
    uint64_t offset;
    struct stat stat;
    int file = tr_buffers_file(from, data, size, &offset);
    assert_true(file >= 0 && fstat(file, &stat) == 0);
    assert_int_equal(offset, expected);
    close(file);
    return stat.st_ino;
}

static void what_was_sent_whole_is_written_once(void **state) {
    (void)state;
    char *buffer = tr_buffers_make(&buffers, SIZE), *other = malloc(SIZE);
    fill(buffer, 2);
    memcpy(other, buffer, SIZE);
    uint64_t half = file_of(&buffers, buffer, SIZE / 2, 0), whole = file_of(&buffers, buffer, SIZE, 0);
    assert_int_not_equal(half, whole);
    assert_int_equal(file_of(&buffers, buffer, SIZE, 0), whole);
    assert_int_equal(file_of(&buffers, buffer + SIZE / 2, SIZE / 2, SIZE / 2), whole);
    assert_int_not_equal(file_of(&buffers, other, SIZE, 0), file_of(&buffers, other, SIZE, 0));
    assert_int_equal(tr_buffers_release(&buffers, buffer), TROUPE_OK);
    free(other);
}

static void what_came_in_a_file_goes_on_in_it(void **state) {
    (void)state;
    char *text = malloc(SIZE);
    fill(text, 3);
    struct tr_message *message = travel(&large_message, &(struct large){ .bytes = { text, SIZE } }, &large_message);
    const struct large *body = tr_message_body(message);
    const char *data = body->bytes.data;
    uint64_t whole = file_of(&buffers, data, SIZE, 0);
    assert_int_equal(file_of(&buffers, data + 5000, SIZE / 2, 5000), whole);
    tr_message_free(message);
    free(text);
}

/* Half of the descriptors are the program's. */
static void without_descriptors_large_parts_travel_in_line(void **state) {
    (void)state;
    char *text = malloc(SIZE);
    fill(text, 4);
    buffers.descriptors = 0;
    struct tr_bytes bytes = { 0 };
    struct tr_attachments sent = { .buffers = &buffers };
    const struct large large = { .bytes = { text, SIZE } };
    assert_true(tr_codec_pack_with(&large_message, &large, &bytes, &sent, NULL));
    assert_int_equal(sent.count, 0);
    assert_true(bytes.size > SIZE);
    struct tr_message *message = travel(&large_message, &large, &large_message);
    assert_memory_equal(((const struct large *)tr_message_body(message))->bytes.data, text, SIZE);
    tr_message_free(message);
    tr_bytes_free(&bytes);
    free(text);
}

static void so_many_parts_are_files_and_the_rest_is_in_line(void **state) {
    (void)state;
    enum { PARTS = TR_MAX_PARTS + 4 };
    struct tr_attachments sent = { .buffers = &buffers };
    uint64_t offset;
    static char part[TROUPE_SHARED_SIZE];
    for (uint32_t i = 0; i < PARTS; i++)
        assert_int_equal(tr_attach_part(&sent, part, sizeof part, &offset), i < TR_MAX_PARTS ? i : UINT32_MAX);
    int file = new_file();
    for (uint32_t i = 0; i <= TROUPE_MAX_DESCRIPTORS; i++) {
        enum troupe_status status = TROUPE_OK;
        uint32_t place = tr_attach_descriptor(&sent, file, &status);
        assert_int_equal(place, i < TROUPE_MAX_DESCRIPTORS ? TR_MAX_PARTS + i : UINT32_MAX);
        if (place == UINT32_MAX) assert_int_equal(status, TROUPE_TOO_BIG);
    }
    close(file);
    tr_attachments_close(&sent);
}

/* ---- Hostile files ---- */

enum { ALL_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int sealed(const void *data, size_t size, int seals) {
    int file = new_file();
    assert_int_equal(write(file, data, size), (ssize_t)size);
    assert_int_equal(fcntl(file, F_ADD_SEALS, seals), 0);
    return file;
}

/* One part of 64 KiB, from an offset on, in the `field`th of the fields of `large`. */
static void part_is_malformed(int field, int file, uint16_t offset, const char *text) {
    uint8_t bytes[32] = { 0x95, 0xc4, 0, 0xa0, 0x90, 0x90, 0x90 };
    static const uint8_t heads[5][2] = { { 0xc4, 0 }, { 0xa0 }, { 0x90 }, { 0x90 }, { 0x90 } };
    size_t size = 1;
    for (int i = 0; i < 5; i++) {
        const uint8_t part[] = { 0xc7, 13, 1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(offset >> 8), (uint8_t)offset, 0, 1, 0, 0 };
        memcpy(bytes + size, i == field ? part : heads[i], i == field ? sizeof part : i == 0 ? 2 : 1);
        size += i == field ? sizeof part : i == 0 ? 2 : 1;
    }
    malformed(&large_message, bytes, size, &file, 1, text);
    tr_descriptor_close(file);
}

static void files_that_are_not_what_they_should_be(void **state) {
    (void)state;
    static char zeros[1 << 17];
    static const char not_sealed[] = "bytes: not in a sealed file in memory of at least its size";
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    close(pipes[1]);
    part_is_malformed(0, pipes[0], 0, not_sealed);
    part_is_malformed(0, open("/proc/self/exe", O_RDONLY), 0, not_sealed);
    part_is_malformed(0, open("/dev/zero", O_RDONLY), 0, not_sealed);
    part_is_malformed(0, sealed(zeros, 1 << 16, ALL_SEALS & ~F_SEAL_WRITE), 0, not_sealed);
    part_is_malformed(0, sealed(zeros, 1 << 16, ALL_SEALS & ~F_SEAL_SHRINK), 0, not_sealed);
    part_is_malformed(0, sealed(zeros, 1 << 16, ALL_SEALS & ~F_SEAL_GROW), 0, not_sealed);
    part_is_malformed(0, sealed(zeros, (1 << 16) - 1, ALL_SEALS), 0, not_sealed);
    part_is_malformed(0, sealed(zeros, 1 << 16, ALL_SEALS), 1, not_sealed);
    part_is_malformed(2, sealed(zeros, 1 << 17, ALL_SEALS), 4, "reals: not at its alignment in its file");
    part_is_malformed(1, sealed(zeros, 1 << 17, ALL_SEALS), 0, "str: a str that does not end at its end");
    char *text = memset(malloc(1 << 16), 'a', 1 << 16);
    part_is_malformed(1, sealed(text, 1 << 16, ALL_SEALS), 0, "str: a str that does not end at its end");
    part_is_malformed(3, sealed(text, 1 << 16, ALL_SEALS), 0, "flags: a bool that is none");
    text[(1 << 16) - 1] = '\0';
    text[777] = '\xff';
    part_is_malformed(1, sealed(text, 1 << 16, ALL_SEALS), 0, "str: not valid UTF-8");
    free(text);
}

static void parts_that_lie(void **state) {
    (void)state;
    static char zeros[1 << 16];
    int file = sealed(zeros, sizeof zeros, ALL_SEALS);
    MALFORMED(large, "\x91\xc7\x0d\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0", &file, 1,
              "bytes: refers to a descriptor that did not come along");
    MALFORMED(large, "\x91\xc7\x0d\x01\0\0\0\0\0\0\0\0\0\0\0\xff\xff", &file, 1, "bytes: too small for a part of its own");
    MALFORMED(large, "\x91\xc7\x0d\x02\0\0\0\0\0\0\0\0\0\0\x01\0\0", &file, 1, "bytes: an ext of another type or size");
    MALFORMED(large, "\x91\xc7\x0c\x01\0\0\0\0\0\0\0\0\0\0\x01\0", &file, 1, "bytes: an ext of another type or size");
    MALFORMED(large, "\x91\xc7\x0d\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x01\0\0", &file, 1,
              "bytes: not in a sealed file in memory of at least its size");
    MALFORMED(large, "\x91\xc7\x0d\x01\0\0\0\0\0\0\0\0\0\0\x01\0", &file, 1, "bytes: cut off");
    MALFORMED(less, "\x91\xc7\x0d\x01\0\0\0\0\0\0\0\0\0\0\x01\0\0", &file, 1, "n: not an integer");
    MALFORMED(outer, "\x92\x90\xc7\x0d\x01\0\0\0\0\0\0\0\0\0\0\x01\0\0", &file, 1,
              "list: an array whose items cannot be in a file");
    tr_descriptor_close(file);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_message_has_duplicates_which_end_with_it),
        TEST(nested_ones_are_found),
        TEST(what_is_taken_is_the_takers),
        TEST(what_cannot_be_sent_is_refused_and_nothing_is_left),
        TEST(without_a_free_descriptor_it_is_refused),
        TEST(without_a_way_it_is_refused),
        TEST(other_programs_know_more_or_less),
        TEST(bytes_that_lie_about_descriptors),
        TEST(large_parts_travel_as_files_and_are_what_they_were),
        TEST(what_was_sent_whole_is_written_once),
        TEST(what_came_in_a_file_goes_on_in_it),
        TEST(without_descriptors_large_parts_travel_in_line),
        TEST(so_many_parts_are_files_and_the_rest_is_in_line),
        TEST(files_that_are_not_what_they_should_be),
        TEST(parts_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
