/* A message channel: a port is an address. Whoever is given one sends there, and what is sent before the other side has
 * begun waits in its mailbox. Who monitors the other side hears when it has closed: so both do. */
#include <stdio.h>
#include <string.h>

#include "workers.h"

struct end {
    troupe_address port, boss;
    troupe_monitor_id closed;
};

TROUPE_ON(end, connect) {
    me->port = msg->port;
    me->boss = msg->boss;
    enum troupe_status status = troupe_monitor(self, msg->port, &me->closed);
    if (status != TROUPE_OK || !msg->begins) return status;
    return troupe_send(self, me->port, line, .text = "hello");
}

TROUPE_ON(end, line) {
    printf("%s: %s\n", troupe_self_path(self), msg->text);
    fflush(stdout);
    if (strcmp(msg->text, "hello") == 0) return troupe_reply(self, line, .text = "goodbye");
    return troupe_exit(self); /* port.close() */
}

TROUPE_ON(end, troupe_down) {
    printf("%s: the other end has closed\n", troupe_self_path(self));
    fflush(stdout);
    return troupe_send_empty(self, me->boss, over);
}

TROUPE_ACTOR(end, TROUPE_HANDLES(end, connect, line, troupe_down))
