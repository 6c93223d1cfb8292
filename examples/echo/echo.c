/* A server that sends back what it is sent: one actor listens, and each connection has an actor of its own. Prints
 * where it listens, and of each connection who it was and how much went by. SIGTERM ends it. */
#include <inttypes.h>
#include <stdio.h>
#include <troupe.h>

#define LISTEN(field) field(str, address)
TROUPE_MESSAGE(listen_at, LISTEN)

/* ---- A connection ---- */

enum { LIMIT = 1024 * 1024 }; /* bytes that wait for who does not read */

struct talk {
    troupe_stream stream;
    char peer[TROUPE_STREAM_ADDRESS];
};

/* A minute of silence ends it. */
TROUPE_START(talk, troupe_connection) {
    const struct troupe_stream_options options = { .idle = TROUPE_MINUTE, .write_limit = LIMIT };
    snprintf(me->peer, sizeof me->peer, "%s", args->peer);
    return troupe_stream_adopt(self, troupe_take_descriptor(&args->socket), &options, &me->stream);
}

/* Whoever sends, and does not read what comes back, is not read any more until it does. */
TROUPE_ON(talk, troupe_stream_data) {
    enum troupe_status status = troupe_stream_write(self, me->stream, msg->bytes.data, msg->bytes.size);
    struct troupe_stream_facts info;
    if (status != TROUPE_OK || troupe_stream_info(self, me->stream, &info) != TROUPE_OK) return status;
    return info.waits > LIMIT / 2 ? troupe_stream_pause(self, me->stream) : TROUPE_OK;
}
TROUPE_ON(talk, troupe_stream_drained) {
    (void)msg;
    return troupe_stream_resume(self, me->stream);
}

TROUPE_ON(talk, troupe_stream_closed) {
    printf("%s: %" PRIu64 " bytes there, %" PRIu64 " back: %s\n", me->peer, msg->received, msg->sent, msg->text);
    fflush(stdout);
    return troupe_exit(self);
}

TROUPE_ACTOR(talk, TROUPE_STARTS(talk, troupe_connection),
    TROUPE_HANDLES(talk, troupe_stream_data, troupe_stream_drained, troupe_stream_closed))

/* ---- The listener ---- */

struct server {
    troupe_listener listener;
};

TROUPE_START(server, listen_at) {
    char address[TROUPE_STREAM_ADDRESS];
    enum troupe_status status = troupe_listen(self, args->address, NULL, &me->listener);
    if (status != TROUPE_OK) return status;
    status = troupe_listener_address(self, me->listener, address);
    if (status == TROUPE_OK) printf("listening at %s\n", address);
    fflush(stdout);
    return status;
}

TROUPE_ON(server, troupe_connection) {
    troupe_address talker;
    (void)me;
    return troupe_spawn(self, &talker, talk, troupe_connection, .socket = msg->socket, .peer = msg->peer);
}

TROUPE_ACTOR(server, TROUPE_STARTS(server, listen_at), TROUPE_HANDLES(server, troupe_connection))

int main(int argc, char **argv) { return troupe_main(argc, argv, &server_actor, &talk_actor, NULL); }
