/*
 * Control messages: a table of types and fields, and bytes both ways.
 *
 * On the wire a message is a msgpack array: the number of its type, then the fields that the table
 * lists for it, in that order and no others. Both ends are of one program, so nothing is optional;
 * a message that differs in anything is refused whole.
 *
 * Failures. A text that is too long or not UTF-8 is mended when it is written (tr_control_say), so
 * that the name of a broken thing can never break the message about it; and one that would move the
 * cursor of a terminal is mended when it is read.
 */
#include "place/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/pack.h"
#include "base/utf8.h"

enum { LAST_SIGNAL = 64 };

/* One letter for each field: see pack_field. */
struct tr_control_shape {
    const char *name;
    enum tr_control_way way;
    const char *fields;
    uint8_t descriptors; /* one more for a lane of kind ipc */
};

static const struct tr_control_shape shapes[TR_CONTROL_TYPES] = {
    [TR_CONTROL_READY] = { "ready", TR_CONTROL_TO_KEEPER, "n", 0 },
    [TR_CONTROL_START] = { "start", TR_CONTROL_TO_KEEPER, "n", 0 },
    [TR_CONTROL_STOP] = { "stop", TR_CONTROL_TO_KEEPER, "nw", 0 },
    [TR_CONTROL_CONNECT] = { "connect", TR_CONTROL_TO_KEEPER, "npl", 0 },
    [TR_CONTROL_LISTENING] = { "listening", TR_CONTROL_TO_KEEPER, "lu", 0 },
    [TR_CONTROL_LISTEN_FAILED] = { "listen_failed", TR_CONTROL_TO_KEEPER, "lx", 0 },
    [TR_CONTROL_SHUTDOWN] = { "shutdown", TR_CONTROL_TO_KEEPER, "", 0 },
    [TR_CONTROL_GAVE_UP] = { "gave_up", TR_CONTROL_TO_KEEPER, "x", 0 },
    [TR_CONTROL_STOPPED] = { "stopped", TR_CONTROL_TO_KEEPER, "nx", 0 },
    [TR_CONTROL_SIGNAL_ANSWER] = { "signal_answer", TR_CONTROL_TO_KEEPER, "sa", 0 },
    [TR_CONTROL_FAILED] = { "failed", TR_CONTROL_TO_KEEPER, "x", 0 },
    [TR_CONTROL_COMMAND] = { "command", TR_CONTROL_TO_KEEPER, "", 1 },
    [TR_CONTROL_COMMAND_SIGNAL] = { "command_signal", TR_CONTROL_TO_KEEPER, "s", 0 },
    [TR_CONTROL_COMMAND_END] = { "command_end", TR_CONTROL_TO_KEEPER, "", 0 },
    [TR_CONTROL_START_NODE] = { "start_node", TR_CONTROL_TO_NODE, "ni", 1 },
    [TR_CONTROL_STOP_NODE] = { "stop_node", TR_CONTROL_TO_NODE, "nw", 0 },
    [TR_CONTROL_LISTEN] = { "listen", TR_CONTROL_TO_NODE, "nipqlkutg", 1 },
    [TR_CONTROL_DIAL] = { "dial", TR_CONTROL_TO_NODE, "nipqlkutg", 1 },
    [TR_CONTROL_REFUSED] = { "refused", TR_CONTROL_TO_NODE, "nplx", 0 },
    [TR_CONTROL_DOWN] = { "down", TR_CONTROL_TO_NODE, "niczx", 0 },
    [TR_CONTROL_GONE] = { "gone", TR_CONTROL_TO_NODE, "n", 0 },
    [TR_CONTROL_SIGNAL] = { "signal", TR_CONTROL_TO_NODE, "sm", 0 },
    [TR_CONTROL_COMMAND_STARTED] = { "command_started", TR_CONTROL_TO_NODE, "z", 0 },
    [TR_CONTROL_COMMAND_FAILED] = { "command_failed", TR_CONTROL_TO_NODE, "zx", 0 },
    [TR_CONTROL_COMMAND_ENDED] = { "command_ended", TR_CONTROL_TO_NODE, "z", 0 },
};

