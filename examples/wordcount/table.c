#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024 };

uint64_t table_hash(const char *word) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *word != '\0'; word++) hash = (hash ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
    return hash;
}

/* The place of a word: where it is, or the free one where it belongs. The upper bits choose it, for all
 * words of one counter share what the lower ones leave after the division. */
static struct table_entry *find(struct table_entry *entries, size_t size, const char *word, uint64_t hash) {
    for (size_t i = (size_t)(hash >> 24) & (size - 1);; i = (i + 1) & (size - 1)) {
        struct table_entry *entry = &entries[i];
        if (entry->word == NULL || (entry->hash == hash && strcmp(entry->word, word) == 0)) return entry;
    }
}

/* At most two thirds full, so that probes are short and end. */
static bool make_room(struct table *table) {
    if (table->used * 3 < table->size * 2) return true;
    size_t size = table->size == 0 ? FIRST_SIZE : 2 * table->size;
    struct table_entry *entries = calloc(size, sizeof *entries);
    if (entries == NULL) return false;
    for (size_t i = 0; i < table->size; i++) {
        const struct table_entry *old = &table->entries[i];
        if (old->word != NULL) *find(entries, size, old->word, old->hash) = *old;
    }
    free(table->entries);
    table->entries = entries;
    table->size = size;
    return true;
}

bool table_add(struct table *table, const char *word, uint64_t n) {
    if (!make_room(table)) return false;
    uint64_t hash = table_hash(word);
    struct table_entry *entry = find(table->entries, table->size, word, hash);
    if (entry->word == NULL) {
        char *copy = strdup(word);
        if (copy == NULL) return false;
        *entry = (struct table_entry){ .word = copy, .hash = hash };
        table->used++;
    }
    entry->n += n;
    table->total += n;
    return true;
}

bool table_before(const struct table_entry *a, const struct table_entry *b) {
    return a->n != b->n ? a->n > b->n : strcmp(a->word, b->word) < 0;
}

size_t table_top(const struct table *table, struct table_entry *top, size_t limit) {
    size_t count = 0;
    for (size_t i = 0; i < table->size; i++) {
        const struct table_entry *entry = &table->entries[i];
        if (entry->word == NULL) continue;
        size_t at = count;
        while (at > 0 && table_before(entry, &top[at - 1])) at--;
        if (at == limit) continue;
        if (count < limit) count++;
        memmove(&top[at + 1], &top[at], (count - at - 1) * sizeof *top);
        top[at] = *entry;
    }
    return count;
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->size; i++) free(table->entries[i].word);
    free(table->entries);
    *table = (struct table){ 0 };
}
