/*
 * A chat: rooms are topics, users are actors, and what they do is read from standard input, a line for each thing:
 *
 *     ann joins lobby
 *     bob joins lobby                   ann hears bob in lobby: (comes in)
 *     bob says lobby hello there        ann hears bob in lobby: hello there
 *     bob crashes                       bob is back, in 1 rooms
 *     bob leaves lobby                  ann hears bob in lobby: (leaves)
 *
 * What to look at:
 *
 *     rooms         nobody makes them, and who speaks does not know who hears. It is the same in threads.yaml and in
 *                   processes.yaml, where each user has a process.
 *     a user        hands the rooms that it is in to its supervisor (troupe_save), and its next run is in them again:
 *                   after a failure, and after `kill -9`.
 *     the console   watches standard input, a terminal or a pipe, and reads on when the last command has been
 *                   answered.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <troupe.h>
#include <troupe/supervisor.h>
#include <troupe/topic.h>
#include <unistd.h>

enum { NAME = 65, ROOMS = 8, LINE = 1024 };

/* Console to user, and what came of it: nothing to be said, or a text. */
#define COMMAND(field) field(str, who) field(str, verb) field(str, room) field(str, text)
TROUPE_MESSAGE(command, COMMAND)
#define OBEYED(field) field(str, text)
TROUPE_MESSAGE(obeyed, OBEYED)

/* What is published in a room. */
#define SAID(field) field(str, room) field(str, who) field(str, text)
TROUPE_MESSAGE(said, SAID)

/* What a user saves. */
#define ROOMS_FIELDS(field) field(array(str), names)
TROUPE_MESSAGE(rooms, ROOMS_FIELDS)

/* ---- User ---- */

struct user {
    char rooms[ROOMS][NAME]; /* "": free */
};

/* "/ann" */
static const char *name_of(troupe_self *self) { return troupe_self_path(self) + 1; }

/* The place of the room; of "": a free one. NULL: there is none. */
static char *place_of(struct user *me, const char *room) {
    for (int i = 0; i < ROOMS; i++)
        if (strcmp(me->rooms[i], room) == 0) return me->rooms[i];
    return NULL;
}

static enum troupe_status save(troupe_self *self, struct user *me) {
    const char *names[ROOMS];
    uint32_t count = 0;
    for (int i = 0; i < ROOMS; i++)
        if (me->rooms[i][0] != '\0') names[count++] = me->rooms[i];
    return troupe_save(self, rooms, .names = { names, count });
}

static enum troupe_status enter(troupe_self *self, struct user *me, const char *room) {
    char *place = place_of(me, "");
    enum troupe_status status = place == NULL ? TROUPE_LIMIT : troupe_subscribe(self, room);
    if (status == TROUPE_OK) snprintf(place, NAME, "%s", room);
    return status;
}

TROUPE_START(user, troupe_none) {
    const struct rooms *before = troupe_saved(self, rooms);
    enum troupe_status status = TROUPE_OK;
    if (before == NULL) return TROUPE_OK;
    for (uint32_t i = 0; i < before->names.count && status == TROUPE_OK; i++)
        status = enter(self, me, before->names.items[i]);
    printf("%s is back, in %" PRIu32 " rooms\n", name_of(self), before->names.count);
    fflush(stdout);
    return status;
}

static enum troupe_status say(troupe_self *self, const char *room, const char *text) {
    return troupe_publish(self, room, said, .room = room, .who = name_of(self), .text = text);
}

static enum troupe_status join(troupe_self *self, struct user *me, const char *room) {
    if (room[0] == '\0') return TROUPE_INVALID; /* which would be a free place */
    if (place_of(me, room) != NULL) return TROUPE_OK;
    enum troupe_status status = enter(self, me, room);
    if (status == TROUPE_OK) status = save(self, me);
    return status == TROUPE_OK ? say(self, room, "(comes in)") : status;
}

static enum troupe_status leave(troupe_self *self, struct user *me, const char *room) {
    char *place = room[0] == '\0' ? NULL : place_of(me, room);
    if (place == NULL) return TROUPE_NOT_FOUND;
    enum troupe_status status = troupe_unsubscribe(self, room);
    *place = '\0';
    if (status == TROUPE_OK) status = save(self, me);
    return status == TROUPE_OK ? say(self, room, "(leaves)") : status;
}

