#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of bytes of whole lines; -1 after an error, a line that is none of ours included. */
static off_t replay(FILE *file, void (*take)(void *actor, const struct move *entry), void *actor) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    off_t whole = 0;
    struct move entry = { 0 };
    while ((size = getline(&line, &capacity, file)) > 0 && line[size - 1] == '\n') {
        bool valid = sscanf(line, "%" SCNu32 " %" SCNu64 " %" SCNd64, &entry.teller, &entry.id, &entry.amount) == 3;
        if (valid) take(actor, &entry);
        whole = valid && whole >= 0 ? whole + size : -1;
    }
    free(line);
    if (whole < 0) errno = EBADMSG;
    return ferror(file) ? -1 : whole;
}

int journal_open(troupe_self *self, const char *directory, void (*take)(void *actor, const struct move *entry),
                 void *actor) {
    char path[4096];
    int size = snprintf(path, sizeof path, "%s%s.journal", directory, troupe_self_path(self));
    if ((size_t)size >= sizeof path) return errno = ENAMETOOLONG, -1;
    *strrchr(path, '/') = '-';
    int journal = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *file = fopen(path, "re");
    off_t whole = file == NULL ? -1 : replay(file, take, actor);
    if (file != NULL) fclose(file);
    if (journal >= 0 && whole >= 0 && ftruncate(journal, whole) == 0) return journal;
    if (journal >= 0) close(journal);
    return -1;
}

/* One write: whoever is killed has done it, or has not. Of a disk that is full comes a torn line, which is no line. */
bool journal_append(int journal, const struct move *entry) {
    char line[80];
    int size = snprintf(line, sizeof line, "%" PRIu32 " %" PRIu64 " %" PRId64 "\n", entry->teller, entry->id,
                        entry->amount);
    errno = ENOSPC;
    return write(journal, line, (size_t)size) == size;
}
