#include "app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/suggest.h"
#include "core/flight.h"

static const struct option long_options[] = {
    { "place", required_argument, NULL, 'p' },   { "set", required_argument, NULL, 's' },
    { "threads", required_argument, NULL, 't' }, { "one-process", no_argument, NULL, 'o' },
    { "trace", required_argument, NULL, 'r' },   { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'v' },       { NULL, 0, NULL, 0 },
};

static const char *const commands[] = { "run", "check", "explain", "help", "version" };

void tr_options_help(const char *program) {
    printf("Usage: %s COMMAND [CONFIG.yaml] [OPTION...]\n\n"
           "Commands\n"
           "  run        start the application of the configuration\n"
           "  check      look for mistakes in the configuration, start nothing\n"
           "  explain    say which actor runs where, and what decided it\n\n"
           "Options\n"
           "  --place GLOB=PLACE   run the actors with such paths there: thread, inproc, process,\n"
           "                       spawn, tcp; may be repeated; beats the configuration\n"
           "  --set KEY=VALUE      set a value of the configuration; may be repeated\n"
           "  --threads N          worker threads of the main node (1 to %d)\n"
           "  --one-process        everything in this process: for debuggers\n"
           "  --trace FILE         append a line for each message handled\n"
           "  --help, --version\n\n"
           "Exit codes: 0 stopped in order, 1 the configuration or this line is wrong,\n"
           "2 gave up restarting, 128+n forced by signal n.\n",
           program, TR_MAX_POOL);
}

static bool wrong(const char *program, const char *what, const char *value) {
    fprintf(stderr, "%s: %s '%s'; try %s --help\n", program, what, value, program);
    return false;
}

static bool add(const char *program, const char **list, uint32_t *count, const char *value) {
    if (strchr(value, '=') == NULL) return wrong(program, "there is no '=' in", value);
    if (*count == TR_OPTIONS_MAX) return wrong(program, "too many options, first too many:", value);
    list[(*count)++] = value;
    return true;
}

static bool set_threads(struct tr_options *options, const char *value) {
    char *end;
    unsigned long threads = strtoul(value, &end, 10);
    if (end == value || *end != '\0' || threads < 1 || threads > TR_MAX_POOL || value[0] == '-')
        return wrong(options->program, "not a number of threads from 1 to 64:", value);
    options->threads = (uint32_t)threads;
    return true;
}

static bool take_option(struct tr_options *options, int option, const char *word) {
    switch (option) {
    case 'p': return add(options->program, options->placements, &options->placement_count, optarg);
    case 's': return add(options->program, options->settings, &options->setting_count, optarg);
    case 't': return set_threads(options, optarg);
    case 'o': options->one_process = true; return true;
    case 'r': options->trace = optarg; return true;
    case 'h': options->command = TR_COMMAND_HELP; return true;
    case 'v': options->command = TR_COMMAND_VERSION; return true;
    case ':': return wrong(options->program, "a value is missing after", word);
    default: return wrong(options->program, "unknown option", word);
    }
}

static bool unknown_command(const struct tr_options *options, const char *word) {
    struct tr_suggest near;
    tr_suggest_start(&near, word);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        tr_suggest_consider(&near, commands[i]);
    fprintf(stderr, "%s: unknown command '%s'", options->program, word);
    if (near.best != NULL) fprintf(stderr, "; did you mean '%s'?", near.best);
    fprintf(stderr, "; try %s --help\n", options->program);
    return false;
}

static bool take_command(struct tr_options *options, const char *word) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i]) != 0) continue;
        static const enum tr_command values[] = { TR_COMMAND_RUN, TR_COMMAND_CHECK,
                                                  TR_COMMAND_EXPLAIN, TR_COMMAND_HELP,
                                                  TR_COMMAND_VERSION };
        options->command = values[i];
        return true;
    }
    return unknown_command(options, word);
}

static bool take_words(struct tr_options *options, int argc, char **argv) {
    bool asked = options->command == TR_COMMAND_HELP || options->command == TR_COMMAND_VERSION;
    if (asked) return true;
    if (optind == argc) {
        fprintf(stderr, "%s: no command: run, check or explain; try %s --help\n", options->program,
                options->program);
        return false;
    }
    if (!take_command(options, argv[optind++])) return false;
    if (optind < argc) options->config = argv[optind++];
    return optind == argc || wrong(options->program, "one word too many:", argv[optind]);
}

bool tr_options_parse(struct tr_options *options, int argc, char **argv) {
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    int option;
    *options = (struct tr_options){ .command = TR_COMMAND_RUN,
                                    .program = slash != NULL ? slash + 1
                                               : argc > 0 ? argv[0] : "program" };
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1)
        if (!take_option(options, option, argv[optind - 1])) return false;
    return take_words(options, argc, argv);
}
