/*
 * The bytes of entries. A table says which items follow the kind; one loop writes them, one reads
 * and checks them. Whatever a reader lets through is in range for its field, nothing more: whether
 * a channel exists or a count makes sense is for the peer to say.
 *
 * The two greetings may grow at the end in later versions, and are read so; all other entries have
 * exactly their items.
 */
#include "transport/frame.h"

#include <string.h>

#include "base/assert.h"

static const char magic[] = "troupe";

struct layout {
    const char *name;
    const char *items;
};

/* c channel, n count, s status, d delivery, e endpoint (two items), b bytes, p proof,
 * h hello (seven items) */
static const struct layout layouts[TR_ENTRY_KINDS] = {
    [TR_ENTRY_HELLO] = { "hello", "h" },
    [TR_ENTRY_WELCOME] = { "welcome", "hp" },
    [TR_ENTRY_PROOF] = { "proof", "p" },
    [TR_ENTRY_RESUME] = { "resume", "cnd" },
    [TR_ENTRY_RESUMED] = { "resumed", "" },
    [TR_ENTRY_DEFINITION] = { "definition", "b" },
    [TR_ENTRY_OPEN] = { "open", "ce" },
    [TR_ENTRY_ACCEPT] = { "accept", "cd" },
    [TR_ENTRY_REFUSE] = { "refuse", "csn" },
    [TR_ENTRY_DATA] = { "data", "cb" },
    [TR_ENTRY_ACK] = { "ack", "cn" },
    [TR_ENTRY_DEAD] = { "dead", "cns" },
    [TR_ENTRY_CLOSE] = { "close", "c" },
    [TR_ENTRY_CLOSED] = { "closed", "c" },
    [TR_ENTRY_BEAT] = { "beat", "" },
    [TR_ENTRY_DATA_WITH] = { "data_with", "cnb" },
};

const char *tr_entry_name(enum tr_entry_kind kind) { return layouts[kind].name; }

static uint32_t item_count(const char *items) {
    uint32_t count = 1;
    for (; *items != '\0'; items++)
        count += *items == 'h' ? 7 : *items == 'e' ? 2 : 1;
    return count;
}

static void put_hello(struct tr_bytes *out, const struct tr_hello *hello) {
    tr_pack_str(out, magic, sizeof magic - 1);
    tr_pack_uint(out, hello->oldest);
    tr_pack_uint(out, hello->newest);
    tr_pack_uint(out, hello->node);
    tr_pack_uint(out, hello->incarnation);
    tr_pack_uint(out, hello->remote_node);
    tr_pack_bin(out, hello->nonce, sizeof hello->nonce);
}

static void put_item(struct tr_bytes *out, const struct tr_entry *entry, char item) {
    switch (item) {
    case 'c': tr_pack_uint(out, entry->channel); break;
    case 'n': tr_pack_uint(out, entry->count); break;
    case 's': tr_pack_uint(out, (uint64_t)entry->status); break;
    case 'd': tr_pack_uint(out, (uint64_t)entry->delivery); break;
    case 'e':
        tr_pack_uint(out, entry->to.slot);
        tr_pack_uint(out, entry->to.generation);
        break;
    case 'b': tr_pack_bin(out, entry->bytes, entry->size); break;
    case 'p': tr_pack_bin(out, entry->proof, sizeof entry->proof); break;
    default: put_hello(out, &entry->hello); break;
    }
}

void tr_frame_put(struct tr_bytes *out, const struct tr_entry *entry) {
    tr_assert(entry->kind < TR_ENTRY_KINDS);
    const char *items = layouts[entry->kind].items;
    tr_pack_array(out, item_count(items));
    tr_pack_uint(out, (uint64_t)entry->kind);
    for (; *items != '\0'; items++)
        put_item(out, entry, *items);
}

static void get_fixed(struct tr_cursor *cursor, uint8_t *to, size_t size) {
    uint32_t found;
    const void *bytes = tr_read_bin(cursor, &found);
    if (!tr_cursor_ok(cursor)) return;
    if (found != size)
        tr_cursor_fail(cursor, "a nonce or proof of another size");
    else
        memcpy(to, bytes, size);
}

