/* The command line of a Troupe program. */
#ifndef TR_OPTIONS_H
#define TR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum tr_command { TR_COMMAND_RUN, TR_COMMAND_CHECK, TR_COMMAND_EXPLAIN, TR_COMMAND_HELP,
                  TR_COMMAND_VERSION };

enum { TR_OPTIONS_MAX = 64 };

struct tr_options {
    enum tr_command command;
    const char *program;                       /* its name */
    const char *config;                        /* file; NULL: none given */
    const char *settings[TR_OPTIONS_MAX + 1];   /* of --set, ends with NULL */
    const char *placements[TR_OPTIONS_MAX + 1]; /* of --place, ends with NULL */
    uint32_t setting_count, placement_count;
    uint32_t threads;                          /* 0: as configured */
    bool one_process;
    const char *trace;                         /* file; NULL: none */
};

/* False: the line is wrong; a message for people was printed. The strings stay those of argv. */
bool tr_options_parse(struct tr_options *options, int argc, char **argv);

void tr_options_help(const char *program);

#endif
