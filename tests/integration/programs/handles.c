/*
 * Open descriptors to an actor elsewhere and back. The giver plays a scene, and says at the end how many descriptors
 * of this test are still open in its process and in the takers': files in memory that bear its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <dirent.h>
#include <troupe.h>
#include <unistd.h>

#define SCENE(field) field(str, scene) field(u32, count)
TROUPE_MESSAGE(scene, SCENE)
#define GIVE(field) field(u32, n) field(str, what) field(descriptor, file) field(array(descriptor), sockets)
TROUPE_MESSAGE(give, GIVE)
#define BACK(field) field(u32, n) field(descriptor, file)
TROUPE_MESSAGE(back, BACK)
#define CENSUS(field) field(str, what)
TROUPE_MESSAGE(census, CENSUS)
#define COUNTED(field) field(u32, open)
TROUPE_MESSAGE(counted, COUNTED)
TROUPE_MESSAGE_EMPTY(go_on)

enum { TAKERS = 3, AT_ONCE = 100, PATIENCE = 2000 };

/* ---- Files that know who they are ---- */

static int file_new(uint32_t n) {
    char text[32];
    int file = memfd_create("handles", MFD_CLOEXEC), length = snprintf(text, sizeof text, "file %" PRIu32, n);
    if (file >= 0 && write(file, text, (size_t)length) != length) abort();
    return file;
}

static bool is_file(int file, uint32_t n) {
    char text[32], found[32] = "";
    snprintf(text, sizeof text, "file %" PRIu32, n);
    return pread(file, found, sizeof found - 1, 0) == (ssize_t)strlen(text) && strcmp(found, text) == 0;
}

static bool bears_name(const char *number) {
    char path[320], name[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%s", number);
    return readlink(path, name, sizeof name - 1) > 0 && strncmp(name, "/memfd:handles", 14) == 0;
}

static uint32_t count_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    uint32_t count = 0;
    if (folder == NULL) return UINT32_MAX;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += bears_name(entry->d_name);
    closedir(folder);
    return count;
}

static void die(void) { raise(SIGKILL); }

