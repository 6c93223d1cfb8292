/*
 * `pin: true`, or a list of cores. What is allowed is what this process may use, here and now: the same
 * configuration may be a mistake on another machine, and `check` says so. It is none any more for processes
 * that the keeper has executed anew: the cores may have been changed meanwhile (a thread that cannot be pinned
 * then says so, and runs).
 */
#include "config/cores.h"

#include <sched.h>
#include <string.h>

#include "config/check.h"
#include "config/limits.h"
#include "config/value.h"

static bool is_allowed(const cpu_set_t *allowed, uint64_t core) {
    return core < CPU_SETSIZE && CPU_ISSET((size_t)core, allowed);
}

struct list {
    struct tr_mistakes *mistakes;
    const char *key; /* whose value it is */
    cpu_set_t allowed;
    uint32_t *cores;
    uint32_t count;
};

static bool open_list(struct list *list, struct tr_where where) {
    list->cores = tr_arena_array(list->mistakes->arena, TR_CONFIG_MAX_CORES, sizeof *list->cores);
    if (sched_getaffinity(0, sizeof list->allowed, &list->allowed) == 0) return true;
    tr_mistake(list->mistakes, where, "%s: cannot be told which cores this process may use", list->key);
    return false;
}

static void take_all(struct list *list) {
    for (uint32_t core = 0; core < CPU_SETSIZE && list->count < TR_CONFIG_MAX_CORES; core++)
        if (is_allowed(&list->allowed, core)) list->cores[list->count++] = core;
}

static void tell_allowed(const struct list *list, const struct tr_yaml *item) {
    const char *text = "";
    if (tr_mistakes_full(list->mistakes)) return;
    for (uint32_t core = 0; core < CPU_SETSIZE && strlen(text) < 100; core++)
        if (is_allowed(&list->allowed, core))
            text = tr_arena_print(list->mistakes->arena, "%s%s%u", text, *text == '\0' ? "" : ", ", core);
    tr_mistake(list->mistakes, item->where, "%s: the core %s is not one that this process may use; allowed: %s%s",
               list->key, tr_mistakes_quote(list->mistakes, item->text), text, strlen(text) < 100 ? "" : ", ...");
}

static void take_item(struct list *list, const struct tr_yaml *item) {
    struct tr_integer integer;
    if (item->kind != TR_YAML_SCALAR || !item->plain ||
        tr_value_integer(item->text, &integer) != TR_VALUE_OK || integer.negative)
        tr_check_expected(list->mistakes, item, list->key, "the number of a core");
    else if (!is_allowed(&list->allowed, integer.magnitude)) tell_allowed(list, item);
    else list->cores[list->count++] = (uint32_t)integer.magnitude;
}

static void take_list(struct list *list, const struct tr_yaml *node) {
    if (node->count == 0 || node->count > TR_CONFIG_MAX_CORES) {
        tr_mistake(list->mistakes, node->where, "%s: expected 1 to %d cores, found %u", list->key,
                   TR_CONFIG_MAX_CORES, node->count);
        return;
    }
    if (list->mistakes->checked) memset(&list->allowed, 0xFF, sizeof list->allowed);
    for (uint32_t i = 0; i < node->count; i++) take_item(list, node->items[i]);
}

uint32_t tr_cores_list(struct tr_mistakes *mistakes, const struct tr_yaml *node, const char *key,
                       const uint32_t **cores) {
    struct list list = { .mistakes = mistakes, .key = key };
    if (node->kind != TR_YAML_LIST) tr_check_expected(mistakes, node, key, "a list of cores");
    else if (open_list(&list, node->where)) take_list(&list, node);
    *cores = list.cores;
    return list.count;
}

static bool says(const struct tr_yaml *node, const char *word) {
    return node->kind == TR_YAML_SCALAR && node->plain && strcmp(node->text, word) == 0;
}

void tr_cores_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, struct tr_config *config) {
    struct list list = { .mistakes = mistakes, .key = "pin" };
    if (node == NULL || says(node, "false") || !open_list(&list, node->where)) return;
    if (says(node, "true")) take_all(&list);
    else if (node->kind == TR_YAML_LIST) take_list(&list, node);
    else tr_check_expected(mistakes, node, "pin", "true, false, or a list of cores");
    config->cores = list.cores;
    config->core_count = list.count;
}
