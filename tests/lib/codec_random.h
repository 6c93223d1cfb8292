/* Random messages, and their comparison, field by field, driven by the description of their
 * type. */
#ifndef TR_TEST_CODEC_RANDOM_H
#define TR_TEST_CODEC_RANDOM_H

#include "base/random.h"

#include <troupe/message.h>

/* Memory of a random message: freed as a whole. */
struct tr_test_pool {
    void *blocks[4096];
    size_t count;
};

/* Fills `message` (type->size bytes) with random values; what it points to belongs to `pool`. */
void tr_test_random_message(struct tr_random *random, struct tr_test_pool *pool,
                            const struct troupe_message_type *type, void *message);
void tr_test_pool_free(struct tr_test_pool *pool);

/* The same values, however far down; a NULL str equals "". Floats by their bits. */
bool tr_test_equal_messages(const struct troupe_message_type *type, const void *a, const void *b);

#endif