static bool known(uint64_t type) { return type >= TR_CONTROL_READY && type < TR_CONTROL_TYPES; }

const char *tr_control_name(enum tr_control_type type) {
    return known((uint64_t)type) ? shapes[type].name : "unknown";
}

static bool is_socket(const struct tr_control *message) {
    return (message->type == TR_CONTROL_LISTEN || message->type == TR_CONTROL_DIAL) && message->kind == TR_LANE_IPC;
}

uint32_t tr_control_carries(const struct tr_control *message) {
    tr_assert(known((uint64_t)message->type));
    return shapes[message->type].descriptors + (is_socket(message) ? 1U : 0U);
}

/* ---- Texts ---- */

/* What could not be sent, or would move the cursor of a terminal, becomes question marks. */
static void mend(char *at) {
    tr_utf8_mend(at);
    for (; *at != '\0'; at++)
        if (tr_utf8_is_control(at)) memset(at, '?', (unsigned char)*at == 0xc2 ? 2 : 1);
}

void tr_control_say(struct tr_control *message, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    if (size < 0) message->text[0] = '\0';
    mend(message->text);
}

/* ---- Bytes ---- */

static void pack_text(struct tr_bytes *out, const char *text, size_t room) {
    size_t size = strnlen(text, room);
    tr_assert(size < room);
    tr_pack_str(out, text, size);
}

static void pack_field(struct tr_bytes *out, char field, const struct tr_control *message) {
    switch (field) {
    case 'n': tr_pack_uint(out, message->node); break;
    case 'i': tr_pack_uint(out, message->incarnation); break;
    case 'p': tr_pack_uint(out, message->peer); break;
    case 'q': tr_pack_uint(out, message->peer_incarnation); break;
    case 'l': tr_pack_uint(out, message->lane); break;
    case 'g': tr_pack_uint(out, message->ledger); break;
    case 'k': tr_pack_uint(out, (uint64_t)message->kind); break;
    case 'c': tr_pack_uint(out, (uint64_t)message->cause); break;
    case 's': tr_pack_uint(out, (uint64_t)message->signal); break;
    case 'z': tr_pack_int(out, message->status); break;
    case 'm': tr_pack_uint(out, message->times); break;
    case 'a': tr_pack_uint(out, message->taken); break;
    case 'w': tr_pack_int(out, message->within); break;
    case 't': tr_pack_bin(out, message->token, sizeof message->token); break;
    case 'u': pack_text(out, message->url, sizeof message->url); break;
    case 'x': pack_text(out, message->text, sizeof message->text); break;
    default: tr_assert_failed("a letter without a field", __FILE__, __LINE__);
    }
}

size_t tr_control_encode(const struct tr_control *message, uint8_t bytes[TR_CONTROL_MAX_SIZE]) {
    tr_assert(known((uint64_t)message->type));
    const char *fields = shapes[message->type].fields;
    struct tr_bytes out = { .limit = TR_CONTROL_MAX_SIZE };
    tr_pack_array(&out, (uint32_t)strlen(fields) + 1);
    tr_pack_uint(&out, (uint64_t)message->type);
    for (; *fields != '\0'; fields++) pack_field(&out, *fields, message);
    size_t size = out.failed ? 0 : out.size;
    if (size > 0) memcpy(bytes, out.data, size);
    tr_bytes_free(&out);
    return size;
}

static void read_text(struct tr_cursor *cursor, char *text, size_t room) {
    uint32_t size = 0;
    const char *read = tr_read_str(cursor, &size);
    if (!tr_cursor_ok(cursor)) return;
    if (size >= room) {
        tr_cursor_fail(cursor, "a text is too long");
        return;
    }
    if (size > 0) memcpy(text, read, size);
    text[size] = '\0';
}

static void read_url(struct tr_cursor *cursor, char *url) {
    read_text(cursor, url, TR_CONTROL_URL_SIZE);
    if (!tr_cursor_ok(cursor)) return;
    bool ok = url[0] != '\0';
    for (const char *at = url; *at != '\0'; at++) ok = ok && *at > ' ' && *at < 0x7f;
    if (!ok) tr_cursor_fail(cursor, "a URL is empty or not printable");
}

