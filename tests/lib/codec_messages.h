/* Messages that between them have every kind of field, alone, in arrays and nested. */
#ifndef TR_TEST_CODEC_MESSAGES_H
#define TR_TEST_CODEC_MESSAGES_H

#include <troupe/message.h>

#define COUNT_FIELDS(field) field(str, word) field(u64, n)
TROUPE_MESSAGE(count, COUNT_FIELDS)

TROUPE_MESSAGE_EMPTY(nothing)

#define SMALL_FIELDS(field) field(i8, a) field(bool, b)
TROUPE_MESSAGE(small, SMALL_FIELDS)

#define POINT_FIELDS(field) field(i32, x) field(str, name) field(message(small), s)
TROUPE_MESSAGE(point, POINT_FIELDS)

#define ALL_FIELDS(field)                                                                          \
    field(i8, i8) field(i16, i16) field(i32, i32) field(i64, i64)                                  \
    field(u8, u8) field(u16, u16) field(u32, u32) field(u64, u64)                                  \
    field(bool, flag) field(f64, f64) field(str, str) field(bytes, bytes) field(address, address)  \
    field(message(point), point) field(message(nothing), nothing)                                  \
    field(array(i8), i8s) field(array(i16), i16s) field(array(i32), i32s) field(array(i64), i64s)  \
    field(array(u8), u8s) field(array(u16), u16s) field(array(u32), u32s) field(array(u64), u64s)  \
    field(array(bool), flags) field(array(f64), f64s) field(array(str), strs)                      \
    field(array(bytes), blobs) field(array(address), addresses)                                    \
    field(array(message(point)), points) field(array(message(nothing)), nothings)
TROUPE_MESSAGE(all, ALL_FIELDS)

/* A second program, of another time: `point` and `small` know other fields there. */
#define OLD_POINT_FIELDS(field) field(i32, x)
TROUPE_MESSAGE(old_point, OLD_POINT_FIELDS)
#define OLD_SHAPE_FIELDS(field)                                                                    \
    field(message(old_point), at) field(array(message(old_point)), points)
TROUPE_MESSAGE(old_shape, OLD_SHAPE_FIELDS)
#define NEW_SHAPE_FIELDS(field)                                                                    \
    field(message(point), at) field(array(message(point)), points) field(str, title)               \
    field(array(str), tags) field(bytes, raw) field(address, owner) field(message(count), last)
TROUPE_MESSAGE(new_shape, NEW_SHAPE_FIELDS)

#endif
