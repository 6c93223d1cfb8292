/*
 * Large data to actors elsewhere and back: each sink says what it got, and returns it to the source, which
 * says what came back. One round goes to each sink by itself, one to all of them at once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>

#define BULK(field) field(u32, n) field(bytes, data) field(str, text) field(array(u32), numbers)
TROUPE_MESSAGE(bulk, BULK)
TROUPE_MESSAGE_EMPTY(next)

static const uint32_t sizes[] = { 0,           1,           64 * 1024 - 1, 64 * 1024,
                                  64 * 1024 + 1, 1024 * 1024, 2000000, 7000000 };
enum { ROUNDS = sizeof sizes / sizeof sizes[0], SINKS = 3 };

static uint64_t add(uint64_t hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    size_t i = 0;
    for (uint64_t word; size - i >= sizeof word; i += sizeof word) { /* there is much of it */
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
    }
    for (; i < size; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void say(const char *who, const struct bulk *bulk) {
    uint64_t hash = add(UINT64_C(0xcbf29ce484222325), bulk->data.data, bulk->data.size);
    hash = add(hash, bulk->text, strlen(bulk->text));
    hash = add(hash, bulk->numbers.items, bulk->numbers.count * sizeof(uint32_t));
    printf("%s %" PRIu32 " %" PRIu32 " %zu %" PRIu32 " %016" PRIx64 "\n", who, bulk->n, bulk->data.size,
           strlen(bulk->text), bulk->numbers.count, hash);
    fflush(stdout);
}

struct sink { char unused; };
TROUPE_ON(sink, bulk) {
    say(troupe_self_path(self), msg);
    return troupe_reply_message(self, &bulk_message, msg);
}
TROUPE_ACTOR(sink, TROUPE_HANDLES(sink, bulk))

struct source {
    troupe_address sinks[SINKS];
    uint32_t n, back;
};

/* All of it from one buffer: bytes, then text, then numbers. */
static enum troupe_status send_round(troupe_self *self, struct source *me) {
    uint32_t size = sizes[me->n % ROUNDS], items = size / 8;
    uint8_t *buffer = troupe_buffer(self, (size_t)size + size / 2 + 1 + 4 + items * sizeof(uint32_t));
    if (buffer == NULL) return TROUPE_NO_MEMORY;
    char *text = (char *)buffer + size;
    uint32_t *numbers = (uint32_t *)(void *)(buffer + (size + size / 2 + 1 + 3) / 4 * 4);
    for (uint32_t i = 0; i < size; i++) buffer[i] = (uint8_t)(i * 17 + i / 255 + me->n);
    memset(text, 'a' + (int)me->n % 26, size / 2);
    text[size / 2] = '\0';
    for (uint32_t i = 0; i < items; i++) numbers[i] = i * UINT32_C(2654435761);
    struct bulk bulk = { me->n, { buffer, size }, text, { numbers, items } };
    enum troupe_status status = TROUPE_OK;
    if (me->n < ROUNDS)
        for (uint32_t i = 0; i < SINKS && status == TROUPE_OK; i++)
            status = troupe_send_message(self, me->sinks[i], &bulk_message, &bulk);
    else status = troupe_send_many_message(self, me->sinks, SINKS, NULL, &bulk_message, &bulk);
    (void)troupe_buffer_release(self, buffer);
    return status;
}

TROUPE_START(source, next) {
    char name[16];
    (void)args;
    for (uint32_t i = 0; i < SINKS; i++) {
        snprintf(name, sizeof name, "sink/%u", (unsigned)i);
        me->sinks[i] = troupe_lookup(self, name);
    }
    return send_round(self, me);
}
TROUPE_ON(source, bulk) {
    say("back", msg);
    if (++me->back % SINKS != 0) return TROUPE_OK;
    if (++me->n < 2 * ROUNDS) return send_round(self, me);
    troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(source, TROUPE_STARTS(source, next), TROUPE_HANDLES(source, bulk))

int main(int argc, char **argv) { return troupe_main(argc, argv, &source_actor, &sink_actor, NULL); }
