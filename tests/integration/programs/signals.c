/*
 * Signals under troupe_main. A catcher asks for those that its arguments name (-1: the first realtime signal but
 * one), and prints a line for each that it is told of. When it has started, it says so to /here, which prints
 * it: by then its supervisor knows as well.
 */
#include <signal.h>
#include <stdio.h>
#include <troupe.h>

#define ASK(field) field(array(i32), signals)
TROUPE_MESSAGE(ask, ASK)
TROUPE_MESSAGE_EMPTY(begun)
#define READY(field) field(str, path) field(u32, run)
TROUPE_MESSAGE(ready, READY)

struct catcher { uint64_t total; };

TROUPE_START(catcher, ask) {
    for (uint32_t i = 0; i < args->signals.count; i++) {
        int number = args->signals.items[i] < 0 ? SIGRTMIN - args->signals.items[i] : args->signals.items[i];
        enum troupe_status status = troupe_signal(self, number);
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "signal %d: %s", number, troupe_status_text(status));
    }
    return troupe_send_empty(self, troupe_self_address(self), begun);
}
TROUPE_ON(catcher, begun) {
    return troupe_send(self, troupe_lookup(self, "/here"), ready, .path = troupe_self_path(self),
                       .run = troupe_self_run(self));
}
TROUPE_ON(catcher, ready) {
    printf("%s ready, run %u\n", msg->path, msg->run);
    fflush(stdout);
    return TROUPE_OK;
}
TROUPE_ON(catcher, troupe_signalled) {
    me->total += msg->count;
    printf("%s got %d, %llu in all\n", troupe_self_path(self), msg->signal, (unsigned long long)me->total);
    fflush(stdout);
    return TROUPE_OK;
}
TROUPE_ACTOR(catcher, TROUPE_STARTS(catcher, ask), TROUPE_HANDLES(catcher, begun, ready, troupe_signalled))

int main(int argc, char **argv) { return troupe_main(argc, argv, &catcher_actor, NULL); }
