/* Expands every public macro: macros.sh compiles this and looks whether one is missing. What stands
 * outside the condition compiles as C++ too. */
#include <troupe.h>
#include <troupe/test.h>

/* ---- version.h, status.h ---- */

#define COUNT_STATUS(code, name, text) +(TROUPE_##code >= 0 && sizeof(name) > 1 && sizeof(text) > 1)
enum { STATUSES = 0 TROUPE_STATUS_LIST(COUNT_STATUS) };
typedef char every_status_is_counted[STATUSES == (int)TROUPE_STATUS_COUNT ? 1 : -1];
#define COUNT_DEATH(code, name, text, failure)                                                     \
    +(TROUPE_DEATH_##code >= 0 && sizeof(name) > 1 && sizeof(text) > 1 && sizeof(failure) > 0)
enum { DEATHS = 0 TROUPE_DEATH_LIST(COUNT_DEATH) };
typedef char every_death_is_counted[DEATHS == (int)TROUPE_DEATH_COUNT ? 1 : -1];
#define COUNT_CHILD(code, name) +(TROUPE_CHILD_##code >= 0 && sizeof(name) > 1)
enum { CHILD_STATES = 0 TROUPE_CHILD_LIST(COUNT_CHILD) };
typedef char every_child_state_is_counted[CHILD_STATES == (int)TROUPE_CHILD_STATES ? 1 : -1];
typedef char deadlines_differ[TROUPE_INFINITY > TROUPE_KILL && TROUPE_NO_RESTARTS > 0 ? 1 : -1];
typedef char version_is_text[sizeof TROUPE_VERSION > sizeof "0.0" ? 1 : -1];
enum { VERSION = TROUPE_VERSION_MAJOR * 10000 + TROUPE_VERSION_MINOR * 100 + TROUPE_VERSION_PATCH };
typedef char minutes_fit[TROUPE_MINUTE == 60 * TROUPE_SECOND ? 1 : -1];
typedef char seconds_fit[TROUPE_SECOND == 1000 * TROUPE_MILLISECOND ? 1 : -1];
typedef char milliseconds_fit[TROUPE_MILLISECOND == 1000 * TROUPE_MICROSECOND ? 1 : -1];
typedef char microseconds_fit[TROUPE_MICROSECOND == 1000 * TROUPE_NANOSECOND ? 1 : -1];
int must_be_used(void) TROUPE_MUST_USE;

/* ---- message.h ---- */

TROUPE_MESSAGE_EMPTY(tick)
#define POINT_FIELDS(field) field(i32, x) field(bool, ok)
TROUPE_MESSAGE(point, POINT_FIELDS)
#define ALL_FIELDS(field)                                                                          \
    field(i8, i8) field(i16, i16) field(i32, i32) field(i64, i64)                                  \
    field(u8, u8) field(u16, u16) field(u32, u32) field(u64, u64)                                  \
    field(bool, flag) field(f64, f64) field(str, str) field(bytes, bytes) field(address, address)  \
    field(message(point), point)                                                                   \
    field(array(i8), i8s) field(array(i16), i16s) field(array(i32), i32s) field(array(i64), i64s)  \
    field(array(u8), u8s) field(array(u16), u16s) field(array(u32), u32s) field(array(u64), u64s)  \
    field(array(bool), flags) field(array(f64), f64s) field(array(str), strs)                      \
    field(array(bytes), blobs) field(array(address), addresses) field(array(message(point)), points)
TROUPE_MESSAGE(all, ALL_FIELDS)
TROUPE_MESSAGE(my_ready, TROUPE_READY_FIELDS)
TROUPE_MESSAGE(my_undelivered, TROUPE_UNDELIVERED_FIELDS)
TROUPE_MESSAGE(my_death, TROUPE_DEATH_FIELDS)
TROUPE_MESSAGE(my_down, TROUPE_DOWN_FIELDS)
TROUPE_MESSAGE(my_exited, TROUPE_EXITED_FIELDS)
TROUPE_MESSAGE(my_descriptor, TROUPE_DESCRIPTOR_FIELDS)
TROUPE_MESSAGE(my_stream_data, TROUPE_STREAM_DATA_FIELDS)
TROUPE_MESSAGE(my_stream_connected, TROUPE_STREAM_CONNECTED_FIELDS)
TROUPE_MESSAGE(my_stream_drained, TROUPE_STREAM_DRAINED_FIELDS)
TROUPE_MESSAGE(my_stream_ended, TROUPE_STREAM_ENDED_FIELDS)
TROUPE_MESSAGE(my_stream_closed, TROUPE_STREAM_CLOSED_FIELDS)
TROUPE_MESSAGE(my_connection, TROUPE_CONNECTION_FIELDS)
TROUPE_MESSAGE(my_signalled, TROUPE_SIGNALLED_FIELDS)
TROUPE_MESSAGE(my_waited, TROUPE_SHARED_WAITED_FIELDS)
TROUPE_MESSAGE(my_joined, TROUPE_JOINED_FIELDS)
TROUPE_MESSAGE(my_dead_letter, TROUPE_DEAD_LETTER_FIELDS)
TROUPE_MESSAGE(my_routing, TROUPE_ROUTING_FIELDS)
TROUPE_MESSAGE(my_resize, TROUPE_RESIZE_FIELDS)
TROUPE_MESSAGE(my_member_count, TROUPE_MEMBER_COUNT_FIELDS)
TROUPE_MESSAGE(my_program, TROUPE_PROGRAM_FIELDS)
TROUPE_MESSAGE(my_command_started, TROUPE_COMMAND_STARTED_FIELDS)
TROUPE_MESSAGE(my_command_error, TROUPE_COMMAND_ERROR_FIELDS)
TROUPE_MESSAGE(my_command_output, TROUPE_COMMAND_OUTPUT_FIELDS)
TROUPE_MESSAGE(my_command_next, TROUPE_COMMAND_NEXT_FIELDS)
TROUPE_MESSAGE(my_command_exited, TROUPE_COMMAND_EXITED_FIELDS)
TROUPE_MESSAGE(my_command_write, TROUPE_COMMAND_WRITE_FIELDS)
TROUPE_MESSAGE(my_command_written, TROUPE_COMMAND_WRITTEN_FIELDS)
TROUPE_MESSAGE(my_command_finish, TROUPE_COMMAND_FINISH_FIELDS)
TROUPE_MESSAGE(my_command_kill, TROUPE_COMMAND_KILL_FIELDS)
TROUPE_MESSAGE(my_running, TROUPE_RUNNING_FIELDS)
TROUPE_MESSAGE(my_run, TROUPE_RUN_FIELDS)
TROUPE_MESSAGE(my_ran, TROUPE_RAN_FIELDS)

TROUPE_MESSAGE(my_child_spec, TROUPE_CHILD_SPEC_FIELDS)
TROUPE_MESSAGE(my_child, TROUPE_CHILD_FIELDS)
TROUPE_MESSAGE(my_start_child, TROUPE_START_CHILD_FIELDS)
TROUPE_MESSAGE(my_which_child, TROUPE_WHICH_CHILD_FIELDS)
TROUPE_MESSAGE(my_which_children, TROUPE_WHICH_CHILDREN_FIELDS)
TROUPE_MESSAGE(my_child_info, TROUPE_CHILD_INFO_FIELDS)
TROUPE_MESSAGE(my_inspect_actor, TROUPE_INSPECT_ACTOR_FIELDS)
TROUPE_MESSAGE(my_actor_info, TROUPE_ACTOR_INFO_FIELDS)
TROUPE_MESSAGE(my_node_info, TROUPE_NODE_INFO_FIELDS)
TROUPE_MESSAGE(my_worker_info, TROUPE_WORKER_INFO_FIELDS)
TROUPE_MESSAGE(my_inspect_tree, TROUPE_INSPECT_TREE_FIELDS)
TROUPE_MESSAGE(my_tree_item, TROUPE_TREE_ITEM_FIELDS)
TROUPE_MESSAGE(my_tree_info, TROUPE_TREE_INFO_FIELDS)
TROUPE_MESSAGE(my_children, TROUPE_CHILDREN_FIELDS)
TROUPE_MESSAGE(my_child_counts, TROUPE_CHILD_COUNTS_FIELDS)
TROUPE_MESSAGE(my_backoff, TROUPE_BACKOFF_FIELDS)
TROUPE_MESSAGE(my_supervise, TROUPE_SUPERVISE_FIELDS)

/* Twice in one program is once: the other messages only count. */
#define NUMBER(name)                                                                               \
    TROUPE_MESSAGE_EMPTY(name)                                                                     \
    TROUPE_ON(wide, name) { return TROUPE_OK; }

/* ---- actor.h: what an actor is made of ---- */

TROUPE_ACTOR_DECLARE(user)

struct wide {
    uint64_t sum;
};
NUMBER(m1) NUMBER(m2) NUMBER(m3) NUMBER(m4) NUMBER(m5) NUMBER(m6)
NUMBER(m7) NUMBER(m8) NUMBER(m9) NUMBER(m10) NUMBER(m11) NUMBER(m12)
NUMBER(m13) NUMBER(m14) NUMBER(m15) NUMBER(m16) NUMBER(m17)
TROUPE_ACTOR(wide,
    TROUPE_HANDLES(wide, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16),
    TROUPE_HANDLES(wide, m17))

struct user {
    troupe_address other;
    troupe_timer timer;
    struct troupe_asker asker;
};

TROUPE_START(user, point) {
    me->other = troupe_lookup(self, args->ok ? "a" : "b");
    return TROUPE_OK;
}

TROUPE_STOP(user) {
    me->timer.id = 0;
    troupe_log(self, TROUPE_DEBUG, "%s", troupe_status_text(reason));
    struct troupe_log_field fields[] = { troupe_text("a", "b"), troupe_number("c", 1), troupe_real("d", 0.5),
                                         troupe_flag("e", true), troupe_whom("f", me->other) };
    troupe_log_fields(self, TROUPE_INFO, "stopped", fields, 5);
}

TROUPE_ANSWER(user, point, all) {
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "%s", troupe_status_text(outcome));
    return request->x == reply->i32 && me->asker.ask == 0 ? TROUPE_OK : TROUPE_FAIL(self, "wrong");
}

