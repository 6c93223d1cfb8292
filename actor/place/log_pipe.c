#include "place/log_pipe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

_Static_assert((int)TR_LOG_LINE <= PIPE_BUF, "a line goes into a pipe in one piece");

enum { PATIENCE_MS = 1000 };

static bool put(const struct tr_log_pipe *pipe, const char *line, size_t size) {
    ssize_t written;
    do {
        written = write(pipe->descriptor, line, size);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)size;
}

/* Room that others may take first. */
static bool wait_for_room(const struct tr_log_pipe *pipe) {
    struct pollfd room = { .fd = pipe->descriptor, .events = POLLOUT };
    return poll(&room, 1, PATIENCE_MS) == 1 && (room.revents & POLLOUT) != 0;
}

static bool put_patiently(struct tr_log_pipe *pipe, const char *line, size_t size) {
    bool taken = put(pipe, line, size);
    while (!taken && !atomic_load(&pipe->stuck)) {
        if (wait_for_room(pipe)) taken = put(pipe, line, size);
        else atomic_store(&pipe->stuck, true);
    }
    if (taken && atomic_load(&pipe->stuck)) atomic_store(&pipe->stuck, false);
    return taken;
}

struct attempt {
    const struct tr_log_pipe *pipe;
    bool taken;
};

static void attempt(void *context, enum troupe_level level, const char *line, size_t size) {
    struct attempt *once = context;
    (void)level;
    once->taken = put(once->pipe, line, size);
}

static void tell_dropped(struct tr_log_pipe *pipe) {
    struct attempt once = { .pipe = pipe };
    struct tr_logger logger = { .form = pipe->form, .line = attempt, .context = &once };
    uint32_t dropped = atomic_exchange(&pipe->dropped, 0);
    if (dropped == 0) return;
    tr_log_say(&logger, TROUPE_WARNING, "log", "%u lines were dropped here: nobody read them", (unsigned)dropped);
    if (!once.taken) atomic_fetch_add(&pipe->dropped, dropped);
}

void tr_log_pipe_line(void *context, enum troupe_level level, const char *line, size_t size) {
    struct tr_log_pipe *pipe = context;
    (void)level;
    if (atomic_load_explicit(&pipe->dropped, memory_order_relaxed) > 0) tell_dropped(pipe);
    if (!put_patiently(pipe, line, size)) atomic_fetch_add(&pipe->dropped, 1);
}

void tr_log_pipe_open(struct tr_log_pipe *pipe, int descriptor, enum tr_log_form form) {
    pipe->descriptor = descriptor;
    pipe->form = form;
    atomic_init(&pipe->dropped, 0);
    atomic_init(&pipe->stuck, false);
}

void tr_log_pipe_close(struct tr_log_pipe *pipe) {
    if (atomic_load(&pipe->dropped) > 0) tell_dropped(pipe);
}
