#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/supervision_script.h"

/* ---- What the machine does ---- */

static void __attribute__((format(printf, 2, 3))) note(struct script *script, const char *format, ...) {
    va_list arguments;
    size_t size = strlen(script->log);
    if (size > 0) script->log[size++] = ' ';
    va_start(arguments, format);
    int written = vsnprintf(script->log + size, sizeof script->log - size, format, arguments);
    va_end(arguments);
    assert_true(written > 0 && (size_t)written < sizeof script->log - size);
}

static uint32_t number_of(const struct script *script, tr_child_id id) {
    for (uint32_t i = script->count; i-- > 0;)
        if (script->ids[i].index == id.index && script->ids[i].serial == id.serial) return i;
    fail_msg("a child that nobody added: %u/%u", id.index, id.serial);
    return 0;
}

static void on_start(void *context, tr_child_id id, uint64_t run, bool flush) {
    struct script *script = context;
    uint32_t child = number_of(script, id);
    assert_int_equal(run, script->runs[child] + 1);
    script->runs[child] = run;
    note(script, flush ? "+%u~" : "+%u", child);
}

static void on_stop(void *context, tr_child_id id, uint64_t run, bool kill) {
    struct script *script = context;
    uint32_t child = number_of(script, id);
    assert_int_equal(run, script->runs[child]);
    note(script, kill ? "x%u" : "-%u", child);
}

static void on_rest(void *context, tr_child_id id) {
    note(context, "r%u", number_of(context, id));
}

static void on_forget(void *context, tr_child_id id) {
    note(context, "f%u", number_of(context, id));
}

static void on_answer(void *context, uint64_t request, enum tr_answer answer, tr_child_id id) {
    static const char *const names[] = { "ok",      "ignored", "failed",   "running", "restarting",
                                         "unknown", "invalid", "stopping", "limit",   "no-memory" };
    (void)id;
    note(context, "%llu:%s", (unsigned long long)request, names[answer]);
}

static void on_started(void *context) {
    note(context, "ready");
}

static void on_stopped(void *context, enum tr_over over) {
    static const char *const names[] = { "stopped", "gave-up", "finished" };
    note(context, "%s", names[over]);
}

static void on_timer(void *context, int64_t at) {
    if (at == INT64_MAX) note(context, "@-");
    else note(context, "@%lld", (long long)at);
}

static const struct tr_supervision_io io = { on_start,  on_stop,    on_rest,    on_forget,
                                             on_answer, on_started, on_stopped, on_timer };

void script_expect(struct script *script, const char *log, const char *file, int line) {
    _assert_string_equal(script->log, log, file, line);
    script->log[0] = '\0';
}

void finish(struct script *script) {
    expect(script, "");
    tr_supervision_free(script->machine);
}

/* ---- Beginning ---- */

void script_create(struct script *script, const struct tr_supervision_rules *rules) {
    *script = (struct script){ .machine = tr_supervision_new(rules, &io, script) };
    assert_non_null(script->machine);
}

void add(struct script *script, const struct tr_child_rules *rules) {
    assert_true(script->count < SCRIPT_CHILDREN);
    assert_int_equal(tr_supervision_add(script->machine, rules, &script->ids[script->count++]), TR_ANSWER_OK);
}

void run_all(struct script *script, const struct tr_supervision_rules *rules, uint32_t count,
             const struct tr_child_rules *children) {
    script_create(script, rules);
    for (uint32_t i = 0; i < count; i++) add(script, &children[i]);
    begin(script);
    up_all(script);
    script->log[0] = '\0';
}

void run_kinds(struct script *script, enum tr_strategy strategy, uint32_t count, const enum tr_restart *kinds) {
    struct tr_child_rules children[SCRIPT_CHILDREN];
    for (uint32_t i = 0; i < count; i++) children[i] = *CHILD(.restart = kinds[i]);
    run_all(script, RULES(.strategy = strategy, .restarts = 3), count, children);
}

void run_three(struct script *script, enum tr_strategy strategy, enum tr_restart kind) {
    run_kinds(script, strategy, 3, (enum tr_restart[]){ kind, kind, kind });
}

const struct tr_child_rules permanent[] = {
    { .shutdown = TR_INFINITY, .ready = TR_INFINITY }, { .shutdown = TR_INFINITY, .ready = TR_INFINITY },
    { .shutdown = TR_INFINITY, .ready = TR_INFINITY }, { .shutdown = TR_INFINITY, .ready = TR_INFINITY },
};

void create(struct script *script, enum tr_strategy strategy, uint32_t restarts, uint32_t count,
            const struct tr_child_rules *children) {
    script_create(script, RULES(.strategy = strategy, .restarts = restarts));
    for (uint32_t i = 0; i < count; i++) add(script, &children[i]);
}

/* ---- Events ---- */

void begin(struct script *script) {
    tr_supervision_start(script->machine, script->now);
}

void up(struct script *script, uint32_t child) {
    tr_supervision_started(script->machine, script->ids[child], script->runs[child], script->now);
}

void up_all(struct script *script) {
    for (uint32_t i = 0; i < script->count; i++) up(script, i);
}

void ignores(struct script *script, uint32_t child) {
    tr_supervision_ignored(script->machine, script->ids[child], script->runs[child], script->now);
}

void ends(struct script *script, uint32_t child, enum tr_exit why) {
    tr_supervision_exited(script->machine, script->ids[child], script->runs[child], why, script->now);
}

void fails(struct script *script, uint32_t child) {
    ends(script, child, TR_EXIT_FAILED);
}

void down(struct script *script, uint32_t child) {
    ends(script, child, TR_EXIT_SHUTDOWN);
}

void lose(struct script *script, const char *children) {
    tr_child_id lost[SCRIPT_CHILDREN];
    uint32_t count = 0;
    for (; *children != '\0'; children++) lost[count++] = script->ids[*children - '0'];
    tr_supervision_lost(script->machine, lost, count, script->now);
}

void tick(struct script *script, int64_t now) {
    script->now = now;
    tr_supervision_tick(script->machine, now);
}

void stop(struct script *script) {
    tr_supervision_stop(script->machine, script->now);
}

/* ---- Requests ---- */

void launch(struct script *script, uint64_t request, const struct tr_child_rules *rules) {
    add(script, rules);
    tr_supervision_launch(script->machine, script->ids[script->count - 1], request, script->now);
}

void terminate(struct script *script, uint64_t request, uint32_t child) {
    tr_supervision_terminate(script->machine, script->ids[child], request, script->now);
}

void restart(struct script *script, uint64_t request, uint32_t child) {
    tr_supervision_restart(script->machine, script->ids[child], request, script->now);
}

void delete_child(struct script *script, uint64_t request, uint32_t child) {
    tr_supervision_delete(script->machine, script->ids[child], request, script->now);
}

/* ---- Looking ---- */

void expect_count(struct script *script, uint32_t count, uint32_t living) {
    uint32_t now_living;
    assert_int_equal(tr_supervision_count(script->machine, &now_living), count);
    assert_int_equal(now_living, living);
}

enum tr_child_state state_of(struct script *script, uint32_t child) {
    struct tr_child_look look;
    return tr_supervision_look(script->machine, script->ids[child], &look) ? look.state : TR_CHILD_GONE;
}

uint64_t restarts_of(struct script *script, uint32_t child) {
    struct tr_child_look look = { .restarts = UINT64_MAX };
    (void)tr_supervision_look(script->machine, script->ids[child], &look);
    return look.restarts;
}
