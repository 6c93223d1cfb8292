/* transport/peer.h, rule by rule: two peers that talk, and frames that no honest peer sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/peer_side.h"
#include "transport/peer_state.h"

#define MS TROUPE_MILLISECOND

static struct side a, b; /* a dials */

static int start(void **state) {
    (void)state;
    side_start(&a, 0, 1, true);
    side_start(&b, 1, 1, true);
    return 0;
}

static int stop(void **state) {
    (void)state;
    if (a.peer != NULL) side_stop(&a);
    if (b.peer != NULL) side_stop(&b);
    return 0;
}

static void up(void) {
    sides_connect(&a, &b, 0);
    assert_true(tr_peer_is_up(a.peer) && tr_peer_is_up(b.peer));
}

static void send_and_talk(const char *names, uint32_t slot) {
    side_submit(&a, names, slot);
    tr_peer_flush(a.peer, 0);
    sides_talk(&a, &b, 0);
}

/* Acks that wait leave after 5 ms. */
static void ack(int64_t now) {
    tr_peer_tick(b.peer, now + 5 * MS);
    sides_talk(&a, &b, now + 5 * MS);
}

/* ---- Handshake ---- */

static void handshake(void **state) {
    (void)state;
    up();
    assert_int_equal(a.ups, 1);
    assert_int_equal(b.ups, 1);
    assert_int_equal(a.remote_incarnation, 1);
    assert_int_equal(a.losses + b.losses, 0);
}

static void token_never_crosses(void **state) {
    (void)state;
    struct side_frame frame;
    uint8_t token[TR_PEER_TOKEN_SIZE];
    memset(token, 0xe7, sizeof token);
    tr_peer_connected(b.peer, token, 0);
    tr_peer_connected(a.peer, token, 0);
    for (int i = 0; i < 3; i++) {
        struct side *from = i % 2 == 0 ? &a : &b;
        assert_true(side_take(from, &frame, 0));
        assert_null(memmem(frame.bytes, frame.size, token, 4));
        tr_peer_frame(i % 2 == 0 ? b.peer : a.peer, frame.bytes, frame.size, 0);
        free(frame.bytes);
    }
    sides_talk(&a, &b, 0);
    assert_true(tr_peer_is_up(a.peer) && tr_peer_is_up(b.peer));
}

