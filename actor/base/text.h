/*
 * Text into a buffer of the caller's that may be too small: what does not fit is cut off, but
 * counted, so that the length it would have had is known in the end, as with snprintf.
 */
#ifndef TR_TEXT_H
#define TR_TEXT_H

#include <stddef.h>

struct tr_text {
    char *text;    /* always terminated, unless size is 0 */
    size_t size;   /* of the buffer; 0: only count */
    size_t length; /* of the whole text */
};

struct tr_text tr_text_begin(char *text, size_t size);
void tr_text_add(struct tr_text *to, const char *text);
void tr_text_add_part(struct tr_text *to, const char *text, size_t length);
/* One piece of up to 63 bytes; a longer one is cut off. */
void tr_text_format(struct tr_text *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
