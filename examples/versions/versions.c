/* Asks for the version of a program, and prints the three results: what went wrong, its output, its errors. */
#include <stdio.h>
#include <string.h>
#include <troupe.h>

#define QUERY_FIELDS(field) field(array(str), lines)
TROUPE_MESSAGE(query, QUERY_FIELDS)

struct versions {
    troupe_address runner;
    uint32_t left;
};

TROUPE_START(versions, query) {
    enum troupe_status status = troupe_spawn(self, &me->runner, troupe_runner, troupe_running, .at_once = 4);
    for (uint32_t i = 0; i < args->lines.count && status == TROUPE_OK; i++, me->left++)
        status = troupe_ask(self, me->runner, troupe_run, TROUPE_MINUTE, .shell = args->lines.items[i],
                            .timeout = 10 * TROUPE_SECOND);
    return status;
}

static void print(const char *name, const struct troupe_bytes *bytes) {
    const char *text = bytes->size > 0 ? bytes->data : "";
    const char *end = memchr(text, '\n', bytes->size);
    printf("  %s: %.*s\n", name, (int)(end != NULL ? end - text : bytes->size), text);
}

TROUPE_ANSWER(versions, troupe_run, troupe_ran) {
    printf("%s\n", request->shell);
    printf("  error: %s\n", outcome != TROUPE_OK ? troupe_status_text(outcome) : reply->why);
    if (outcome == TROUPE_OK) print("stdout", &reply->output);
    if (outcome == TROUPE_OK) print("stderr", &reply->errors);
    if (--me->left == 0) troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(versions, TROUPE_STARTS(versions, query), TROUPE_ANSWERS(versions, troupe_run, troupe_ran))

int main(int argc, char **argv) { return troupe_main(argc, argv, &versions_actor, NULL); }
