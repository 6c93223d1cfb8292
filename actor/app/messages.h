/* Two messages of one name in different files are one for the linker: start-up looks for them. */
#ifndef TR_MESSAGES_H
#define TR_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>

/* False: some message name stands for different fields; `error` says which. */
bool tr_messages_check(char *error, size_t size);

#endif
