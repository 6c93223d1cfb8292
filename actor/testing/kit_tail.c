/* Text of which the last part is kept, until somebody takes it. */
#include <stdlib.h>
#include <string.h>

#include "testing/kit.h"

/* Without memory it is not kept. What goes is half of it, up to the next blank or line. */
void tr_kit_tail_add(struct tr_kit_tail *tail, const char *text, size_t size) {
    if (tail->text == NULL) tail->text = calloc(1, TR_KIT_TAIL + 1);
    if (tail->text == NULL || size > TR_KIT_TAIL / 2) return;
    if (tail->size + size > TR_KIT_TAIL) {
        const char *half = tail->text + tail->size / 2, *from = strpbrk(half, " \n");
        from = from == NULL ? half : from + 1;
        tail->size -= (size_t)(from - tail->text);
        memmove(tail->text, from, tail->size);
    }
    memcpy(tail->text + tail->size, text, size);
    tail->size += size;
    tail->text[tail->size] = '\0';
}

const char *tr_kit_tail_take(struct tr_kit_tail *tail) {
    free(tail->taken);
    tail->taken = tail->text;
    tail->text = NULL;
    tail->size = 0;
    return tail->taken == NULL ? "" : tail->taken;
}

void tr_kit_tail_free(struct tr_kit_tail *tail) {
    free(tail->text);
    free(tail->taken);
}
