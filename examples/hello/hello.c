/* A host has a greeter welcome each guest. A guest without a name is too much for the greeter: its
 * supervisor starts a new one, the host hears what became of that greeting, the evening goes on. */
#include <inttypes.h>
#include <stdio.h>
#include <troupe.h>

#define GREET(field) field(str, name)
#define GREETING(field) field(str, text) field(u64, number)
#define INVITE(field) field(array(str), guests)
TROUPE_MESSAGE(greet, GREET)
TROUPE_MESSAGE(greeting, GREETING)
TROUPE_MESSAGE(invite, INVITE)

struct greeter { uint64_t greeted; };

TROUPE_ON(greeter, greet) {
    char text[100];
    if (msg->name[0] == '\0') return TROUPE_FAIL(self, "a guest without a name");
    snprintf(text, sizeof text, "Good evening, %s!", msg->name);
    return troupe_reply(self, greeting, .text = text, .number = ++me->greeted);
}
TROUPE_ACTOR(greeter, TROUPE_HANDLES(greeter, greet))

struct host { uint32_t waiting; };

TROUPE_START(host, invite) {
    troupe_address greeter = troupe_lookup(self, "/greeter");
    for (me->waiting = 0; me->waiting < args->guests.count; me->waiting++) {
        const char *name = args->guests.items[me->waiting];
        enum troupe_status status = troupe_ask(self, greeter, greet, 5 * TROUPE_SECOND, .name = name);
        if (status != TROUPE_OK) return TROUPE_FAIL(self, "%s", troupe_status_text(status));
    }
    return TROUPE_OK;
}
TROUPE_ANSWER(host, greet, greeting) {
    if (outcome == TROUPE_OK) printf("%s (%" PRIu64 ")\n", reply->text, reply->number);
    else printf("\"%s\" was not greeted: %s\n", request->name, troupe_status_text(outcome));
    if (--me->waiting == 0) troupe_shutdown(self);
    return TROUPE_OK;
}
TROUPE_ACTOR(host, TROUPE_STARTS(host, invite), TROUPE_ANSWERS(host, greet, greeting))

int main(int argc, char **argv) { return troupe_main(argc, argv, &greeter_actor, &host_actor, NULL); }
