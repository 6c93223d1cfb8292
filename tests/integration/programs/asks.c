/*
 * How asks of an actor elsewhere end, and what a sender sees of a receiver that does not keep up.
 *
 * The client does what its scene says, step by step, and prints a line for each end. The server
 * obeys what a request orders: reply, keep the asker, crash, leave, or wait at a gate, which is a
 * named pipe: until somebody opens its other end, the handler does not return.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>
#include <unistd.h>

#define SCENE(field) field(str, scene) field(str, gate) field(u64, sends)
TROUPE_MESSAGE(scene, SCENE)
#define ORDER(field) field(str, what) field(str, gate)
TROUPE_MESSAGE(order, ORDER)
#define LOAD(field) field(u64, n) field(bytes, bulk)
TROUPE_MESSAGE(load, LOAD)
TROUPE_MESSAGE_EMPTY(done)
TROUPE_MESSAGE_EMPTY(other)
TROUPE_MESSAGE_EMPTY(flood)
#define UNKNOWN(field) field(u64, n)
TROUPE_MESSAGE(unknown, UNKNOWN)

/* ---- The server ---- */

struct server {
    struct troupe_asker kept;
    uint64_t loads;
};

static void wait_at(const char *gate) {
    char byte;
    int fd = open(gate, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && read(fd, &byte, 1) > 0) {
    }
    if (fd >= 0) close(fd);
}

TROUPE_ON(server, order) {
    if (strcmp(msg->what, "reply") == 0) return troupe_reply_empty(self, done);
    if (strcmp(msg->what, "other") == 0) return troupe_reply_empty(self, other);
    if (strcmp(msg->what, "keep") == 0) me->kept = troupe_keep_asker(self);
    if (strcmp(msg->what, "crash") == 0) abort();
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "as ordered");
    if (strcmp(msg->what, "leave") == 0) return troupe_exit(self);
    if (strcmp(msg->what, "wait") == 0) wait_at(msg->gate);
    if (strcmp(msg->what, "wait and leave") == 0) {
        wait_at(msg->gate);
        return troupe_exit(self);
    }
    if (strcmp(msg->what, "report") == 0) {
        printf("loads %" PRIu64 "\n", me->loads);
        fflush(stdout);
        return troupe_reply_empty(self, done);
    }
    return TROUPE_OK;
}
TROUPE_ON(server, load) {
    me->loads++;
    return TROUPE_OK;
}
TROUPE_ACTOR(server, TROUPE_HANDLES(server, order, load))

/* ---- The client ---- */

struct client {
    troupe_address server;
    char scene[16], gate[256];
    uint64_t sends, taken, refused, first_full, readies, waiting;
    bool released;
};

static enum troupe_status order_it(troupe_self *self, struct client *me, const char *what, int64_t timeout) {
    enum troupe_status status =
        troupe_ask(self, me->server, order, timeout, .what = what, .gate = me->gate);
    if (status != TROUPE_OK) printf("%s refused %s\n", what, troupe_status_name(status));
    else me->waiting++;
    fflush(stdout);
    return TROUPE_OK;
}

/* Loads that wait behind the order to leave, which waits at the gate. */
static enum troupe_status send_in_vain(troupe_self *self, struct client *me) {
    order_it(self, me, "wait and leave", 60 * TROUPE_SECOND);
    for (uint64_t i = 0; i < me->sends; i++) {
        enum troupe_status status = troupe_send(self, me->server, load, .n = i);
        if (status != TROUPE_OK) return status;
    }
    printf("sent\n");
    fflush(stdout);
    return TROUPE_OK;
}

static enum troupe_status play(troupe_self *self, struct client *me) {
    static const char *const all[] = { "reply", "other", "silence", "fail", "reply" };
    int64_t long_time = 30 * TROUPE_SECOND;
    if (strcmp(me->scene, "all") == 0)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) order_it(self, me, all[i], long_time);
    if (strcmp(me->scene, "crash") == 0) {
        order_it(self, me, "keep", long_time);
        order_it(self, me, "crash", long_time);
        order_it(self, me, "reply", long_time);
    }
    if (strcmp(me->scene, "leave") == 0) {
        order_it(self, me, "leave", long_time);
        order_it(self, me, "reply", long_time);
    }
    if (strcmp(me->scene, "timeout") == 0) order_it(self, me, "keep", 50 * TROUPE_MILLISECOND);
    if (strcmp(me->scene, "flood") == 0) {
        order_it(self, me, "wait", 60 * TROUPE_SECOND);
        return troupe_send_empty(self, troupe_self_address(self), flood);
    }
    if (strcmp(me->scene, "vain") == 0) return send_in_vain(self, me);
    return TROUPE_OK;
}

TROUPE_START(client, scene) {
    snprintf(me->scene, sizeof me->scene, "%s", args->scene);
    snprintf(me->gate, sizeof me->gate, "%s", args->gate);
    me->sends = args->sends;
    me->server = troupe_lookup(self, "/server");
    return play(self, me);
}

/* Sends as if it had not heard of FULL, until it has tried often enough. */
TROUPE_ON(client, flood) {
    static const char bulk[1024];
    for (int i = 0; i < 500 && me->taken + me->refused < me->sends; i++) {
        enum troupe_status status = troupe_send(self, me->server, load, .n = me->taken,
                                                .bulk = { bulk, sizeof bulk });
        if (status == TROUPE_OK) {
            me->taken++;
        } else if (status == TROUPE_FULL) {
            if (me->refused++ == 0) me->first_full = me->taken;
        } else {
            return status;
        }
    }
    if (me->taken + me->refused < me->sends) return troupe_send_empty(self, troupe_self_address(self), flood);
    printf("flooded taken=%" PRIu64 " refused=%" PRIu64 " first_full=%" PRIu64 "\n", me->taken, me->refused,
           me->first_full);
    fflush(stdout);
    return TROUPE_OK;
}

TROUPE_ON(client, troupe_ready) {
    me->readies++;
    printf("ready\n");
    fflush(stdout);
    return order_it(self, me, "report", 30 * TROUPE_SECOND);
}

/* As a reply to an order it is of the wrong type. */
TROUPE_ON(client, other) { return TROUPE_FAIL(self, "nobody sends this"); }

TROUPE_ANSWER(client, order, done) {
    printf("%s %s\n", request->what, troupe_status_name(outcome));
    fflush(stdout);
    if (--me->waiting > 0) return TROUPE_OK;
    if (strcmp(me->scene, "flood") == 0 && me->readies == 0) return TROUPE_OK;
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(client, TROUPE_STARTS(client, scene), TROUPE_HANDLES(client, flood, troupe_ready, other),
    TROUPE_ANSWERS(client, order, done))

int main(int argc, char **argv) {
    return troupe_main(argc, argv, &client_actor, &server_actor, NULL);
}
