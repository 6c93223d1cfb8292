#include "config/suggest.h"

#include <stdint.h>
#include <string.h>

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Not tolower: what is near must not depend on the locale. */
static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* The words that are compared, and the last three rows of the table of distances between their
 * beginnings: rows[k][j] for the first i letters of a and the first j of b. */
struct table {
    const char *a, *b;
    size_t size_b;
    uint8_t rows[3][TR_SUGGEST_MAX + 1];
};

static size_t cell(const struct table *table, size_t i, size_t j) {
    const uint8_t *row = table->rows[i % 3], *above = table->rows[(i + 2) % 3];
    const char *a = table->a + i - 1, *b = table->b + j - 1;
    size_t best = above[j - 1] + (size_t)(lower(*a) != lower(*b));
    best = smaller(best, smaller((size_t)above[j] + 1, (size_t)row[j - 1] + 1));
    if (i > 1 && j > 1 && lower(a[0]) == lower(b[-1]) && lower(a[-1]) == lower(b[0])) {
        best = smaller(best, (size_t)table->rows[(i + 1) % 3][j - 2] + 1);
    }
    return best;
}

/* Fills row i; the smallest distance in it, below which the end result cannot fall. */
static size_t fill(struct table *table, size_t i) {
    uint8_t *row = table->rows[i % 3];
    row[0] = (uint8_t)i;
    size_t least = i;
    for (size_t j = 1; j <= table->size_b; j++) {
        row[j] = (uint8_t)cell(table, i, j);
        least = smaller(least, row[j]);
    }
    return least;
}

size_t tr_suggest_distance(const char *a, const char *b, size_t limit) {
    size_t size_a = strnlen(a, TR_SUGGEST_MAX + 1), size_b = strnlen(b, TR_SUGGEST_MAX + 1);
    if (size_a > TR_SUGGEST_MAX || size_b > TR_SUGGEST_MAX) return limit;
    if (size_a > size_b + limit || size_b > size_a + limit) return limit;
    struct table table = { .a = a, .b = b, .size_b = size_b };
    for (size_t j = 0; j <= size_b; j++) table.rows[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= size_a; i++) {
        /* Nothing below this row is nearer: a swap starts from the row above it, which is at most
         * one nearer, and adds one. */
        if (fill(&table, i) >= limit) return limit;
    }
    return smaller(table.rows[size_a % 3][size_b], limit);
}

void tr_suggest_start(struct tr_suggest *suggest, const char *word) {
    size_t size = strnlen(word, TR_SUGGEST_MAX + 1);
    size_t mistakes = size <= 4 ? 1 : smaller(size / 3, 3);
    if (size == 0 || size > TR_SUGGEST_MAX) mistakes = 0;
    *suggest = (struct tr_suggest){ .word = word, .distance = mistakes + 1 };
    if (mistakes == 0) suggest->distance = 0;
}

void tr_suggest_consider(struct tr_suggest *suggest, const char *candidate) {
    if (suggest->distance == 0) return;
    size_t distance = tr_suggest_distance(suggest->word, candidate, suggest->distance);
    if (distance >= suggest->distance) return;
    suggest->best = candidate;
    suggest->distance = distance;
}