static void wrong_token_at_the_listener(void **state) {
    (void)state;
    side_connect(&b, 8, 0);
    side_connect(&a, 7, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(a.why, "the other side does not know the token");
    assert_int_equal(a.ups + b.ups, 0);
}

/* Reads what `from` has said, lets `change` at it, and passes it on. */
static void forge(struct side *from, struct side *to, void (*change)(struct tr_entry *)) {
    struct side_frame frame;
    struct tr_cursor cursor;
    struct tr_entry entry = { 0 };
    assert_true(side_take(from, &frame, 0));
    tr_cursor_init(&cursor, frame.bytes, frame.size);
    assert_true(tr_frame_next(&cursor, &entry));
    change(&entry);
    side_inject(to, &entry, 0);
    free(frame.bytes);
}

static void forge_proof(struct tr_entry *entry) { entry->proof[31] ^= 1; }
static void forge_version(struct tr_entry *entry) { entry->hello.oldest = entry->hello.newest = 3; }
static void forge_order(struct tr_entry *entry) { entry->hello.newest = 0; }
static void forge_newer(struct tr_entry *entry) { entry->hello.newest = 9; }
static void forge_node(struct tr_entry *entry) { entry->hello.node++; }
static void forge_expected(struct tr_entry *entry) { entry->hello.remote_node++; }
static void forge_incarnation(struct tr_entry *entry) { entry->hello.incarnation++; }

static void connect_only(void) {
    tr_peer_disconnected(a.peer);
    tr_peer_disconnected(b.peer);
    side_connect(&b, 7, 0);
    side_connect(&a, 7, 0);
}

static void wrong_proof_of_the_dialer(void **state) {
    (void)state;
    connect_only();
    side_pass(&a, &b, 0);
    side_pass(&b, &a, 0);
    forge(&a, &b, forge_proof);
    assert_string_equal(b.why, "the other side does not know the token");
    assert_int_equal(b.ups, 0);
    assert_false(tr_peer_is_up(b.peer));
}

static void forged_hellos(void **state) {
    (void)state;
    static const struct {
        void (*change)(struct tr_entry *);
        const char *why;
    } cases[] = {
        { forge_version, "no version of the protocol that both sides speak" },
        { forge_order, "no version of the protocol that both sides speak" },
        { forge_node, "another node than expected" },
        { forge_expected, "the other side expected another node" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        connect_only();
        forge(&a, &b, cases[i].change);
        assert_string_equal(b.why, cases[i].why);
        connect_only();
        side_pass(&a, &b, 0);
        forge(&b, &a, cases[i].change);
        assert_string_equal(a.why, cases[i].why);
    }
    assert_int_equal(a.losses, 4);
    assert_int_equal(b.losses, 4);
}

/* What a hello says is under the proof: nobody in between can change it. */
static void changed_on_the_way(void **state) {
    (void)state;
    connect_only();
    forge(&a, &b, forge_incarnation);
    side_pass(&b, &a, 0);
    assert_string_equal(a.why, "the other side does not know the token");
    connect_only();
    forge(&a, &b, forge_newer);
    side_pass(&b, &a, 0);
    assert_int_equal(a.losses, 2);
}

static void proof_of_another_connection(void **state) {
    (void)state;
    struct side_frame old;
    connect_only();
    side_pass(&a, &b, 0);
    side_pass(&b, &a, 0);
    assert_true(side_take(&a, &old, 0));
    connect_only();
    side_pass(&a, &b, 0);
    tr_peer_frame(b.peer, old.bytes, old.size, 0);
    free(old.bytes);
    assert_string_equal(b.why, "the other side does not know the token");
}

static void two_of_a_kind(void **state) {
    (void)state;
    struct tr_entry hello = { .kind = TR_ENTRY_HELLO, .hello = { 1, 1, 101, 1, 100, { 0 } } };
    connect_only();
    side_inject(&a, &hello, 0);
    assert_string_equal(a.why, "two dialers");
    hello.kind = TR_ENTRY_WELCOME;
    hello.hello.node = 100;
    side_inject(&b, &hello, 0);
    assert_string_equal(b.why, "two listeners");
}

static void greetings_are_small(void **state) {
    (void)state;
    static const uint8_t frame[1000];
    connect_only();
    tr_peer_frame(b.peer, frame, sizeof frame, 0);
    assert_string_equal(b.why, "a frame that is too large");
    tr_peer_frame(a.peer, frame, 0, 0);
    assert_string_equal(a.why, "an empty frame");
}

static void incarnations_only_rise(void **state) {
    (void)state;
    up();
    side_stop(&a);
    side_start(&a, 0, 5, true);
    up();
    assert_int_equal(b.remote_incarnation, 5);
    side_stop(&a);
    side_start(&a, 0, 4, true);
    sides_connect(&a, &b, 0);
    assert_string_equal(b.why, "an older incarnation of the other node");
    tr_peer_died(b.peer, true);
    side_stop(&a);
    side_start(&a, 0, 5, true);
    sides_connect(&a, &b, 0);
    assert_string_equal(b.why, "an incarnation that is known to be dead");
}

static void dialer_may_change(void **state) {
    (void)state;
    up();
    tr_peer_disconnected(a.peer);
    tr_peer_disconnected(b.peer);
    tr_peer_set_dialer(a.peer, false);
    tr_peer_set_dialer(b.peer, true);
    up();
    assert_int_equal(a.ups, 2);
}

static void unfinished_handshake(void **state) {
    (void)state;
    connect_only();
    assert_true(a.timer <= 5 * TROUPE_SECOND);
    tr_peer_tick(a.peer, 5 * TROUPE_SECOND);
    assert_string_equal(a.why, "the other side did not finish the handshake");
    assert_true(a.timer == INT64_MAX);
}

/* ---- Messages ---- */

static void messages_arrive_in_order(void **state) {
    (void)state;
    up();
    send_and_talk("abc", 2);
    assert_string_equal(b.payloads, "abc");
    assert_int_equal(tr_peer_held(a.peer), 3);
    side_settle(&b, 2, 2, 0);
    ack(0);
    assert_string_equal(a.outcomes, "a=ok b=ok");
    assert_int_equal(tr_peer_held(a.peer), 1);
}

static void waits_for_the_connection(void **state) {
    (void)state;
    side_submit(&a, "abc", 2);
    tr_peer_flush(a.peer, 0);
    up();
    assert_string_equal(b.payloads, "abc");
}

static void many_in_one_frame(void **state) {
    (void)state;
    up();
    send_and_talk("a", 2);
    int frames = a.end;
    for (int i = 0; i < 100; i++)
        side_submit(&a, "b", 2);
    tr_peer_flush(a.peer, 0);
    sides_talk(&a, &b, 0);
    assert_int_equal(a.end, frames + 1);
    assert_int_equal(b.delivered, 101);
}

static void one_frame_at_a_time(void **state) {
    (void)state;
    up();
    send_and_talk("a", 2);
    side_submit(&a, "b", 2);
    tr_peer_flush(a.peer, 0);
    side_submit(&a, "c", 2);
    tr_peer_flush(a.peer, 0); /* side_send would abort on a second one */
    assert_int_equal(a.end - a.first, 1);
    sides_talk(&a, &b, 0);
    assert_string_equal(b.payloads, "abc");
}

static void large_payloads_travel_alone(void **state) {
    (void)state;
    struct side_frame frame;
    up();
    send_and_talk("a", 2);
    side_submit(&a, "b", 2);
    tr_peer_submit(a.peer, side_parcel('L', 2, 200 * 1024));
    side_submit(&a, "c", 2);
    tr_peer_flush(a.peer, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(side_take(&a, &frame, 0));
        assert_true(i == 1 ? frame.size > 200 * 1024 : frame.size < 100);
        tr_peer_frame(b.peer, frame.bytes, frame.size, 0);
        free(frame.bytes);
    }
    assert_string_equal(b.payloads, "abLc");
}

static void frames_are_bounded(void **state) {
    (void)state;
    struct side_frame frame;
    up();
    send_and_talk("a", 2);
    for (int i = 0; i < 100; i++)
        tr_peer_submit(a.peer, side_parcel('b', (uint32_t)(i % 2) * 2 + 2, 3000));
    tr_peer_flush(a.peer, 0);
    while (side_take(&a, &frame, 0)) {
        assert_true(frame.size <= TR_PEER_MAX_FRAME);
        tr_peer_frame(b.peer, frame.bytes, frame.size, 0);
        free(frame.bytes);
        side_pass(&b, &a, 0);
    }
    assert_int_equal(b.delivered, 101);
}

static void too_big_to_submit(void **state) {
    (void)state;
    struct tr_parcel *parcel = side_parcel('a', 2, 8);
    parcel->size = TR_PEER_MAX_PAYLOAD + 1;
    tr_peer_submit(a.peer, parcel);
    assert_string_equal(a.outcomes, "a=too_big");
    assert_int_equal(tr_peer_held(a.peer), 0);
}

static void definitions_come_first_and_once(void **state) {
    (void)state;
    up();
    struct tr_parcel *parcel = side_parcel('a', 2, 4);
    parcel->definitions = 3;
    tr_peer_submit(a.peer, parcel);
    send_and_talk("b", 2);
    assert_int_equal(b.definitions, 3);
    sides_connect(&a, &b, 0);
    parcel = side_parcel('c', 2, 4);
    parcel->definitions = 4;
    tr_peer_submit(a.peer, parcel);
    send_and_talk("", 2);
    assert_int_equal(b.definitions, 7); /* anew on the new connection */
    assert_string_equal(b.payloads, "abc");
}

static void large_definitions_travel_alone(void **state) {
    (void)state;
    up();
    a.definition_size = 100 * 1024;
    struct tr_parcel *parcel = side_parcel('a', 2, 4);
    parcel->definitions = 2;
    tr_peer_submit(a.peer, parcel);
    send_and_talk("b", 2);
    assert_int_equal(b.definitions, 2);
    assert_string_equal(b.payloads, "ab");
}

static void window_holds_back(void **state) {
    (void)state;
    up();
    for (int i = 0; i < TR_PEER_WINDOW + 10; i++)
        side_submit(&a, "a", 2);
    send_and_talk("", 2);
    assert_int_equal(b.delivered, TR_PEER_WINDOW);
    side_settle(&b, 2, 4, 0);
    ack(0);
    assert_int_equal(b.delivered, TR_PEER_WINDOW + 4);
    side_settle(&b, 2, TR_PEER_WINDOW / 2, 6 * MS); /* half of it: at once */
    sides_talk(&a, &b, 6 * MS);
    assert_int_equal(b.delivered, TR_PEER_WINDOW + 10);
}

/* ---- Acks, refusals ---- */

static void acks_ride_along(void **state) {
    (void)state;
    up();
    send_and_talk("a", 2);
    side_settle(&b, 2, 1, 0);
    assert_int_equal(b.end - b.first, 0);
    side_submit(&b, "z", 2);
    tr_peer_flush(b.peer, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(a.outcomes, "a=ok");
}

static void dead_letters_are_reported(void **state) {
    (void)state;
    up();
    send_and_talk("axbc", 2);
    tr_peer_refused(b.peer, (uint32_t)side_channel_to(&b, 2), 4, TROUPE_FLUSHED);
    side_settle(&b, 2, 3, 0);
    ack(0);
    assert_string_equal(a.outcomes, "a=ok x=full! b=ok");
    side_settle(&b, 2, 1, 10 * MS);
    ack(10 * MS);
    assert_string_equal(a.outcomes, "a=ok x=full! b=ok c=flushed!");
}

static void dead_letters_survive_a_reconnect(void **state) {
    (void)state;
    up();
    send_and_talk("axbx", 2);
    side_settle(&b, 2, 4, 0);
    tr_peer_tick(b.peer, 5 * MS); /* the ack leaves, and is lost */
    sides_connect(&a, &b, 10 * MS);
    assert_string_equal(a.outcomes, "a=ok x=full! b=ok x=full!");
    assert_string_equal(b.payloads, "axbx");
    send_and_talk("x", 2);
    side_settle(&b, 2, 1, 20 * MS);
    ack(20 * MS);
    sides_connect(&a, &b, 30 * MS); /* repeated, and passed over */
    assert_int_equal(a.settlements, 5);
    assert_int_equal(a.losses, 0);
}

static void unknown_endpoints_are_refused(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 95);
    assert_string_equal(a.outcomes, "a=gone b=gone");
    assert_int_equal(b.delivered, 0);
    send_and_talk("c", 95); /* opens anew */
    assert_int_equal(a.settlements, 3);
    assert_int_equal(a.losses + b.losses, 0);
}

static void gone_endpoints(void **state) {
    (void)state;
    up();
    send_and_talk("abc", 2);
    tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 2, 1 });
    side_submit(&a, "de", 2);
    tr_peer_flush(a.peer, 0); /* crosses the refusal */
    tr_peer_flush(b.peer, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(a.outcomes, "d=gone e=gone");
    assert_int_equal(b.closes, 0);
    tr_peer_refused(b.peer, (uint32_t)side_channel_to(&b, 2), 3, TROUPE_FLUSHED);
    side_settle(&b, 2, 3, 0);
    ack(0);
    assert_string_equal(a.outcomes, "d=gone e=gone a=ok b=ok c=flushed!");
    assert_int_equal(b.closes, 1);
    assert_int_equal(tr_peer_held(a.peer), 0);
}

static void channel_numbers_are_reused(void **state) {
    (void)state;
    up();
    for (int i = 0; i < 200; i++) { /* SIDE_CHANNELS would not do */
        send_and_talk("a", 2);
        side_settle(&b, 2, 1, i * 10 * MS);
        ack(i * 10 * MS);
        tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 2, 1 });
        tr_peer_flush(b.peer, 0);
        sides_talk(&a, &b, 0);
    }
    assert_int_equal(b.closes, 200);
    assert_int_equal(a.settlements, 200);
}

