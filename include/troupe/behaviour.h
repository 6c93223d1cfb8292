/*
 * Actors that change: other handlers for the messages to come, messages put aside for later, and what comes of
 * silence.
 *
 *     TROUPE_BEHAVIOUR_DECLARE(door, opened)
 *     TROUPE_ON(door, push) { return troupe_become(self, door, opened); }
 *     TROUPE_ON_AS(door, opened, push) { return troupe_become_first(self); }
 *     TROUPE_ON(door, pass) { me->passed++; return TROUPE_OK; }
 *
 *     TROUPE_BEHAVIOUR(door, opened, TROUPE_HANDLES_AS(door, opened, push), TROUPE_HANDLES(door, pass))
 *     TROUPE_ACTOR(door, TROUPE_HANDLES(door, push), TROUPE_BECOMES(door, opened))
 */
#ifndef TROUPE_BEHAVIOUR_H
#define TROUPE_BEHAVIOUR_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A set of handlers in place of those of TROUPE_ACTOR. Stands before TROUPE_ACTOR, which names it in
 * TROUPE_BECOMES, and has nothing but TROUPE_HANDLES and TROUPE_HANDLES_AS. Start, stop and answer handlers are
 * the actor's, whatever it has become. */
#define TROUPE_BEHAVIOUR(tr_actor, tr_name, ...)                                                   \
    static const struct troupe_entry tr_actor##_troupe_##tr_name##_entries[] = { __VA_ARGS__ };    \
    TROUPE_BEHAVIOUR_DECLARE(tr_actor, tr_name)                                                    \
    const struct troupe_behaviour tr_actor##_##tr_name##_behaviour = {                             \
        #tr_name,                                                                                  \
        (uint32_t)(sizeof tr_actor##_troupe_##tr_name##_entries /                                  \
                   sizeof tr_actor##_troupe_##tr_name##_entries[0]),                               \
        tr_actor##_troupe_##tr_name##_entries                                                      \
    };
#define TROUPE_BECOMES(tr_actor, tr_name)                                                          \
    { TROUPE_ROLE_BEHAVIOUR, NULL, NULL, NULL, &tr_actor##_##tr_name##_behaviour }

/* Before the first handler that becomes it, or in a header. */
#define TROUPE_BEHAVIOUR_DECLARE(tr_actor, tr_name)                                                \
    extern const struct troupe_behaviour tr_actor##_##tr_name##_behaviour;

/* As TROUPE_ON: a handler for this behaviour alone, where another handles the same message in another way. A
 * handler that several share is a TROUPE_ON, and each names it in its TROUPE_HANDLES. */
#define TROUPE_ON_AS(tr_actor, tr_name, tr_message)                                                \
    TROUPE_X_TYPED(tr_actor, tr_name##_on_##tr_message, const struct tr_message *msg, msg,         \
                   const struct tr_message *)
#define TROUPE_HANDLES_AS(tr_actor, tr_name, ...)                                                  \
    TROUPE_X_EACH(TROUPE_X_HANDLE_AS, tr_actor##_troupe_##tr_name, __VA_ARGS__)

/* From the next message on these handlers are at work, until another troupe_become or until the run ends: each
 * run begins with those of TROUPE_ACTOR. A send is refused with UNHANDLED only if none of the actor's behaviours
 * handles the message; one that the present behaviour does not handle when its turn comes is a dead letter
 * (`unhandled`). A tick or a signal of that kind is dropped with a line in the log; so is a ready descriptor, and
 * its watch is paused (troupe_watch_events), for it would be ready again at once. Returns OK. */
#define troupe_become(self, tr_actor, tr_name) troupe_become_behaviour((self), &tr_actor##_##tr_name##_behaviour)
/* Those of TROUPE_ACTOR again. Returns OK. */
#define troupe_become_first(self) troupe_become_behaviour((self), NULL)
/* INVALID: not in a TROUPE_BECOMES of this actor: the log says so. */
enum troupe_status troupe_become_behaviour(troupe_self *self, const struct troupe_behaviour *behaviour);

/* ---- Messages for later ---- */

/* Puts the message at hand aside: `return troupe_stash(self);`, once its handler has returned TROUPE_OK. It keeps its
 * sender and its ask, whose deadline goes on. Its room in the mailbox is free again; as many may be put aside as the
 * mailbox may hold. A restart keeps them as it keeps the mailbox; they come first then, in their old order.
 * FULL: it is still at hand, as with NO_MEMORY. INVALID (the log says which): no message is at hand (a tick, an
 * answer), or it was answered, kept, forwarded, or settled by troupe_receive, which in turn is refused after this. */
enum troupe_status troupe_stash(troupe_self *self) TROUPE_MUST_USE;

/* All that was put aside comes next, in the order in which it was, before what waits in the mailbox; each is handled
 * by what the actor is by then. Returns how many. */
uint32_t troupe_unstash(troupe_self *self);

/* ---- Silence ---- */

/* One when nothing has come to this actor for so long: no message, tick, answer, notice, descriptor or signal. The
 * time counts from the end of the handler of what came last; the next one comes only after something else. Not counted by contract 3, like a tick. */
TROUPE_MESSAGE_EMPTY(troupe_idle)

/* troupe_idle_after(self, 5 * TROUPE_SECOND): from now on, until the run ends; 0: no more. A call replaces the one
 * before. Costs a look at the clock for each message; nothing for actors that do not ask for it. INVALID (less than
 * 0, or the actor does not handle troupe_idle: the log says which), STOPPING, NO_MEMORY. */
enum troupe_status troupe_idle_after(troupe_self *self, int64_t time);

/* ---- From here on: how the macros do it. Nothing below is to be used directly. ---- */

struct troupe_behaviour {
    const char *name;
    uint32_t entry_count;
    const struct troupe_entry *entries; /* HANDLE only */
};

#define TROUPE_X_HANDLE_AS(tr_prefix, tr_message)                                                  \
    { TROUPE_ROLE_HANDLE, &tr_message##_message, NULL, tr_prefix##_on_##tr_message, NULL }

#ifdef __cplusplus
}
#endif
#endif
