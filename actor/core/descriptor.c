#include "core/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FIRST = 3, ENOUGH = 4096 };

int tr_descriptor_duplicate(int descriptor, enum troupe_status *status) {
    int made = fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST);
    if (made < 0) *status = errno == EBADF ? TROUPE_INVALID : TROUPE_LIMIT;
    return made;
}

void tr_descriptor_close(int descriptor) {
    if (descriptor >= 0) close(descriptor);
}

void tr_descriptors_close(const int *descriptors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) tr_descriptor_close(descriptors[i]);
}

int tr_descriptors_ours(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return limit.rlim_cur / 2 < ENOUGH ? (int)(limit.rlim_cur / 2) : ENOUGH;
}

/* The object is the message's, which no handler may write; this is the one thing that is done to it. */
int troupe_take_descriptor(const int *field) {
    int descriptor = *field;
    if (descriptor < 0) return -1;
    *(int *)(uintptr_t)field = -1;
    return descriptor;
}
