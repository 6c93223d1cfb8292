/* UTF-8, checked: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef TR_UTF8_H
#define TR_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True when every byte is part of valid UTF-8. NUL is valid: who forbids it looks for it. */
bool tr_utf8_valid(const char *text, size_t size);

/* Makes it so, in place: what is no part of valid UTF-8 becomes a question mark; a character that is cut off
 * at the end goes, for it is a text that was longer. */
void tr_utf8_mend(char *text);

/* Whether a control character begins here: C0, DEL, or C1 in its two bytes. They would move the cursor of a
 * terminal. */
bool tr_utf8_is_control(const char *at);

#endif
