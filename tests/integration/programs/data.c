/* Readers that say what they find in the data of the configuration: "PATH: NAME=TEXT". The last run ends it all. */
#include <stdio.h>
#include <stdlib.h>
#include <troupe.h>

#define READ(field) field(array(str), names)
TROUPE_MESSAGE(read_data, READ)
TROUPE_MESSAGE_EMPTY(fail)

struct reader { uint32_t unused; };
TROUPE_START(reader, read_data) {
    for (uint32_t i = 0; i < args->names.count; i++) {
        const char *name = args->names.items[i], *text = troupe_data(self, name);
        printf("%s %u: %s=%s\n", troupe_self_path(self), troupe_self_run(self), name, text == NULL ? "NULL" : text);
    }
    fflush(stdout);
    if (troupe_data(self, NULL) != NULL) return TROUPE_FAIL(self, "there is something without a name");
    return troupe_after_empty(self, NULL, 0, fail);
}
TROUPE_ON(reader, fail) {
    if (troupe_self_run(self) == 0) abort(); /* with its process; the next run must find the same */
    return TROUPE_OK;
}
TROUPE_ACTOR(reader, TROUPE_STARTS(reader, read_data), TROUPE_HANDLES(reader, fail))

int main(int argc, char **argv) { return troupe_main(argc, argv, &reader_actor, NULL); }
