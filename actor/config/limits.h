/* Everything is bounded: how much one configuration may ask for. */
#ifndef TR_CONFIG_LIMITS_H
#define TR_CONFIG_LIMITS_H

enum {
    TR_CONFIG_MAX_COUNT = 10000,     /* actors of one child */
    TR_CONFIG_MAX_ACTORS = 20000,    /* actors of the tree */
    TR_CONFIG_MAX_CHILDREN = 1048576, /* of one supervisor, with what code adds */
    TR_CONFIG_MAX_OWN = 192,         /* actors with a thread of their own */
    TR_CONFIG_MAX_CORES = 1024,
    TR_CONFIG_MAX_DATA = 1024,       /* names of `data` */
    TR_CONFIG_MAX_RULES = 256,       /* globs, those of the command line included */
    TR_CONFIG_MAX_MAILBOX = 1048576, /* messages */
    TR_CONFIG_MAX_ARGS = 1048576     /* bytes of the arrays of one child's arguments */
};

#endif
