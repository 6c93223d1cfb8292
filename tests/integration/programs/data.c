/* Readers that say what they find in the data of the configuration: "PATH RUN: NAME=TEXT", and "PATH RUN: all". */
#include <stdio.h>
#include <troupe.h>

#define READ(field) field(array(str), names)
TROUPE_MESSAGE(read_data, READ)

struct reader { char unused; };
TROUPE_START(reader, read_data) {
    for (uint32_t i = 0; i < args->names.count; i++) {
        const char *name = args->names.items[i], *text = troupe_data(self, name);
        printf("%s %u: %s=%s\n", troupe_self_path(self), troupe_self_run(self), name, text == NULL ? "NULL" : text);
    }
    printf("%s %u: all\n", troupe_self_path(self), troupe_self_run(self));
    fflush(stdout);
    return troupe_data(self, NULL) == NULL ? TROUPE_OK : TROUPE_FAIL(self, "there is something without a name");
}
TROUPE_ACTOR(reader, TROUPE_STARTS(reader, read_data))

int main(int argc, char **argv) { return troupe_main(argc, argv, &reader_actor, NULL); }
