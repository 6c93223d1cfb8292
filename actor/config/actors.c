/*
 * The actor types of a program, checked before anything uses them. What the compiler cannot see:
 * two with one name, and two entries of one actor for the same thing. Messages are compared by
 * their names, which is what nodes know them by.
 */
#include <stdio.h>
#include <string.h>

#include <troupe/behaviour.h>

#include "config/config.h"
#include "config/value.h"

struct checker {
    void (*report)(void *context, const char *line);
    void *context;
    bool right;
};

static void tell(struct checker *checker, const char *actor, const char *before, const char *what) {
    char line[512];
    snprintf(line, sizeof line, "actor '%s': error: %s%s", actor, before, what);
    checker->right = false;
    checker->report(checker->context, line);
}

static const char *message_name(const struct troupe_entry *entry) {
    return entry->message == NULL ? "" : entry->message->name;
}

/* START and STOP are alike whatever their message; ANSWER and HANDLE go by it, BEHAVIOUR by its name. */
static bool same(const struct troupe_entry *a, const struct troupe_entry *b) {
    if (a->role != b->role) return false;
    if (a->role == TROUPE_ROLE_START || a->role == TROUPE_ROLE_STOP) return true;
    if (a->role == TROUPE_ROLE_BEHAVIOUR) return strcmp(a->behaviour->name, b->behaviour->name) == 0;
    return strcmp(message_name(a), message_name(b)) == 0;
}

static void tell_double(struct checker *checker, const char *actor,
                        const struct troupe_entry *entry) {
    switch (entry->role) {
    case TROUPE_ROLE_START:
        tell(checker, actor, "it has two TROUPE_STARTS entries, the second for ",
             message_name(entry));
        break;
    case TROUPE_ROLE_STOP:
        tell(checker, actor, "it has two TROUPE_STOPS entries", "");
        break;
    case TROUPE_ROLE_ANSWER:
        tell(checker, actor, "it has two TROUPE_ANSWERS entries for the request ",
             message_name(entry));
        break;
    case TROUPE_ROLE_HANDLE:
        tell(checker, actor, "it has two TROUPE_HANDLES entries for ", message_name(entry));
        break;
    case TROUPE_ROLE_BEHAVIOUR:
        tell(checker, actor, "it has two TROUPE_BECOMES entries for ", entry->behaviour->name);
        break;
    }
}

static bool is_double(const struct troupe_entry *entries, uint32_t at) {
    uint32_t earlier = 0;
    while (earlier < at && !same(&entries[earlier], &entries[at])) earlier++;
    return earlier < at;
}

static void check_behaviour(struct checker *checker, const char *actor,
                            const struct troupe_behaviour *behaviour) {
    for (uint32_t i = 0; i < behaviour->entry_count; i++) {
        const struct troupe_entry *entry = &behaviour->entries[i];
        char what[256];
        bool handles = entry->role == TROUPE_ROLE_HANDLE;
        if (handles && !is_double(behaviour->entries, i)) continue;
        snprintf(what, sizeof what,
                 handles ? "its behaviour %s has two TROUPE_HANDLES entries for %s"
                         : "its behaviour %s may have TROUPE_HANDLES and TROUPE_HANDLES_AS only%s",
                 behaviour->name, handles ? message_name(entry) : "");
        tell(checker, actor, what, "");
    }
}

static void check_entries(struct checker *checker, const struct troupe_actor_type *actor) {
    for (uint32_t i = 0; i < actor->entry_count; i++) {
        const struct troupe_entry *entry = &actor->entries[i];
        if (is_double(actor->entries, i)) tell_double(checker, actor->name, entry);
        else if (entry->role == TROUPE_ROLE_BEHAVIOUR)
            check_behaviour(checker, actor->name, entry->behaviour);
    }
}

static void check_name(struct checker *checker, const struct troupe_actor_type *const *actors,
                       size_t at) {
    const char *name = actors[at]->name, *wrong = tr_value_name(name);
    if (wrong != NULL) tell(checker, name, "its name ", wrong);
    for (size_t i = 0; i < at; i++) {
        if (strcmp(actors[i]->name, name) != 0) continue;
        tell(checker, name, "",
             actors[i] == actors[at] ? "it is given twice"
                                     : "another actor type has the same name");
        return;
    }
}

bool tr_actors_check(const struct troupe_actor_type *const *actors,
                     void (*report)(void *context, const char *line), void *context) {
    struct checker checker = { report, context, true };
    for (size_t i = 0; actors[i] != NULL; i++) {
        check_name(&checker, actors, i);
        check_entries(&checker, actors[i]);
    }
    return checker.right;
}
