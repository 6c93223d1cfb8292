/*
 * A parent and a child in processes of their own, which greet each other: what Node's fork is for.
 *
 * There is no channel to make: the child is an actor, and has an address; whoever has an address can send there, and
 * answer. That it is in another process is said in the configuration alone.
 */
#include <stdio.h>
#include <troupe.h>
#include <unistd.h>

#define GREETING_FIELDS(field) field(str, text) field(u32, pid)
TROUPE_MESSAGE(greeting, GREETING_FIELDS)
#define KNOWS_FIELDS(field) field(str, child)
TROUPE_MESSAGE(knows, KNOWS_FIELDS)

static void hear(const char *who, const struct greeting *msg) {
    printf("%s: \"%s\" from %s process\n", who, msg->text, (pid_t)msg->pid == getpid() ? "my own" : "another");
    fflush(stdout);
}

/* ---- The child ---- */

struct child { char unused; };

TROUPE_ON(child, greeting) {
    hear("child", msg);
    return troupe_reply(self, greeting, .text = "hello, parent", .pid = (uint32_t)getpid());
}

TROUPE_ACTOR(child, TROUPE_HANDLES(child, greeting))

/* ---- The parent ---- */

struct parent { char unused; };

TROUPE_START(parent, knows) {
    return troupe_send(self, troupe_lookup(self, args->child), greeting, .text = "hello, child",
                       .pid = (uint32_t)getpid());
}

TROUPE_ON(parent, greeting) {
    hear("parent", msg);
    troupe_shutdown(self);
    return TROUPE_OK;
}

TROUPE_ACTOR(parent, TROUPE_STARTS(parent, knows), TROUPE_HANDLES(parent, greeting))

int main(int argc, char **argv) { return troupe_main(argc, argv, &parent_actor, &child_actor, NULL); }
