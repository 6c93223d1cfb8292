/*
 * Monitors and links: to know of the end of another actor, or to share it.
 *
 *     TROUPE_ON(pool, hire) {
 *         return troupe_monitor(self, msg->worker, &me->worker);
 *     }
 *     TROUPE_ON(pool, troupe_down) {
 *         if (msg->monitor == me->worker.id) ...      msg->death says who, why, in which message
 *     }
 *
 * Erlang/OTP's words and meanings: erlang:monitor/2, demonitor/2 with flush, link/1, unlink/1,
 * process_flag(trap_exit), spawn_link, spawn_monitor. An address names a cell, not a run: so what ends is the run that
 * the actor at that address has now, or, while it waits for its restart, the next one. Monitors and links belong to
 * the run that made them; when it ends they are gone.
 *
 * Actors on any node, in this process or another, are all the same: docs/guarantees.md, "Who hears of an end". What the
 * report says (troupe/death.h) when it is not the end of a run that was seen: `status` GONE, nobody lives at this
 * address (OTP's noproc); NODE_DIED or UNREACHABLE, the node of the actor has died or cannot be reached (noconnection):
 * of a process that was killed `signal` says by which signal.
 *
 * All of it is called from within a handler, with the `self` that the handler was given.
 */
#ifndef TROUPE_MONITOR_H
#define TROUPE_MONITOR_H

#include <troupe/actor.h>
#include <troupe/death.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Monitors ---- */

/* One monitor of this actor. Zero is none. */
typedef struct troupe_monitor_id {
    uint64_t id;
} troupe_monitor_id;

/* The end of an actor that this one monitors. `monitor`: the id; `who`: the address that was given to troupe_monitor.
 * It comes after every message that the ended run had sent to this actor, when the name of one that is gone for good
 * is free and its address stale. It waits for no room in the mailbox. */
#define TROUPE_DOWN_FIELDS(field) field(u64, monitor) field(address, who) field(message(troupe_death), death)
TROUPE_MESSAGE(troupe_down, TROUPE_DOWN_FIELDS)

/* One troupe_down when the present run at `address` ends, for whatever reason: exactly one, unless this run ends
 * first or takes the monitor back. Each call makes a monitor of its own. An address where nobody lives is no error:
 * the troupe_down comes at once. Of this actor itself none ever comes. `*monitor` is written on OK.
 * INVALID (this actor does not handle troupe_down: the log says so), LIMIT (a million monitors and links of one actor),
 * NO_MEMORY, STOPPING (this run is over). */
enum troupe_status troupe_monitor(troupe_self *self, troupe_address address, troupe_monitor_id *monitor)
    TROUPE_MUST_USE;

/* After this no troupe_down of the monitor is handled, even one that waits already. GONE when it has been, or there
 * was no such monitor. */
enum troupe_status troupe_demonitor(troupe_self *self, troupe_monitor_id monitor);

/* ---- Links ---- */

/* The end of an actor that this one is linked with, for an actor that traps exits. When and in which order: as
 * troupe_down. */
#define TROUPE_EXITED_FIELDS(field) field(address, who) field(message(troupe_death), death)
TROUPE_MESSAGE(troupe_exited, TROUPE_EXITED_FIELDS)

/* Links this actor with another, until one of them ends or unlinks: the end of either ends the other, too, for the
 * same reason: its report has the kind, the text and the status of the first, and says `by` whom. But the end of one
 * whose work is done (troupe_exit) ends nobody; and one that traps exits gets a troupe_exited instead. A stop of
 * either (troupe_stop_actor, its supervisor) and a kill end the other as well. A run that is ended by a link ends
 * between two messages, whatever waits in its mailbox; its stop handler runs. What a supervisor makes of it: a failure,
 * but for a stop.
 *
 * A supervisor that is linked with ends the others, but is not ended by them.
 *
 * With one that it is linked with already nothing happens, nor with itself. With an address where nobody lives this
 * run ends, after the present handler, with the status GONE; or gets its troupe_exited.
 * LIMIT, NO_MEMORY, STOPPING, as troupe_monitor. */
enum troupe_status troupe_link(troupe_self *self, troupe_address address) TROUPE_MUST_USE;

/* After this nothing that becomes of the other has an effect on this run, by a link from before, even if it has
 * ended already or its troupe_exited waits; and its end is none for the other. A link made later is another. GONE when
 * there was no link. */
enum troupe_status troupe_unlink(troupe_self *self, troupe_address address);

/* From here on, until it is taken back, this run gets a troupe_exited for the end of each actor that it is linked with,
 * for that of one whose work was done, too. It can be stopped and killed as ever. A run begins without it.
 * INVALID (this actor does not handle troupe_exited: the log says so), NO_MEMORY, STOPPING. */
enum troupe_status troupe_trap(troupe_self *self, bool traps) TROUPE_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
