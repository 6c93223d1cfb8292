/* Asks that are under way to the other node: if it dies after it took a request and before it replied,
 * nobody else knows that the asker waits in vain. */
#include <stdlib.h>

#include "core/send.h"
#include "place/lane_parts.h"

enum { FIRST_SWEEP = 1024 };

static struct tr_lane_ask **bucket_of(struct tr_lane_driver *lane, troupe_address from, uint64_t ask) {
    uint64_t key = (ask ^ (uint64_t)from.slot << 32) * UINT64_C(0x9E3779B97F4A7C15);
    return &lane->asks[(key >> 40) % TR_LANE_ASK_BUCKETS];
}

static struct tr_lane_ask **find(struct tr_lane_driver *lane, troupe_address from, uint64_t ask) {
    struct tr_lane_ask **at = bucket_of(lane, from, ask);
    while (*at != NULL && ((*at)->ask != ask || !troupe_address_equal((*at)->from, from)))
        at = &(*at)->next;
    return at;
}

static void drop(struct tr_lane_driver *lane, struct tr_lane_ask **at) {
    struct tr_lane_ask *entry = *at;
    *at = entry->next;
    free(entry);
    lane->ask_count--;
}

/* Those whose deadline is past have had their end; their reply may never come. */
static void sweep(struct tr_lane_driver *lane) {
    int64_t now = tr_node_clock(lane->node);
    for (uint32_t i = 0; i < TR_LANE_ASK_BUCKETS; i++)
        for (struct tr_lane_ask **at = &lane->asks[i]; *at != NULL;)
            if ((*at)->deadline < now) drop(lane, at);
            else at = &(*at)->next;
    lane->ask_sweep = lane->ask_count < FIRST_SWEEP / 2 ? FIRST_SWEEP : lane->ask_count * 2;
}

void tr_lane_ask_add(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel) {
    if ((parcel->flags & TR_MESSAGE_ASKED) == 0) return;
    if (lane->ask_count >= lane->ask_sweep) sweep(lane);
    struct tr_lane_ask *entry = malloc(sizeof *entry);
    if (entry == NULL) return; /* then its deadline ends it */
    struct tr_lane_ask **bucket = bucket_of(lane, parcel->from, parcel->ask);
    *entry = (struct tr_lane_ask){ .next = *bucket, .from = parcel->from, .ask = parcel->ask,
                                   .deadline = parcel->deadline };
    *bucket = entry;
    lane->ask_count++;
}

void tr_lane_ask_settled(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel, bool over) {
    if ((parcel->flags & TR_MESSAGE_ASKED) == 0) return;
    struct tr_lane_ask **at = find(lane, parcel->from, parcel->ask);
    if (*at == NULL) return;
    (*at)->handed_over = true;
    if (over) drop(lane, at);
}

void tr_lane_ask_replied(struct tr_lane_driver *lane, troupe_address to, uint64_t ask) {
    struct tr_lane_ask **at = find(lane, to, ask);
    if (*at != NULL) drop(lane, at);
}

/* Those were handled there: asks whose request was not have ended with it. */
void tr_lane_asks_died(struct tr_lane_driver *lane) {
    for (uint32_t i = 0; i < TR_LANE_ASK_BUCKETS; i++)
        for (struct tr_lane_ask **at = &lane->asks[i]; *at != NULL;) {
            struct tr_lane_ask *entry = *at;
            if (!entry->handed_over) {
                at = &entry->next;
                continue;
            }
            tr_send_outcome(lane->node, lane->worker, entry->from, entry->ask, TROUPE_DIED);
            drop(lane, at);
        }
}

void tr_lane_asks_free(struct tr_lane_driver *lane) {
    for (uint32_t i = 0; i < TR_LANE_ASK_BUCKETS; i++)
        while (lane->asks[i] != NULL) drop(lane, &lane->asks[i]);
}
