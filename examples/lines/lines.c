/* Counts the lines of standard input while they come: an actor that watches descriptor 0. SIGUSR1 makes it
 * print how far it is; at the end of the input it prints the sum, and the program ends. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <troupe.h>
#include <unistd.h>

struct lines {
    uint64_t lines, bytes;
    bool open_line; /* what came last was no end of a line */
};

/* What never makes anybody wait, a file, cannot be watched: it is read by this message. */
TROUPE_MESSAGE_EMPTY(go_on)

static void print(const struct lines *me, const char *when) {
    printf("%s: %" PRIu64 " lines, %" PRIu64 " bytes\n", when, me->lines, me->bytes);
    fflush(stdout);
}

static void count(struct lines *me, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) me->lines += text[i] == '\n';
    me->bytes += size;
    me->open_line = text[size - 1] != '\n';
}

/* One read for each message: so a signal, or a stop, is never far behind. */
static enum troupe_status read_some(troupe_self *self, struct lines *me, bool *more) {
    char text[65536];
    ssize_t size = read(STDIN_FILENO, text, sizeof text);
    *more = size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
    if (size > 0) count(me, text, (size_t)size);
    if (*more) return TROUPE_OK;
    if (size < 0) return TROUPE_FAIL(self, "standard input: %s", strerror(errno));
    me->lines += me->open_line;
    print(me, "end");
    troupe_shutdown(self);
    return TROUPE_OK;
}

static bool may_wait(int fd) {
    struct stat about;
    return isatty(fd) || (fstat(fd, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode)));
}

/* No O_NONBLOCK: standard input is shared with whoever started the program, and would not block for them
 * either. One read for each message of the watch can do without. */
TROUPE_START(lines, troupe_none) {
    enum troupe_status status = troupe_signal(self, SIGUSR1);
    if (status != TROUPE_OK) return status;
    troupe_log(self, TROUPE_INFO, "counting; SIGUSR1 asks how far it is");
    return may_wait(STDIN_FILENO) ? troupe_watch(self, NULL, STDIN_FILENO, TROUPE_READABLE)
                                  : troupe_send_empty(self, troupe_self_address(self), go_on);
}

TROUPE_ON(lines, troupe_descriptor) {
    bool more;
    enum troupe_status status = read_some(self, me, &more);
    if (status == TROUPE_OK && !more) return troupe_unwatch(self, (troupe_watcher){ msg->watch });
    return status;
}

TROUPE_ON(lines, go_on) {
    bool more;
    enum troupe_status status = read_some(self, me, &more);
    return status == TROUPE_OK && more ? troupe_send_empty(self, troupe_self_address(self), go_on) : status;
}

TROUPE_ON(lines, troupe_signalled) {
    print(me, "so far");
    return TROUPE_OK;
}

TROUPE_ACTOR(lines, TROUPE_STARTS(lines, troupe_none),
    TROUPE_HANDLES(lines, troupe_descriptor, go_on, troupe_signalled))

int main(int argc, char **argv) { return troupe_main(argc, argv, &lines_actor, NULL); }
