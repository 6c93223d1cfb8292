/*
 * The undertaker: a process that does nothing but wait for the death of the keeper, and then kills the process groups
 * of its external programs.
 *
 * The kernel kills a program with the keeper, but not what that program had started. Nobody of the application is left
 * then to do it: so this one is, in a session of its own, with one socket and no memory of the application's. It is
 * made when the first program is, by a keeper that has one thread. A new process tells it its number before it executes
 * anything, the keeper when it has reaped one; it acts once it has read all of that and the socket has ended.
 *
 * If it is killed itself, the keeper finds out when it has the next program, and makes another.
 */
#ifndef TR_UNDERTAKER_H
#define TR_UNDERTAKER_H

#include <stdbool.h>
#include <sys/types.h>

struct tr_undertaker {
    pid_t pid;  /* 0: there is none */
    int socket; /* -1 */
};

/* False: errno. From a process with one thread. */
bool tr_undertaker_start(struct tr_undertaker *undertaker);
/* It ends, with nothing to do unless groups are left; the caller reaps it. */
void tr_undertaker_stop(struct tr_undertaker *undertaker);

/* System calls alone: also between vfork and exec. False: it is gone, or does not listen. */
bool tr_undertaker_add(int socket, pid_t group);
bool tr_undertaker_remove(int socket, pid_t group);

#endif
