/*
 * Regions of shared memory: a memfd, sealed so that its size stands, and its mapping.
 *
 * What another process hands over is believed only after a look: the seals say that it is a memfd which nobody can
 * make shorter, so that no access within its size is a SIGBUS; the kind of its file system, that its pages are
 * ordinary ones, for of huge pages there may be none left when one is touched. Nothing here reads what is in a region
 * but the word that is waited for, and the kernel reads that one itself. So whatever others write there, the worst is
 * a wait that ends too early or not at all.
 *
 * Waiting is the kernel's futex, not the private one: it is known by the file and the place in it, wherever that is
 * mapped. A process that dies while it waits is taken off by the kernel.
 */
#include "core/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "core/thread.h"

enum { FIXED_SIZE = F_SEAL_SHRINK | F_SEAL_GROW, BESIDE_STDIO = 3 };

struct troupe_shared {
    uint8_t *data;
    size_t size;
    int memory; /* the descriptor */
    _Atomic uint64_t references;
};

static enum troupe_status reason(void) {
    switch (errno) {
    case EMFILE:
    case ENFILE: return TROUPE_LIMIT;
    case ENOMEM:
    case ENOSPC: return TROUPE_NO_MEMORY;
    case EBADF:
    case EACCES:
    case EPERM: return TROUPE_INVALID; /* not open; not writable */
    default: return TROUPE_SYSTEM;
    }
}

/* ---- Making, opening ---- */

/* Takes the descriptor if it succeeds. */
static enum troupe_status map(int memory, size_t size, troupe_shared **region) {
    troupe_shared *made = malloc(sizeof *made);
    if (made == NULL) return TROUPE_NO_MEMORY;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (data == MAP_FAILED) {
        enum troupe_status status = reason();
        free(made);
        return status;
    }
    made->data = data;
    made->size = size;
    made->memory = memory;
    atomic_init(&made->references, 1);
    *region = made;
    return TROUPE_OK;
}

static enum troupe_status map_or_close(int memory, size_t size, troupe_shared **region) {
    enum troupe_status status = map(memory, size, region);
    if (status != TROUPE_OK) close(memory);
    return status;
}

/* With all its pages: what is not there yet would be looked for at the first touch, and not finding it is a signal. */
static bool furnish(int memory, size_t size) {
    if (ftruncate(memory, (off_t)size) != 0) return false;
    while (fallocate(memory, 0, 0, (off_t)size) != 0)
        if (errno != EINTR) return false;
    return fcntl(memory, F_ADD_SEALS, FIXED_SIZE | F_SEAL_SEAL) == 0;
}

enum troupe_status troupe_shared_new(size_t size, troupe_shared **region) {
    if (region == NULL) return TROUPE_INVALID;
    *region = NULL;
    if (size == 0) return TROUPE_INVALID;
    if (size > TROUPE_SHARED_MOST) return TROUPE_TOO_BIG;
    int memory = memfd_create("troupe-shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0) return reason();
    if (furnish(memory, size)) return map_or_close(memory, size, region);
    enum troupe_status status = reason();
    close(memory);
    return status;
}

static bool is_sealed_memory(int descriptor) {
    struct statfs system;
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & FIXED_SIZE) == FIXED_SIZE && fstatfs(descriptor, &system) == 0 &&
           system.f_type == TMPFS_MAGIC;
}

/* The size is asked for after the seals, which hold it. */
enum troupe_status troupe_shared_open(int descriptor, size_t least, troupe_shared **region) {
    struct stat is;
    if (region == NULL) return TROUPE_INVALID;
    *region = NULL;
    if (!is_sealed_memory(descriptor) || fstat(descriptor, &is) != 0 || is.st_size <= 0) return TROUPE_INVALID;
    if (is.st_size > TROUPE_SHARED_MOST) return TROUPE_TOO_BIG;
    if ((size_t)is.st_size < least) return TROUPE_INVALID;
    int memory = fcntl(descriptor, F_DUPFD_CLOEXEC, BESIDE_STDIO);
    return memory < 0 ? reason() : map_or_close(memory, (size_t)is.st_size, region);
}

troupe_shared *troupe_shared_keep(troupe_shared *region) {
    if (region != NULL) atomic_fetch_add_explicit(&region->references, 1, memory_order_relaxed);
    return region;
}

void troupe_shared_release(troupe_shared *region) {
    if (region == NULL || atomic_fetch_sub_explicit(&region->references, 1, memory_order_acq_rel) > 1) return;
    munmap(region->data, region->size);
    close(region->memory);
    free(region);
}

void *troupe_shared_data(const troupe_shared *region) { return region->data; }

size_t troupe_shared_size(const troupe_shared *region) { return region->size; }

int troupe_shared_descriptor(const troupe_shared *region) { return region->memory; }

/* ---- Waiting ---- */

const _Atomic uint32_t *tr_shared_word(const troupe_shared *region, size_t offset) {
    bool is_there = offset % sizeof(uint32_t) == 0 && region->size >= sizeof(uint32_t) &&
                    offset <= region->size - sizeof(uint32_t);
    return is_there ? (const _Atomic uint32_t *)(const void *)(region->data + offset) : NULL;
}

int64_t tr_shared_wake(const _Atomic uint32_t *word, uint32_t count) {
    if (count == 0) return 0; /* the kernel would wake one */
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, count > INT_MAX ? INT_MAX : (int)count, NULL, NULL, 0);
    return woken < 0 ? 0 : woken;
}

int64_t troupe_shared_notify(const troupe_shared *region, size_t offset, uint32_t count) {
    const _Atomic uint32_t *word = tr_shared_word(region, offset);
    return word == NULL ? -1 : tr_shared_wake(word, count);
}

/* Until a time of the monotonic clock; -1: for ever. */
static long futex_wait(const _Atomic uint32_t *word, uint32_t expected, int64_t until) {
    const struct timespec at = { until / TROUPE_SECOND, until % TROUPE_SECOND };
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, until < 0 ? NULL : &at, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

static int64_t time_in(int64_t timeout) {
    int64_t now = timeout == INT64_MAX ? 0 : tr_thread_clock();
    return timeout > INT64_MAX - now || timeout == INT64_MAX ? -1 : now + timeout;
}

enum troupe_shared_outcome troupe_shared_wait(const troupe_shared *region, size_t offset, uint32_t expected,
                                              int64_t timeout) {
    const _Atomic uint32_t *word = tr_shared_word(region, offset);
    if (word == NULL || timeout < 0) return TROUPE_SHARED_INVALID;
    if (atomic_load(word) != expected) return TROUPE_SHARED_NOT_EQUAL;
    if (timeout == 0) return TROUPE_SHARED_TIMED_OUT;
    int64_t until = time_in(timeout);
    while (futex_wait(word, expected, until) != 0) {
        if (errno == ETIMEDOUT) return TROUPE_SHARED_TIMED_OUT;
        if (errno != EINTR) return TROUPE_SHARED_NOT_EQUAL;
    }
    return TROUPE_SHARED_WOKEN;
}
