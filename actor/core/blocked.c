#include "core/blocked.h"

static bool is_same(struct tr_sight a, struct tr_sight b) {
    return a.type != 0 && b.type != 0 && a.serial == b.serial;
}

static int64_t doubled(int64_t time) { return time > INT64_MAX / 2 ? INT64_MAX : time * 2; }

static struct tr_blocked_news goes_on(struct tr_blocked *blocked, int64_t lasted) {
    struct tr_blocked_news news = { TR_BLOCKED_NOTHING, blocked->seen, lasted };
    if (lasted < blocked->next) return news;
    news.kind = blocked->told ? TR_BLOCKED_AGAIN : TR_BLOCKED_FIRST;
    while (blocked->next <= lasted) blocked->next = doubled(blocked->next);
    blocked->told = true;
    return news;
}

struct tr_blocked_news tr_blocked_look(struct tr_blocked *blocked, struct tr_sight sight, int64_t now,
                                       int64_t limit) {
    int64_t lasted = now - blocked->since;
    if (is_same(blocked->seen, sight)) return goes_on(blocked, lasted);
    struct tr_blocked_news news = { blocked->told ? TR_BLOCKED_OVER : TR_BLOCKED_NOTHING, blocked->seen,
                                    lasted };
    *blocked = (struct tr_blocked){ .seen = sight, .since = now, .next = limit };
    return news;
}
