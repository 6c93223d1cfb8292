#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_SIZE = 64 };

struct tr_text tr_text_begin(char *text, size_t size) {
    if (size > 0) text[0] = '\0';
    return (struct tr_text){ text, size, 0 };
}

void tr_text_add_part(struct tr_text *to, const char *text, size_t length) {
    if (to->length + 1 < to->size) {
        size_t room = to->size - 1 - to->length;
        size_t fitting = length < room ? length : room;
        memcpy(to->text + to->length, text, fitting);
        to->text[to->length + fitting] = '\0';
    }
    to->length += length;
}

void tr_text_add(struct tr_text *to, const char *text) { tr_text_add_part(to, text, strlen(text)); }

void tr_text_format(struct tr_text *to, const char *format, ...) {
    char piece[PIECE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length > 0) tr_text_add(to, piece);
}
