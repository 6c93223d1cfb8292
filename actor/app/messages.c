/*
 * Every file that declares a message leaves a record of it in one section of the program (message.h).
 * Two files that use one name for different messages share one description, and would read each other's
 * bytes wrongly. So the records of a name are compared, once, before anything starts.
 */
#include "app/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe/message.h>

/* Of this program: the linker makes them when there is such a section. */
extern const struct troupe_message_type __start_troupe_messages[] __attribute__((weak));
extern const struct troupe_message_type __stop_troupe_messages[] __attribute__((weak));

enum { SCHEMA = 1024 };

static int by_name(const void *a, const void *b) {
    const struct troupe_message_type *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static bool is_same(const struct troupe_message_type *a, const struct troupe_message_type *b,
                    char *error, size_t size) {
    char left[SCHEMA], right[SCHEMA];
    if (a->size == b->size && troupe_message_fingerprint(a) == troupe_message_fingerprint(b))
        return true;
    troupe_message_schema(a, left, sizeof left);
    troupe_message_schema(b, right, sizeof right);
    snprintf(error, size,
             "error: two messages are called %s, in different files: %s and %s; rename one\n", a->name,
             left, right);
    return false;
}

bool tr_messages_check(char *error, size_t size) {
    size_t count = (size_t)(__stop_troupe_messages - __start_troupe_messages);
    const struct troupe_message_type **sorted = calloc(count + 1, sizeof *sorted);
    bool good = sorted != NULL;
    if (!good) snprintf(error, size, "error: out of memory\n");
    for (size_t i = 0; good && i < count; i++) sorted[i] = &__start_troupe_messages[i];
    if (good) qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; good && i < count; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            good = is_same(sorted[i - 1], sorted[i], error, size);
    free(sorted);
    return good;
}
