/* How often each word occurred: a hash table with open addressing. One owner, no locks. */
#ifndef WORDCOUNT_TABLE_H
#define WORDCOUNT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_entry {
    char *word; /* NULL: a free place */
    uint64_t hash;
    uint64_t n;
};

/* All zero is an empty table. */
struct table {
    struct table_entry *entries;
    size_t size; /* places: 0 or a power of two */
    size_t used; /* distinct words */
    uint64_t total;
};

/* FNV-1a. Readers choose a word's counter by it, tables its place. */
uint64_t table_hash(const char *word);

/* False: no memory, and nothing was added. */
bool table_add(struct table *table, const char *word, uint64_t n);

/* Writes the most frequent words to `top`, at most `limit`, the most frequent first, words of the same
 * count in alphabetical order. Returns how many. The words stay the table's. */
size_t table_top(const struct table *table, struct table_entry *top, size_t limit);

/* The order of table_top. */
bool table_before(const struct table_entry *a, const struct table_entry *b);

void table_free(struct table *table);

#endif