/* A refusal, and then each step of closing, lost with the connection. */
static void closing_survives_reconnects(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 2, 1 });
    tr_peer_flush(b.peer, 0); /* refuse is lost */
    sides_connect(&a, &b, 0);
    side_submit(&a, "c", 2); /* a new channel, refused at once */
    side_settle(&b, 2, 2, 0);
    tr_peer_tick(b.peer, 5 * MS);
    side_pass(&b, &a, 5 * MS); /* the acks arrive; close is lost */
    sides_connect(&a, &b, 10 * MS);
    assert_int_equal(b.closes, 1);
    sides_connect(&a, &b, 20 * MS);
    assert_int_equal(a.settlements, 3 - (int)tr_peer_held(a.peer));
    assert_int_equal(a.losses + b.losses, 0);
}

static void lost_closed_entry(void **state) {
    (void)state;
    up();
    send_and_talk("a", 2);
    side_settle(&b, 2, 1, 0);
    ack(0);
    tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 2, 1 });
    tr_peer_flush(b.peer, 0);
    side_pass(&b, &a, 0); /* refuse */
    side_pass(&a, &b, 0); /* close; closed is lost */
    assert_int_equal(b.closes, 1);
    sides_connect(&a, &b, 0);
    send_and_talk("b", 4); /* gets the free number */
    assert_int_equal(side_channel_to(&b, 4), 0);
    assert_int_equal(a.losses + b.losses, 0);
}

