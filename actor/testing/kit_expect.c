/* What the probe got, as the test expects it. */
#include "testing/kit.h"

static struct tr_got *take_behind(troupe_test *kit, struct tr_got *before) {
    struct tr_got *got = before == NULL ? kit->first : before->next;
    if (before == NULL) kit->first = got->next;
    else before->next = got->next;
    if (kit->last == got) kit->last = before;
    kit->got--;
    tr_kit_free_got(kit->taken);
    return kit->taken = got;
}

static bool is_message(const struct tr_got *got, const struct troupe_message_type *type) {
    return got->kind == TR_GOT_MESSAGE && got->message->type == type;
}

static const void *body_of(const struct tr_got *got) { return tr_message_body(got->message); }

/* The first must be right; if it is not, it stays. */
static void fail_first(troupe_test *kit, const char *what, const char *name, const char *file, int line) {
    char got[512] = "nothing came";
    if (kit->first != NULL) tr_kit_print_got(kit->first, got, sizeof got);
    tr_kit_fail(kit, file, line, "expected %s%s, but %s%s", what, name, kit->first == NULL ? "" : "got ", got);
}

/* ---- Messages ---- */

static void let_come(troupe_test *kit, int64_t within, const char *file, int line) {
    int64_t until = within > INT64_MAX - kit->time ? INT64_MAX : kit->time + within;
    troupe_test_run_all(kit, file, line);
    bool settled = true;
    while (settled && kit->first == NULL && kit->time < until) settled = tr_kit_pass(kit, until);
}

const void *troupe_test_take(troupe_test *kit, const struct troupe_message_type *type, int64_t within,
                             const char *file, int line) {
    let_come(kit, within, file, line);
    if (kit->first != NULL && is_message(kit->first, type)) return body_of(take_behind(kit, NULL));
    fail_first(kit, "", type->name, file, line);
    return NULL;
}

const void *troupe_test_take_any(troupe_test *kit, const struct troupe_message_type *type, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    struct tr_got *before = NULL, *got = kit->first;
    while (got != NULL && !is_message(got, type)) {
        before = got;
        got = got->next;
    }
    if (got != NULL) return body_of(take_behind(kit, before));
    tr_kit_fail(kit, file, line, "expected %s among what came, but there is none", type->name);
    return NULL;
}

void troupe_test_check_empty(troupe_test *kit, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    if (kit->first != NULL) fail_first(kit, "", "nothing", file, line);
}

struct troupe_asker troupe_test_asker(const troupe_test *kit) {
    return kit->taken == NULL ? (struct troupe_asker){ 0 } : kit->taken->asker;
}

/* ---- Answers ---- */

const void *troupe_test_take_reply(troupe_test *kit, const struct troupe_message_type *type, const char *file,
                                   int line) {
    troupe_test_run_all(kit, file, line);
    const struct tr_got *got = kit->first;
    bool right = got != NULL && got->kind == TR_GOT_ANSWER && got->message != NULL && got->message->type == type;
    if (right) return body_of(take_behind(kit, NULL));
    fail_first(kit, "the reply ", type->name, file, line);
    return NULL;
}

void troupe_test_take_outcome(troupe_test *kit, enum troupe_status outcome, const char *file, int line) {
    troupe_test_run_all(kit, file, line);
    const struct tr_got *got = kit->first;
    if (got != NULL && got->kind == TR_GOT_ANSWER && got->outcome == outcome) (void)take_behind(kit, NULL);
    else fail_first(kit, "an ask that ends with ", troupe_status_name(outcome), file, line);
}