static enum troupe_status obey(troupe_self *self, struct user *me, const struct command *msg) {
    if (strcmp(msg->verb, "joins") == 0) return join(self, me, msg->room);
    if (strcmp(msg->verb, "leaves") == 0) return leave(self, me, msg->room);
    if (strcmp(msg->verb, "says") != 0) return TROUPE_UNHANDLED;
    bool is_in = msg->room[0] != '\0' && place_of(me, msg->room) != NULL;
    return is_in ? say(self, msg->room, msg->text) : TROUPE_NOT_FOUND;
}

static const char *in_words(enum troupe_status status) {
    return status == TROUPE_OK          ? ""
           : status == TROUPE_NOT_FOUND ? "not in that room"
           : status == TROUPE_UNHANDLED ? "nobody can do that"
                                        : troupe_status_text(status);
}

TROUPE_ON(user, command) {
    if (strcmp(msg->verb, "crashes") == 0) return TROUPE_FAIL(self, "as it was told to");
    return troupe_reply(self, obeyed, .text = in_words(obey(self, me, msg)));
}

/* Who speaks hears himself, too. */
TROUPE_ON(user, said) {
    if (strcmp(msg->who, name_of(self)) == 0) return TROUPE_OK;
    printf("%s hears %s in %s: %s\n", name_of(self), msg->who, msg->room, msg->text);
    fflush(stdout);
    return TROUPE_OK;
}

TROUPE_ACTOR(user, TROUPE_STARTS(user, troupe_none), TROUPE_HANDLES(user, command, said))

/* ---- Console ---- */

struct console {
    troupe_watcher input;
    char text[LINE];
    size_t size;
    bool ended;
};

/* The first line of what was read, without it. False: there is no whole one. */
static bool take_line(struct console *me, char *line) {
    char *end = memchr(me->text, '\n', me->size);
    bool whole = end != NULL || me->size == LINE || (me->ended && me->size > 0); /* what is too long is cut */
    size_t length = end != NULL ? (size_t)(end - me->text) : me->size, taken = length + (end != NULL);
    if (!whole) return false;
    snprintf(line, LINE + 1, "%.*s", (int)length, me->text);
    memmove(me->text, me->text + taken, me->size - taken);
    me->size -= taken;
    return true;
}

static enum troupe_status order(troupe_self *self, const char *line) {
    char who[NAME] = "", verb[NAME] = "", room[NAME] = "";
    int text = 0;
    sscanf(line, "%64s %64s %64s %n", who, verb, room, &text);
    troupe_address user = troupe_lookup(self, who);
    if (troupe_address_is_none(user)) return TROUPE_NOT_FOUND;
    return troupe_ask(self, user, command, 10 * TROUPE_SECOND, .who = who, .verb = verb, .room = room,
                      .text = text > 0 ? line + text : "");
}

/* The next command, or more input; at the end of that, all is over. */
static enum troupe_status go_on(troupe_self *self, struct console *me) {
    char line[LINE + 1];
    while (take_line(me, line)) {
        enum troupe_status status = order(self, line);
        if (status == TROUPE_OK) return troupe_watch_events(self, me->input, 0); /* until it is answered */
        printf("%s: %s\n", line, troupe_status_text(status));
        fflush(stdout);
    }
    if (me->ended) troupe_shutdown(self);
    return troupe_watch_events(self, me->input, me->ended ? 0 : TROUPE_READABLE);
}

TROUPE_START(console, troupe_none) {
    printf("NAME joins ROOM | NAME says ROOM TEXT | NAME leaves ROOM | NAME crashes\n");
    fflush(stdout);
    return troupe_watch(self, &me->input, STDIN_FILENO, TROUPE_READABLE);
}

TROUPE_ON(console, troupe_descriptor) {
    ssize_t size = read(STDIN_FILENO, me->text + me->size, LINE - me->size);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return TROUPE_OK;
    if (size < 0) return TROUPE_FAIL(self, "standard input: %s", strerror(errno));
    me->size += (size_t)size;
    me->ended = size == 0;
    return go_on(self, me);
}

TROUPE_ANSWER(console, command, obeyed) {
    const char *text = outcome == TROUPE_OK ? reply->text : troupe_status_text(outcome);
    if (text[0] != '\0') printf("%s %s %s: %s\n", request->who, request->verb, request->room, text);
    fflush(stdout);
    return go_on(self, me);
}

TROUPE_ACTOR(console, TROUPE_STARTS(console, troupe_none), TROUPE_HANDLES(console, troupe_descriptor),
             TROUPE_ANSWERS(console, command, obeyed))

int main(int argc, char **argv) { return troupe_main(argc, argv, &user_actor, &console_actor, NULL); }
