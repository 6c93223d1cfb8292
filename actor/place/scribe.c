#include "place/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/thread.h"

enum {
    SOFT = 1024 * 1024,
    HARD = 2 * SOFT,
    PIECE = 4096 /* what a pipe that has any room takes */
};

/* ---- The output ---- */

static bool is_file(int descriptor) {
    struct stat about;
    return fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

static void choose_output(struct tr_scribe *scribe, int output) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", output);
    scribe->output = output;
    scribe->polls = !is_file(output);
    if (!scribe->polls) return;
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    scribe->own = own >= 0;
    if (scribe->own) scribe->output = own;
    scribe->polls = !scribe->own;
}

/* Whole lines, as many as make a piece: others may write to the same pipe. */
static size_t next_piece(const struct tr_scribe *scribe) {
    const char *from = scribe->buffer + scribe->begin;
    size_t size = scribe->end - scribe->begin;
    if (size <= PIECE) return size;
    const char *last = memrchr(from, '\n', PIECE);
    return last == NULL ? PIECE : (size_t)(last - from) + 1;
}

static bool takes_some(const struct tr_scribe *scribe, int milliseconds) {
    struct pollfd room = { .fd = scribe->output, .events = POLLOUT };
    return poll(&room, 1, milliseconds) == 1 && room.revents != 0;
}

/* False: it takes no more now. An output that is broken takes everything: there is nobody to be told. */
static bool write_piece(struct tr_scribe *scribe) {
    size_t size = next_piece(scribe);
    if (scribe->polls && !takes_some(scribe, 0)) return false;
    ssize_t written = write(scribe->output, scribe->buffer + scribe->begin, size);
    if (written < 0 && errno == EAGAIN) return false;
    if (written < 0 && errno != EINTR) written = (ssize_t)size;
    if (written > 0) scribe->begin += (size_t)written;
    return true;
}

static void tell_dropped(struct tr_scribe *scribe);

bool tr_scribe_flush(struct tr_scribe *scribe) {
    for (;;) {
        while (scribe->begin < scribe->end)
            if (!write_piece(scribe)) return false;
        scribe->begin = scribe->end = 0;
        if (scribe->dropped == 0) return true;
        tell_dropped(scribe);
    }
}

/* ---- The buffer ---- */

bool tr_scribe_has_room(const struct tr_scribe *scribe) { return scribe->end - scribe->begin < SOFT; }

static bool make_room(struct tr_scribe *scribe, size_t size) {
    size_t waits = scribe->end - scribe->begin;
    if (size > HARD - waits) return false;
    if (size > HARD - scribe->end) {
        memmove(scribe->buffer, scribe->buffer + scribe->begin, waits);
        scribe->begin = 0;
        scribe->end = waits;
    }
    return true;
}

void tr_scribe_line(struct tr_scribe *scribe, const char *line, size_t size) {
    if (!make_room(scribe, size)) {
        scribe->dropped++;
        return;
    }
    memcpy(scribe->buffer + scribe->end, line, size);
    scribe->end += size;
}

static void take_own(void *context, enum troupe_level level, const char *line, size_t size) {
    (void)level;
    tr_scribe_line(context, line, size);
}

/* There is room: the buffer is empty. */
static void tell_dropped(struct tr_scribe *scribe) {
    struct tr_logger logger = { .form = scribe->form, .line = take_own, .context = scribe };
    unsigned long long dropped = scribe->dropped;
    scribe->dropped = 0;
    tr_log_say(&logger, TROUPE_WARNING, "log", "%llu lines were dropped here: nobody read them", dropped);
}

/* ---- Opening and closing ---- */

static void block_sigpipe(struct tr_scribe *scribe) {
    sigset_t some, before;
    sigemptyset(&some);
    sigaddset(&some, SIGPIPE);
    sigprocmask(SIG_BLOCK, &some, &before);
    scribe->sigpipe = sigismember(&before, SIGPIPE) == 1;
}

static void unblock_sigpipe(const struct tr_scribe *scribe) {
    struct timespec none = { 0 };
    sigset_t some;
    if (scribe->sigpipe) return;
    sigemptyset(&some);
    sigaddset(&some, SIGPIPE);
    while (sigtimedwait(&some, NULL, &none) > 0) continue; /* what came of writing here */
    sigprocmask(SIG_UNBLOCK, &some, NULL);
}

bool tr_scribe_open(struct tr_scribe *scribe, int output, enum tr_log_form form) {
    *scribe = (struct tr_scribe){ .output = -1, .form = form, .buffer = malloc(HARD) };
    if (scribe->buffer == NULL) return false;
    choose_output(scribe, output);
    block_sigpipe(scribe);
    return true;
}

void tr_scribe_close(struct tr_scribe *scribe, int64_t within) {
    int64_t end = tr_thread_clock() + within;
    while (!tr_scribe_flush(scribe)) {
        int64_t left = end - tr_thread_clock();
        if (left <= 0 || !takes_some(scribe, (int)(left / TROUPE_MILLISECOND) + 1)) break;
    }
    if (scribe->own) close(scribe->output);
    free(scribe->buffer);
    unblock_sigpipe(scribe);
    *scribe = (struct tr_scribe){ .output = -1 };
}
