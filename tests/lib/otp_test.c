#include "lib/otp_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE TROUPE_MINUTE

/* ---- Children ---- */

struct child {
    char unused;
};

TROUPE_START(child, mood) {
    if (strcmp(args->mood, "fail") == 0) return TROUPE_FAIL(self, "it does not begin");
    if (strcmp(args->mood, "fail again") == 0 && troupe_self_run(self) > 0)
        return TROUPE_FAIL(self, "it does not begin again");
    if (strcmp(args->mood, "ignore") == 0) return troupe_ignore(self);
    if (strcmp(args->mood, "ignore again") == 0 && troupe_self_run(self) > 0) return troupe_ignore(self);
    if (strcmp(args->mood, "named") == 0) return troupe_register(self, "the name");
    return strcmp(args->mood, "later") == 0 ? troupe_start_later(self) : TROUPE_OK;
}

TROUPE_ON(child, tell) {
    if (strcmp(msg->what, "die") == 0) return TROUPE_FAIL(self, "told to");
    if (strcmp(msg->what, "done") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "ignore") == 0) return troupe_ignore(self);
    if (strcmp(msg->what, "ready") == 0) troupe_started(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(child, TROUPE_STARTS(child, mood), TROUPE_HANDLES(child, tell))

static const struct troupe_actor_type *const actors[] = { &child_actor, NULL };

/* ---- One supervisor ---- */

static void fail_test(void *context, const char *file, int line, const char *text) {
    (void)context;
    print_error("%s\n", text);
    _fail(file, line);
}

void otp_begin(struct otp *otp, const char *rules, const char *children) {
    char config[4096];
    snprintf(config, sizeof config, "tree: { children: [ { name: s, restart: temporary, %s%s%s%s } ] }", rules,
             children == NULL ? "" : ", children: [ ", children == NULL ? "" : children, children == NULL ? "" : " ]");
    *otp = (struct otp){ .kit = troupe_test_new(.actors = actors, .config = config, .fail = fail_test) };
    otp->self = troupe_test_self(otp->kit);
    otp->supervisor = troupe_test_lookup(otp->kit, "/s");
    (void)troupe_test_life(otp->kit);
}

void otp_end(struct otp *otp) { assert_int_equal(troupe_test_free(otp->kit), 0); }

/* Without the "/s" in each path. */
static void shorten(const char *life, char *text, size_t size) {
    size_t used = 0;
    for (const char *at = life; *at != '\0' && used + 2 < size;) {
        bool below = strncmp(at, "/s", 2) == 0 && (at[2] == '/' || at[2] == ' ' || at[2] == '\0');
        if (!below) text[used++] = *at++;
        else if (*(at += 2) != '/') text[used++] = '/';
    }
    text[used] = '\0';
}

void otp_expect_at(struct otp *otp, const char *life, const char *file, int line) {
    shorten(troupe_test_take_life(otp->kit, file, line), otp->text, sizeof otp->text);
    if (strcmp(otp->text, life) == 0) return;
    print_error("expected \"%s\"\nand got  \"%s\"\nthe log:\n%s", life, otp->text, troupe_test_log(otp->kit));
    _fail(file, line);
}

/* ---- Children of it ---- */

static const struct troupe_children *ask_which(struct otp *otp) {
    troupe_test_run(otp->kit); /* what is under way is to be seen */
    assert_int_equal(troupe_ask(otp->self, otp->supervisor, troupe_which_children, PATIENCE, .limit = 1000),
                     TROUPE_OK);
    return troupe_test_expect_reply(otp->kit, troupe_children);
}

troupe_address otp_address(struct otp *otp, const char *child) {
    if (child[0] == '\0') return otp->supervisor;
    const struct troupe_children *reply = ask_which(otp);
    for (uint32_t i = 0; i < reply->children.count; i++)
        if (strcmp(reply->children.items[i].name, child) == 0) return reply->children.items[i].address;
    fail_msg("there is no child %s", child);
    return (troupe_address){ 0 };
}

void otp_tell(struct otp *otp, const char *child, const char *what) {
    assert_int_equal(troupe_send(otp->self, otp_address(otp, child), tell, .what = what), TROUPE_OK);
}

void otp_kill(struct otp *otp, const char *child) { troupe_test_kill(otp->kit, otp_address(otp, child)); }

void otp_stop(struct otp *otp, const char *child) {
    assert_int_equal(troupe_stop_actor(otp->self, otp_address(otp, child)), TROUPE_OK);
}

bool otp_lives(struct otp *otp, const char *child) { return troupe_test_lives(otp->kit, otp_address(otp, child)); }

/* ---- Requests ---- */

enum troupe_status otp_reply(struct otp *otp) {
    const struct troupe_child *reply = troupe_test_expect_reply(otp->kit, troupe_child);
    otp->status = (enum troupe_status)reply->status;
    otp->state = (enum troupe_child_state)reply->state;
    otp->address = reply->address;
    snprintf(otp->name, sizeof otp->name, "%s", reply->name);
    snprintf(otp->why, sizeof otp->why, "%s", reply->why);
    return otp->status;
}

void otp_ask_start(struct otp *otp, const struct troupe_child_options *options, const char *mood) {
    assert_int_equal(troupe_ask_start_child(otp->self, otp->supervisor, PATIENCE, options, child, mood, .mood = mood),
                     TROUPE_OK);
}

enum troupe_status otp_start(struct otp *otp, const struct troupe_child_options *options, const char *mood) {
    otp_ask_start(otp, options, mood);
    return otp_reply(otp);
}

enum troupe_status otp_terminate(struct otp *otp, const char *child) {
    assert_int_equal(troupe_ask(otp->self, otp->supervisor, troupe_terminate_child, PATIENCE, .name = child),
                     TROUPE_OK);
    return otp_reply(otp);
}

enum troupe_status otp_terminate_at(struct otp *otp, troupe_address address) {
    assert_int_equal(troupe_ask(otp->self, otp->supervisor, troupe_terminate_child, PATIENCE, .address = address),
                     TROUPE_OK);
    return otp_reply(otp);
}

enum troupe_status otp_restart(struct otp *otp, const char *child) {
    assert_int_equal(troupe_ask(otp->self, otp->supervisor, troupe_restart_child, PATIENCE, .name = child), TROUPE_OK);
    return otp_reply(otp);
}

enum troupe_status otp_delete(struct otp *otp, const char *child) {
    assert_int_equal(troupe_ask(otp->self, otp->supervisor, troupe_delete_child, PATIENCE, .name = child), TROUPE_OK);
    return otp_reply(otp);
}

const char *otp_counts(struct otp *otp) {
    troupe_test_run(otp->kit);
    assert_int_equal(troupe_ask_empty(otp->self, otp->supervisor, troupe_count_children, PATIENCE), TROUPE_OK);
    const struct troupe_child_counts *counts = troupe_test_expect_reply(otp->kit, troupe_child_counts);
    snprintf(otp->text, sizeof otp->text, "%u %u %u %u", counts->specs, counts->active, counts->supervisors,
             counts->workers);
    return otp->text;
}

const char *otp_which(struct otp *otp) {
    size_t used = 0;
    const struct troupe_children *reply = ask_which(otp);
    otp->text[0] = '\0';
    for (uint32_t i = 0; i < reply->children.count && used < sizeof otp->text; i++) {
        const struct troupe_child_info *info = &reply->children.items[i];
        used += (size_t)snprintf(otp->text + used, sizeof otp->text - used, "%s%s:%s", used == 0 ? "" : " ",
                                 info->name, troupe_child_state_name((enum troupe_child_state)info->state));
    }
    return otp->text;
}
