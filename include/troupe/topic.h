/*
 * Topics: a message for everybody who has subscribed, on whichever node, without knowing who that is.
 *
 *     TROUPE_START(user, enter) { return troupe_subscribe(self, args->room); }
 *     TROUPE_ON(user, said) { ... }
 *
 *     troupe_publish(self, "lobby", said, .who = "ann", .text = "hello");
 *
 * A topic is a group of subscribers (troupe/group.h) in a place of its own: a topic and a group of one name have
 * nothing to do with each other. Names, bounds, and when a subscription ends are those of groups: it survives the
 * restarts of a supervised actor in its process.
 *
 * The message is copied for each subscriber of this node, as troupe_send_many does it, and sent once to each other
 * node that has subscribers, which hands it on there. Its sender is the publisher. Delivery is at most once: a
 * subscriber whose mailbox is full, or that does not handle the message, loses it. That is a dead letter (`full`,
 * `unhandled`), and a troupe_undelivered for a publisher that handles it; nobody waits for a slow subscriber.
 *
 * What one publisher publishes in one topic, a subscriber gets in that order. What is published and what is sent to
 * the same actor on another node go different ways: of these the later may come first.
 */
#ifndef TROUPE_TOPIC_H
#define TROUPE_TOPIC_H

#include <troupe/actor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is published in the topic is sent to this actor from now on; subscribing again changes nothing. Publishers on
 * its own node see it at once, those on others a moment later. INVALID (the name: the log says why), LIMIT,
 * NO_MEMORY, STOPPING (it is about to end). */
enum troupe_status troupe_subscribe(troupe_self *self, const char *topic) TROUPE_MUST_USE;

/* What has been published by then, and is in the mailbox or on its way, still comes. NOT_FOUND: it had not
 * subscribed. */
enum troupe_status troupe_unsubscribe(troupe_self *self, const char *topic);

/* troupe_publish(self, "lobby", said, .who = "ann", .text = "hello")
 *
 * Sends a copy to each subscriber, this actor too if it is one. OK as well if there is none. FULL: some other node
 * has not kept up with what this one sends it, and its subscribers do not get the message, the others do (an actor
 * that handles troupe_ready gets one, as after a send). INVALID (the topic's name, or a field is not valid: the log
 * says which), TOO_BIG (16 MiB; for other nodes, with the type's description), UNREACHABLE, NO_MEMORY. */
#define troupe_publish(self, topic, tr_message, ...)                                               \
    troupe_publish_message((self), (topic), &tr_message##_message,                                 \
                           &(const struct tr_message){ __VA_ARGS__ })
#define troupe_publish_empty(self, topic, tr_message)                                              \
    troupe_publish_message((self), (topic), &tr_message##_message, &(const struct tr_message){ 0 })
enum troupe_status troupe_publish_message(troupe_self *self, const char *topic,
                                          const struct troupe_message_type *type, const void *message);

/* ---- Dead letters ---- */

/* Subscribers of this topic get a troupe_dead_letter for each dead letter of the application, from the node on which
 * it became one, but for those that die with their process. While nobody subscribes they cost nothing. These notices
 * have no sender; one that finds a mailbox full is refused (counted in `refused`), and one that is lost makes no
 * further notice. */
#define TROUPE_DEAD_LETTERS "dead letters"

/* to, from: receiver and sender, or none. path: the receiver's, as far as it is known. message: the name of its
 * type. reason: enum troupe_status. at: ns since 1970. */
#define TROUPE_DEAD_LETTER_FIELDS(field)                                                           \
    field(address, to) field(address, from) field(str, path) field(str, message) field(u32, reason) \
    field(i64, at)
TROUPE_MESSAGE(troupe_dead_letter, TROUPE_DEAD_LETTER_FIELDS)

#ifdef __cplusplus
}
#endif
#endif
