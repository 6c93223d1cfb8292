#include "core/flight.h"

#include <stdio.h>
#include <string.h>

static uint64_t get(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void tr_flight_name(struct tr_flight *flight, const struct troupe_message_type *type) {
    uint64_t key = (uint64_t)(uintptr_t)type;
    for (uint32_t i = 0; i < TR_FLIGHT_TYPES; i++) {
        struct tr_flight_type *entry = &flight->types[i];
        if (get(&entry->type) == key) return;
        if (get(&entry->type) != 0) continue;
        snprintf(entry->name, sizeof entry->name, "%s", type->name);
        atomic_store_explicit(&entry->type, key, memory_order_release);
        return;
    }
}

static const char *name_of(const struct tr_flight *flight, uint64_t type) {
    for (uint32_t i = 0; i < TR_FLIGHT_TYPES && get(&flight->types[i].type) != 0; i++)
        if (get(&flight->types[i].type) == type) return flight->types[i].name;
    return "a message";
}

static void add_dead(const _Atomic uint64_t *dead, struct troupe_counts *counts) {
    for (uint32_t i = 0; i < TROUPE_STATUS_COUNT; i++) {
        counts->dead_by_reason[i] += get(&dead[i]);
        counts->dead_letters += get(&dead[i]);
    }
}

void tr_flight_counts(const struct tr_flight *flight, struct troupe_counts *counts) {
    for (uint32_t i = 0; i <= TR_MAX_WORKERS; i++) {
        const struct tr_flight_worker *worker = &flight->workers[i];
        counts->sent += get(&worker->sent_local) + get(&worker->sent_remote);
        counts->handled += get(&worker->handled_local) + get(&worker->handled_remote);
        counts->refused += get(&worker->refused);
        counts->in_doubt += get(&worker->in_doubt);
        counts->blocked += get(&worker->blocked);
        add_dead(worker->dead_local, counts);
        add_dead(worker->dead_outbound, counts);
    }
}

/* Local messages that were sent and not settled: what the mailboxes held. */
static uint64_t unsettled(const struct tr_flight *flight) {
    uint64_t sent = 0, settled = 0;
    for (uint32_t i = 0; i <= TR_MAX_WORKERS; i++) {
        const struct tr_flight_worker *worker = &flight->workers[i];
        sent += get(&worker->sent_local);
        settled += get(&worker->handled_local);
        for (uint32_t r = 0; r < TROUPE_STATUS_COUNT; r++) settled += get(&worker->dead_local[r]);
    }
    return sent > settled ? sent - settled : 0;
}

void tr_flight_describe(const struct tr_flight *flight,
                        const char *(*path)(void *context, uint32_t slot, uint32_t generation),
                        void *context, char *text, size_t size) {
    size_t used = 0;
    if (size > 0) text[0] = '\0';
    for (uint32_t i = 0; i < TR_MAX_WORKERS && used < size; i++) {
        uint64_t type = get(&flight->workers[i].current_type);
        if (type == 0) continue;
        uint64_t cell = get(&flight->workers[i].current_cell);
        const char *who = path(context, (uint32_t)(cell >> 32), (uint32_t)cell);
        used += (size_t)snprintf(text + used, size - used, "%s%.*s%s%.200s", used > 0 ? ", " : "",
                                 TR_FLIGHT_NAME - 1, name_of(flight, type), who != NULL ? " in " : "",
                                 who != NULL ? who : "");
    }
}

void tr_flight_close(struct tr_flight *flight) {
    uint64_t in_doubt = 0, lost = unsettled(flight);
    struct tr_flight_worker *rest = &flight->workers[TR_MAX_WORKERS];
    for (uint32_t i = 0; i < TR_MAX_WORKERS; i++) {
        const struct tr_flight_worker *worker = &flight->workers[i];
        if (get(&worker->current_type) != 0 && atomic_load(&worker->current_inbound) == 0) in_doubt++;
    }
    if (in_doubt > lost) in_doubt = lost; /* settled, but its worker had not yet said so */
    atomic_fetch_add(&rest->in_doubt, in_doubt);
    atomic_fetch_add(&rest->dead_local[TROUPE_NODE_DIED], lost - in_doubt);
}
