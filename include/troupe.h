/*
 * Troupe: actors for C on Linux. One include for all of it.
 *
 *   troupe/version.h   the version
 *   troupe/status.h    outcomes, durations
 *   troupe/message.h   messages from one field list
 *   troupe/death.h     how the run of an actor ended
 *   troupe/actor.h     actors, and what a handler may do
 *   troupe/behaviour.h actors that change their handlers
 *   troupe/monitor.h   monitors and links: the ends of other actors
 *   troupe/supervisor.h children that are added at run time, supervisors from code
 *   troupe/group.h     groups of actors, seen from every node
 *   troupe/topic.h     publishing to whoever has subscribed; dead letters
 *   troupe/router.h    one address for many actors
 *   troupe/command.h   external programs
 *   troupe/inspect.h   the tree, nodes and actors of a running application, by messages
 *   troupe/io.h        descriptors and signals as messages
 *   troupe/stream.h    TCP and unix connections that an actor owns
 *   troupe/buffer.h    large data that messages share
 *   troupe/shared.h    memory shared with other processes, waiting and notifying there
 *   troupe/work.h      calls that block, on threads of their own
 *   troupe/log.h       the log, with fields
 *   troupe/system.h    troupe_main, and systems that a program starts itself
 *   troupe/test.h      a test kit; for tests alone, and so not included here
 */
#ifndef TROUPE_H
#define TROUPE_H

#include <troupe/actor.h>
#include <troupe/behaviour.h>
#include <troupe/buffer.h>
#include <troupe/command.h>
#include <troupe/death.h>
#include <troupe/group.h>
#include <troupe/inspect.h>
#include <troupe/io.h>
#include <troupe/log.h>
#include <troupe/message.h>
#include <troupe/monitor.h>
#include <troupe/router.h>
#include <troupe/shared.h>
#include <troupe/status.h>
#include <troupe/stream.h>
#include <troupe/supervisor.h>
#include <troupe/system.h>
#include <troupe/topic.h>
#include <troupe/version.h>
#include <troupe/work.h>

#endif