/* ---- Connections ---- */

static void reconnect_transmits_what_is_missing(void **state) {
    (void)state;
    struct side_frame frame;
    up();
    send_and_talk("ab", 2);
    side_submit(&a, "cd", 2);
    tr_peer_flush(a.peer, 0);
    assert_true(side_take(&a, &frame, 0)); /* lost */
    free(frame.bytes);
    side_submit(&a, "e", 2);
    sides_connect(&a, &b, 0);
    assert_string_equal(b.payloads, "abcde");
    side_settle(&b, 2, 5, 0);
    ack(0);
    assert_int_equal(a.settlements, 5);
    assert_int_equal(b.opens, 1);
}

static void reconnect_opens_again(void **state) {
    (void)state;
    up();
    side_submit(&a, "a", 2);
    tr_peer_flush(a.peer, 0); /* open is lost */
    sides_connect(&a, &b, 0);
    assert_string_equal(b.payloads, "a");
    side_submit(&a, "b", 4);
    tr_peer_flush(a.peer, 0);
    side_pass(&a, &b, 0); /* accept is lost */
    sides_connect(&a, &b, 0);
    assert_string_equal(b.payloads, "ab");
    assert_int_equal(b.opens, 2);
}

static void many_channels_are_listed(void **state) {
    (void)state;
    up();
    for (uint32_t slot = 0; slot < 60; slot++)
        side_submit(&a, "a", slot);
    send_and_talk("", 0);
    for (uint32_t slot = 0; slot < 60; slot++)
        side_submit(&a, "b", slot);
    sides_connect(&a, &b, 0);
    assert_int_equal(b.delivered, 120);
    assert_int_equal(b.opens, 60);
}

static void heartbeats_keep_it_alive(void **state) {
    (void)state;
    up();
    for (int64_t now = 0; now < 20 * TROUPE_SECOND; now += 250 * MS) {
        if (now >= a.timer) tr_peer_tick(a.peer, now);
        if (now >= b.timer) tr_peer_tick(b.peer, now);
        sides_talk(&a, &b, now);
    }
    assert_int_equal(a.losses + b.losses, 0);
    assert_true(a.end < 30); /* and no more than one a second */
    tr_peer_tick(a.peer, 30 * TROUPE_SECOND);
    assert_string_equal(a.why, "the other side has been silent too long");
}

/* A connection whose end is told: no timers once it is up, but the handshake has its deadline. */
static void silence_means_nothing_where_the_end_is_told(void **state) {
    (void)state;
    const uint8_t token[TR_PEER_TOKEN_SIZE] = { 0 };
    tr_peer_set_told(a.peer, true);
    tr_peer_set_told(b.peer, true);
    tr_peer_connected(a.peer, token, 0);
    tr_peer_tick(a.peer, 5 * TROUPE_SECOND);
    assert_string_equal(a.why, "the other side did not finish the handshake");
    a.losses = 0;
    up();
    int sent = a.end;
    tr_peer_tick(a.peer, 5 * TROUPE_SECOND); /* what was asked for during the handshake */
    a.timer = INT64_MAX;
    tr_peer_tick(a.peer, 30 * TROUPE_MINUTE);
    assert_int_equal(a.losses, 0);
    assert_int_equal(a.end, sent);
    assert_true(a.timer == INT64_MAX);
}

static void nothing_happens_without_a_connection(void **state) {
    (void)state;
    tr_peer_tick(a.peer, 0);
    tr_peer_flush(a.peer, 0);
    tr_peer_sent(a.peer, 0);
    tr_peer_disconnected(a.peer);
    tr_peer_frame(a.peer, (const uint8_t *)"\x91\x0e", 2, 0);
    tr_peer_progress(a.peer, 0);
    tr_peer_endpoint_gone(a.peer, (struct tr_endpoint){ 1, 1 });
    tr_peer_refused(a.peer, 3, 1, TROUPE_FAILED);
    tr_peer_died(a.peer, true);
    assert_int_equal(a.end + a.losses, 0);
}

/* ---- Deaths ---- */

static void bury_b(bool crashed, uint64_t next) {
    tr_peer_died(a.peer, crashed);
    side_stop(&b);
    side_start(&b, 1, next, true);
}

static void death_of_at_most_once(void **state) {
    (void)state;
    up();
    send_and_talk("abc", 2);
    side_submit(&a, "d", 2);
    a.fates[1] = TR_FATE_HANDLED;
    a.fates[2] = TR_FATE_IN_DOUBT;
    a.fates[3] = TR_FATE_UNHANDLED;
    bury_b(true, 2);
    assert_string_equal(a.outcomes, "a=ok b=in_doubt c=node_died");
    assert_string_equal(a.why, "the other node died");
    up();
    assert_string_equal(b.payloads, "d");
    assert_int_equal(a.remote_incarnation, 2);
}

