/* A journal: a line for each thing that was done, in a file that outlives whoever writes it. */
#ifndef BANK_JOURNAL_H
#define BANK_JOURNAL_H

#include <stdbool.h>

#include "messages.h"

/* Opens or makes DIRECTORY/account-3.journal for the actor /account/3, and hands every line of it to `take`; one that
 * was torn when its writer died is cut off. The descriptor, or -1 (errno). */
int journal_open(troupe_self *self, const char *directory, void (*take)(void *actor, const struct move *entry),
                 void *actor);

/* False: it is not in the journal (errno), and nothing must be written behind it: let the run fail. */
bool journal_append(int journal, const struct move *entry);

#endif
