/* A program that never ends, its output as it comes, and its end when there was enough of it. */
#include <inttypes.h>
#include <stdio.h>
#include <troupe.h>

#define STREAM_FIELDS(field) field(str, line) field(u64, bytes)
TROUPE_MESSAGE(stream, STREAM_FIELDS)

struct endless {
    troupe_address command;
    uint64_t enough, bytes;
    bool aborted;
};

TROUPE_START(endless, stream) {
    me->enough = args->bytes;
    return troupe_spawn(self, &me->command, troupe_command, troupe_program, .shell = args->line,
                        .to = troupe_self_address(self));
}

/* What comes is asked of us: the program is no faster than this handler. */
TROUPE_ON(endless, troupe_command_output) {
    me->bytes += msg->data.size;
    if (me->bytes < me->enough || me->aborted) return TROUPE_OK;
    me->aborted = true;
    printf("enough: %" PRIu64 " bytes\n", me->enough);
    return troupe_send_empty(self, me->command, troupe_command_abort);
}

TROUPE_ON(endless, troupe_command_closed) {
    printf("closed: signal %d, %s\n", msg->signal, msg->reason);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(endless, TROUPE_STARTS(endless, stream), TROUPE_HANDLES(endless, troupe_command_output, troupe_command_closed))

int main(int argc, char **argv) { return troupe_main(argc, argv, &endless_actor, NULL); }
