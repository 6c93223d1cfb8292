/*
 * All that an actor may use, in one application: who runs where is said by its configuration alone.
 *
 * In each round the guide asks a traveller to go once through all steps: a timer, a watched descriptor, a
 * signal, blocking work, shared data there and back, one message to many, asks, the statistics of mailboxes,
 * waiting within a handler, an actor with a thread of its own, a handler that blocks at a gate. Each step
 * begins in `begin` and ends in the handler that brings what it waits for. A traveller answers when it has
 * gone through all; what is not as it should be ends its run. The guide prints how each round ended, and
 * asks again when a traveller has died.
 *
 * `stumbles: fails` or `is killed` is what happens to the first run of the k-th traveller in the midst of the
 * k-th step.
 *
 * What comes from an earlier round or run has another token, and is passed over.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define GUIDE(field) field(u32, rounds)
TROUPE_MESSAGE(guide_args, GUIDE)
#define TRAVEL(field) field(str, gate) field(u32, limit) field(u32, big) field(str, stumbles)
TROUPE_MESSAGE(travel, TRAVEL)
#define ROUND(field) field(u64, token)
TROUPE_MESSAGE(go, ROUND)
TROUPE_MESSAGE_EMPTY(home)
TROUPE_MESSAGE_EMPTY(tick)
#define JOB(field) field(str, file)
TROUPE_MESSAGE(job, JOB)
#define JOB_DONE(field) field(i32, process) field(i32, thread) field(u32, size)
TROUPE_MESSAGE(job_done, JOB_DONE)
#define PARCEL(field) field(u64, token) field(bytes, data)
TROUPE_MESSAGE(parcel, PARCEL)
#define CALL(field) field(u64, token) field(str, text)
TROUPE_MESSAGE(call, CALL)
TROUPE_MESSAGE(heard, ROUND)
TROUPE_MESSAGE(question, ROUND)
TROUPE_MESSAGE(answer, ROUND)
TROUPE_MESSAGE_EMPTY(riddle) /* nobody answers */
#define LISTEN(field) field(address, boss) field(u64, token) field(u32, words)
TROUPE_MESSAGE(listen_to, LISTEN)
#define WORD(field) field(u32, n)
TROUPE_MESSAGE(word, WORD)
#define LISTENED(field) field(u64, token) field(u64, sum)
TROUPE_MESSAGE(listened, LISTENED)
TROUPE_MESSAGE(hold, ROUND)

#define MUST(call)                                                                                 \
    do {                                                                                           \
        enum troupe_status must = (call);                                                          \
        if (must != TROUPE_OK) return TROUPE_FAIL(self, "%s: %s", #call, troupe_status_text(must)); \
    } while (0)
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) return TROUPE_FAIL(self, "not so: %s", #condition);                      \
    } while (0)

/* A token says who (the lowest byte), which round, and which process of the guide has asked. */
enum { TRAVELLERS = 256 };

static const int64_t patience = 60 * TROUPE_SECOND;

/* ---- A listener: a loop in its start handler, on a thread of its own ---- */

struct listener { uint64_t sum; uint32_t words; };

TROUPE_START(listener, listen_to) {
    while (me->words < args->words) {
        enum troupe_status status = troupe_receive(self, INT64_MAX);
        if (status == TROUPE_STOPPING) return TROUPE_OK;
        MUST(status);
    }
    MUST(troupe_send(self, args->boss, listened, .token = args->token, .sum = me->sum));
    return troupe_exit(self);
}
TROUPE_ON(listener, word) {
    me->words++;
    me->sum += msg->n;
    return TROUPE_OK;
}
TROUPE_ACTOR(listener, TROUPE_STARTS(listener, listen_to), TROUPE_HANDLES(listener, word))

/* ---- A traveller ---- */

enum step { TIMER, WATCH, SIGNAL, WORK, SHARE, MANY, ASK, RIDDLE, MAILBOX, RECEIVE, LISTENER, HOLD, STEPS };

struct traveller {
    struct troupe_asker asker;
    troupe_address guide;
    uint64_t token;
    uint32_t step, ticks, big, limit, calls;
    char stumbles[16]; /* empty: does not */
    troupe_timer timer;
    troupe_watcher watch;
    int pipe[2];
    uint8_t *data;
    char gate[256];
};

