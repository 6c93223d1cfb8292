/*
 * A file of records, each one batch:
 *
 *     header   magic, length of the words, reader, id, checksum of all that
 *     words    one after the other, each ended by a NUL
 *
 * A record is written by one write(), appended, before the batch counts. What a killed process had
 * written is in the kernel and survives it; only the last record can be torn. So on opening the records
 * are read from the start as long as each is whole, and what follows the last whole one is cut off: its
 * batch was not counted, its handler did not return, and it will be delivered again.
 *
 * The file is for this machine: numbers in its byte order, no fsync. It survives every process, not a
 * power cut.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT32_C(0x57434a31)

enum { MAX_RECORD = 16 * 1024 * 1024 };

struct header {
    uint32_t magic;
    uint32_t size; /* bytes of the words */
    uint64_t reader, id;
    uint64_t checksum;
};

static uint64_t checksum(const struct header *header, const uint8_t *words) {
    uint64_t sum = header->reader * UINT64_C(0x9e3779b97f4a7c15) + header->id + header->size;
    for (uint32_t i = 0; i < header->size; i++) sum = (sum ^ words[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static bool make_room(struct journal *journal, size_t size) {
    if (size <= journal->capacity) return true;
    uint8_t *record = realloc(journal->record, size);
    if (record == NULL) return false;
    journal->record = record;
    journal->capacity = size;
    return true;
}

/* ---- Writing ---- */

static size_t words_size(const struct batch *batch) {
    size_t size = 0;
    for (uint32_t i = 0; i < batch->words.count; i++) size += strlen(batch->words.items[i]) + 1;
    return size;
}

static void fill(uint8_t *record, const struct batch *batch, uint32_t size) {
    struct header header = { .magic = MAGIC, .size = size, .reader = batch->reader, .id = batch->id };
    uint8_t *at = record + sizeof header;
    for (uint32_t i = 0; i < batch->words.count; i++) {
        size_t length = strlen(batch->words.items[i]) + 1;
        memcpy(at, batch->words.items[i], length);
        at += length;
    }
    header.checksum = checksum(&header, record + sizeof header);
    memcpy(record, &header, sizeof header);
}

bool journal_append(struct journal *journal, const struct batch *batch) {
    if (!journal->open) return true;
    size_t size = words_size(batch), all = sizeof(struct header) + size;
    if (all > MAX_RECORD || !make_room(journal, all)) {
        errno = all > MAX_RECORD ? EFBIG : ENOMEM;
        return false;
    }
    fill(journal->record, batch, (uint32_t)size);
    off_t before = lseek(journal->fd, 0, SEEK_END);
    ssize_t written = write(journal->fd, journal->record, all);
    if (written == (ssize_t)all) return true;
    int why = written < 0 ? errno : ENOSPC;
    if (before >= 0 && written > 0 && ftruncate(journal->fd, before) < 0) why = errno;
    errno = why;
    return false;
}

/* ---- Reading ---- */

/* Reads exactly `size` bytes: 1; the file ends before: 0; -1: an error. */
static int read_all(int fd, void *to, size_t size) {
    uint8_t *at = to;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return (int)n;
        at += n;
        size -= (size_t)n;
    }
    return 1;
}

/* The next record: 1 with the words at the journal's record, 0 at the end or at a torn one, or -1. */
static int read_record(struct journal *journal, struct header *header) {
    int got = read_all(journal->fd, header, sizeof *header);
    if (got <= 0) return got;
    if (header->magic != MAGIC || header->size > MAX_RECORD) return 0;
    if (!make_room(journal, header->size)) return -1;
    got = read_all(journal->fd, journal->record, header->size);
    if (got <= 0) return got;
    bool whole = header->checksum == checksum(header, journal->record) &&
                 (header->size == 0 || journal->record[header->size - 1] == '\0');
    return whole ? 1 : 0;
}

/* Hands out one record as the batch it was made of. */
static bool give(const struct journal *journal, const struct header *header,
                 bool (*take)(void *context, const struct batch *batch), void *context) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < header->size; i++) count += journal->record[i] == '\0';
    const char **words = calloc(count + 1, sizeof *words);
    if (words == NULL) return false;
    const char *at = (const char *)journal->record;
    for (uint32_t i = 0; i < count; at += strlen(at) + 1) words[i++] = at;
    struct batch batch = { .reader = header->reader, .id = header->id, .words = { words, count } };
    bool ok = take(context, &batch);
    free(words);
    return ok;
}

static bool replay(struct journal *journal, bool (*take)(void *context, const struct batch *batch),
                   void *context) {
    struct header header;
    off_t whole = 0;
    int got;
    while ((got = read_record(journal, &header)) > 0) {
        if (!give(journal, &header, take, context)) return false;
        whole += (off_t)(sizeof header + header.size);
    }
    return got == 0 && ftruncate(journal->fd, whole) == 0;
}

bool journal_open(struct journal *journal, const char *path,
                  bool (*take)(void *context, const struct batch *batch), void *context, char *error,
                  size_t error_size) {
    errno = 0;
    *journal = (struct journal){ .fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) };
    journal->open = journal->fd >= 0;
    if (journal->open && replay(journal, take, context)) return true;
    snprintf(error, error_size, "the journal %s: %s", path, strerror(errno != 0 ? errno : ENOMEM));
    journal_close(journal);
    return false;
}

void journal_close(struct journal *journal) {
    if (journal->open) close(journal->fd);
    free(journal->record);
    *journal = (struct journal){ 0 };
}