static void read_token(struct tr_cursor *cursor, uint8_t *token) {
    uint32_t size = 0;
    const void *read = tr_read_bin(cursor, &size);
    if (!tr_cursor_ok(cursor)) return;
    if (size != TR_CONTROL_TOKEN_SIZE) {
        tr_cursor_fail(cursor, "a token is not 32 bytes");
        return;
    }
    memcpy(token, read, TR_CONTROL_TOKEN_SIZE);
}

static enum tr_lane read_kind(struct tr_cursor *cursor) {
    uint64_t kind = tr_read_uint(cursor, TR_LANE_TCP);
    bool lane = kind == TR_LANE_INPROC || kind == TR_LANE_IPC || kind == TR_LANE_TCP;
    if (!lane) tr_cursor_fail(cursor, "no such kind of lane");
    return lane ? (enum tr_lane)kind : TR_LANE_IPC;
}

static int read_signal(struct tr_cursor *cursor) {
    uint64_t number = tr_read_uint(cursor, LAST_SIGNAL);
    if (number == 0) tr_cursor_fail(cursor, "no such signal");
    return (int)number;
}

static void read_field(struct tr_cursor *cursor, char field, struct tr_control *message) {
    switch (field) {
    case 'n': message->node = tr_read_uint(cursor, UINT64_MAX); break;
    case 'i': message->incarnation = tr_read_uint(cursor, UINT64_MAX); break;
    case 'p': message->peer = tr_read_uint(cursor, UINT64_MAX); break;
    case 'q': message->peer_incarnation = tr_read_uint(cursor, UINT64_MAX); break;
    case 'l': message->lane = tr_read_uint(cursor, UINT64_MAX); break;
    case 'g': message->ledger = tr_read_uint(cursor, UINT64_MAX); break;
    case 'k': message->kind = read_kind(cursor); break;
    case 'c': message->cause = (enum tr_cause)tr_read_uint(cursor, TR_CAUSE_FROZEN); break;
    case 's': message->signal = read_signal(cursor); break;
    case 'z': message->status = (int)tr_read_int(cursor, -1, INT32_MAX); break;
    case 'm': message->times = (uint32_t)tr_read_uint(cursor, UINT32_MAX); break;
    case 'a': message->taken = tr_read_uint(cursor, 1) == 1; break;
    case 'w': message->within = tr_read_int(cursor, 0, INT64_MAX); break;
    case 't': read_token(cursor, message->token); break;
    case 'u': read_url(cursor, message->url); break;
    case 'x':
        read_text(cursor, message->text, sizeof message->text);
        mend(message->text);
        break;
    default: tr_assert_failed("a letter without a field", __FILE__, __LINE__);
    }
}

static enum tr_control_type read_type(struct tr_cursor *cursor, enum tr_control_way way) {
    uint64_t type = tr_read_uint(cursor, UINT64_MAX);
    if (!tr_cursor_ok(cursor)) return TR_CONTROL_READY;
    if (!known(type) || shapes[type].way != way) {
        tr_cursor_fail(cursor, "no such type of message");
        return TR_CONTROL_READY;
    }
    return (enum tr_control_type)type;
}

bool tr_control_decode(enum tr_control_way way, const void *bytes, size_t size,
                       struct tr_control *message, const char **error) {
    struct tr_cursor cursor;
    *message = (struct tr_control){ 0 };
    tr_cursor_init(&cursor, bytes, size);
    uint32_t count = tr_read_array(&cursor);
    message->type = read_type(&cursor, way);
    if (tr_cursor_ok(&cursor)) {
        const char *fields = shapes[message->type].fields;
        if (count != strlen(fields) + 1) tr_cursor_fail(&cursor, "a field too few or too many");
        for (; *fields != '\0'; fields++) read_field(&cursor, *fields, message);
        if (tr_cursor_ok(&cursor) && tr_cursor_left(&cursor) > 0) {
            tr_cursor_fail(&cursor, "bytes after the message");
        }
    }
    *error = cursor.error;
    return tr_cursor_ok(&cursor);
}