static enum troupe_status begin(troupe_self *self, struct traveller *me);

static enum troupe_status ended(troupe_self *self, struct traveller *me, enum step step) {
    if (me->step != step) return TROUPE_OK;
    me->step++;
    return begin(self, me);
}

TROUPE_START(traveller, travel) {
    me->pipe[0] = me->pipe[1] = -1;
    me->step = STEPS;
    me->guide = troupe_lookup(self, "/guide");
    me->big = args->big;
    me->limit = args->limit;
    if (troupe_self_run(self) == 0) snprintf(me->stumbles, sizeof me->stumbles, "%s", args->stumbles);
    snprintf(me->gate, sizeof me->gate, "%s", args->gate);
    return troupe_signal(self, SIGURG); /* ignored, should nobody have asked for it */
}

static void close_pipe(struct traveller *me) {
    for (int i = 0; i < 2; i++)
        if (me->pipe[i] >= 0) close(me->pipe[i]);
    me->pipe[0] = me->pipe[1] = -1;
}
TROUPE_STOP(traveller) {
    close_pipe(me);
    (void)troupe_buffer_release(self, me->data);
}

TROUPE_ON(traveller, go) {
    me->asker = troupe_keep_asker(self);
    me->token = msg->token;
    me->step = 0;
    return begin(self, me);
}

TROUPE_ON(traveller, tick) {
    if (me->step != TIMER || ++me->ticks < 3) return TROUPE_OK;
    MUST(troupe_cancel(self, me->timer));
    return ended(self, me, TIMER);
}

static enum troupe_status begin_watch(troupe_self *self, struct traveller *me) {
    CHECK(pipe2(me->pipe, O_NONBLOCK | O_CLOEXEC) == 0);
    MUST(troupe_watch(self, &me->watch, me->pipe[0], TROUPE_READABLE));
    CHECK(write(me->pipe[1], "abc", 3) == 3);
    return TROUPE_OK;
}
TROUPE_ON(traveller, troupe_descriptor) {
    char text[8];
    CHECK(me->step == WATCH && msg->fd == me->pipe[0] && msg->watch == me->watch.id);
    if ((msg->events & TROUPE_HANGUP) == 0) {
        CHECK(read(me->pipe[0], text, sizeof text) == 3);
        close(me->pipe[1]);
        me->pipe[1] = -1;
        return TROUPE_OK;
    }
    MUST(troupe_unwatch(self, me->watch));
    close_pipe(me);
    return ended(self, me, WATCH);
}

TROUPE_ON(traveller, troupe_signalled) {
    CHECK(msg->signal == SIGURG && msg->count >= 1);
    return ended(self, me, SIGNAL);
}

TROUPE_WORK(look_at, job, job_done) {
    char text[4096];
    int fd = open(request->file, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, text, sizeof text);
    close(fd);
    if (size <= 0) return TROUPE_SYSTEM;
    return troupe_work_done(work, job_done, .process = getpid(), .thread = gettid(), .size = (uint32_t)size);
}
TROUPE_ANSWER(traveller, job, job_done) {
    MUST(outcome);
    CHECK(reply->process == getpid() && reply->thread != gettid() && reply->size > 0);
    return ended(self, me, WORK);
}

static enum troupe_status begin_share(troupe_self *self, struct traveller *me) {
    me->data = troupe_buffer(self, me->big);
    CHECK(me->data != NULL);
    for (uint32_t i = 0; i < me->big; i++) me->data[i] = (uint8_t)(me->token + i / 1000);
    return troupe_send(self, me->guide, parcel, .token = me->token, .data = { me->data, me->big });
}
TROUPE_ON(traveller, parcel) {
    if (msg->token != me->token || me->step != SHARE) return TROUPE_OK;
    CHECK(msg->data.size == me->big && memcmp(msg->data.data, me->data, me->big) == 0);
    const void *kept = troupe_buffer_keep(self, msg->data.data, msg->data.size);
    CHECK(kept == msg->data.data); /* it came in a buffer, so nothing is copied */
    bool near = me->guide.node == troupe_self_address(self).node;
    bool packed = getenv("TROUPE_SERIALIZE") != NULL; /* within nodes, too */
    CHECK((kept == me->data) == (near && !packed));
    MUST(troupe_buffer_release(self, kept));
    MUST(troupe_buffer_release(self, me->data));
    me->data = NULL;
    return ended(self, me, SHARE);
}

