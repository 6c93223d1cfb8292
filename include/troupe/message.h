/*
 * Messages: a struct, its codec, its printer and its schema from one list.
 *
 *     #define COUNT(field) field(str, word) field(u64, n)
 *     TROUPE_MESSAGE(count, COUNT)
 *
 * makes `struct count { const char *word; uint64_t n; }`, the array type
 * `struct count_array { const struct count *items; uint32_t count; }`, and the
 * description `count_message` that everything else works from. It may stand in
 * a header that many files include: the description is one object in a program.
 *
 * Field kinds
 *
 *     i8 i16 i32 i64 u8 u16 u32 u64    the <stdint.h> types
 *     bool                             _Bool
 *     f64                              double, every value, NaN and infinities too
 *     str                              const char *, NUL-terminated UTF-8. NULL is sent as "";
 *                                      a handler never sees NULL
 *     bytes                            struct troupe_bytes
 *     address                          struct troupe_address
 *     descriptor                       int: an open file, socket, pipe, ...; -1: none (see below)
 *     message(point)                   struct point, a message declared before
 *     array(KIND)                      any of the above: struct troupe_KIND_array, or
 *                                      struct point_array for array(message(point)), or
 *                                      struct troupe_descriptors for array(descriptor);
 *                                      arrays of arrays: put one in a message
 *
 * Evolution: fields are only ever added at the end. A receiver that knows fewer
 * fields ignores the rest, one that knows more sees zeros, "" and empty arrays
 * (contract 9 in docs/guarantees.md), and -1 for a descriptor.
 *
 * Ownership: a send copies the struct and everything its fields point to, so
 * the caller keeps what it had; only what is in a buffer and large is shared
 * (troupe/buffer.h). A handler may read its message until it returns; whatever
 * it wants to keep it copies, or keeps by troupe_buffer_keep.
 *
 * Descriptors: a send duplicates them, as it copies all else. The sender's own stays the sender's, to be
 * closed by it, whether or not it was sent; the message has one of its own, which is closed when the message is
 * freed: after its handler, or as a dead letter, in whatever place. A handler that wants it for longer takes it:
 *
 *     TROUPE_ON(copier, job) {
 *         me->input = troupe_take_descriptor(&msg->input);    from here on this actor's, to be closed by it
 *
 * The duplicate is one in the sense of dup(2): it shares offset and flags with the sender's; it is closed when
 * another program is executed, and is never 0, 1 or 2. A message has TROUPE_MAX_DESCRIPTORS at most. 0 is
 * refused, for a field that is left out would be standard input: say -1, or send a dup(2) of it. It travels
 * within a node and to processes on this machine. By tcp or inproc it cannot go, nor be saved, be an argument of
 * a child in another process or published to another node: INVALID, with the reason in the log. (The meaning is
 * that of Node's subprocess.send(message, handle), but nothing changes hands before it has arrived.)
 *
 * A message name is one name in the whole program: a second message of that name with other fields, in
 * another file, is refused at start-up.
 *
 * No semicolon follows the macros of this header. They are for C11 (GNU or clang, ELF) and may stand
 * in C++17 too.
 */
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troupe/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names a cell of the supervisor tree, not one run of it: it survives restarts.
 * All zero is no address. Compare with troupe_address_equal. */
typedef struct troupe_address {
    uint64_t node;       /* the node that holds the cell; stable across restarts of its process */
    uint32_t slot;       /* the cell's place in that node's table */
    uint32_t generation; /* tells this cell from earlier ones in the same slot */
} troupe_address;

static inline bool troupe_address_equal(troupe_address a, troupe_address b) {
    return a.node == b.node && a.slot == b.slot && a.generation == b.generation;
}

static inline bool troupe_address_is_none(troupe_address a) {
    return a.node == 0 && a.slot == 0 && a.generation == 0;
}

/* Bytes with their length. `data` may be NULL when `size` is 0. */
struct troupe_bytes {
    const void *data;
    uint32_t size;
};

