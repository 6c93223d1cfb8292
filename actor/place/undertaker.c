#include "place/undertaker.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "place/keeper.h"

enum { OWN = 0 }; /* the number of its socket */

static bool tell(int socket, int32_t word) {
    ssize_t sent;
    do {
        sent = send(socket, &word, sizeof word, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof word;
}

bool tr_undertaker_add(int socket, pid_t group) { return tell(socket, (int32_t)group); }
bool tr_undertaker_remove(int socket, pid_t group) { return tell(socket, -(int32_t)group); }

/* ---- Its life ---- */

/* Twice as many as the keeper allows: some may be over there and not yet here. */
enum { GROUPS = 2 * TR_KEEPER_COMMANDS };

static void take(int32_t *groups, size_t *count, int32_t word) {
    if (word > 0) {
        if (*count < GROUPS) groups[(*count)++] = word;
        return;
    }
    for (size_t i = 0; i < *count; i++)
        if (groups[i] == -word) {
            groups[i] = groups[--*count];
            return;
        }
}

__attribute__((noreturn)) static void live(void) {
    int32_t groups[GROUPS];
    size_t count = 0;
    int32_t word;
    ssize_t got;
    while ((got = recv(OWN, &word, sizeof word, 0)) != 0)
        if (got == (ssize_t)sizeof word) take(groups, &count, word);
        else if (got < 0 && errno != EINTR) break;
    for (size_t i = 0; i < count; i++) kill(-groups[i], SIGKILL);
    _exit(0);
}

/* Nothing that the keeper holds is held any longer by it than by the keeper; no signal meant for others ends it. */
__attribute__((noreturn)) static void begin(int socket) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "troupe:undertk");
    if (dup2(socket, OWN) < 0 || close_range(OWN + 1, ~0u, 0) != 0) _exit(1);
    live();
}

bool tr_undertaker_start(struct tr_undertaker *undertaker) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) return false;
    pid_t pid = fork();
    if (pid == 0) begin(sockets[1]);
    int error = errno;
    close(sockets[1]);
    if (pid < 0) close(sockets[0]);
    errno = error;
    if (pid < 0) return false;
    *undertaker = (struct tr_undertaker){ .pid = pid, .socket = sockets[0] };
    return true;
}

void tr_undertaker_stop(struct tr_undertaker *undertaker) {
    if (undertaker->socket >= 0) close(undertaker->socket);
    *undertaker = (struct tr_undertaker){ .pid = 0, .socket = -1 };
}
