/* Topics: what goes from node to node (topic.c). */
#ifndef TR_TOPIC_H
#define TR_TOPIC_H

#include <troupe/topic.h>

#include "core/send.h"

/* A message for the subscribers of another node, packed; schema: of its type, as tr_types_schema has it. Its sender is
 * the publisher. Its name is what people read of one that was lost on its way. */
#define TROUPE_PUBLICATION_FIELDS(field) field(str, topic) field(str, schema) field(bytes, body)
TROUPE_MESSAGE(troupe_publication, TROUPE_PUBLICATION_FIELDS)

/* The same, of a dead letter: of one that is lost there is no further notice. */
TROUPE_MESSAGE(tr_dead_publication, TROUPE_PUBLICATION_FIELDS)

/* In the groups actor: one that came from another node goes to the subscribers of this one. `lossy`: those who cannot
 * take it have a dead letter. */
void tr_topic_hand_on(troupe_self *self, const char *topic, const char *schema, struct troupe_bytes body, bool lossy);

/* core's hook: a message became a dead letter on this node. Any thread. */
void tr_topic_dead_letter(struct tr_node *node, struct tr_worker *worker, const struct tr_dead_news *news);

#endif