struct troupe_i8_array { const int8_t *items; uint32_t count; };
struct troupe_i16_array { const int16_t *items; uint32_t count; };
struct troupe_i32_array { const int32_t *items; uint32_t count; };
struct troupe_i64_array { const int64_t *items; uint32_t count; };
struct troupe_u8_array { const uint8_t *items; uint32_t count; };
struct troupe_u16_array { const uint16_t *items; uint32_t count; };
struct troupe_u32_array { const uint32_t *items; uint32_t count; };
struct troupe_u64_array { const uint64_t *items; uint32_t count; };
struct troupe_bool_array { const bool *items; uint32_t count; };
struct troupe_f64_array { const double *items; uint32_t count; };
struct troupe_str_array { const char *const *items; uint32_t count; };
struct troupe_bytes_array { const struct troupe_bytes *items; uint32_t count; };
struct troupe_address_array { const struct troupe_address *items; uint32_t count; };
struct troupe_descriptors { const int *items; uint32_t count; };

/* In one message, those in its arrays and nested messages included. */
enum { TROUPE_MAX_DESCRIPTORS = 16 };

enum troupe_kind {
    TROUPE_KIND_I8, TROUPE_KIND_I16, TROUPE_KIND_I32, TROUPE_KIND_I64,
    TROUPE_KIND_U8, TROUPE_KIND_U16, TROUPE_KIND_U32, TROUPE_KIND_U64,
    TROUPE_KIND_BOOL, TROUPE_KIND_F64, TROUPE_KIND_STR, TROUPE_KIND_BYTES,
    TROUPE_KIND_ADDRESS, TROUPE_KIND_MESSAGE, TROUPE_KIND_DESCRIPTOR,
    TROUPE_KIND_COUNT
};

struct troupe_message_type;

struct troupe_field {
    const char *name;
    enum troupe_kind kind;                    /* of the field, or of an array's items */
    bool array;                               /* the field is {items, count} */
    uint32_t offset;                          /* in the struct */
    const struct troupe_message_type *nested; /* for TROUPE_KIND_MESSAGE, else NULL */
};

/* Describes one message type. Made by TROUPE_MESSAGE; read, never written. */
struct troupe_message_type {
    const char *name;
    uint32_t size;                                /* sizeof the struct */
    uint32_t field_count;                         /* 0 for TROUPE_MESSAGE_EMPTY */
    const struct troupe_field *(*fields)(void);   /* its fields, in order; NULL when there are none */
    bool has_pointers;                            /* some field, however deep, points outside the struct, or is
                                                   * a descriptor: a copy of the bytes is no copy of the message */
};

/* Writes a message as people read it, `count{word: "the", n: 3}`, into `text` (always terminated,
 * cut off when longer than `size`). Returns the length it would have had, as snprintf does. Of what could not be
 * sent, an array that is NULL is shown as empty.
 * `type` and `message` must match. Any thread. */
size_t troupe_message_print(const struct troupe_message_type *type, const void *message,
                            char *text, size_t size);

/* The schema of a type, `count(word:str,n:u64)`, with nested messages written out: what two nodes
 * compare. Same conventions as troupe_message_print. */
size_t troupe_message_schema(const struct troupe_message_type *type, char *text, size_t size);

/* 64-bit FNV-1a hash of the schema. Any thread. */
uint64_t troupe_message_fingerprint(const struct troupe_message_type *type);

/* Takes a descriptor out of a message that a handler was given (or of the request at an answer, or of the arguments
 * of a run): it is the caller's from now on, to be closed by it, and the message has -1 there. Returns it; -1: there
 * is none, or none any more. If the message is delivered again (a receiver with at_least_once that failed), what was
 * taken is not there any more; what was only used, or duplicated, is. From the handler that has the message. */
int troupe_take_descriptor(const int *field);

