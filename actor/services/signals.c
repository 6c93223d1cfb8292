#include "services/signals.h"

#include <troupe/io.h>

#include "core/log.h"
#include "core/run.h"
#include "core/source.h"
#include "services/services.h"

struct tr_asked_signal {
    struct tr_source source;  /* first: a source is cast to it */
    struct tr_asked_signal *next; /* in the node's list */
    int signal;
    _Atomic uint32_t count;   /* not yet told */
};

static struct tr_asked_signal *asked_of(struct tr_source *source) {
    return (struct tr_asked_signal *)(void *)source;
}

static struct tr_signals *signals_of(struct tr_node *node) { return &tr_services_of(node)->signals; }

void tr_signals_init(struct tr_signals *signals) {
    *signals = (struct tr_signals){ .first = NULL };
    pthread_mutex_init(&signals->lock, NULL);
}

void tr_signals_free(struct tr_signals *signals) { pthread_mutex_destroy(&signals->lock); }

/* ---- Which ---- */

bool tr_signal_is_askable(int signal) {
    static const int some[] = { SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
                                SIGCONT, SIGURG,  SIGIO,   SIGPWR,  SIGWINCH };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        if (some[i] == signal) return true;
    return signal >= SIGRTMIN && signal <= SIGRTMAX;
}

void tr_signals_askable(sigset_t *set) {
    sigemptyset(set);
    for (int signal = 1; signal <= SIGRTMAX; signal++)
        if (tr_signal_is_askable(signal)) sigaddset(set, signal);
}

/* ---- The list ---- */

static void join(struct tr_node *node, struct tr_asked_signal *asked) {
    struct tr_signals *signals = signals_of(node);
    pthread_mutex_lock(&signals->lock);
    asked->next = signals->first;
    signals->first = asked;
    pthread_mutex_unlock(&signals->lock);
    tr_services_of(node)->want_signal(node, asked->signal, true);
}

static void leave(struct tr_node *node, struct tr_source *source) {
    struct tr_signals *signals = signals_of(node);
    struct tr_asked_signal *asked = asked_of(source), **at = &signals->first;
    tr_services_of(node)->want_signal(node, asked->signal, false);
    pthread_mutex_lock(&signals->lock);
    while (*at != asked) at = &(*at)->next;
    *at = asked->next;
    pthread_mutex_unlock(&signals->lock);
}

bool tr_signals_tell(struct tr_node *node, int signal, uint32_t times) {
    struct tr_signals *signals = signals_of(node);
    bool wanted = false;
    pthread_mutex_lock(&signals->lock);
    for (struct tr_asked_signal *asked = signals->first; asked != NULL; asked = asked->next) {
        if (asked->signal != signal) continue;
        wanted = true;
        atomic_fetch_add(&asked->count, times);
        if (tr_source_happens(&asked->source))
            tr_cell_push(node, NULL, asked->source.cell, &asked->source.link);
    }
    pthread_mutex_unlock(&signals->lock);
    return wanted;
}

/* ---- Asking ---- */

static bool handle(struct tr_worker *worker, struct tr_cell *cell, struct tr_source *source) {
    struct tr_asked_signal *asked = asked_of(source);
    struct {
        struct tr_message header;
        struct troupe_signalled body;
    } message = { .header.type = &troupe_signalled_message, .body.signal = asked->signal };
    message.body.count = atomic_exchange(&asked->count, 0);
    return message.body.count > 0 && tr_deliver_own(worker, cell, (struct tr_message *)(void *)&message);
}

static const struct tr_source_kind kind = { .handle = handle, .leave = leave };

static struct tr_asked_signal *find(struct tr_cell *cell, int signal) {
    const struct tr_ids *ids = cell->more == NULL ? NULL : &cell->more->sources;
    for (uint32_t i = 0; ids != NULL && i < ids->size; i++) {
        struct tr_source *source = ids->entries[i].value;
        if (source != NULL && source->kind == &kind && asked_of(source)->signal == signal)
            return asked_of(source);
    }
    return NULL;
}

static const char *why_not(int signal) {
    if (signal == SIGINT || signal == SIGTERM) return "it is Troupe's own: it stops the application";
    if (signal == SIGCHLD) return "it is Troupe's own: it speaks of its processes";
    return "it is none that a program can wait for; include/troupe/io.h lists those that are";
}

static enum troupe_status refuse(troupe_self *self, int signal, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "signal %d not asked for: %s", signal,
           why);
    return TROUPE_INVALID;
}

enum troupe_status troupe_signal(troupe_self *self, int signal) {
    bool handled = tr_class_accepts(atomic_load(&self->cell->class), &troupe_signalled_message);
    if (self->cell->ended) return TROUPE_STOPPING;
    if (!handled) return refuse(self, signal, "the actor does not handle troupe_signalled");
    if (!tr_signal_is_askable(signal)) return refuse(self, signal, why_not(signal));
    if (find(self->cell, signal) != NULL) return TROUPE_OK;
    struct tr_asked_signal *asked = tr_source_new(sizeof *asked, &kind);
    if (asked == NULL) return TROUPE_NO_MEMORY;
    asked->signal = signal;
    if (!tr_source_add(self->cell, &asked->source)) {
        tr_source_drop(&asked->source);
        return TROUPE_NO_MEMORY;
    }
    join(self->worker->node, asked);
    return TROUPE_OK;
}

enum troupe_status troupe_unsignal(troupe_self *self, int signal) {
    struct tr_asked_signal *asked = find(self->cell, signal);
    if (asked == NULL) return TROUPE_GONE;
    tr_source_cancel(self->worker->node, self->cell, &asked->source);
    return TROUPE_OK;
}
