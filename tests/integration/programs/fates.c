/*
 * Actors that end in every way there is. A victim has a fate, and meets it when it is told to act, in
 * its first `times` runs; then it goes on in peace. The prompter tells everyone to act, and says on
 * standard output what it hears of it, a line each. Whoever stops says "stop PATH", in one write.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define FATE(field) field(str, fate) field(u64, times)
TROUPE_MESSAGE(fate, FATE)
/* How many rounds (0: for ever), one each `pause` ms; `end`: then shut down. */
#define PROMPT(field) field(u64, rounds) field(u64, pause) field(bool, end)
TROUPE_MESSAGE(prompt, PROMPT)
#define ACT(field) field(u64, round)
TROUPE_MESSAGE(act, ACT)
TROUPE_MESSAGE_EMPTY(acted)
TROUPE_MESSAGE_EMPTY(next_round)

static void say(const char *format, const char *who, const char *what) {
    char line[512];
    int size = snprintf(line, sizeof line, format, who, what);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) abort();
}

static volatile bool forever = true;

/* ---- Victims ---- */

struct victim {
    char fate[16];
    uint64_t times;
};

/* Until no stack is left. */
static uint64_t descend(volatile uint64_t depth) {
    volatile char room[4096];
    room[depth % sizeof room] = 1;
    return forever ? descend(depth + 1) + (uint64_t)room[0] : depth;
}

/* Twelve lines, the last of which has no end. */
static void say_last_words(void) {
    for (int i = 1; i < 12; i++) fprintf(stderr, "word %d of \"twelve\"\n", i);
    fprintf(stderr, "the last%cword", '\0');
}

static void meet(const char *fate) {
    if (strcmp(fate, "overflow") == 0) descend(0);
    if (strcmp(fate, "words") == 0) say_last_words();
    if (strcmp(fate, "words") == 0) exit(3);
    if (strcmp(fate, "segv") == 0) raise(SIGSEGV);
    if (strcmp(fate, "abort") == 0) abort();
    if (strcmp(fate, "exit") == 0) exit(3);
    if (strcmp(fate, "exit0") == 0) exit(0);
    while (strcmp(fate, "busy") == 0 && forever) {
    }
}

TROUPE_START(victim, fate) {
    snprintf(me->fate, sizeof me->fate, "%s", args->fate);
    me->times = args->times;
    if (strcmp(me->fate, "unstartable") == 0 && troupe_self_run(self) > 0)
        return TROUPE_FAIL(self, "no second time");
    return TROUPE_OK;
}

TROUPE_ON(victim, act) {
    if (troupe_self_run(self) < me->times) {
        if (strcmp(me->fate, "busy") == 0) say("busy %s%s\n", troupe_self_path(self), "");
        meet(me->fate);
        if (strcmp(me->fate, "fail") == 0 || strcmp(me->fate, "unstartable") == 0)
            return TROUPE_FAIL(self, "it was my fate");
    }
    return troupe_reply_empty(self, acted);
}

TROUPE_STOP(victim) {
    say("stop %s%s\n", troupe_self_path(self), "");
    if (strcmp(me->fate, "stubborn") == 0) meet("busy");
}

TROUPE_ACTOR(victim, TROUPE_STARTS(victim, fate), TROUPE_STOPS(victim), TROUPE_HANDLES(victim, act))

/* ---- The prompter ---- */

struct prompter {
    uint64_t rounds, round, pause;
    uint32_t victims, waiting;
    bool end;
};

static enum troupe_status prompt_all(troupe_self *self, struct prompter *me) {
    char path[32];
    me->waiting = 0;
    for (uint32_t i = 0; i < me->victims; i++) {
        snprintf(path, sizeof path, "/victim/%u", (unsigned)i);
        enum troupe_status status = troupe_ask(self, troupe_lookup(self, path), act, 30 * TROUPE_SECOND,
                                               .round = me->round);
        if (status == TROUPE_OK) me->waiting++;
        else say("refused %s %s\n", path, troupe_status_name(status));
    }
    if (me->waiting == 0) return troupe_after_empty(self, NULL, 10 * TROUPE_MILLISECOND, next_round);
    return TROUPE_OK;
}

TROUPE_START(prompter, prompt) {
    me->rounds = args->rounds;
    me->pause = args->pause;
    me->end = args->end;
    me->victims = troupe_count(self, "/victim");
    return prompt_all(self, me);
}

TROUPE_ON(prompter, next_round) { return prompt_all(self, me); }

TROUPE_ANSWER(prompter, act, acted) {
    char round[32];
    snprintf(round, sizeof round, "%u", (unsigned)request->round);
    say("round %s %s\n", round, troupe_status_name(outcome));
    if (--me->waiting > 0) return TROUPE_OK;
    if (++me->round != me->rounds)
        return troupe_after_empty(self, NULL, (int64_t)me->pause * TROUPE_MILLISECOND, next_round);
    say("over%s%s\n", "", "");
    if (me->end) troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_STOP(prompter) { say("stop %s%s\n", troupe_self_path(self), ""); }

TROUPE_ACTOR(prompter, TROUPE_STARTS(prompter, prompt), TROUPE_STOPS(prompter),
    TROUPE_HANDLES(prompter, next_round), TROUPE_ANSWERS(prompter, act, acted))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &victim_actor, &prompter_actor, NULL);
}
