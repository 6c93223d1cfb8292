/* A transfer: a buffer is sent without being copied, and its sender forgets it. */
#include <stdio.h>
#include <string.h>

#include "workers.h"

enum { SIZE = 1 << 20 };

enum troupe_status give_block(troupe_self *self, troupe_address taker) {
    void *data = troupe_buffer(self, SIZE);
    if (data == NULL) return TROUPE_NO_MEMORY;
    memset(data, 7, SIZE);
    enum troupe_status status = troupe_send(self, taker, block, .data = { data, SIZE });
    troupe_buffer_forget(self, &data); /* NULL from here on: it is the taker's */
    return status;
}

struct taker { char unused; };

TROUPE_ON(taker, block) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < msg->data.size; i++) sum += ((const uint8_t *)msg->data.data)[i];
    printf("%s: %u bytes, %llu in all\n", troupe_self_path(self), msg->data.size, (unsigned long long)sum);
    fflush(stdout);
    return troupe_reply_empty(self, over);
}

TROUPE_ACTOR(taker, TROUPE_HANDLES(taker, block))