static void death_of_at_least_once(void **state) {
    (void)state;
    up();
    send_and_talk("abc", 3);
    side_submit(&a, "d", 3);
    a.fates[1] = TR_FATE_HANDLED;
    a.fates[2] = TR_FATE_IN_DOUBT;
    bury_b(true, 2);
    side_submit(&a, "e", 3);
    up();
    assert_string_equal(a.outcomes, "a=ok");
    assert_string_equal(b.payloads, "bcde");
    side_settle(&b, 3, 4, 0);
    ack(0);
    assert_string_equal(a.outcomes, "a=ok b=ok c=ok d=ok e=ok");
}

/* Its report may have been lost: it is no more handled for that, and never delivered again. */
static void death_of_a_dead_letter(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    send_and_talk("cd", 3);
    a.fates[1] = TR_FATE_DEAD;
    a.fates[2] = TR_FATE_HANDLED;
    bury_b(true, 2);
    assert_string_equal(a.outcomes, "a=node_died! b=ok c=node_died! d=ok");
    up();
    assert_string_equal(b.payloads, "");
}

static void once_is_never_twice(void **state) {
    (void)state;
    up();
    struct tr_parcel *parcel = side_parcel('q', 3, 4);
    parcel->once = true;
    tr_peer_submit(a.peer, parcel);
    parcel = side_parcel('r', 3, 4);
    parcel->once = true;
    tr_peer_submit(a.peer, parcel);
    send_and_talk("a", 3);
    a.fates[1] = TR_FATE_IN_DOUBT;
    a.fates[2] = a.fates[3] = TR_FATE_UNHANDLED;
    bury_b(false, 2);
    assert_string_equal(a.outcomes, "q=in_doubt r=node_died");
    up();
    assert_string_equal(b.payloads, "a");
}

static void third_crash_is_poison(void **state) {
    (void)state;
    up();
    a.fates[1] = TR_FATE_IN_DOUBT;
    send_and_talk("ab", 3);
    bury_b(true, 2);
    up();
    bury_b(false, 3); /* a kill from outside does not count */
    up();
    bury_b(true, 4);
    up();
    assert_string_equal(b.payloads, "ab");
    assert_int_equal(a.settlements, 0);
    bury_b(true, 5);
    assert_string_equal(a.outcomes, "a=poison");
    up();
    assert_string_equal(b.payloads, "b");
}

static void without_a_ledger(void **state) {
    (void)state;
    side_stop(&a);
    side_start(&a, 0, 1, false);
    up();
    send_and_talk("ab", 2);
    send_and_talk("cd", 3);
    for (uint64_t i = 2; i < 5; i++) {
        bury_b(true, i);
        up();
    }
    /* of a channel only the oldest is suspected of having brought it down */
    assert_string_equal(a.outcomes, "a=in_doubt b=in_doubt c=poison");
    assert_string_equal(b.payloads, "d");
}

static void new_incarnation_shows_a_death(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    send_and_talk("cd", 3);
    side_submit(&a, "e", 2);
    side_stop(&b);
    side_start(&b, 1, 2, true);
    up();
    assert_string_equal(a.outcomes, "a=in_doubt b=in_doubt");
    assert_int_equal(b.delivered, 3); /* e, c, d */
}

static void death_closes_channels_in(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    tr_peer_died(b.peer, true);
    assert_int_equal(b.closes, 1);
    assert_int_equal(b.losses, 1);
    tr_peer_refused(b.peer, 0, 1, TROUPE_FAILED); /* of a closed channel: nobody to tell */
}

static void death_of_a_refused_channel(void **state) {
    (void)state;
    up();
    send_and_talk("abc", 3);
    tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 3, 1 });
    tr_peer_flush(b.peer, 0);
    sides_talk(&a, &b, 0);
    a.fates[1] = TR_FATE_HANDLED;
    a.fates[2] = TR_FATE_IN_DOUBT;
    a.fates[3] = TR_FATE_UNHANDLED;
    bury_b(true, 2);
    assert_string_equal(a.outcomes, "a=ok b=in_doubt c=node_died");
    up();
    assert_int_equal(b.opens, 0);
}

static void abandon_settles_all(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    side_submit(&a, "c", 4);
    tr_peer_abandon(a.peer, TROUPE_UNREACHABLE);
    assert_int_equal(a.settlements, 3);
    assert_int_equal(tr_peer_held(a.peer), 0);
    assert_string_equal(a.why, "the other node was given up");
    side_submit(&a, "d", 2); /* waits for another incarnation */
    sides_connect(&a, &b, 0);
    assert_string_equal(a.why, "an incarnation that is known to be dead");
    side_stop(&b);
    side_start(&b, 1, 2, true);
    up();
    assert_string_equal(b.payloads, "d");
}

static void too_many_channels(void **state) {
    (void)state;
    for (uint32_t i = 0; i <= TR_PEER_CHANNELS; i++)
        tr_peer_submit(a.peer, side_parcel('a', i, 1));
    assert_string_equal(a.outcomes, "a=limit");
    assert_int_equal(tr_peer_held(a.peer), TR_PEER_CHANNELS);
    a.outcomes[0] = '\0';
}

/* ---- What no honest peer sends ---- */