#define TROUPE_MESSAGE(name, list)                                                                 \
    struct name {                                                                                  \
        list(TROUPE_X_MEMBER)                                                                      \
    };                                                                                             \
    struct name##_array {                                                                          \
        const struct name *items;                                                                  \
        uint32_t count;                                                                            \
    };                                                                                             \
    enum { name##_troupe_has_pointers = 0 list(TROUPE_X_POINTS), name##_troupe_fields_n = 0 list(TROUPE_X_ONE) }; \
    static inline const struct troupe_field *name##_troupe_fields(void) {                          \
        typedef struct name troupe_x_struct;                                                       \
        static const struct troupe_field fields[] = { list(TROUPE_X_FIELD) };                      \
        return fields;                                                                             \
    }                                                                                              \
    TROUPE_X_DESCRIBE(name, name##_troupe_fields_n, name##_troupe_fields, name##_troupe_has_pointers)

/* A message without fields: the struct has one member nobody uses, for ISO C has no empty structs.
 * It is sent with the forms that end in _empty. */
#define TROUPE_MESSAGE_EMPTY(name)                                                                 \
    struct name {                                                                                  \
        char troupe_empty;                                                                         \
    };                                                                                             \
    struct name##_array {                                                                          \
        const struct name *items;                                                                  \
        uint32_t count;                                                                            \
    };                                                                                             \
    enum { name##_troupe_has_pointers = 0 };                                                       \
    TROUPE_X_DESCRIBE(name, 0, NULL, false)

/* ---- From here on: how the macros do it. Nothing below is to be used directly. ---- */

#ifdef __cplusplus
#define TROUPE_X_DECLARE extern "C"
#define TROUPE_X_DEFINE extern __attribute__((weak)) const
#else
#define TROUPE_X_DECLARE extern
#define TROUPE_X_DEFINE __attribute__((weak)) const
#endif

/* Weak, so that every file which includes the message shares one description. Each file also leaves a
 * record of what it took the message for, which start-up compares: two messages of one name in two
 * files would otherwise be one for the linker. */
#define TROUPE_X_RECORD __attribute__((used, aligned(8), section("troupe_messages")))
#define TROUPE_X_DESCRIBE(name, count, fields, pointers)                                           \
    TROUPE_X_DECLARE const struct troupe_message_type name##_message;                              \
    TROUPE_X_DEFINE struct troupe_message_type name##_message = {                                  \
        #name, (uint32_t)sizeof(struct name), (count), (fields), (pointers) != 0                   \
    };                                                                                             \
    TROUPE_X_RECORD static const struct troupe_message_type name##_troupe_record = {               \
        #name, (uint32_t)sizeof(struct name), (count), (fields), (pointers) != 0                   \
    };

