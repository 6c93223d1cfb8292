#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of bytes of whole lines, -1 after an error. */
static off_t replay(FILE *file, void (*take)(void *actor, const struct move *entry), void *actor) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    off_t whole = 0;
    struct move entry = { 0 };
    while ((size = getline(&line, &capacity, file)) > 0 && line[size - 1] == '\n') {
        if (sscanf(line, "%" SCNu32 " %" SCNu64 " %" SCNd64, &entry.teller, &entry.id, &entry.amount) != 3) break;
        take(actor, &entry);
        whole += size;
    }
    free(line);
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

/* One write: whoever is killed has done it, or has not. A disk that is full takes a part: that is cut off again. */
bool journal_append(int journal, const struct move *entry) {
    char line[80];
    off_t before = lseek(journal, 0, SEEK_END);
    int size = snprintf(line, sizeof line, "%" PRIu32 " %" PRIu64 " %" PRId64 "\n", entry->teller, entry->id,
                        entry->amount);
    if (before >= 0 && write(journal, line, (size_t)size) == size) return true;
    if (before >= 0 && ftruncate(journal, before) != 0) return false;
    return false;
}
