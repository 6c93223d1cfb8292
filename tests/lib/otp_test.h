/*
 * Scenarios of OTP's supervisor suite with real actors, in virtual time (troupe/test.h): one supervisor at /s, whose
 * end ends nothing else, and the requests that can be made of it. What becomes of the children is compared as text,
 * which troupe_test_life has: "failed/s/a +/s/a". The paths begin at the supervisor: "failed/a +/a", "gave_up/".
 */
#ifndef TR_TEST_OTP_H
#define TR_TEST_OTP_H

/* What cmocka.h needs, in the order it needs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <troupe.h>
#include <troupe/supervisor.h>
#include <troupe/test.h>

/* How a child begins: "", it does; "fail"; "fail again": whenever but at first; "ignore"; "ignore again"; "later":
 * when it is told "ready"; "named": it takes the name "the name". What it does when it is told: "die", "done",
 * "ready", "ignore". */
#define MOOD_FIELDS(field) field(str, mood)
TROUPE_MESSAGE(mood, MOOD_FIELDS)
#define TELL_FIELDS(field) field(str, what)
TROUPE_MESSAGE(tell, TELL_FIELDS)
TROUPE_ACTOR_DECLARE(child)

struct otp {
    troupe_test *kit;
    troupe_self *self;
    troupe_address supervisor;
    /* the last reply */
    enum troupe_status status;
    enum troupe_child_state state;
    troupe_address address;
    char name[64], why[512], text[4096];
};

/* `rules` and `children` as in a configuration: "strategy: one_for_all, restarts: 2", "{ name: a, actor: child }".
 * `children` NULL: "strategy: dynamic", with its template among the rules. */
void otp_begin(struct otp *otp, const char *rules, const char *children);
/* In order, with all messages accounted for. */
void otp_end(struct otp *otp);

/* All that has begun and ended since the last time; nothing else. */
#define otp_expect(otp, life) otp_expect_at((otp), (life), __FILE__, __LINE__)
void otp_expect_at(struct otp *otp, const char *life, const char *file, int line);

/* The address of a child, or of /s itself: "". */
troupe_address otp_address(struct otp *otp, const char *child);
void otp_tell(struct otp *otp, const char *child, const char *what);
void otp_kill(struct otp *otp, const char *child);
/* As any actor may: OTP's exit(Pid, shutdown). */
void otp_stop(struct otp *otp, const char *child);
bool otp_lives(struct otp *otp, const char *child);

/* ---- Requests: the status of the reply; the rest of it is in `otp` ---- */

enum troupe_status otp_start(struct otp *otp, const struct troupe_child_options *options, const char *mood);
#define OTP_CHILD(...) (&(const struct troupe_child_options){ __VA_ARGS__ })
/* The same without waiting for the reply: for otp_reply. */
void otp_ask_start(struct otp *otp, const struct troupe_child_options *options, const char *mood);
enum troupe_status otp_reply(struct otp *otp);
enum troupe_status otp_terminate(struct otp *otp, const char *child);
enum troupe_status otp_terminate_at(struct otp *otp, troupe_address address);
enum troupe_status otp_restart(struct otp *otp, const char *child);
enum troupe_status otp_delete(struct otp *otp, const char *child);

/* "specs active supervisors workers". */
const char *otp_counts(struct otp *otp);
/* "a:running b:resting", from left to right. */
const char *otp_which(struct otp *otp);

#endif
