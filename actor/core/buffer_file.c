/*
 * Buffers and other processes. What is large goes there as a file in memory (memfd_create): written once, then
 * sealed, so that nobody can ever change or shrink it, and passed on as a descriptor. The receiver maps it, and has
 * a buffer like any other, whose memory is the file's: it copies nothing, and may trust what it has checked once.
 *
 * A file is written, not mapped: whole pages are neither cleared nor faulted in one by one then, and a seal against
 * writing needs that nobody has it mapped. A buffer that was sent whole keeps its file, and one that came in a file
 * keeps that, so that the next process gets the same one: contents do not change once they were sent.
 *
 * A file costs a descriptor. When half of the process's are in use, no file is made and none is kept, and data travels
 * in line with its message: slower, but it travels. The number of a new descriptor tells how many there are.
 *
 * What comes from another process is hostile until checked: it must be a file of tmpfs (of which a hole is zeros,
 * where a page of hugetlbfs that is not to be had would be a signal), sealed, and as large as is claimed.
 */
#include "core/buffer_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/descriptor.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* ---- To another process ---- */

static bool write_all(int file, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t written = write(file, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

/* Or -1, if it is beyond those that are ours. */
static int if_ours(const struct tr_buffers *buffers, int file) {
    if (file < buffers->descriptors) return file;
    close(file);
    return -1;
}

static int make_file(const struct tr_buffers *buffers, const void *data, size_t size) {
    int file = if_ours(buffers, memfd_create("troupe buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (file < 0) return -1;
    if (write_all(file, data, size) && fcntl(file, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0) return file;
    close(file);
    return -1;
}

static int duplicate(const struct tr_buffers *buffers, int file) {
    enum troupe_status status;
    return if_ours(buffers, tr_descriptor_duplicate(file, &status));
}

/* For the next one that wants it. */
static void keep(const struct tr_buffers *buffers, struct tr_buffer *buffer, int file) {
    int none = -1, kept = duplicate(buffers, file);
    if (kept >= 0 && !atomic_compare_exchange_strong(&buffer->descriptor, &none, kept)) close(kept);
}

static int file_of(const struct tr_buffers *buffers, struct tr_buffer *buffer, const void *data, size_t size,
                   uint64_t *offset) {
    int file = atomic_load(&buffer->descriptor);
    if (file >= 0) {
        *offset = buffer->offset + ((uintptr_t)data - buffer->range.start);
        return duplicate(buffers, file);
    }
    *offset = 0;
    file = make_file(buffers, data, size);
    if (file >= 0 && size == buffer->range.size && buffer->mapped == NULL) keep(buffers, buffer, file);
    return file;
}

int tr_buffers_file(struct tr_buffers *buffers, const void *data, size_t size, uint64_t *offset) {
    struct tr_buffer *buffer = tr_buffer_find(buffers, data, size);
    *offset = 0;
    if (buffer == NULL) return make_file(buffers, data, size);
    int file = file_of(buffers, buffer, data, size, offset);
    tr_buffer_drop(buffers, buffer);
    return file;
}

/* ---- From another process ---- */

static bool is_sound(int file, uint64_t offset, size_t size) {
    struct stat stat;
    struct statfs system;
    int seals = fcntl(file, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS) return false;
    if (fstatfs(file, &system) != 0 || system.f_type != TMPFS_MAGIC || fstat(file, &stat) != 0) return false;
    uint64_t whole = (uint64_t)stat.st_size;
    return size > 0 && size <= whole && offset <= whole - size;
}

/* Private: a shared mapping of a file that is open for writing counts as one that writes, whatever it says. */
static struct tr_buffer *map(int file, uint64_t offset, size_t size) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), before = offset % page;
    struct tr_buffer *buffer = malloc(sizeof *buffer);
    if (buffer == NULL) return NULL;
    buffer->mapped_size = size + (size_t)before;
    buffer->mapped = mmap(NULL, buffer->mapped_size, PROT_READ, MAP_PRIVATE, file, (off_t)(offset - before));
    if (buffer->mapped == MAP_FAILED) {
        free(buffer);
        return NULL;
    }
    buffer->range = (struct tr_range){ (uintptr_t)buffer->mapped + (uintptr_t)before, size };
    buffer->offset = offset;
    buffer->held = 0;
    atomic_init(&buffer->descriptor, -1);
    return buffer;
}

const void *tr_shares_map(struct tr_shares *shares, int *descriptor, uint64_t offset, size_t size,
                          enum troupe_status *status) {
    *status = TROUPE_MALFORMED;
    if (!is_sound(*descriptor, offset, size)) return NULL;
    struct tr_buffer *buffer = map(*descriptor, offset, size);
    *status = TROUPE_NO_MEMORY;
    if (buffer == NULL) return NULL;
    const void *data = (const void *)buffer->range.start;
    if (*descriptor < shares->buffers->descriptors) {
        atomic_init(&buffer->descriptor, *descriptor);
        *descriptor = -1;
    }
    if (tr_buffer_enter(shares->buffers, buffer)) {
        shares->items[shares->count++] = (struct tr_share){ .buffer = buffer };
        return data;
    }
    tr_descriptor_close(atomic_load(&buffer->descriptor));
    munmap(buffer->mapped, buffer->mapped_size);
    free(buffer);
    return NULL;
}
