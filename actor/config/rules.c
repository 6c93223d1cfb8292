/*
 * The rules of placement. For an actor the command line decides before the section `placement`, and
 * that before its own `place`; within either, the most specific glob that matches its path, and of
 * two alike the later one.
 */
#include <string.h>

#include "config/check.h"
#include "config/limits.h"
#include "config/placing.h"

static bool glob_is_right(struct tr_mistakes *mistakes, struct tr_where where, const char *glob) {
    const char *wrong = tr_glob_check(glob);
    if (wrong == NULL) return true;
    tr_mistake(mistakes, where, "the glob %s %s", tr_mistakes_quote(mistakes, glob), wrong);
    return false;
}

static void add(struct tr_mistakes *mistakes, struct tr_rules *rules, const struct tr_rule *rule,
                const struct tr_yaml *place) {
    struct tr_rule *added = &rules->rules[rules->count];
    bool right = glob_is_right(mistakes, rule->where, rule->glob);
    *added = *rule;
    if (!tr_placing_read(mistakes, place, rule->glob, &added->placement) || !right) return;
    if (rules->count == TR_CONFIG_MAX_RULES) {
        if (!rules->too_many)
            tr_mistake(mistakes, rule->where, "too many globs: at most %d", TR_CONFIG_MAX_RULES);
        rules->too_many = true;
        return;
    }
    added->rank = tr_glob_rank(rule->glob);
    added->placement.where = rule->where;
    rules->count++;
}

static void add_section(struct tr_mistakes *mistakes, struct tr_rules *rules,
                        const struct tr_yaml *section) {
    if (section->kind != TR_YAML_MAP) {
        tr_check_expected(mistakes, section, "placement", "a mapping of globs to places");
        return;
    }
    tr_check_doubles(mistakes, section);
    for (uint32_t i = 0; i < section->count && !tr_mistakes_full(mistakes); i++) {
        const struct tr_yaml *key = section->pairs[i].key;
        struct tr_rule rule = { .glob = key->text, .where = key->where };
        add(mistakes, rules, &rule, section->pairs[i].value);
    }
}

/* "GLOB=PLACE", where PLACE is what a file would have. */
static void add_placement(struct tr_mistakes *mistakes, struct tr_rules *rules, const char *text) {
    const char *equals = strchr(text, '=');
    struct tr_where where = { tr_arena_print(mistakes->arena, "--place '%s'", text), 1, 1 };
    struct tr_yaml *place = NULL;
    if (equals == NULL) {
        tr_mistake(mistakes, where, "expected GLOB=PLACE, as in '/counter/*=process'");
        return;
    }
    struct tr_rule rule = { .glob = tr_arena_copy(mistakes->arena, text, (size_t)(equals - text)),
                            .where = where,
                            .command_line = true };
    where.column += (uint32_t)(equals + 1 - text);
    if (!tr_yaml_read(mistakes, where, equals + 1, strlen(equals + 1), &place)) return;
    if (place == NULL) {
        tr_mistake(mistakes, where, "place: expected a place, found nothing");
        return;
    }
    add(mistakes, rules, &rule, place);
}

void tr_rules_read(struct tr_mistakes *mistakes, struct tr_rules *rules,
                   const struct tr_yaml *section, const char *const *placements) {
    rules->rules = tr_arena_array(mistakes->arena, TR_CONFIG_MAX_RULES + 1, sizeof *rules->rules);
    rules->count = 0;
    rules->too_many = false;
    if (section != NULL) add_section(mistakes, rules, section);
    for (; placements != NULL && *placements != NULL; placements++) {
        add_placement(mistakes, rules, *placements);
    }
}

void tr_tree_each(struct tr_child *child, void (*visit)(void *context, struct tr_child *actor),
                  void *context) {
    if (!child->is_supervisor) visit(context, child);
    for (uint32_t i = 0; i < child->child_count; i++)
        tr_tree_each(child->children[i], visit, context);
}

void tr_tree_all(struct tr_child *child, void (*visit)(void *context, struct tr_child *child),
                 void *context) {
    if (child->above != NULL) visit(context, child);
    for (uint32_t i = 0; i < child->child_count; i++) tr_tree_all(child->children[i], visit, context);
}

/* A supervisor is placed by its own path alone: what is said of many is said of actors. */
static bool is_meant(const struct tr_rule *rule, const struct tr_child *child) {
    return child->is_supervisor ? strcmp(rule->glob, child->path) == 0 : tr_glob_match(rule->glob, child->path);
}

static bool is_stronger(const struct tr_rule *rule, const struct tr_rule *than) {
    if (than == NULL) return true;
    if (rule->command_line != than->command_line) return rule->command_line;
    return tr_glob_compare(rule->rank, than->rank) >= 0;
}

static void place_child(void *context, struct tr_child *child) {
    struct tr_rules *rules = context;
    const struct tr_rule *strongest = NULL;
    for (uint32_t i = 0; i < rules->count; i++) {
        struct tr_rule *rule = &rules->rules[i];
        if (!is_meant(rule, child)) continue;
        rule->matched = true;
        if (is_stronger(rule, strongest)) strongest = rule;
    }
    if (strongest != NULL) child->placement = strongest->placement;
}

/* Looking for what was meant by a glob that matches nothing. */
struct search {
    const char *below; /* the glob, and a star: the members of a `count` */
    bool found_below;
    struct tr_suggest suggest;
};

static void search_actor(void *context, struct tr_child *actor) {
    struct search *search = context;
    search->found_below |= tr_glob_match(search->below, actor->path);
    tr_suggest_consider(&search->suggest, actor->path);
}

static void tell_unmatched(struct tr_mistakes *mistakes, const struct tr_rule *rule,
                           struct tr_child *root) {
    struct search search = { .below = tr_arena_print(mistakes->arena, "%s/**", rule->glob) };
    tr_suggest_start(&search.suggest, rule->glob);
    tr_tree_each(root, search_actor, &search);
    if (search.found_below) search.suggest.best = search.below;
    tr_mistake_suggest(mistakes, rule->where, &search.suggest, NULL, "the glob %s matches no actor",
                       tr_mistakes_quote(mistakes, rule->glob));
}

/* Of those that a rule has placed: what the tree says is checked already. */
static void check_place(void *context, struct tr_child *child) {
    if (strcmp(child->placement.rule, "the tree") != 0) tr_placing_check(context, child);
}

/* Actors with a thread of their own. */
struct own {
    uint32_t count;
    const struct tr_child *too_many; /* the first */
};

static void count_own(void *context, struct tr_child *actor) {
    struct own *own = context;
    if (actor->placement.own_thread && own->count++ == TR_CONFIG_MAX_OWN) own->too_many = actor;
}

static void check_own(struct tr_mistakes *mistakes, struct tr_child *root) {
    struct own own = { 0 };
    tr_tree_each(root, count_own, &own);
    if (own.too_many == NULL) return;
    tr_mistake(mistakes, own.too_many->placement.where,
               "place: %u actors with a thread of their own, '%s' among them, are too many: at most %d",
               own.count, own.too_many->path, TR_CONFIG_MAX_OWN);
}

void tr_rules_apply(struct tr_mistakes *mistakes, struct tr_rules *rules, struct tr_child *root) {
    tr_tree_all(root, place_child, rules);
    tr_tree_all(root, check_place, mistakes);
    for (uint32_t i = 0; i < rules->count; i++) {
        if (!rules->rules[i].matched) tell_unmatched(mistakes, &rules->rules[i], root);
    }
    tr_groups_check(mistakes, root);
    check_own(mistakes, root);
}