static void get_hello(struct tr_cursor *cursor, struct tr_hello *hello) {
    uint32_t size;
    const char *text = tr_read_str(cursor, &size);
    if (size != sizeof magic - 1 || memcmp(text, magic, size) != 0)
        tr_cursor_fail(cursor, "the other side does not speak this protocol");
    hello->oldest = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    hello->newest = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
    hello->node = tr_read_uint(cursor, UINT64_MAX);
    hello->incarnation = tr_read_uint(cursor, UINT64_MAX);
    hello->remote_node = tr_read_uint(cursor, UINT64_MAX);
    get_fixed(cursor, hello->nonce, sizeof hello->nonce);
}

/* A code of a newer program still is a reason: an unspecific one. */
static enum troupe_status get_status(struct tr_cursor *cursor) {
    uint64_t code = tr_read_uint(cursor, UINT8_MAX);
    if (code == TROUPE_OK) tr_cursor_fail(cursor, "a failure without a reason");
    return code < TROUPE_STATUS_COUNT ? (enum troupe_status)code : TROUPE_FAILED;
}

static void get_item(struct tr_cursor *cursor, struct tr_entry *entry, char item) {
    switch (item) {
    case 'c': entry->channel = (uint32_t)tr_read_uint(cursor, TR_PEER_CHANNELS - 1); break;
    case 'n': entry->count = tr_read_uint(cursor, UINT64_MAX); break;
    case 's': entry->status = get_status(cursor); break;
    case 'd': entry->delivery = (enum tr_delivery)tr_read_uint(cursor, TR_AT_LEAST_ONCE); break;
    case 'e':
        entry->to.slot = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
        entry->to.generation = (uint32_t)tr_read_uint(cursor, UINT32_MAX);
        break;
    case 'b': entry->bytes = tr_read_bin(cursor, &entry->size); break;
    case 'p': get_fixed(cursor, entry->proof, sizeof entry->proof); break;
    default: get_hello(cursor, &entry->hello); break;
    }
}

bool tr_frame_next(struct tr_cursor *cursor, struct tr_entry *entry) {
    uint32_t found = tr_read_array(cursor);
    entry->kind = (enum tr_entry_kind)tr_read_uint(cursor, TR_ENTRY_KINDS - 1);
    if (!tr_cursor_ok(cursor)) return false;
    const char *items = layouts[entry->kind].items;
    uint32_t expected = item_count(items);
    bool may_grow = entry->kind == TR_ENTRY_HELLO || entry->kind == TR_ENTRY_WELCOME;
    if (found < expected || (found > expected && !may_grow))
        tr_cursor_fail(cursor, "an entry with another number of items");
    for (; *items != '\0'; items++)
        get_item(cursor, entry, *items);
    for (; found > expected && tr_cursor_ok(cursor); found--)
        tr_read_skip(cursor);
    return tr_cursor_ok(cursor);
}

static uint8_t *write_number(uint8_t *to, uint64_t number, size_t size) {
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    return to + size;
}

static uint8_t *write_hello(uint8_t *to, const struct tr_hello *hello) {
    to = write_number(to, hello->oldest, 4);
    to = write_number(to, hello->newest, 4);
    to = write_number(to, hello->node, 8);
    to = write_number(to, hello->incarnation, 8);
    to = write_number(to, hello->remote_node, 8);
    memcpy(to, hello->nonce, sizeof hello->nonce);
    return to + sizeof hello->nonce;
}

void tr_frame_transcript(bool of_dialer, const struct tr_hello *dialer,
                         const struct tr_hello *listener,
                         uint8_t transcript[TR_FRAME_TRANSCRIPT_SIZE]) {
    uint8_t *to = write_number(transcript, of_dialer ? 1 : 2, 1);
    to = write_hello(to, dialer);
    to = write_hello(to, listener);
    tr_assert(to == transcript + TR_FRAME_TRANSCRIPT_SIZE);
}