#define TROUPE_X_MEMBER(kind, name) TROUPE_X_TYPE_##kind name;
#define TROUPE_X_POINTS(kind, name) | (TROUPE_X_POINTS_##kind)
#define TROUPE_X_ONE(kind, name) +1
#define TROUPE_X_FIELD(kind, name)                                                                 \
    { #name, TROUPE_X_KIND_##kind, TROUPE_X_IS_ARRAY_##kind,                                       \
      (uint32_t)offsetof(troupe_x_struct, name), TROUPE_X_NESTED_##kind },

#define TROUPE_X_TYPE_i8 int8_t
#define TROUPE_X_TYPE_i16 int16_t
#define TROUPE_X_TYPE_i32 int32_t
#define TROUPE_X_TYPE_i64 int64_t
#define TROUPE_X_TYPE_u8 uint8_t
#define TROUPE_X_TYPE_u16 uint16_t
#define TROUPE_X_TYPE_u32 uint32_t
#define TROUPE_X_TYPE_u64 uint64_t
#define TROUPE_X_TYPE_bool bool
#define TROUPE_X_TYPE_f64 double
#define TROUPE_X_TYPE_str const char *
#define TROUPE_X_TYPE_bytes struct troupe_bytes
#define TROUPE_X_TYPE_address struct troupe_address
#define TROUPE_X_TYPE_descriptor int
#define TROUPE_X_TYPE_message(type) struct type
#define TROUPE_X_TYPE_array(kind) TROUPE_X_ARRAY_##kind

#define TROUPE_X_ARRAY_i8 struct troupe_i8_array
#define TROUPE_X_ARRAY_i16 struct troupe_i16_array
#define TROUPE_X_ARRAY_i32 struct troupe_i32_array
#define TROUPE_X_ARRAY_i64 struct troupe_i64_array
#define TROUPE_X_ARRAY_u8 struct troupe_u8_array
#define TROUPE_X_ARRAY_u16 struct troupe_u16_array
#define TROUPE_X_ARRAY_u32 struct troupe_u32_array
#define TROUPE_X_ARRAY_u64 struct troupe_u64_array
#define TROUPE_X_ARRAY_bool struct troupe_bool_array
#define TROUPE_X_ARRAY_f64 struct troupe_f64_array
#define TROUPE_X_ARRAY_str struct troupe_str_array
#define TROUPE_X_ARRAY_bytes struct troupe_bytes_array
#define TROUPE_X_ARRAY_address struct troupe_address_array
#define TROUPE_X_ARRAY_descriptor struct troupe_descriptors
#define TROUPE_X_ARRAY_message(type) struct type##_array

#define TROUPE_X_KIND_i8 TROUPE_KIND_I8
#define TROUPE_X_KIND_i16 TROUPE_KIND_I16
#define TROUPE_X_KIND_i32 TROUPE_KIND_I32
#define TROUPE_X_KIND_i64 TROUPE_KIND_I64
#define TROUPE_X_KIND_u8 TROUPE_KIND_U8
#define TROUPE_X_KIND_u16 TROUPE_KIND_U16
#define TROUPE_X_KIND_u32 TROUPE_KIND_U32
#define TROUPE_X_KIND_u64 TROUPE_KIND_U64
#define TROUPE_X_KIND_bool TROUPE_KIND_BOOL
#define TROUPE_X_KIND_f64 TROUPE_KIND_F64
#define TROUPE_X_KIND_str TROUPE_KIND_STR
#define TROUPE_X_KIND_bytes TROUPE_KIND_BYTES
#define TROUPE_X_KIND_address TROUPE_KIND_ADDRESS
#define TROUPE_X_KIND_descriptor TROUPE_KIND_DESCRIPTOR
#define TROUPE_X_KIND_message(type) TROUPE_KIND_MESSAGE
#define TROUPE_X_KIND_array(kind) TROUPE_X_KIND_##kind

#define TROUPE_X_IS_ARRAY_i8 false
#define TROUPE_X_IS_ARRAY_i16 false
#define TROUPE_X_IS_ARRAY_i32 false
#define TROUPE_X_IS_ARRAY_i64 false
#define TROUPE_X_IS_ARRAY_u8 false
#define TROUPE_X_IS_ARRAY_u16 false
#define TROUPE_X_IS_ARRAY_u32 false
#define TROUPE_X_IS_ARRAY_u64 false
#define TROUPE_X_IS_ARRAY_bool false
#define TROUPE_X_IS_ARRAY_f64 false
#define TROUPE_X_IS_ARRAY_str false
#define TROUPE_X_IS_ARRAY_bytes false
#define TROUPE_X_IS_ARRAY_address false
#define TROUPE_X_IS_ARRAY_descriptor false
#define TROUPE_X_IS_ARRAY_message(type) false
#define TROUPE_X_IS_ARRAY_array(kind) true

#define TROUPE_X_NESTED_i8 NULL
#define TROUPE_X_NESTED_i16 NULL
#define TROUPE_X_NESTED_i32 NULL
#define TROUPE_X_NESTED_i64 NULL
#define TROUPE_X_NESTED_u8 NULL
#define TROUPE_X_NESTED_u16 NULL
#define TROUPE_X_NESTED_u32 NULL
#define TROUPE_X_NESTED_u64 NULL
#define TROUPE_X_NESTED_bool NULL
#define TROUPE_X_NESTED_f64 NULL
#define TROUPE_X_NESTED_str NULL
#define TROUPE_X_NESTED_bytes NULL
#define TROUPE_X_NESTED_address NULL
#define TROUPE_X_NESTED_descriptor NULL
#define TROUPE_X_NESTED_message(type) &type##_message
#define TROUPE_X_NESTED_array(kind) TROUPE_X_NESTED_##kind

#define TROUPE_X_POINTS_i8 0
#define TROUPE_X_POINTS_i16 0
#define TROUPE_X_POINTS_i32 0
#define TROUPE_X_POINTS_i64 0
#define TROUPE_X_POINTS_u8 0
#define TROUPE_X_POINTS_u16 0
#define TROUPE_X_POINTS_u32 0
#define TROUPE_X_POINTS_u64 0
#define TROUPE_X_POINTS_bool 0
#define TROUPE_X_POINTS_f64 0
#define TROUPE_X_POINTS_str 1
#define TROUPE_X_POINTS_bytes 1
#define TROUPE_X_POINTS_address 0
#define TROUPE_X_POINTS_descriptor 1
#define TROUPE_X_POINTS_message(type) type##_troupe_has_pointers
#define TROUPE_X_POINTS_array(kind) 1

#ifdef __cplusplus
}
#endif
#endif