/* ---- behaviour.h ---- */

struct lamp {
    bool on;
};
TROUPE_BEHAVIOUR_DECLARE(lamp, lit)
TROUPE_ON(lamp, tick) {
    me->on = true;
    return troupe_become(self, lamp, lit);
}
TROUPE_ON_AS(lamp, lit, tick) {
    me->on = false;
    return troupe_become_first(self);
}
TROUPE_ON(lamp, point) {
    if (troupe_unstash(self) == 0) return troupe_stash(self);
    if (troupe_forward(self, troupe_sender(self)) != TROUPE_OK) return TROUPE_OK;
    return troupe_idle_after(self, TROUPE_SECOND);
}
TROUPE_BEHAVIOUR(lamp, lit, TROUPE_HANDLES_AS(lamp, lit, tick), TROUPE_HANDLES(lamp, point))
TROUPE_ACTOR(lamp, TROUPE_HANDLES(lamp, tick), TROUPE_BECOMES(lamp, lit))

#ifdef __cplusplus
TROUPE_ON(user, all) {
    return troupe_address_equal(msg->address, me->other) ? troupe_exit(self) : TROUPE_OK;
}
TROUPE_ACTOR(user, TROUPE_STARTS(user, point), TROUPE_STOPS(user), TROUPE_ANSWERS(user, point, all),
    TROUPE_HANDLES(user, all))
