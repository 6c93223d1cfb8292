/*
 * The names of the application in memory that other processes write, one of them whatever it likes. Answers may
 * be wrong then, but they come, and nobody reads or writes beyond the table.
 *
 * The input: steps of one byte and what the step wants. Two processes use the table as they should, a third one
 * writes over the places that the steps before have used.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/hash.h"
#include "services/name_table.h"

enum { NODES = 4, NAMES = 6, RECORD = 128, RECORDS_TOUCHED = 32, FILLS = 1 };

static char *memory;
static struct tr_names processes[2];
static int fills;

struct input {
    const uint8_t *at, *end;
};

static uint8_t next(struct input *input) { return input->at < input->end ? *input->at++ : 0; }

static uint64_t next_number(struct input *input) {
    uint64_t value = 0;
    for (int bytes = next(input) % 9; bytes > 0; bytes--) value = value << 8 | next(input);
    return value;
}

static const char *name_of(uint8_t choice) {
    static const char *const names[NAMES] = {
        "a", "b", "clerk", "twelve bytes", "sixteen bytes...", 
        "sixty-four bytes are the most that a name may have, and here it is"
    };
    static char longest[TR_NAME_MAX + 1];
    const char *name = names[choice % NAMES];
    memcpy(longest, name, strnlen(name, TR_NAME_MAX));
    longest[strnlen(name, TR_NAME_MAX)] = '\0';
    return longest;
}

static char *buckets(void) { return memory + tr_names_keepers_size(NODES); }
static char *records(void) { return buckets() + (size_t)TR_NAMES_MAX * 8; }

static void write_number(char *at, uint64_t value) {
    tr_assert(at >= buckets() && at + 8 <= memory + tr_names_size(NODES));
    memcpy(at, &value, sizeof value);
}

static void write_bucket(struct input *input) {
    const char *name = name_of(next(input));
    size_t bucket = (size_t)(tr_hash(name, strlen(name)) % TR_NAMES_MAX);
    write_number(buckets() + bucket * 8, next_number(input));
}

static void write_record(struct input *input) {
    size_t record = next(input) % RECORDS_TOUCHED, word = next(input) % (RECORD / 8);
    write_number(records() + record * RECORD + word * 8, next_number(input));
}

/* No record is unused, says somebody. */
static void fill(struct input *input) {
    uint64_t holder = next_number(input);
    if (fills++ >= FILLS) return;
    for (size_t i = 0; i < TR_NAMES_MAX; i++) write_number(records() + i * RECORD, holder);
}

static void use(struct tr_names *names, uint8_t what, struct input *input) {
    const char *name = name_of(next(input));
    uint8_t who = next(input);
    struct tr_name_owner owner = { { 1 + who % NODES, who / 16, 1 }, 1 + who / 4 % 2 };
    switch (what % 4) {
    case 0: {
        enum troupe_status status = tr_names_add(names, name, &owner, (what & 64) != 0);
        tr_assert(status == TROUPE_OK || status == TROUPE_EXISTS || status == TROUPE_LIMIT ||
                  status == TROUPE_UNREACHABLE);
        break;
    }
    case 1: tr_names_publish(names, name, &owner); break;
    case 2: tr_names_remove(names, name, &owner); break;
    default: tr_assert(tr_names_find(names, name).node <= NODES);
    }
}

static void step(struct input *input) {
    uint8_t what = next(input);
    switch (what / 4 % 8) {
    case 0: write_bucket(input); break;
    case 1:
    case 2: write_record(input); break;
    case 3: tr_names_set_alive(memory, 1 + what % NODES, next(input) % 3); break;
    case 4:
        if (next(input) == 255) fill(input);
        break;
    default: use(&processes[what >> 7], what, input); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = { data, data + size };
    const size_t bytes = tr_names_size(NODES);
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tr_assert(memory != MAP_FAILED);
    fills = 0;
    for (uint64_t node = 1; node <= NODES; node++) tr_names_set_alive(memory, node, 1);
    for (uint64_t i = 0; i < 2; i++) tr_names_open(&processes[i], memory, NODES, 1 + i, 1);
    while (input.at < input.end) step(&input);
    tr_assert(tr_names_used(&processes[0]) <= TR_NAMES_MAX);
    for (int i = 0; i < 2; i++) tr_names_close(&processes[i]);
    munmap(memory, bytes);
    return 0;
}
