/* Actors that share a place by its name must be placed alike: it is one process or one node. */
#include <stdlib.h>
#include <string.h>

#include "config/placing.h"

struct members {
    struct tr_child **items; /* NULL at first: only counted */
    uint32_t count;
};

static void add_member(void *context, struct tr_child *actor) {
    struct members *members = context;
    if (actor->placement.group == NULL) return;
    if (members->items != NULL) members->items[members->count] = actor;
    members->count++;
}

/* By group; within one, by what decided. */
static int compare(const void *left, const void *right) {
    const struct tr_child *a = *(struct tr_child *const *)left,
                          *b = *(struct tr_child *const *)right;
    int order = strcmp(a->placement.group, b->placement.group);
    if (order != 0) return order;
    struct tr_where x = a->placement.where, y = b->placement.where;
    if (x.line != y.line) return x.line < y.line ? -1 : 1;
    if (x.column != y.column) return x.column < y.column ? -1 : 1;
    return strcmp(a->path, b->path);
}

static bool alike(const struct tr_placement *a, const struct tr_placement *b) {
    return a->place == b->place && a->lane == b->lane && a->start == b->start &&
           tr_process_options_alike(a->options, b->options);
}

static const char *decided_by(struct tr_mistakes *mistakes, const struct tr_placement *placement) {
    return tr_arena_print(mistakes->arena, "%s:%u:%u", placement->where.file, placement->where.line,
                          placement->where.column);
}

static bool same_where(struct tr_where a, struct tr_where b) {
    return a.file == b.file && a.line == b.line && a.column == b.column;
}

static void check_sorted(struct tr_mistakes *mistakes, const struct members *members) {
    const struct tr_child *first = NULL, *told = NULL;
    for (uint32_t i = 0; i < members->count && !tr_mistakes_full(mistakes); i++) {
        const struct tr_child *member = members->items[i];
        if (first == NULL || strcmp(first->placement.group, member->placement.group) != 0)
            first = member;
        if (alike(&first->placement, &member->placement)) continue;
        if (told != NULL && same_where(told->placement.where, member->placement.where)) continue;
        told = member;
        tr_mistake(
            mistakes, member->placement.where,
            "the place '%s' is another for '%s', see %s: actors that share a place have the same "
            "lane, start and options",
            member->placement.group, first->path, decided_by(mistakes, &first->placement));
    }
}

void tr_groups_check(struct tr_mistakes *mistakes, struct tr_child *root) {
    struct members members = { NULL, 0 };
    tr_tree_all(root, add_member, &members);
    members.items = tr_arena_array(mistakes->arena, members.count, sizeof(struct tr_child *));
    members.count = 0;
    tr_tree_all(root, add_member, &members);
    qsort(members.items, members.count, sizeof(struct tr_child *), compare);
    check_sorted(mistakes, &members);
}
