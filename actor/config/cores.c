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

static void add(struct tr_config *config, uint32_t *cores, uint64_t core) {
    cores[config->core_count++] = (uint32_t)core;
}

static void take_all(struct tr_config *config, uint32_t *cores, const cpu_set_t *allowed) {
    for (uint32_t core = 0; core < CPU_SETSIZE && config->core_count < TR_CONFIG_MAX_CORES; core++)
        if (is_allowed(allowed, core)) add(config, cores, core);
}

static void tell_allowed(struct tr_mistakes *mistakes, const struct tr_yaml *item,
                         const cpu_set_t *allowed) {
    const char *list = "";
    if (tr_mistakes_full(mistakes)) return;
    for (uint32_t core = 0; core < CPU_SETSIZE && strlen(list) < 100; core++)
        if (is_allowed(allowed, core))
            list = tr_arena_print(mistakes->arena, "%s%s%u", list, *list == '\0' ? "" : ", ", core);
    tr_mistake(mistakes, item->where, "pin: the core %s is not one that this process may use; allowed: %s%s",
               tr_mistakes_quote(mistakes, item->text), list, strlen(list) < 100 ? "" : ", ...");
}

static void take_item(struct tr_mistakes *mistakes, const struct tr_yaml *item, struct tr_config *config,
                      uint32_t *cores, const cpu_set_t *allowed) {
    struct tr_integer integer;
    if (item->kind != TR_YAML_SCALAR || !item->plain ||
        tr_value_integer(item->text, &integer) != TR_VALUE_OK || integer.negative)
        tr_check_expected(mistakes, item, "pin", "the number of a core");
    else if (!is_allowed(allowed, integer.magnitude)) tell_allowed(mistakes, item, allowed);
    else add(config, cores, integer.magnitude);
}

static void take_list(struct tr_mistakes *mistakes, const struct tr_yaml *node, struct tr_config *config,
                      uint32_t *cores, const cpu_set_t *allowed) {
    if (node->count == 0 || node->count > TR_CONFIG_MAX_CORES) {
        tr_mistake(mistakes, node->where, "pin: expected 1 to %d cores, found %u", TR_CONFIG_MAX_CORES,
                   node->count);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++)
        take_item(mistakes, node->items[i], config, cores, allowed);
}

static bool says(const struct tr_yaml *node, const char *word) {
    return node->kind == TR_YAML_SCALAR && node->plain && strcmp(node->text, word) == 0;
}

void tr_cores_read(struct tr_mistakes *mistakes, const struct tr_yaml *node, bool checked,
                   struct tr_config *config) {
    cpu_set_t allowed;
    if (node == NULL || says(node, "false")) return;
    uint32_t *cores = tr_arena_array(mistakes->arena, TR_CONFIG_MAX_CORES, sizeof *cores);
    config->cores = cores;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        tr_mistake(mistakes, node->where, "pin: cannot be told which cores this process may use");
        return;
    }
    if (says(node, "true")) {
        take_all(config, cores, &allowed);
    } else if (node->kind == TR_YAML_LIST) {
        if (checked) memset(&allowed, 0xFF, sizeof allowed);
        take_list(mistakes, node, config, cores, &allowed);
    } else {
        tr_check_expected(mistakes, node, "pin", "true, false, or a list of cores");
    }
}
