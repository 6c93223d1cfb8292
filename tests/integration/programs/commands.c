/* Owners of external programs, for commands.py: each starts one, or many, and prints what it is told. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <troupe.h>

#define BEGIN(field) field(str, line) field(bool, detached) field(u32, times) field(i64, grace) field(bool, shuts_down)
TROUPE_MESSAGE(begin, BEGIN)

struct boss {
    char line[512];
    bool detached, shuts_down;
    int64_t grace;
    uint32_t left;
};

__attribute__((format(printf, 2, 3))) static void say(troupe_self *self, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("%s %s\n", troupe_self_path(self), text);
    fflush(stdout);
}

static enum troupe_status start_one(troupe_self *self, const struct boss *me) {
    return troupe_spawn(self, NULL, troupe_command, troupe_program, .shell = me->line, .lines = true,
                        .detached = me->detached, .grace = me->grace, .to = troupe_self_address(self));
}

TROUPE_START(boss, begin) {
    snprintf(me->line, sizeof me->line, "%s", args->line);
    me->detached = args->detached;
    me->shuts_down = args->shuts_down;
    me->grace = args->grace;
    me->left = args->times > 0 ? args->times : 1;
    return start_one(self, me);
}
TROUPE_ON(boss, troupe_command_started) {
    say(self, "started %d", msg->pid);
    return TROUPE_OK;
}
TROUPE_ON(boss, troupe_command_output) {
    say(self, "out %u %.*s", msg->stream, (int)msg->data.size, (const char *)msg->data.data);
    return TROUPE_OK;
}
TROUPE_ON(boss, troupe_command_exited) {
    say(self, "exited %d %d %s", msg->code, msg->signal, msg->reason);
    return TROUPE_OK;
}
TROUPE_ON(boss, troupe_command_closed) {
    say(self, "closed %d %d", msg->code, msg->signal);
    if (--me->left > 0) return start_one(self, me);
    say(self, "done");
    if (me->shuts_down) troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ON(boss, troupe_command_error) {
    say(self, "error %d %s", msg->error, msg->why);
    return TROUPE_OK;
}
TROUPE_ACTOR(boss, TROUPE_STARTS(boss, begin),
    TROUPE_HANDLES(boss, troupe_command_started, troupe_command_output, troupe_command_exited, troupe_command_closed,
                   troupe_command_error))

/* Asks a runner, wherever that is. */
#define ASKS(field) field(str, runner) field(str, line) field(str, input) field(u32, times) field(u64, max_output) \
    field(i64, timeout)
TROUPE_MESSAGE(asks, ASKS)
struct asker {
    uint32_t left;
};

TROUPE_START(asker, asks) {
    troupe_address runner = troupe_lookup(self, args->runner);
    me->left = args->times;
    for (uint32_t i = 0; i < args->times; i++) {
        enum troupe_status status =
            troupe_ask(self, runner, troupe_run, TROUPE_MINUTE, .shell = args->line, .max_output = args->max_output,
                       .timeout = args->timeout, .input = { args->input, (uint32_t)strlen(args->input) });
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
TROUPE_ANSWER(asker, troupe_run, troupe_ran) {
    if (outcome != TROUPE_OK) say(self, "outcome %s", troupe_status_name(outcome));
    else
        say(self, "ran [%s] %d %d %d [%.*s] [%.*s]", reply->why, reply->error, reply->code, reply->signal,
            (int)reply->output.size, (const char *)reply->output.data, (int)reply->errors.size,
            (const char *)reply->errors.data);
    if (--me->left == 0) say(self, "done");
    return TROUPE_OK;
}
TROUPE_ACTOR(asker, TROUPE_STARTS(asker, asks), TROUPE_ANSWERS(asker, troupe_run, troupe_ran))

int main(int argc, char **argv) { return troupe_main(argc, argv, &boss_actor, &asker_actor, NULL); }