/* a and b are up; channel 0 of a leads to slot 2 of b, two messages were sent, one is settled. */
static void expect_lost(struct tr_entry entry, const char *why) {
    stop(NULL);
    start(NULL);
    up();
    send_and_talk("ab", 2);
    side_settle(&b, 2, 1, 0);
    ack(0);
    bool to_receiver = entry.kind == TR_ENTRY_OPEN || entry.kind == TR_ENTRY_DATA ||
                       entry.kind == TR_ENTRY_CLOSE || entry.kind == TR_ENTRY_DEFINITION;
    struct side *victim = to_receiver ? &b : &a;
    side_inject(victim, &entry, 0);
    assert_string_equal(victim->why, why);
    assert_false(tr_peer_is_up(victim->peer));
}

static void violations_when_up(void **state) {
    (void)state;
    static const uint8_t bytes[] = { 'v', 0 };
    static const struct {
        struct tr_entry entry;
        const char *why;
    } cases[] = {
        { { .kind = TR_ENTRY_ACK, .channel = 0, .count = 3 }, "ack: more than was sent" },
        { { .kind = TR_ENTRY_ACK, .channel = 1, .count = 0 }, "ack: no such channel" },
        { { .kind = TR_ENTRY_ACK, .channel = 65535, .count = 0 }, "ack: no such channel" },
        { { .kind = TR_ENTRY_DEAD, .channel = 0, .count = 3, .status = TROUPE_FULL },
          "dead: a message that was not sent" },
        { { .kind = TR_ENTRY_DEAD, .channel = 0, .count = 0, .status = TROUPE_FULL },
          "dead: a message that was not sent" },
        { { .kind = TR_ENTRY_DEAD, .channel = 9, .count = 1, .status = TROUPE_FULL },
          "dead: no such channel" },
        { { .kind = TR_ENTRY_ACCEPT, .channel = 0 }, "accept: a channel that is not being opened" },
        { { .kind = TR_ENTRY_ACCEPT, .channel = 4 }, "accept: a channel that is not being opened" },
        { { .kind = TR_ENTRY_REFUSE, .channel = 0, .status = TROUPE_GONE, .count = 0 },
          "refuse: a count that cannot be" },
        { { .kind = TR_ENTRY_REFUSE, .channel = 0, .status = TROUPE_GONE, .count = 3 },
          "refuse: a count that cannot be" },
        { { .kind = TR_ENTRY_REFUSE, .channel = 7, .status = TROUPE_GONE },
          "refuse: no such channel" },
        { { .kind = TR_ENTRY_CLOSED, .channel = 0 }, "closed: a channel that is not being closed" },
        { { .kind = TR_ENTRY_OPEN, .channel = 0, .to = { 4, 1 } }, "open: a channel that is open" },
        { { .kind = TR_ENTRY_OPEN, .channel = 1, .to = { 2, 1 } },
          "open: a second channel to one endpoint" },
        { { .kind = TR_ENTRY_DATA, .channel = 1, .bytes = bytes, .size = 1 },
          "data: no such channel" },
        { { .kind = TR_ENTRY_CLOSE, .channel = 0 }, "close: a channel that was not refused" },
        { { .kind = TR_ENTRY_CLOSE, .channel = 5 }, "close: a channel that was not refused" },
        { { .kind = TR_ENTRY_DEFINITION, .bytes = bytes, .size = 1 }, "definition: unusable" },
        { { .kind = TR_ENTRY_HELLO }, "an entry that is not allowed now" },
        { { .kind = TR_ENTRY_PROOF }, "an entry that is not allowed now" },
        { { .kind = TR_ENTRY_RESUME }, "an entry that is not allowed now" },
        { { .kind = TR_ENTRY_RESUMED }, "an entry that is not allowed now" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_lost(cases[i].entry, cases[i].why);
}

static void more_violations_when_up(void **state) {
    (void)state;
    up();
    send_and_talk("ab", 2);
    tr_peer_endpoint_gone(b.peer, (struct tr_endpoint){ 2, 1 });
    struct tr_entry close = { .kind = TR_ENTRY_CLOSE };
    tr_peer_flush(b.peer, 0);
    side_inject(&b, &close, 0);
    assert_string_equal(b.why, "close: not all is settled");
    side_pass(&b, &a, 0);
    struct tr_entry refuse = { .kind = TR_ENTRY_REFUSE, .status = TROUPE_GONE, .count = 2 };
    side_inject(&a, &refuse, 0);
    assert_string_equal(a.why, "refuse: twice");
}

static void window_is_enforced(void **state) {
    (void)state;
    struct tr_entry data = { .kind = TR_ENTRY_DATA, .bytes = (const uint8_t *)"d", .size = 1 };
    up();
    send_and_talk("a", 2);
    for (int i = 1; i < TR_PEER_WINDOW; i++)
        side_inject(&b, &data, 0);
    assert_int_equal(b.losses, 0);
    side_inject(&b, &data, 0);
    assert_string_equal(b.why, "data: beyond the window");
    assert_int_equal(b.delivered, TR_PEER_WINDOW);
}

static void data_before_acceptance(void **state) {
    (void)state;
    struct tr_entry open = { .kind = TR_ENTRY_OPEN, .to = { 2, 1 } };
    struct tr_entry data = { .kind = TR_ENTRY_DATA, .bytes = (const uint8_t *)"d", .size = 1 };
    struct tr_bytes out = { 0 };
    up();
    tr_frame_put(&out, &open);
    tr_frame_put(&out, &data);
    tr_peer_frame(b.peer, out.data, out.size, 0);
    tr_bytes_free(&out);
    assert_string_equal(b.why, "data: a channel that was not yet accepted");
}

static void large_frames_hold_one_entry(void **state) {
    (void)state;
    uint8_t *large = calloc(1, TR_PEER_MAX_FRAME);
    struct tr_entry data = { .kind = TR_ENTRY_DATA, .bytes = large, .size = TR_PEER_MAX_FRAME };
    struct tr_bytes out = { 0 };
    up();
    send_and_talk("a", 2);
    tr_frame_put(&out, &data);
    tr_frame_put(&out, &data);
    tr_peer_frame(b.peer, out.data, out.size, 0);
    assert_string_equal(b.why, "several entries in a large frame");
    tr_bytes_free(&out);
    free(large);
}

/* b is in the middle of the handshake: it knows who a is, and waits for a's list. */
static void resume_on(void) {
    stop(NULL);
    start(NULL);
    up();
    side_submit(&b, "abc", 2);
    tr_peer_flush(b.peer, 0);
    sides_talk(&a, &b, 0);
    side_settle(&a, 2, 1, 0);
    tr_peer_tick(a.peer, 5 * MS);
    sides_talk(&a, &b, 0);
    connect_only();
    side_pass(&a, &b, 0);
    side_pass(&b, &a, 0);
    side_pass(&a, &b, 0);
    assert_int_equal(b.losses, 0);
}

static void violations_in_the_list(void **state) {
    (void)state;
    static const struct {
        struct tr_entry entry;
        const char *why;
    } cases[] = {
        { { .kind = TR_ENTRY_RESUME, .channel = 9, .count = 1 }, "resume: no such channel" },
        { { .kind = TR_ENTRY_RESUME, .channel = 0, .count = 4 }, "resume: a count that cannot be" },
        { { .kind = TR_ENTRY_RESUME, .channel = 0, .count = 0 }, "resume: a count that cannot be" },
        { { .kind = TR_ENTRY_RESUMED }, "resumed: an accepted channel is missing" },
        { { .kind = TR_ENTRY_REFUSE, .channel = 0, .status = TROUPE_GONE, .count = 4 },
          "refuse: a count that cannot be" },
        { { .kind = TR_ENTRY_DATA, .channel = 0, .bytes = (const uint8_t *)"", .size = 1 },
          "an entry that is not allowed now" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        resume_on();
        side_inject(&b, &cases[i].entry, 0);
        assert_string_equal(b.why, cases[i].why);
    }
}

static void nothing_is_listed_twice(void **state) {
    (void)state;
    struct tr_entry resume = { .kind = TR_ENTRY_RESUME, .channel = 0, .count = 3 };
    struct tr_entry refuse = { .kind = TR_ENTRY_REFUSE, .status = TROUPE_GONE, .count = 3 };
    resume_on();
    side_inject(&b, &resume, 0);
    side_inject(&b, &resume, 0);
    assert_string_equal(b.why, "resume: a channel that is not open");
    resume_on();
    side_inject(&b, &refuse, 0);
    side_inject(&b, &refuse, 0);
    assert_string_equal(b.why, "refuse: listed twice");
    resume_on();
    side_inject(&b, &refuse, 0);
    connect_only();
    side_pass(&a, &b, 0);
    side_pass(&b, &a, 0);
    side_pass(&a, &b, 0);
    refuse.count = 2;
    side_inject(&b, &refuse, 0);
    assert_string_equal(b.why, "refuse: another count than before");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* ---- Descriptors ---- */

static int numbers[256]; /* of descriptors, by value and place: nothing here opens one */

static void submit_with(char name, uint32_t slot, int first, uint32_t count) {
    struct tr_parcel *parcel = side_parcel(name, slot, 4);
    for (int i = 0; i < 256; i++) numbers[i] = i;
    parcel->descriptors = numbers + first;
    parcel->descriptor_count = count;
    tr_peer_submit(a.peer, parcel);
}

static void descriptors_came(int first, uint32_t count) {
    assert_int_equal(b.descriptor_count, count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(b.descriptors[i], first + (int)i);
}

static void descriptors_go_with_their_payloads_in_order(void **state) {
    (void)state;
    up();
    send_and_talk("a", 2);
    submit_with('b', 2, 10, 3);
    side_submit(&a, "c", 2);
    submit_with('d', 2, 13, 1);
    tr_peer_flush(a.peer, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(b.payloads, "abcd");
    descriptors_came(10, 4);
}

static void a_frame_has_so_many_descriptors(void **state) {
    (void)state;
    struct side_frame frame;
    up();
    send_and_talk("o", 2);
    for (int i = 0; i < 5; i++) submit_with((char)('a' + i), 2, i * 32, 32);
    tr_peer_flush(a.peer, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(side_take(&a, &frame, 0));
        assert_int_equal(frame.count, i < 2 ? 64 : 32);
        tr_peer_frame_with(b.peer, frame.bytes, frame.size, frame.descriptors, frame.count, 0);
        free(frame.bytes);
    }
    assert_string_equal(b.payloads, "oabcde");
    descriptors_came(0, 160);
    struct tr_parcel *parcel = side_parcel('f', 2, 4);
    parcel->descriptors = numbers;
    parcel->descriptor_count = TR_PEER_DESCRIPTORS + 1;
    tr_peer_submit(a.peer, parcel);
    assert_string_equal(a.outcomes, "f=too_big");
}

static void descriptors_are_sent_again_after_a_reconnect(void **state) {
    (void)state;
    up();
    send_and_talk("o", 2);
    submit_with('a', 2, 20, 2);
    tr_peer_flush(a.peer, 0);
    side_drop_frames(&a);
    sides_connect(&a, &b, 0);
    assert_string_equal(b.payloads, "oa");
    descriptors_came(20, 2);
}

/* As when the process has no room for them: the kernel drops the last. */
static void a_payload_without_its_descriptors_is_dead_and_no_other(void **state) {
    (void)state;
    struct side_frame frame;
    up();
    send_and_talk("o", 2);
    submit_with('a', 2, 0, 2);
    submit_with('b', 2, 2, 2);
    side_submit(&a, "c", 2);
    submit_with('d', 2, 4, 1);
    tr_peer_flush(a.peer, 0);
    assert_true(side_take(&a, &frame, 0));
    tr_peer_frame_with(b.peer, frame.bytes, frame.size, frame.descriptors, 3, 0);
    free(frame.bytes);
    assert_string_equal(b.payloads, "oabcd");
    descriptors_came(0, 3);
    side_settle(&b, 2, 5, 0);
    ack(0);
    assert_string_equal(a.outcomes, "o=ok a=ok b=limit! c=ok d=limit!");
    assert_int_equal(a.losses + b.losses, 0);
}

static void descriptors_of_no_payload_end_the_connection(void **state) {
    (void)state;
    int extra[2] = { 1, 2 };
    up();
    tr_peer_frame_with(b.peer, (const uint8_t *)"\x91\x0e", 2, extra, 2, 0);
    assert_string_equal(b.why, "descriptors that belong to no payload");
}

static void counts_of_descriptors_that_cannot_be(void **state) {
    (void)state;
    for (uint64_t count = 0; count <= TR_PEER_DESCRIPTORS + 1; count += TR_PEER_DESCRIPTORS + 1) {
        up();
        send_and_talk("o", 2);
        side_inject(&b, &(struct tr_entry){ .kind = TR_ENTRY_DATA_WITH, .count = count, .bytes = (const uint8_t *)"x",
                                            .size = 1 }, 0);
        assert_string_equal(b.why, "data: a count of descriptors that cannot be");
        b.why = NULL;
    }
}

/* One that speaks version 1 alone is heard, and gets what has none. */
static void an_older_node_gets_no_descriptors(void **state) {
    (void)state;
    side_connect(&b, 7, 0);
    b.peer->mine.newest = 1;
    side_connect(&a, 7, 0);
    sides_talk(&a, &b, 0);
    assert_true(tr_peer_is_up(a.peer) && tr_peer_is_up(b.peer));
    send_and_talk("o", 2);
    submit_with('a', 2, 0, 1);
    side_submit(&a, "b", 2);
    submit_with('c', 2, 0, 1);
    tr_peer_flush(a.peer, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(a.outcomes, "a=incompatible c=incompatible");
    send_and_talk("d", 2);
    assert_string_equal(b.payloads, "obd");
    side_settle(&b, 2, 3, 0);
    ack(0);
    assert_string_equal(a.outcomes, "a=incompatible c=incompatible o=ok b=ok d=ok");
}

static void an_older_node_sends_none(void **state) {
    (void)state;
    up();
    b.peer->theirs.newest = 1;
    send_and_talk("o", 2);
    submit_with('a', 2, 0, 1);
    tr_peer_flush(a.peer, 0);
    sides_talk(&a, &b, 0);
    assert_string_equal(b.why, "data: descriptors, of which its version knows nothing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(handshake),
        TEST(token_never_crosses),
        TEST(wrong_token_at_the_listener),
        TEST(wrong_proof_of_the_dialer),
        TEST(forged_hellos),
        TEST(changed_on_the_way),
        TEST(proof_of_another_connection),
        TEST(two_of_a_kind),
        TEST(greetings_are_small),
        TEST(incarnations_only_rise),
        TEST(dialer_may_change),
        TEST(unfinished_handshake),
        TEST(messages_arrive_in_order),
        TEST(waits_for_the_connection),
        TEST(many_in_one_frame),
        TEST(one_frame_at_a_time),
        TEST(large_payloads_travel_alone),
        TEST(frames_are_bounded),
        TEST(too_big_to_submit),
        TEST(definitions_come_first_and_once),
        TEST(large_definitions_travel_alone),
        TEST(window_holds_back),
        TEST(acks_ride_along),
        TEST(dead_letters_are_reported),
        TEST(dead_letters_survive_a_reconnect),
        TEST(unknown_endpoints_are_refused),
        TEST(gone_endpoints),
        TEST(channel_numbers_are_reused),
        TEST(closing_survives_reconnects),
        TEST(lost_closed_entry),
        TEST(reconnect_transmits_what_is_missing),
        TEST(reconnect_opens_again),
        TEST(many_channels_are_listed),
        TEST(heartbeats_keep_it_alive),
        TEST(silence_means_nothing_where_the_end_is_told),
        TEST(nothing_happens_without_a_connection),
        TEST(death_of_at_most_once),
        TEST(death_of_at_least_once),
        TEST(death_of_a_dead_letter),
        TEST(once_is_never_twice),
        TEST(third_crash_is_poison),
        TEST(without_a_ledger),
        TEST(new_incarnation_shows_a_death),
        TEST(death_closes_channels_in),
        TEST(death_of_a_refused_channel),
        TEST(abandon_settles_all),
        TEST(too_many_channels),
        TEST(violations_when_up),
        TEST(more_violations_when_up),
        TEST(window_is_enforced),
        TEST(data_before_acceptance),
        TEST(large_frames_hold_one_entry),
        TEST(violations_in_the_list),
        TEST(nothing_is_listed_twice),
        TEST(descriptors_go_with_their_payloads_in_order),
        TEST(a_frame_has_so_many_descriptors),
        TEST(descriptors_are_sent_again_after_a_reconnect),
        TEST(a_payload_without_its_descriptors_is_dead_and_no_other),
        TEST(descriptors_of_no_payload_end_the_connection),
        TEST(counts_of_descriptors_that_cannot_be),
        TEST(an_older_node_gets_no_descriptors),
        TEST(an_older_node_sends_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
