/*
 * External programs, as processes: starts them, says how they end, signals them. Which are to end, and when, is
 * decided by the keeper's machine (keeper_commands.c), whose driver has one of these: the keeper's process, or a host
 * in one-process mode.
 *
 * All that it waits for, the sockets of owners and the pidfds of programs, is in an epoll of its own, which the
 * driver watches as one descriptor: whoever has no programs has none of this.
 */
#ifndef TR_COMMANDS_H
#define TR_COMMANDS_H

#include <sys/resource.h>
#include <sys/types.h>

#include "place/keeper.h"

struct tr_commands;

/* `files`: what programs have as their limit of descriptors; NULL: as this process. `alone`: this process has one
 * thread, and may have an undertaker. NULL: no memory or descriptors. One thread, all of these. */
struct tr_commands *tr_commands_new(struct tr_keeper *keeper, const struct rlimit *files, bool alone);
/* Those that still run are let be. */
void tr_commands_free(struct tr_commands *commands);

/* When it is readable: tr_commands_turn. */
int tr_commands_descriptor(const struct tr_commands *commands);
/* Times as in keeper.h. */
void tr_commands_turn(struct tr_commands *commands, int64_t now);

/* Somebody's socket, with a request on it: taken. */
void tr_commands_take(struct tr_commands *commands, int socket);
/* This child has ended, and is not reaped. False: it is none of these. */
bool tr_commands_reap(struct tr_commands *commands, pid_t pid);
/* Is it detached, or of the session of one that is? */
bool tr_commands_spares(const struct tr_commands *commands, pid_t pid);

/* Actions of the keeper's machine. */
void tr_commands_signal(struct tr_commands *commands, uint64_t number, int signal);
void tr_commands_release(struct tr_commands *commands, uint64_t number);

#endif