#else

/* ---- What a handler may do; for C ---- */

static enum troupe_status sends(troupe_self *self, struct user *me) {
    enum troupe_status worst = troupe_send(self, me->other, point, .x = 1, .ok = true);
    if (worst == TROUPE_OK) worst = troupe_send_empty(self, me->other, tick);
    if (worst == TROUPE_OK) worst = troupe_send_many(self, &me->other, 1, NULL, point, .x = 1, .ok = true);
    if (worst == TROUPE_OK) worst = troupe_send_many_empty(self, &me->other, 1, &worst, tick);
    if (worst == TROUPE_OK) worst = troupe_publish(self, TROUPE_DEAD_LETTERS, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_publish_empty(self, TROUPE_DEAD_LETTERS, tick);
    if (worst == TROUPE_OK) worst = troupe_reply(self, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_reply_empty(self, tick);
    if (worst == TROUPE_OK) worst = troupe_ask(self, me->other, point, 2 * TROUPE_SECOND, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_ask_empty(self, me->other, tick, TROUPE_SECOND);
    if (worst == TROUPE_OK) worst = troupe_answer_later(self, me->asker, point, .x = 1);
    return worst;
}

static enum troupe_status spawns(troupe_self *self, struct user *me) {
    struct troupe_spawn_options options = { .name = "u" };
    enum troupe_status worst = troupe_spawn(self, &me->other, user, point, .x = 1);
    if (worst == TROUPE_OK)
        worst = troupe_spawn_with(self, &me->other, &options, user, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_spawn_empty(self, &me->other, wide);
    return worst;
}

static enum troupe_status adds(troupe_self *self, struct user *me) {
    struct troupe_child_options options = { .name = "u", .restart = TROUPE_TRANSIENT };
    struct troupe_child_spec spec;
    enum troupe_status worst = troupe_ask_start_child(self, me->other, TROUPE_SECOND, &options, user, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_ask_start_child_empty(self, me->other, TROUPE_SECOND, NULL, wide);
    if (worst == TROUPE_OK) worst = troupe_describe_child_empty(&spec, &options, wide);
    if (worst == TROUPE_OK) worst = troupe_describe_child(&spec, NULL, user, point, .x = 1);
    troupe_child_spec_free(&spec);
    if (worst == TROUPE_OK) worst = troupe_save(self, point, .x = 1);
    const struct point *saved = troupe_saved(self, point);
    return saved == NULL ? worst : troupe_save_nothing(self);
}

TROUPE_WORK(toil, point, all) { return troupe_work_done(work, all, .i32 = request->x); }
TROUPE_WORK(rest, tick, tick) { return troupe_work_done_empty(work, tick); }

static enum troupe_status works(troupe_self *self) {
    enum troupe_status worst = troupe_work(self, toil, TROUPE_SECOND, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_work_empty(self, rest, TROUPE_SECOND, tick);
    troupe_log_with(self, TROUPE_INFO, "works", troupe_number("worst", worst), troupe_flag("ok", true));
    return worst == TROUPE_OK ? troupe_receive(self, TROUPE_SECOND) : worst;
}

static enum troupe_status waits(troupe_self *self, struct user *me) {
    enum troupe_status worst = troupe_after(self, &me->timer, 5 * TROUPE_SECOND, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_every(self, NULL, TROUPE_SECOND, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_after_empty(self, NULL, 0, tick);
    if (worst == TROUPE_OK) worst = troupe_every_empty(self, NULL, TROUPE_SECOND, tick);
    return worst;
}

TROUPE_ON(user, all) {
    if (msg->flag) return sends(self, me);
    if (msg->u32 > 0) return adds(self, me);
    return msg->u8 > 0 ? spawns(self, me) : msg->u16 > 0 ? works(self) : waits(self, me);
}
TROUPE_ACTOR(user, TROUPE_STARTS(user, point), TROUPE_STOPS(user), TROUPE_ANSWERS(user, point, all),
    TROUPE_HANDLES(user, all))

/* ---- system.h; for C ---- */

enum troupe_status from_outside(troupe_system *system, troupe_address *to);
enum troupe_status from_outside(troupe_system *system, troupe_address *to) {
    enum troupe_status worst = troupe_system_spawn(system, to, user, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_system_spawn_empty(system, to, wide);
    if (worst == TROUPE_OK) worst = troupe_system_send(system, *to, point, .x = 1);
    if (worst == TROUPE_OK) worst = troupe_system_send_empty(system, *to, tick);
    return worst;
}

/* ---- test.h; for C ---- */

int in_a_test(const struct troupe_actor_type *const *actors);
int in_a_test(const struct troupe_actor_type *const *actors) {
    troupe_test *kit = troupe_test_new(.actors = actors, .seed = 1);
    troupe_address to = troupe_test_lookup(kit, "/user");
    troupe_test_run(kit);
    troupe_test_advance(kit, TROUPE_SECOND);
    int sum = troupe_test_expect(kit, point)->x + troupe_test_expect_within(kit, TROUPE_SECOND, point)->x;
    sum += troupe_test_expect_among(kit, point)->x + troupe_test_expect_reply(kit, point)->x;
    troupe_test_expect_outcome(kit, TROUPE_DIED);
    troupe_test_expect_nothing(kit);
    troupe_test_hold(kit, to);
    troupe_test_fail_starts(kit, "/user", 1, "why");
    troupe_test_crash(kit, to, "why");
    troupe_test_kill(kit, to);
    sum += troupe_test_life(kit)[0] + (int)troupe_test_expect_death(kit, "/user")->kind;
    return sum + troupe_test_free(kit);
}

#endif