static enum troupe_status begin_many(troupe_self *self, struct traveller *me) {
    troupe_address to[] = { me->guide, troupe_self_address(self), me->guide };
    enum troupe_status statuses[3];
    char text[70000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    me->calls = 0;
    MUST(troupe_send_many(self, to, 3, statuses, call, .token = me->token, .text = text));
    for (int i = 0; i < 3; i++) CHECK(statuses[i] == TROUPE_OK);
    return TROUPE_OK;
}
static enum troupe_status count_call(troupe_self *self, struct traveller *me, uint64_t token) {
    if (token != me->token || me->step != MANY || ++me->calls < 3) return TROUPE_OK;
    return ended(self, me, MANY);
}
TROUPE_ON(traveller, call) {
    CHECK(strlen(msg->text) == 69999);
    return count_call(self, me, msg->token);
}
TROUPE_ON(traveller, heard) { return count_call(self, me, msg->token); }

TROUPE_ANSWER(traveller, question, answer) {
    if (request->token != me->token) return TROUPE_OK;
    MUST(outcome);
    CHECK(reply->token == me->token);
    return ended(self, me, ASK);
}
TROUPE_ANSWER(traveller, riddle, answer) {
    CHECK(outcome == TROUPE_TIMEOUT || outcome == TROUPE_DIED || outcome == TROUPE_GONE);
    return ended(self, me, RIDDLE);
}

static enum troupe_status begin_mailbox(troupe_self *self, struct traveller *me) {
    struct troupe_mailbox_info mine, its;
    bool near = me->guide.node == troupe_self_address(self).node;
    for (int i = 0; i < 3; i++) MUST(troupe_send(self, troupe_self_address(self), heard, 0));
    MUST(troupe_mailbox(self, troupe_self_address(self), &mine));
    CHECK(mine.limit == me->limit && mine.waiting >= 3 && mine.refused == 0);
    CHECK(troupe_mailbox(self, me->guide, &its) == (near ? TROUPE_OK : TROUPE_INVALID));
    CHECK(its.limit == (near ? 1024 : 0));
    return ended(self, me, MAILBOX);
}

/* Waits for a word to itself, where it has a thread of its own; else it is told that it has none. */
static enum troupe_status begin_receive(troupe_self *self, struct traveller *me) {
    enum troupe_status status = troupe_receive(self, 0);
    printf("%s receives: %s\n", troupe_self_path(self), troupe_status_name(status));
    fflush(stdout);
    return ended(self, me, RECEIVE);
}

static enum troupe_status begin_listener(troupe_self *self, struct traveller *me) {
    troupe_address child;
    struct troupe_spawn_options options = { .own_thread = true };
    MUST(troupe_spawn_with(self, &child, &options, listener, listen_to, .boss = troupe_self_address(self),
                           .token = me->token, .words = 3));
    for (uint32_t n = 1; n <= 3; n++) MUST(troupe_send(self, child, word, .n = n));
    return TROUPE_OK;
}
TROUPE_ON(traveller, listened) {
    if (msg->token != me->token) return TROUPE_OK;
    CHECK(msg->sum == 6);
    return ended(self, me, LISTENER);
}

/* The gate is a named pipe: until somebody opens its other end, this handler does not return. */
TROUPE_ON(traveller, hold) {
    if (msg->token != me->token) return TROUPE_OK;
    printf("%s holds\n", troupe_self_path(self));
    fflush(stdout);
    int fd = open(me->gate, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    close(fd);
    return ended(self, me, HOLD);
}

static enum troupe_status begin_step(troupe_self *self, struct traveller *me, enum step step) {
    switch (step) {
    case TIMER: me->ticks = 0; return troupe_every_empty(self, &me->timer, TROUPE_MILLISECOND, tick);
    case WATCH: return begin_watch(self, me);
    case SIGNAL: CHECK(kill(getpid(), SIGURG) == 0); return TROUPE_OK;
    case WORK: return troupe_work(self, look_at, patience, job, .file = "/proc/self/status");
    case SHARE: return begin_share(self, me);
    case MANY: return begin_many(self, me);
    case ASK: return troupe_ask(self, me->guide, question, patience, .token = me->token);
    case RIDDLE: return troupe_ask_empty(self, me->guide, riddle, 2 * TROUPE_MILLISECOND);
    case MAILBOX: return begin_mailbox(self, me);
    case RECEIVE: return begin_receive(self, me);
    case LISTENER: return begin_listener(self, me);
    case HOLD:
        if (me->gate[0] == '\0') return ended(self, me, HOLD);
        return troupe_send(self, troupe_self_address(self), hold, .token = me->token);
    case STEPS: break;
    }
    return troupe_answer_message(self, me->asker, &home_message, &(const struct home){ 0 });
}

static enum troupe_status begin(troupe_self *self, struct traveller *me) {
    enum step step = (enum step)me->step;
    enum troupe_status status = begin_step(self, me, step);
    if (status != TROUPE_OK) return status;
    if (me->stumbles[0] == '\0' || me->token % TRAVELLERS != (uint64_t)step) return TROUPE_OK;
    if (strcmp(me->stumbles, "is killed") == 0) kill(getpid(), SIGKILL);
    return TROUPE_FAIL(self, "stumbled in step %d", (int)step);
}

TROUPE_ACTOR(traveller, TROUPE_STARTS(traveller, travel), TROUPE_STOPS(traveller),
             TROUPE_HANDLES(traveller, go, tick, troupe_descriptor, troupe_signalled, parcel, call, heard,
                            listened, hold),
             TROUPE_ANSWERS(traveller, job, job_done), TROUPE_ANSWERS(traveller, question, answer),
             TROUPE_ANSWERS(traveller, riddle, answer))

/* ---- The guide ---- */

struct guide {
    uint32_t rounds, away; /* to go; travellers that have rounds to go */
    uint32_t asked;
    uint32_t done[TRAVELLERS];
};

static enum troupe_status send_off(troupe_self *self, struct guide *me, uint64_t who) {
    char path[32];
    snprintf(path, sizeof path, "/traveller/%" PRIu64, who);
    uint64_t token = (uint64_t)getpid() << 32 | ++me->asked % 0x1000000 << 8 | who;
    MUST(troupe_ask(self, troupe_lookup(self, path), go, patience, .token = token));
    return TROUPE_OK;
}
TROUPE_START(guide, guide_args) {
    me->rounds = args->rounds;
    me->away = troupe_count(self, "/traveller");
    for (uint32_t who = 0; who < me->away; who++) MUST(send_off(self, me, who));
    return TROUPE_OK;
}
TROUPE_ANSWER(guide, go, home) {
    uint64_t who = request->token % TRAVELLERS;
    printf("/traveller/%" PRIu64 " round %u: %s\n", who, me->done[who], troupe_status_name(outcome));
    fflush(stdout);
    if (outcome != TROUPE_OK && outcome != TROUPE_DIED) return TROUPE_FAIL(self, "this is no end of a round");
    if (outcome == TROUPE_OK && ++me->done[who] == me->rounds) {
        if (--me->away == 0) troupe_shutdown(self);
        return TROUPE_OK;
    }
    return send_off(self, me, who);
}
TROUPE_ON(guide, parcel) { return troupe_reply(self, parcel, .token = msg->token, .data = msg->data); }
TROUPE_ON(guide, call) {
    CHECK(strlen(msg->text) == 69999);
    return troupe_reply(self, heard, .token = msg->token);
}
TROUPE_ON(guide, question) { return troupe_reply(self, answer, .token = msg->token); }
TROUPE_ON(guide, riddle) {
    (void)troupe_keep_asker(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(guide, TROUPE_STARTS(guide, guide_args), TROUPE_HANDLES(guide, parcel, call, question, riddle),
             TROUPE_ANSWERS(guide, go, home))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &guide_actor, &traveller_actor, &listener_actor, NULL);
}
