/* From the bytes of one process to whole lines. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "place/scribe.h"

enum {
    READ_AT_ONCE = 65536,
    READS_AT_END = 64 /* of a pipe whose process is dead */
};

typedef void taker(void *context, const char *line, size_t size);

/* The part becomes a line. */
static void end_line(struct tr_scribe_source *source, taker *take, void *context) {
    if (source->used == 0) return;
    source->part[source->used] = '\n';
    take(context, source->part, source->used + 1);
    source->used = 0;
}

/* All of a text without a line feed. */
static void keep_part(struct tr_scribe_source *source, const char *text, size_t size, taker *take,
                      void *context) {
    while (size > 0) {
        size_t room = sizeof source->part - 1 - source->used, some = size < room ? size : room;
        memcpy(source->part + source->used, text, some);
        source->used += some;
        text += some;
        size -= some;
        if (source->used == sizeof source->part - 1 && size > 0) end_line(source, take, context);
    }
}

static void cut(struct tr_scribe_source *source, const char *text, size_t size, taker *take, void *context) {
    while (size > 0) {
        const char *feed = memchr(text, '\n', size);
        size_t line = feed == NULL ? size : (size_t)(feed - text);
        keep_part(source, text, line, take, context);
        if (feed == NULL) return;
        if (source->used == 0) take(context, "\n", 1);
        end_line(source, take, context);
        text += line + 1;
        size -= line + 1;
    }
}

enum tr_source_state tr_source_read(struct tr_scribe_source *source, taker *take, void *context) {
    char text[READ_AT_ONCE];
    if (source->pipe < 0) return TR_SOURCE_ENDED;
    ssize_t got = read(source->pipe, text, sizeof text);
    if (got < 0) return errno == EAGAIN ? TR_SOURCE_EMPTY : errno == EINTR ? TR_SOURCE_MORE : TR_SOURCE_ENDED;
    if (got == 0) return TR_SOURCE_ENDED;
    cut(source, text, (size_t)got, take, context);
    return TR_SOURCE_MORE;
}

void tr_source_drain(struct tr_scribe_source *source, taker *take, void *context) {
    int reads = 0;
    while (reads++ < READS_AT_END && tr_source_read(source, take, context) == TR_SOURCE_MORE) continue;
    end_line(source, take, context);
    if (source->pipe >= 0) close(source->pipe);
    source->pipe = -1;
}
