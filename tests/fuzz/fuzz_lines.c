/*
 * What a process writes to its log or to standard error, as the keeper reads it: cut into lines, kept for the
 * report of a death, and written into a line of the log. Nothing is lost or added but line feeds, nothing bursts
 * its limits, and a line of the log is one line of valid UTF-8.
 *
 * The input: pieces, each a byte of length (times 32) and its bytes.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "core/log_record.h"
#include "place/scribe.h"
#include "place/scribe_tail.h"

struct reader {
    struct tr_scribe_source source;
    struct tr_tail tail;
    uint64_t seen; /* a sum over all bytes but line feeds, in order */
    char last[TR_LOG_LINE];
};

static void add(uint64_t *sum, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i] != '\n') *sum = *sum * 31 + at[i] + 1;
}

static void check_tail(const struct tr_tail *tail) {
    tr_assert(memchr(tail->output, '\0', sizeof tail->output) != NULL && tail->lines <= TR_TAIL_LINES);
    tr_assert(memchr(tail->crash, '\0', sizeof tail->crash) != NULL);
}

static void take_line(void *context, const char *line, size_t size) {
    struct reader *reader = context;
    tr_assert(size >= 1 && size <= TR_LOG_LINE && memchr(line, '\n', size) == line + size - 1);
    add(&reader->seen, line, size);
    memcpy(reader->last, line, size);
    reader->last[size - 1] = '\0';
    (void)tr_tail_add(&reader->tail, line, size);
    check_tail(&reader->tail);
}

static void check_log(const char *text) {
    static char line[TR_LOG_LINE];
    const struct troupe_log_field field = { .name = text, .kind = TROUPE_LOG_TEXT, .text = text };
    const struct tr_log_record record = { .path = text, .text = text, .fields = &field, .count = 1, .node = 1 };
    for (int form = 0; form < 2; form++) {
        size_t size = form == 0 ? tr_log_pretty(&record, line) : tr_log_json(&record, line);
        tr_assert(size >= 1 && size <= TR_LOG_LINE && memchr(line, '\n', size) == line + size - 1);
        tr_assert(tr_utf8_valid(line, size) && memchr(line, '\0', size) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct reader reader;
    uint64_t said = 0;
    int ends[2];
    tr_assert(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    memset(&reader, 0, sizeof reader);
    reader.source.pipe = ends[0];
    while (size > 1) {
        size_t length = (size_t)data[0] * 32 < size - 1 ? (size_t)data[0] * 32 : size - 1;
        tr_assert(write(ends[1], data + 1, length) == (ssize_t)length);
        add(&said, data + 1, length);
        while (tr_source_read(&reader.source, take_line, &reader) == TR_SOURCE_MORE) continue;
        data += length + 1;
        size -= length + 1;
    }
    close(ends[1]);
    tr_source_drain(&reader.source, take_line, &reader);
    tr_assert(reader.seen == said && reader.source.pipe == -1);
    check_log(reader.tail.output);
    check_log(reader.tail.crash);
    check_log(reader.last);
    return 0;
}