/* No room for one more, and room again. */
static void starve(bool hungry) {
    static struct rlimit usual;
    struct rlimit limit;
    int next = dup(0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    if (hungry) usual = limit;
    limit.rlim_cur = hungry ? (rlim_t)next : usual.rlim_cur;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- The taker ---- */

struct taker { int kept; };

static enum troupe_status answer(troupe_self *self, uint32_t n) {
    int file = file_new(n + 1);
    enum troupe_status status = troupe_reply(self, back, .n = n, .file = file);
    close(file);
    return status;
}

static void look_at(const struct give *msg) {
    bool chance = strcmp(msg->what, "chance") == 0;
    if (msg->file >= 0 && !is_file(msg->file, msg->n)) printf("another file than %" PRIu32 "\n", msg->n);
    for (uint32_t i = 0; i < msg->sockets.count && !chance; i++)
        if (write(msg->sockets.items[i], "hello", 5) != 5) printf("no socket: %s\n", strerror(errno));
    fflush(stdout);
}

/* Tells by the socket that came along: what is written there outlives the process. */
static enum troupe_status take_chances(const struct give *msg) {
    if (rand() % 25 == 0) die();
    if (write(msg->sockets.items[0], &msg->n, sizeof msg->n) != sizeof msg->n) printf("no socket\n");
    if (rand() % 25 == 0) die();
    return TROUPE_OK;
}

static bool is_first(const troupe_self *self) { return strcmp(troupe_self_path(self), "/taker/0") == 0; }

TROUPE_ON(taker, give) {
    look_at(msg);
    if (strcmp(msg->what, "tell") == 0) return troupe_send(self, troupe_sender(self), back, .n = msg->n, .file = -1);
    if (strcmp(msg->what, "drop") == 0) return TROUPE_OK;
    if (strcmp(msg->what, "fail") == 0) return TROUPE_FAIL(self, "as asked");
    if (strcmp(msg->what, "die") == 0) die();
    if (strcmp(msg->what, "take") == 0) {
        if (me->kept > 0) close(me->kept);
        me->kept = troupe_take_descriptor(&msg->file);
        if (msg->file != -1 || !is_file(me->kept, msg->n)) printf("not taken\n");
    }
    if (strcmp(msg->what, "forward") == 0 && !is_first(self)) return troupe_forward(self, troupe_lookup(self, "taker/0"));
    if (strcmp(msg->what, "chance") == 0) return take_chances(msg);
    return answer(self, msg->n);
}
TROUPE_ON(taker, census) {
    if (strcmp(msg->what, "feed") == 0) starve(false);
    if (me->kept > 0) close(me->kept);
    me->kept = 0;
    uint32_t open = count_open();
    if (strcmp(msg->what, "starve") == 0) starve(true);
    return troupe_reply(self, counted, .open = open);
}
TROUPE_STOP(taker) {
    if (me->kept > 0) close(me->kept);
}
TROUPE_START(taker, go_on) {
    srand((unsigned)getpid());
    (void)me;
    return TROUPE_OK;
}
TROUPE_ACTOR(taker, TROUPE_STARTS(taker, go_on), TROUPE_STOPS(taker), TROUPE_HANDLES(taker, give, census))

/* ---- The giver ---- */

struct giver {
    troupe_address takers[TAKERS];
    char scene[16];
    uint32_t count, next, ended, wrong, ok, undelivered, counted, open_there, tries;
    bool *told, over;
    int sockets[2];
};

static const char *what_of(const struct giver *me, uint32_t n) {
    static const char *const mixed[] = { "", "take", "drop", "fail", "forward", "" };
    if (strcmp(me->scene, "mixed") == 0) return mixed[n % 6];
    if (strcmp(me->scene, "deaths") == 0) return n % 10 == 3 ? "die" : mixed[n % 6];
    return "";
}

static enum troupe_status ask_one(troupe_self *self, struct giver *me, uint32_t n) {
    int file = file_new(n);
    const int *sockets = n % 5 == 0 ? &me->sockets[1] : NULL;
    enum troupe_status status = troupe_ask(self, me->takers[1 + n % 2], give, 60 * TROUPE_SECOND, .n = n,
                                           .what = what_of(me, n), .file = file, .sockets = { sockets, sockets != NULL });
    close(file);
    return status;
}

static enum troupe_status send_one(troupe_self *self, struct giver *me, uint32_t n, const char *what, bool many) {
    int file = file_new(n);
    enum troupe_status status =
        many ? troupe_send_many(self, me->takers, TAKERS, NULL, give, .n = n, .what = what, .file = file)
             : troupe_send(self, me->takers[1], give, .n = n, .what = what, .file = file, .sockets = { &me->sockets[1], 1 });
    close(file);
    return status;
}

static enum troupe_status take_census(troupe_self *self, struct giver *me, const char *what) {
    enum troupe_status status = TROUPE_OK;
    for (int i = 0; i < TAKERS && status == TROUPE_OK; i++)
        status = troupe_ask(self, me->takers[i], census, 60 * TROUPE_SECOND, .what = what);
    return status;
}

/* As many more as may be under way. */
static enum troupe_status go_ahead(troupe_self *self, struct giver *me) {
    enum troupe_status status = TROUPE_OK;
    bool tell = strcmp(me->scene, "again") == 0;
    uint32_t at_once = strcmp(me->scene, "deaths") == 0 ? AT_ONCE / 10 : AT_ONCE;
    while (status == TROUPE_OK && me->next < me->count && me->next - me->ended < at_once) {
        status = tell ? send_one(self, me, me->next, "chance", false) : ask_one(self, me, me->next);
        if (status == TROUPE_OK) me->next++;
    }
    if (status == TROUPE_INVALID) {
        printf("refused %s\n", troupe_status_name(status));
        me->count = me->next;
        status = TROUPE_OK;
    }
    if (status != TROUPE_OK || me->ended < me->count || me->over) return status;
    me->over = true; /* others may be told again */
    return take_census(self, me, "");
}

TROUPE_START(giver, scene) {
    char name[16];
    snprintf(me->scene, sizeof me->scene, "%s", args->scene);
    me->count = args->count;
    me->told = calloc(me->count, sizeof *me->told);
    if (me->told == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, me->sockets) != 0)
        return TROUPE_FAILED;
    for (uint32_t i = 0; i < TAKERS; i++) {
        snprintf(name, sizeof name, "taker/%u", (unsigned)i);
        me->takers[i] = troupe_lookup(self, name);
    }
    if (strcmp(me->scene, "again") == 0) (void)!troupe_watch(self, NULL, me->sockets[0], TROUPE_READABLE);
    if (strcmp(me->scene, "starve") == 0) return take_census(self, me, "starve");
    if (strcmp(me->scene, "many") != 0) return go_ahead(self, me);
    for (uint32_t i = 0; i < me->count; i++) {
        enum troupe_status status = send_one(self, me, i, "tell", true);
        if (status != TROUPE_OK) return status;
    }
    return TROUPE_OK;
}
static void read_hello(struct giver *me) {
    char text[8] = "";
    if (read(me->sockets[0], text, 5) != 5 || strcmp(text, "hello") != 0) me->wrong++;
}

TROUPE_ANSWER(giver, give, back) {
    me->ended++;
    if (outcome == TROUPE_OK) {
        me->ok++;
        if (!is_file(reply->file, request->n + 1)) me->wrong++;
        if (!is_file(request->file, request->n)) me->wrong++;
        if (request->n % 5 == 0) read_hello(me);
    }
    return go_ahead(self, me);
}
TROUPE_ON(giver, back) {
    (void)msg;
    me->ok++;
    return me->ok == me->count * TAKERS ? take_census(self, me, "") : TROUPE_OK;
}
TROUPE_ON(giver, troupe_descriptor) {
    uint32_t n;
    while (read(msg->fd, &n, sizeof n) == sizeof n) {
        me->ok++;
        if (me->told[n]) continue;
        me->told[n] = true;
        me->ended++;
    }
    return go_ahead(self, me);
}
TROUPE_ON(giver, troupe_undelivered) {
    if (msg->reason != TROUPE_LIMIT) return TROUPE_OK;
    if (++me->undelivered < me->count) return TROUPE_OK;
    printf("undelivered %" PRIu32 "\n", me->undelivered);
    snprintf(me->scene, sizeof me->scene, "fed");
    return take_census(self, me, "feed");
}

static enum troupe_status end(troupe_self *self, struct giver *me) {
    close(me->sockets[0]);
    close(me->sockets[1]);
    free(me->told);
    me->told = NULL;
    printf("ok %" PRIu32 " wrong %" PRIu32 "\n", me->ok, me->wrong);
    fflush(stdout);
    troupe_shutdown(self);
    return TROUPE_OK;
}

/* What was sent is closed when the other side's word of it has come: that may take a moment. */
TROUPE_ON(giver, go_on) { return take_census(self, me, ""); }

TROUPE_ANSWER(giver, census, counted) {
    if (outcome != TROUPE_OK) return TROUPE_FAIL(self, "census: %s", troupe_status_text(outcome));
    bool starving = strcmp(me->scene, "starve") == 0;
    me->open_there += reply->open;
    if (++me->counted % TAKERS != 0) return TROUPE_OK;
    uint32_t open = me->open_there + count_open();
    me->open_there = 0;
    if (open > 0 && !starving && me->tries++ < PATIENCE) return troupe_after_empty(self, NULL, 10 * TROUPE_MILLISECOND, go_on);
    printf("open %" PRIu32 "\n", open);
    for (uint32_t i = 0; starving && i < me->count; i++) {
        enum troupe_status status = send_one(self, me, i, "drop", false);
        if (status != TROUPE_OK) return status;
    }
    if (starving) return TROUPE_OK;
    if (strcmp(me->scene, "fed") != 0) return end(self, me);
    snprintf(me->scene, sizeof me->scene, "after");
    return go_ahead(self, me);
}
TROUPE_ACTOR(giver, TROUPE_STARTS(giver, scene), TROUPE_HANDLES(giver, back, go_on, troupe_undelivered, troupe_descriptor),
             TROUPE_ANSWERS(giver, give, back), TROUPE_ANSWERS(giver, census, counted))

int main(int argc, char **argv) { return troupe_main(argc, argv, &giver_actor, &taker_actor, NULL); }
