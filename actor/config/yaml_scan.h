/* The first pass over a YAML text: is it safe to build, and how much memory will that need? */
#ifndef TR_YAML_SCAN_H
#define TR_YAML_SCAN_H

#include <yaml.h>

#include "config/yaml.h"

enum {
    TR_YAML_SCAN_MAX = 64,       /* mistakes told for one text */
    TR_YAML_SCAN_DIRECTIVES = 64 /* lines that begin with %TAG */
};

struct tr_yaml_found {
    const char *what, *context; /* static texts; context may be NULL */
    uint32_t line, column;      /* from 0 */
    uint32_t context_line;      /* from 1 */
};

struct tr_yaml_scan {
    size_t nodes, lists, bytes; /* all nodes; lists and mappings; bytes of the scalars */
    uint32_t documents;
    bool safe;      /* may be built; there may be mistakes all the same */
    bool no_memory; /* libyaml had none */
    uint32_t found_count;
    struct tr_yaml_found found[TR_YAML_SCAN_MAX];
};

/* Allocates nothing of ours, so that nothing of libyaml's can be left behind. */
void tr_yaml_scan(struct tr_yaml_scan *scan, const char *text, size_t size);

/* Every parser is opened in the same way. False: no memory. */
bool tr_yaml_open(yaml_parser_t *parser, const char *text, size_t size);

#endif
