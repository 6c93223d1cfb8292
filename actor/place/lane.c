/*
 * A lane's cell: what it does with events, and how it stays connected.
 *
 * The keeper arranges connections: when parcels wait and there is no wire, the host is asked, and an
 * offer comes back, to listen or to dial. The wire's events, told by its threads, go to the peer machine;
 * when the machine or the wire is done with the connection, the wire is closed, and as soon as there is
 * something to send another one is asked for. Offers have rising numbers; what belongs to an older one
 * is dropped.
 *
 * When the other node dies, its last frames may still be on the way: they are read first, until the wire
 * says that there are no more, or a moment has passed; then the peer settles what it had sent there.
 *
 * After each batch the lane tells the peer what was settled here, lets it send, and sets its alarm.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "core/dead.h"
#include "core/log.h"
#include "core/send.h"
#include "place/lane_parts.h"
#include "services/agent.h"
#include "transport/frame.h"

static const int64_t ack_delay = 2 * TROUPE_MILLISECOND;
static const int64_t retry_delay = 20 * TROUPE_MILLISECOND;
static const int64_t late_delay = 5 * TROUPE_MILLISECOND;
static const int64_t last_frames = TROUPE_SECOND / 2; /* to read what a dead node had sent */

/* What is read of a socket before the actors have a turn, in bytes, and what a frame counts beside its own, and each
 * descriptor that comes with it. */
enum { AT_ONCE = 1024 * 1024, FRAME_COST = 4096, DESCRIPTOR_COST = 16 * 1024 };

static int64_t now_of(const struct tr_lane_driver *lane) { return tr_node_clock(lane->node); }

/* ---- Ledgers ---- */

struct tr_ledger_half *tr_lane_half(struct tr_lane_driver *lane, bool outgoing) {
    bool lower = lane->node->id < lane->route.node;
    return &lane->ledger->memory->halves[lower == outgoing ? 1 : 0];
}

void tr_lane_ledger_drop(struct tr_lane_ledger *ledger) {
    if (ledger == NULL || --ledger->references > 0) return;
    munmap(ledger->memory, sizeof *ledger->memory);
    free(ledger);
}

