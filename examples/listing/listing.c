/* `ls -l` as an actor: each line of its output is a message, and so is its end. */
#include <stdio.h>
#include <troupe.h>

#define LIST_FIELDS(field) field(str, folder)
TROUPE_MESSAGE(list, LIST_FIELDS)

struct listing {
    unsigned lines;
};

TROUPE_START(listing, list) {
    const char *const arguments[] = { "-l", args->folder };
    return troupe_spawn(self, NULL, troupe_command, troupe_program, .program = "ls", .arguments = { arguments, 2 },
                        .lines = true, .to = troupe_self_address(self));
}

TROUPE_ON(listing, troupe_command_output) {
    me->lines++;
    printf("%s%.*s\n", msg->stream == 2 ? "stderr: " : "stdout: ", (int)msg->data.size, (const char *)msg->data.data);
    return TROUPE_OK;
}

TROUPE_ON(listing, troupe_command_closed) {
    printf("closed with code %d after %u lines\n", msg->code, me->lines);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ON(listing, troupe_command_error) {
    printf("error %d: %s\n", msg->error, msg->why);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(listing, TROUPE_STARTS(listing, list),
    TROUPE_HANDLES(listing, troupe_command_output, troupe_command_closed, troupe_command_error))

int main(int argc, char **argv) { return troupe_main(argc, argv, &listing_actor, NULL); }
