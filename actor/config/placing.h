/* Where actors run: how a place is written, and which of the rules decides for a path. */
#ifndef TR_PLACING_H
#define TR_PLACING_H

#include "config/glob.h"
#include "config/yaml.h"

/* What a place may be besides a mapping; ends with a NULL word. */
struct tr_place_word {
    const char *word;
    enum tr_place place;
    enum tr_lane lane;
    enum tr_start start;
};
extern const struct tr_place_word tr_place_words[];

/* A place as it is written: a word of tr_place_words or a mapping. False: told what is wrong. */
bool tr_placing_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *rule,
                     struct tr_placement *placement);

/* Tells that a supervisor cannot be placed so. */
void tr_placing_check(struct tr_mistakes *mistakes, const struct tr_child *child);

struct tr_rule {
    const char *glob;
    struct tr_glob_rank rank;
    struct tr_where where;
    bool command_line;
    bool matched;
    struct tr_placement placement;
};

struct tr_rules {
    struct tr_rule *rules;
    uint32_t count;
    bool too_many; /* told */
};

/* From the section `placement` (may be NULL) and from --place (may be NULL). */
void tr_rules_read(struct tr_mistakes *mistakes, struct tr_rules *rules,
                   const struct tr_yaml *section, const char *const *placements);

/* Gives every actor its placement; tells globs that match none and groups that disagree. */
void tr_rules_apply(struct tr_mistakes *mistakes, struct tr_rules *rules, struct tr_child *root);

/* The actors of the tree, from left to right: calls `visit` with each. */
void tr_tree_each(struct tr_child *child, void (*visit)(void *context, struct tr_child *actor),
                  void *context);
/* The same, and supervisors, each before its children, but for the root. */
void tr_tree_all(struct tr_child *child, void (*visit)(void *context, struct tr_child *child),
                 void *context);

/* Tells members of a group that are not placed alike. */
void tr_groups_check(struct tr_mistakes *mistakes, struct tr_child *root);

#endif