/* Without shared memory the lane keeps its counts in memory of its own. */
static struct tr_ledger *private_memory(void) {
    void *memory = mmap(NULL, sizeof(struct tr_ledger), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static bool take_ledger(struct tr_lane_driver *lane, const struct tr_lane_offer *offer) {
    if (lane->ledger != NULL && lane->ledger->number == offer->ledger) {
        if (offer->memory != NULL) munmap(offer->memory, sizeof *offer->memory);
        return true;
    }
    struct tr_ledger *memory = offer->memory != NULL ? offer->memory : private_memory();
    struct tr_lane_ledger *ledger = malloc(sizeof *ledger);
    if (memory == NULL || ledger == NULL) {
        if (memory != NULL) munmap(memory, sizeof *memory);
        free(ledger);
        return false;
    }
    *ledger = (struct tr_lane_ledger){ .memory = memory, .number = offer->ledger, .references = 1,
                                       .shared = offer->memory != NULL };
    tr_lane_ledger_drop(lane->ledger);
    lane->ledger = ledger;
    return true;
}

/* ---- Events, from any thread ---- */

void tr_lane_post(struct tr_lane_driver *lane, enum tr_lane_event code, uint64_t number, void *data) {
    struct tr_event *event = tr_event_new(code, number, data);
    tr_assert(event != NULL); /* lost, it would be a lane that hangs: better a node that is restarted */
    tr_cell_push(lane->node, NULL, lane->cell, &event->link);
}

/* ---- The wire ---- */

static void close_wire(struct tr_lane_driver *lane) {
    if (lane->wire == NULL) return;
    tr_peer_disconnected(lane->peer);
    tr_lane_wire_close(lane->wire);
    lane->wire = NULL;
    lane->lost = lane->sent = false;
}

/* Something waits, or other nodes' messages wait for our acks: a connection is wanted. */
static bool wants_wire(const struct tr_lane_driver *lane) {
    return lane->wire == NULL && !atomic_load(&lane->gone) && !lane->asked &&
           (tr_peer_held(lane->peer) > 0 || lane->active != NULL);
}

static void ask_for_wire(struct tr_lane_driver *lane) {
    if (!wants_wire(lane)) return;
    int64_t now = now_of(lane);
    if (lane->retry_at > now) return;
    lane->retry_at = now + retry_delay;
    lane->asked = true;
    lane->host.connect(lane->host.host, lane->node->id, lane->route.node, lane->known);
}

/* ---- The other node's death ---- */

static void go(struct tr_lane_driver *lane);

/* Behind all that it had said, and before what its next incarnation says. */
static void tell_agent(struct tr_lane_driver *lane) {
    const struct tr_orphaned orphaned = { lane->route.node };
    tr_send_system(lane->node, lane->worker, tr_agent_address(lane->node->id), &tr_orphaned_message, &orphaned);
}

/* What was sent after the death was known is for the next incarnation. */
static void bury(struct tr_lane_driver *lane) {
    struct tr_parcel *parcel = lane->waiting;
    bool died = lane->died && !lane->closing;
    close_wire(lane);
    lane->died = lane->asked = false;
    lane->waiting = lane->last_waiting = NULL;
    tr_peer_died(lane->peer, tr_cause_blames(lane->cause));
    tr_lane_asks_died(lane);
    if (died) tr_bonds_node_died(lane->node, lane->worker, lane->route.node, lane->death);
    if (died) tell_agent(lane);
    lane->retry_at = 0;
    while (parcel != NULL) {
        struct tr_parcel *next = parcel->next;
        tr_peer_submit(lane->peer, parcel);
        parcel = next;
    }
    if (lane->goes) go(lane);
}

static void wait_for_burial(struct tr_lane_driver *lane, struct tr_parcel *parcel) {
    parcel->next = NULL;
    if (lane->waiting == NULL) lane->waiting = parcel;
    else lane->last_waiting->next = parcel;
    lane->last_waiting = parcel;
}

static void died(struct tr_lane_driver *lane, enum tr_cause cause) {
    atomic_store(&lane->down, 0);
    lane->died = true;
    lane->cause = cause;
    lane->died_by = now_of(lane) + last_frames;
    if (lane->wire == NULL || !tr_peer_is_up(lane->peer)) bury(lane);
}

/* It may have had something to say before it went: that is read first. */
static void go(struct tr_lane_driver *lane) {
    if (lane->died && lane->wire != NULL) {
        lane->goes = true;
        return;
    }
    lane->goes = false;
    atomic_store(&lane->gone, true);
    if (lane->died) bury(lane);
    close_wire(lane);
    lane->asked = false;
    tr_peer_abandon(lane->peer, TROUPE_GONE);
    tr_lane_asks_died(lane);
}

/* ---- A new connection ---- */

static void on_up(struct tr_lane_driver *lane, int64_t now) {
    tr_peer_set_dialer(lane->peer, !lane->offer.listen);
    tr_peer_connected(lane->peer, lane->offer.token, now);
}

static void connect(struct tr_lane_driver *lane) {
    char error[256] = "out of memory";
    if (take_ledger(lane, &lane->offer) && tr_lane_wire_open(lane, error, sizeof error)) {
        if (tr_lane_wire_is_up(lane->wire)) on_up(lane, now_of(lane));
        return;
    }
    tr_log(lane->node, TROUPE_ERROR, NULL, "no lane to node %llu: %s",
           (unsigned long long)lane->route.node, error);
    lane->retry_at = now_of(lane) + retry_delay;
}

static void attach(struct tr_lane_driver *lane, const struct tr_lane_offer *offer) {
    if (offer->lane <= lane->offer.lane || lane->closing) {
        tr_lane_offer_drop(offer);
        return;
    }
    atomic_store(&lane->gone, false); /* an offer is a sign of life */
    lane->goes = false;
    if (lane->died) bury(lane); /* this offer is for the next incarnation: the last one is over */
    close_wire(lane);
    lane->asked = false;
    lane->offer = *offer;
    tr_peer_set_told(lane->peer, offer->socket >= 0); /* by the kernel: who sleeps is not woken to say that he lives */
    tr_lane_knows(lane, offer->lane);
    connect(lane);
}

/* ---- What the peer machine asks for ---- */

static void io_send(void *context, const uint8_t *frame, size_t size, const int *descriptors, uint32_t count) {
    struct tr_lane_driver *lane = context;
    lane->sent = tr_lane_wire_send(lane->wire, frame, size, descriptors, count);
}

static void io_up(void *context, uint64_t remote_incarnation) {
    (void)context;
    (void)remote_incarnation;
}

static void io_lost(void *context, const char *why) {
    struct tr_lane_driver *lane = context;
    lane->lost = true;
    if (!lane->died)
        tr_log(lane->node, TROUPE_WARNING, NULL, "connection to node %llu: %s",
               (unsigned long long)lane->route.node, why);
}

static const uint8_t *io_definition(void *context, uint32_t index, size_t *size) {
    struct tr_lane_driver *lane = context;
    const char *schema = tr_types_schema(&lane->node->types, index);
    *size = strlen(schema);
    return (const uint8_t *)schema;
}

static void dead(struct tr_lane_driver *lane, const struct tr_lane_parcel *parcel,
                 enum troupe_status status, bool counted_there) {
    struct tr_node *node = lane->node;
    troupe_address to = { lane->route.node, parcel->parcel.to.slot, parcel->parcel.to.generation };
    const char *type = parcel->type == NULL ? "a reply" : parcel->type->name;
    struct tr_flight_worker *counters = tr_counters(node, lane->worker);
    uint64_t ask = (parcel->flags & TR_MESSAGE_ASKED) != 0 ? parcel->ask : 0;
    if ((parcel->flags & TR_MESSAGE_BOND) != 0 && !lane->closing)
        tr_bond_not_taken(node, lane->worker, parcel->from, to, parcel->ask, status, lane->death);
    if ((parcel->flags & TR_MESSAGE_SYSTEM) != 0) {
        tr_tell_asker(node, lane->worker, parcel->from, ask, status);
        return;
    }
    tr_count(lane->worker,
             status == TROUPE_IN_DOUBT ? &counters->in_doubt : &counters->dead_outbound[status]);
    if (!counted_there) { /* else said there */
        tr_loss_log(node, "dead letter", to, type, status);
        tr_dead_letter_tell(node, lane->worker, &(struct tr_dead_news){ to, parcel->from, parcel->type, status });
    }
    tr_tell_sender(node, lane->worker, parcel->from, to, type, ask, status);
}

static void io_settled(void *context, struct tr_parcel *settled, enum troupe_status status,
                       bool counted_there) {
    struct tr_lane_driver *lane = context;
    struct tr_lane_parcel *parcel = tr_lane_parcel_of(settled);
    bool stopped = status == TROUPE_NODE_DIED && lane->cause == TR_CAUSE_STOPPED;
    if (stopped) status = TROUPE_GONE;
    tr_lane_ask_settled(lane, parcel, status != TROUPE_OK);
    if (status != TROUPE_OK) dead(lane, parcel, status, counted_there);
    else if ((parcel->flags & TR_MESSAGE_SYSTEM) == 0)
        tr_count(lane->worker, &tr_counters(lane->node, lane->worker)->handled_remote);
    tr_lane_give_back(lane, parcel);
    tr_lane_parcel_free(parcel);
}

static enum tr_fate io_fate(void *context, uint32_t channel, uint64_t sequence) {
    struct tr_lane_driver *lane = context;
    if (lane->ledger == NULL || !lane->ledger->shared) return TR_FATE_IN_DOUBT;
    return tr_ledger_fate(tr_lane_half(lane, true), channel, sequence);
}

static void io_timer(void *context, int64_t at) {
    struct tr_lane_driver *lane = context;
    lane->tick_at = at;
}

const struct tr_peer_io tr_lane_io = { .send = io_send, .up = io_up, .lost = io_lost,
                                       .definition = io_definition, .defined = tr_lane_defined,
                                       .opened = tr_lane_opened, .deliver = tr_lane_deliver,
                                       .settled_count = tr_lane_settled_count,
                                       .closed = tr_lane_closed, .settled = io_settled,
                                       .fate = io_fate, .timer = io_timer };

/* ---- The cell ---- */

static void on_frame(struct tr_lane_driver *lane, struct tr_wire_frame *frame, bool current) {
    size_t size;
    const uint8_t *bytes = tr_wire_frame_bytes(frame, &size);
    if (current && !lane->lost) tr_peer_frame(lane->peer, bytes, size, now_of(lane));
    tr_wire_frame_free(frame);
    if (current) tr_lane_wire_next(lane->wire);
}

static void on_lost(struct tr_lane_driver *lane) {
    if (lane->died) bury(lane);
    else close_wire(lane);
}

/* The transport may take one frame after the other at once. */
static void let_send(struct tr_lane_driver *lane, int64_t now) {
    while (lane->sent && !lane->lost) {
        lane->sent = false;
        tr_peer_sent(lane->peer, now);
    }
}

/* Reads what has come on a socket, and then gives others a turn. */
static void on_ready(struct tr_lane_driver *lane, struct tr_link *link) {
    struct tr_socket_frame frame;
    enum tr_socket_result result;
    if (!tr_lane_wire_ready(lane, link)) return;
    const int64_t now = now_of(lane);
    size_t taken = 0;
    if (tr_lane_wire_flush(lane->wire)) lane->sent = true;
    while ((result = tr_lane_wire_receive(lane->wire, &frame)) == TR_SOCKET_OK && !lane->lost) {
        const uint32_t count = frame.complete ? frame.count : 0;
        tr_peer_frame_with(lane->peer, frame.bytes, frame.size, frame.descriptors, count, now);
        let_send(lane, now);
        taken += frame.size + FRAME_COST + (size_t)count * DESCRIPTOR_COST;
        if (taken < AT_ONCE) continue;
        tr_lane_wire_again(lane->wire, lane->worker);
        return;
    }
    if (result == TR_SOCKET_BAD && !lane->lost) io_lost(lane, "what came is no frame, or there is no memory for it");
    if (result == TR_SOCKET_CLOSED) on_lost(lane);
}

static void on_refused(struct tr_lane_driver *lane, uint64_t number) {
    lane->asked = false;
    tr_lane_knows(lane, number);
    if (number == 0 || number == lane->offer.lane) close_wire(lane);
}

static void on_wire_event(struct tr_lane_driver *lane, struct tr_event *event) {
    bool current = lane->wire != NULL && tr_lane_wire_number(lane->wire) == event->number;
    int64_t now = now_of(lane);
    if (event->code == TR_LANE_FRAME) on_frame(lane, event->data, current);
    else if (!current) return;
    else if (event->code == TR_LANE_UP) on_up(lane, now);
    else if (event->code == TR_LANE_SENT && !lane->lost) tr_peer_sent(lane->peer, now);
    else if (event->code == TR_LANE_LOST) on_lost(lane);
}

static void learn_death(struct tr_lane_driver *lane, struct tr_event *event) {
    tr_obituary_drop(lane->death);
    lane->death = event->data;
    died(lane, (enum tr_cause)event->number);
}

static void on_event(struct tr_lane_driver *lane, struct tr_event *event) {
    switch ((enum tr_lane_event)event->code) {
    case TR_LANE_ATTACH: attach(lane, event->data); break;
    case TR_LANE_REFUSED: on_refused(lane, event->number); break;
    case TR_LANE_DOWN: learn_death(lane, event); break;
    case TR_LANE_GONE: go(lane); break;
    case TR_LANE_LEAVE: lane->leaving = true; break;
    case TR_LANE_PROGRESS: /* the lane's own event, out of the mailbox only now; the flush looks */
        (void)atomic_exchange(&lane->progress_told, false);
        return;
    case TR_LANE_UP:
    case TR_LANE_FRAME:
    case TR_LANE_SENT:
    case TR_LANE_LOST: on_wire_event(lane, event); break;
    }
    if (event->code == TR_LANE_ATTACH) free(event->data);
    free(event);
}

static void on_alarm(struct tr_worker *worker, struct tr_cell *cell, struct tr_alarm *alarm) {
    struct tr_lane_driver *lane = tr_cell_native(cell)->context;
    (void)worker;
    (void)alarm;
    lane->alarm = 0;
    int64_t now = now_of(lane);
    if (lane->died && now >= lane->died_by) bury(lane);
    if (lane->wire != NULL && tr_lane_wire_flush(lane->wire)) lane->sent = true;
    if (lane->tick_at <= now) {
        lane->tick_at = INT64_MAX;
        tr_peer_tick(lane->peer, now);
    }
}

static void handle(void *context, struct tr_worker *worker, struct tr_link *link) {
    struct tr_lane_driver *lane = context;
    lane->worker = worker;
    if (link->kind == TR_LINK_PARCEL) {
        struct tr_lane_parcel *parcel = (struct tr_lane_parcel *)(void *)link;
        tr_lane_ask_add(lane, parcel);
        if (lane->died) wait_for_burial(lane, &parcel->parcel);
        else tr_peer_submit(lane->peer, &parcel->parcel);
        if (atomic_load(&lane->gone)) tr_peer_abandon(lane->peer, TROUPE_GONE);
    } else if (link->kind == TR_LINK_SOURCE) {
        on_ready(lane, link);
    } else if (link->kind == TR_LINK_EVENT) {
        on_event(lane, (struct tr_event *)(void *)link);
    } else if (link->kind == TR_LINK_ALARM) {
        tr_alarm_handle(worker, lane->cell, tr_alarm_of_link(link));
        tr_alarm_handled(worker, tr_alarm_of_link(link));
    }
}

static void free_waiting(struct tr_lane_driver *lane) {
    if (lane->waiting != NULL) bury(lane);
    tr_peer_abandon(lane->peer, TROUPE_GONE);
}

static void release_alarm(struct tr_pool *pool, struct tr_alarm *alarm) {
    (void)pool;
    free(alarm);
}

static int64_t next_alarm(const struct tr_lane_driver *lane, int64_t now) {
    int64_t at = lane->tick_at;
    if (lane->active != NULL && now + ack_delay < at) at = now + ack_delay;
    if (lane->died && lane->died_by < at) at = lane->died_by;
    if (wants_wire(lane) && lane->retry_at < at) at = lane->retry_at;
    if (lane->wire != NULL && tr_lane_wire_is_late(lane->wire) && now + late_delay < at) at = now + late_delay;
    return at;
}

static void set_alarm(struct tr_lane_driver *lane, int64_t now) {
    int64_t at = next_alarm(lane, now);
    if (at == INT64_MAX || (lane->alarm != 0 && lane->alarm_at <= at)) return;
    if (lane->alarm != 0) tr_alarm_cancel(NULL, lane->cell, lane->alarm);
    lane->alarm = 0;
    struct tr_alarm *alarm = calloc(1, sizeof *alarm);
    if (alarm == NULL) return;
    alarm->fire = on_alarm;
    alarm->release = release_alarm;
    lane->alarm_at = at;
    lane->alarm = tr_alarm_set(lane->worker, lane->cell, alarm, at > now ? at - now : 0, 0);
    if (lane->alarm == 0) free(alarm);
}

static bool is_settled(const struct tr_lane_driver *lane) {
    return tr_peer_held(lane->peer) == 0 && lane->waiting == NULL;
}

static void flush(void *context, struct tr_worker *worker) {
    struct tr_lane_driver *lane = context;
    lane->worker = worker;
    int64_t now = now_of(lane);
    if (lane->closing) return;
    if (tr_lane_report(lane)) tr_peer_progress(lane->peer, now);
    tr_peer_flush(lane->peer, now);
    let_send(lane, now);
    if (lane->lost) on_lost(lane);
    if (lane->leaving) atomic_store(&lane->settled, is_settled(lane));
    ask_for_wire(lane);
    set_alarm(lane, now);
}

const struct tr_native tr_lane_native = { .handle = handle, .flush = flush };

/* ---- For the host ---- */

void tr_lane_offer_drop(const struct tr_lane_offer *offer) {
    if (offer->memory != NULL) munmap(offer->memory, sizeof *offer->memory);
    if (offer->socket >= 0) close(offer->socket);
}

static bool make_peer(struct tr_lane_driver *lane, uint64_t incarnation) {
    struct tr_peer_options options = { .node = lane->node->id, .incarnation = incarnation,
                                       .remote_node = lane->route.node,
                                       .dialer = lane->node->id < lane->route.node,
                                       .ack_delay = TROUPE_MILLISECOND };
    if (getrandom(options.nonce_seed, sizeof options.nonce_seed, 0) !=
        (ssize_t)sizeof options.nonce_seed)
        return false;
    lane->peer = tr_peer_new(&options, &tr_lane_io, lane);
    return lane->peer != NULL;
}

struct tr_lane_driver *tr_lane_new(struct tr_node *node, uint64_t peer, uint64_t incarnation, bool carries,
                                   const struct tr_lane_host *host) {
    struct tr_lane_driver *lane = calloc(1, sizeof *lane);
    if (lane == NULL) return NULL;
    lane->route = (struct tr_route){ .methods = &tr_lane_methods, .node = peer };
    lane->node = node;
    lane->host = *host;
    lane->carries = carries;
    lane->tick_at = INT64_MAX;
    lane->progress_event = (struct tr_event){ .link.kind = TR_LINK_EVENT, .code = TR_LANE_PROGRESS };
    tr_waiters_init(&lane->waiters);
    lane->cell = tr_native_new(node, &tr_lane_native, lane);
    if (lane->cell != NULL && make_peer(lane, incarnation) && tr_routes_add(&node->routes, &lane->route))
        return lane;
    if (lane->peer != NULL) tr_peer_free(lane->peer);
    tr_waiters_free(&lane->waiters);
    free(lane);
    return NULL;
}

/* What is still in the mailbox of the lane's cell is not settled either: the answer comes from behind it. */
bool tr_lane_leave(struct tr_lane_driver *lane) {
    if (!lane->told_to_leave) tr_lane_post(lane, TR_LANE_LEAVE, 0, NULL);
    lane->told_to_leave = true;
    return atomic_load(&lane->settled);
}

/* What the other node had settled by now is settled here, whatever was still to be said about it. */
void tr_lane_close(struct tr_lane_driver *lane) {
    lane->worker = NULL;
    lane->closing = true;
    atomic_store(&lane->gone, true);
    uint32_t down = atomic_load(&lane->down);
    if (down != 0) died(lane, (enum tr_cause)(down - 1)); /* told, but no worker took it up */
    bury(lane);
    tr_peer_abandon(lane->peer, TROUPE_GONE);
}

void tr_lane_free(struct tr_lane_driver *lane) {
    free_waiting(lane);
    tr_lane_inbounds_free(lane);
    tr_peer_free(lane->peer);
    tr_lane_asks_free(lane);
    tr_lane_ledger_drop(lane->ledger);
    tr_obituary_drop(lane->death);
    tr_waiters_free(&lane->waiters);
    for (uint32_t i = 0; i < TR_CREDIT_SEGMENTS; i++) free(atomic_load(&lane->credits[i]));
    free(lane->types);
    free(lane->type_status);
    free(lane);
}

void tr_lane_attach(struct tr_lane_driver *lane, const struct tr_lane_offer *offer) {
    struct tr_lane_offer *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        tr_lane_offer_drop(offer);
        tr_lane_post(lane, TR_LANE_REFUSED, 0, NULL);
        return;
    }
    *copy = *offer;
    tr_lane_post(lane, TR_LANE_ATTACH, 0, copy);
}

void tr_lane_refused(struct tr_lane_driver *lane, uint64_t number) {
    tr_lane_post(lane, TR_LANE_REFUSED, number, NULL);
}

void tr_lane_down(struct tr_lane_driver *lane, enum tr_cause cause, const struct troupe_death *death) {
    atomic_store(&lane->down, (uint32_t)cause + 1);
    tr_lane_post(lane, TR_LANE_DOWN, cause, tr_obituary_new(death));
}

void tr_lane_gone(struct tr_lane_driver *lane) { tr_lane_post(lane, TR_LANE_GONE, 0, NULL); }

void tr_lane_wanted(struct tr_lane_driver *lane) { atomic_store(&lane->gone, false); }
