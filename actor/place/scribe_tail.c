#include "place/scribe_tail.h"

#include <string.h>

#include "core/crash.h"

static void drop_first(struct tr_tail *tail) {
    char *feed = strchr(tail->output, '\n');
    if (feed == NULL) tail->output[0] = '\0';
    else memmove(tail->output, feed + 1, strlen(feed + 1) + 1);
    tail->lines--;
}

/* Zero bytes would hide the rest. */
static void append(char *text, bool first, const char *line, size_t size) {
    size_t used = strlen(text);
    if (!first) text[used++] = '\n';
    for (size_t i = 0; i < size; i++) text[used++] = line[i] == '\0' ? '?' : line[i];
    text[used] = '\0';
}

static void keep_line(struct tr_tail *tail, const char *line, size_t size) {
    if (size > TR_TAIL_SIZE - 2) size = TR_TAIL_SIZE - 2;
    while (tail->lines == TR_TAIL_LINES || (tail->lines > 0 && strlen(tail->output) + size + 2 > TR_TAIL_SIZE))
        drop_first(tail);
    append(tail->output, tail->lines == 0, line, size);
    tail->lines++;
}

static void keep_frame(struct tr_tail *tail, const char *line, size_t size) {
    if (strlen(tail->crash) + size + 2 <= TR_TAIL_CRASH) append(tail->crash, tail->crash[0] == '\0', line, size);
}

static bool is_mark(const char *line, size_t size, const char *mark) {
    return size == strlen(mark) && memcmp(line, mark, size) == 0;
}

bool tr_tail_add(struct tr_tail *tail, const char *line, size_t size) {
    size -= size > 0 && line[size - 1] == '\n';
    if (is_mark(line, size, TR_CRASH_BEGIN)) {
        tail->crashing = true;
        tail->frames = 0;
    } else if (!tail->crashing) {
        keep_line(tail, line, size);
        return true;
    } else if (is_mark(line, size, TR_CRASH_END) || ++tail->frames > TR_CRASH_FRAMES) {
        tail->crashing = false; /* without an end, it was no crash */
    } else {
        keep_frame(tail, line, size);
    }
    return false;
}
