/*
 * Counts the words of text files: readers cut files into words, counters count them, a collector reports.
 *
 *     files -> reader/0 --batches--> counter/0 --totals--+
 *              reader/1 --batches--> counter/1 --totals--+-> collector -> the most frequent words
 *                                    counter/2 --totals--+
 *
 * How many there are, and where each runs, is for the configuration to say: README.md.
 */
#include "messages.h"

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &reader_actor, &counter_actor, &collector_actor, NULL);
}
