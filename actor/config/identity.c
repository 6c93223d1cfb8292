/*
 * `user` and `group`: by name or number, looked up here and now.
 *
 * A user brings his own group and his supplementary ones; `group` replaces the former, and without a user it is the
 * only one. A number without an entry is fine where nothing has to be looked up: a user then needs a `group`.
 * Processes that were executed anew do not ask again: the keeper has, and they may not see what it saw.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/check.h"
#include "config/process_read.h"
#include "config/value.h"

enum { ENTRY_SIZE = 65536 }; /* a group with very many members needs as much */
#define MOST_ID UINT32_C(0xfffffffe) /* the one above means: no change */

static bool read_number(const char *text, uint32_t *number) {
    struct tr_integer integer;
    if (tr_value_integer(text, &integer) != TR_VALUE_OK || integer.negative || integer.magnitude > MOST_ID)
        return false;
    *number = (uint32_t)integer.magnitude;
    return true;
}

static void tell_unknown(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *what, int error) {
    const char *quoted = tr_mistakes_quote(mistakes, node->text);
    if (error != 0)
        tr_mistake(mistakes, node->where, "%s: %s cannot be looked up: %s", what, quoted, strerror(error));
    else
        tr_mistake(mistakes, node->where, "%s: this machine has no %s %s", what, what, quoted);
}

/* The supplementary groups of a user with an entry. */
static void list_groups(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *name,
                        struct tr_identity *identity) {
    int count = TR_PROCESS_MAX_GROUPS;
    if (getgrouplist(name, identity->group, identity->groups, &count) < 0)
        tr_mistake(mistakes, node->where, "user: %s is in more than %d groups", tr_mistakes_quote(mistakes, name),
                   TR_PROCESS_MAX_GROUPS);
    else identity->group_count = (uint32_t)count;
}

/* `own`: whether the user's own group is wanted. */
static void find_user(struct tr_mistakes *mistakes, const struct tr_yaml *node, bool own, char *memory,
                      struct tr_identity *identity) {
    struct passwd entry, *found = NULL;
    uint32_t number = 0;
    bool numeric = read_number(node->text, &number);
    int error = numeric ? getpwuid_r(number, &entry, memory, ENTRY_SIZE, &found)
                        : getpwnam_r(node->text, &entry, memory, ENTRY_SIZE, &found);
    identity->user = number;
    if (found != NULL) {
        identity->user = found->pw_uid;
        if (own) identity->group = found->pw_gid;
        list_groups(mistakes, node, found->pw_name, identity);
    } else if (!numeric) {
        tell_unknown(mistakes, node, "user", error);
    } else if (own) {
        tr_mistake(mistakes, node->where, "user: this machine knows no group of %s; give one with 'group'", node->text);
    }
}

static void find_group(struct tr_mistakes *mistakes, const struct tr_yaml *node, char *memory,
                       struct tr_identity *identity) {
    struct group entry, *found = NULL;
    uint32_t number = 0;
    if (!read_number(node->text, &number)) {
        int error = getgrnam_r(node->text, &entry, memory, ENTRY_SIZE, &found);
        if (found == NULL) tell_unknown(mistakes, node, "group", error);
        else number = found->gr_gid;
    }
    identity->group = number;
}

static void look_up(struct tr_mistakes *mistakes, const struct tr_yaml *user, const struct tr_yaml *group,
                    struct tr_identity *identity) {
    char *memory = tr_arena_take(mistakes->arena, ENTRY_SIZE);
    identity->user = geteuid();
    if (group != NULL) find_group(mistakes, group, memory, identity);
    if (user != NULL) find_user(mistakes, user, group == NULL, memory, identity);
    if (identity->group_count == 0) identity->groups[identity->group_count++] = identity->group;
}

const struct tr_identity *tr_identity_read(struct tr_mistakes *mistakes, const struct tr_yaml *user,
                                           const struct tr_yaml *group) {
    static const char shape[] = "a name or a number";
    struct tr_identity *identity = tr_arena_take(mistakes->arena, sizeof *identity);
    if (user != NULL) identity->user_text = tr_process_text(mistakes, user, "user", shape);
    if (group != NULL) identity->group_text = tr_process_text(mistakes, group, "group", shape);
    bool right = (user == NULL || identity->user_text != NULL) && (group == NULL || identity->group_text != NULL);
    if (right && !mistakes->checked) look_up(mistakes, user, group, identity);
    return identity;
}
