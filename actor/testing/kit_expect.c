/*
 * What the probe got, as the test expects it. What Troupe itself tells a sender (troupe_undelivered, troupe_ready)
 * stands in the same list, but in nobody's way: it is seen only by who expects just that.
 */
#include "testing/kit.h"

static bool is_message(const struct tr_got *got, const struct troupe_message_type *type) {
    return got->kind == TR_GOT_MESSAGE && got->message->type == type;
}

static bool is_notice(const struct tr_got *got) {
    return is_message(got, &troupe_undelivered_message) || is_message(got, &troupe_ready_message);
}

static bool is_seen(const struct tr_got *got, const struct troupe_message_type *expected) {
    return !is_notice(got) || (expected != NULL && is_message(got, expected));
}

/* The first that is not passed over; NULL: there is none. `expected`: NULL: no message. */
static struct tr_got *first(const troupe_test *kit, const struct troupe_message_type *expected) {
    struct tr_got *got = kit->first;
    while (got != NULL && !is_seen(got, expected)) got = got->next;
    return got;
}

static struct tr_got *take(troupe_test *kit, struct tr_got *got) {
    struct tr_got *before = NULL;
    for (struct tr_got *at = kit->first; at != got; at = at->next) before = at;
    if (before == NULL) kit->first = got->next;
    else before->next = got->next;
    if (kit->last == got) kit->last = before;
    kit->got--;
    tr_kit_free_got(kit->taken);
    return kit->taken = got;
}

static const void *take_body(troupe_test *kit, struct tr_got *got) {
    return tr_message_body(take(kit, got)->message);
}

static void fail_first(troupe_test *kit, const struct tr_got *got, const char *what, const char *name,
                       const char *file, int line) {
    char text[512] = "nothing came";
    if (got != NULL) tr_kit_print_got(got, text, sizeof text);
    tr_kit_fail(kit, file, line, "expected %s%s, but %s%s", what, name, got == NULL ? "" : "got ", text);
}

/* ---- Messages ---- */

static void let_come(troupe_test *kit, const struct troupe_message_type *type, int64_t within, const char *file,
                     int line) {
    int64_t until = tr_kit_after(kit, within);
    troupe_test_run_all(kit, file, line);
    bool settled = true;
    while (settled && first(kit, type) == NULL && kit->time < until) settled = tr_kit_pass(kit, until);
}

/* If it is not right, it stays. */
const void *troupe_test_take(troupe_test *kit, const struct troupe_message_type *type, int64_t within,
                             const char *file, int line) {
    let_come(kit, type, within, file, line);
    struct tr_got *got = first(kit, type);
    if (got != NULL && is_message(got, type)) return take_body(kit, got);
    fail_first(kit, got, "", type->name, file, line);
    return NULL;
}

const void *troupe_test_take_any(troupe_test *kit, const struct troupe_message_type *type, const char *file,
                                 int line) {
    troupe_test_run_all(kit, file, line);
    struct tr_got *got = kit->first;
    while (got != NULL && !is_message(got, type)) got = got->next;
    if (got != NULL) return take_body(kit, got);
    tr_kit_fail(kit, file, line, "expected %s among what came, but there is none", type->name);
    return NULL;
}

void troupe_test_check_empty(troupe_test *kit, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    const struct tr_got *got = first(kit, NULL);
    if (got != NULL) fail_first(kit, got, "", "nothing", file, line);
}

struct troupe_asker troupe_test_asker(const troupe_test *kit) {
    return kit->taken == NULL ? (struct troupe_asker){ 0 } : kit->taken->asker;
}

/* ---- Answers ---- */

const void *troupe_test_take_reply(troupe_test *kit, const struct troupe_message_type *type, const char *file,
                                   int line) {
    troupe_test_run_all(kit, file, line);
    struct tr_got *got = first(kit, NULL);
    bool right = got != NULL && got->kind == TR_GOT_ANSWER && got->message != NULL && got->message->type == type;
    if (right) return take_body(kit, got);
    fail_first(kit, got, "the reply ", type->name, file, line);
    return NULL;
}

void troupe_test_take_outcome(troupe_test *kit, enum troupe_status outcome, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    struct tr_got *got = first(kit, NULL);
    if (got != NULL && got->kind == TR_GOT_ANSWER && got->outcome == outcome) (void)take(kit, got);
    else fail_first(kit, got, "an ask that ends with ", troupe_status_name(outcome), file, line);
}
