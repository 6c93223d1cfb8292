/* What the parts of this program say to each other. */
#ifndef WORKERS_H
#define WORKERS_H

#include <troupe.h>

/* The boss has the parts done one after the other: each is asked for by one message, and says when it is over. */
TROUPE_MESSAGE_EMPTY(over)

/* channel.c */
#define CONNECT(field) field(address, port) field(address, boss) field(bool, begins)
TROUPE_MESSAGE(connect, CONNECT)
#define LINE(field) field(str, text)
TROUPE_MESSAGE(line, LINE)
TROUPE_ACTOR_DECLARE(end)

/* broadcast.c */
#define NEWS(field) field(str, text) field(address, boss)
TROUPE_MESSAGE(news, NEWS)
TROUPE_ACTOR_DECLARE(listener)

/* move.c */
#define BLOCK(field) field(bytes, data)
TROUPE_MESSAGE(block, BLOCK)
TROUPE_ACTOR_DECLARE(taker)
enum troupe_status give_block(troupe_self *self, troupe_address taker);

/* poll.c */
#define POLL(field) field(u32, messages)
TROUPE_MESSAGE(poll_them, POLL)
TROUPE_ACTOR_DECLARE(poller)

#endif
