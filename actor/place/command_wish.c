/*
 * What is to be started: from a troupe_program to a request for the keeper, and the descriptors that go with it.
 *
 * The environment, the directory and the descriptors that are inherited are those of this process, the owner's, not
 * the keeper's: so all of them are worked out here. The environment is read while others might change it: a program
 * that calls setenv while it has actors must not.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "place/command_parts.h"

extern char **environ;

enum { FILES = 128 }; /* folders of a PATH that are looked at */

#define GRACE (5 * TROUPE_SECOND)

struct tr_command_wish {
    struct tr_command_request request;
    char **environment, **arguments;
    char *files[FILES + 1]; /* own, but those of a shell */
    char directory[PATH_MAX];
};

/* ---- What is wrong ---- */

static bool is_number(const char *text) {
    return text[0] != '\0' && strlen(text) <= 9 && strspn(text, "0123456789") == strlen(text);
}

static bool is_stdio(const char *text) {
    return text[0] == '\0' || strcmp(text, "pipe") == 0 || strcmp(text, "ignore") == 0 ||
           strcmp(text, "inherit") == 0 || strcmp(text, "open") == 0 || is_number(text);
}

static bool has_time(int64_t time) { return time >= 0; }

static bool uses_handles(const struct troupe_program *args) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < args->stdio.count; i++) used += strcmp(args->stdio.items[i], "open") == 0;
    return used == args->handles.count;
}

static const char *what_is_wrong(const struct troupe_program *args) {
    bool program = args->program[0] != '\0', shell = args->shell[0] != '\0';
    if (program == shell) return "it is started by one of these: program, shell";
    if (shell && (args->arguments.count > 0 || args->argv0[0] != '\0')) return "a shell has its line, and no arguments";
    if (args->uid[0] != '\0' && !is_number(args->uid)) return "the uid is no number";
    if (args->gid[0] != '\0' && !is_number(args->gid)) return "the gid is no number";
    if (args->stdio.count > TROUPE_COMMAND_DESCRIPTORS) return "it has more than 16 descriptors";
    if (args->kill_signal < 0 || args->kill_signal >= NSIG) return "there is no such kill_signal";
    if (!has_time(args->timeout) || !has_time(args->grace)) return "a time is less than 0";
    for (uint32_t i = 0; i < args->stdio.count; i++)
        if (!is_stdio(args->stdio.items[i])) return "stdio is pipe, ignore, inherit, open or a number";
    if (!uses_handles(args)) return "it has as many handles as its stdio says open, no more and no fewer";
    for (uint32_t i = 0; i < args->env.count; i++)
        if (args->env.items[i][0] == '\0' || args->env.items[i][0] == '=') return "a variable has no name";
    return NULL;
}

/* ---- Environment and file ---- */

static size_t name_size(const char *variable) { return strcspn(variable, "="); }

static void take_away(char **list, const char *variable) {
    size_t size = name_size(variable);
    char **to = list;
    for (char **from = list; *from != NULL; from++)
        if (name_size(*from) != size || memcmp(*from, variable, size) != 0) *to++ = *from;
    *to = NULL;
}

static char **make_environment(const struct troupe_program *args) {
    size_t count = 0;
    for (char **at = environ; !args->clean_env && at != NULL && *at != NULL; at++) count++;
    char **list = calloc(count + args->env.count + 1, sizeof *list);
    if (list == NULL) return NULL;
    memcpy(list, environ, count * sizeof *list);
    for (uint32_t i = 0; i < args->env.count; i++) {
        const char *variable = args->env.items[i];
        take_away(list, variable);
        size_t end = 0;
        while (list[end] != NULL) end++;
        if (strchr(variable, '=') != NULL) list[end] = (char *)(uintptr_t)variable;
    }
    return list;
}

static const char *path_of(char **environment) {
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

static bool add_file(struct tr_command_wish *wish, size_t *count, const char *folder, size_t size, const char *name) {
    char file[PATH_MAX];
    int length = size == 0 ? snprintf(file, sizeof file, "%s", name)
                           : snprintf(file, sizeof file, "%.*s/%s", (int)size, folder, name);
    if (*count == FILES || length < 0 || (size_t)length >= sizeof file) return true; /* not there */
    wish->files[*count] = strdup(file);
    return wish->files[(*count)++] != NULL;
}

/* An empty part of a PATH is the present folder. */
static bool find_files(struct tr_command_wish *wish, const char *name) {
    size_t count = 0;
    if (strchr(name, '/') != NULL) return add_file(wish, &count, "", 0, name) && count == 1;
    for (const char *at = path_of(wish->environment);; at++) {
        size_t size = strcspn(at, ":");
        if (!add_file(wish, &count, size == 0 ? "." : at, size == 0 ? 1 : size, name)) return false;
        at += size;
        if (*at == '\0') return count > 0;
    }
}

/* The texts stay those of `args`, which are never written to. */
static char **make_arguments(const struct troupe_program *args) {
    static const char *const sh[] = { "sh", "-c" };
    bool shell = args->shell[0] != '\0';
    char **list = calloc((size_t)args->arguments.count + 4, sizeof *list);
    if (list == NULL) return NULL;
    size_t count = 0;
    if (shell) {
        list[count++] = (char *)(uintptr_t)sh[0];
        list[count++] = (char *)(uintptr_t)sh[1];
        list[count++] = (char *)(uintptr_t)args->shell;
    } else {
        list[count++] = (char *)(uintptr_t)(args->argv0[0] != '\0' ? args->argv0 : args->program);
    }
    for (uint32_t i = 0; i < args->arguments.count; i++) list[count++] = (char *)(uintptr_t)args->arguments.items[i];
    return list;
}

/* ---- The request ---- */

static int64_t number_of(const char *text) { return text[0] == '\0' ? -1 : strtoll(text, NULL, 10); }

/* A directory that is relative is so to this process's. */
static bool find_directory(struct tr_command_wish *wish, const char *cwd) {
    char own[PATH_MAX];
    if (cwd[0] == '/') return snprintf(wish->directory, PATH_MAX, "%s", cwd) < PATH_MAX;
    if (getcwd(own, sizeof own) == NULL) return false;
    int size = cwd[0] == '\0' ? snprintf(wish->directory, PATH_MAX, "%s", own)
                              : snprintf(wish->directory, PATH_MAX, "%s/%s", own, cwd);
    return size < PATH_MAX;
}

static const char *fill(struct tr_command_wish *wish, const struct troupe_program *args) {
    const char *name = args->shell[0] != '\0' ? "/bin/sh" : args->program;
    wish->environment = make_environment(args);
    wish->arguments = make_arguments(args);
    if (wish->environment == NULL || wish->arguments == NULL) return "no memory";
    if (!find_files(wish, name)) return "its file cannot be named: too long, or no memory";
    if (!find_directory(wish, args->cwd)) return "its directory cannot be named";
    wish->request = (struct tr_command_request){
        .programs = wish->files, .arguments = wish->arguments, .environment = wish->environment,
        .directory = wish->directory, .enters = args->cwd[0] != '\0', .name = name, .user = number_of(args->uid), .group = number_of(args->gid),
        .detached = args->detached, .signal = args->kill_signal == 0 ? SIGTERM : args->kill_signal,
        .grace = args->grace == 0 ? GRACE : args->grace
    };
    return NULL;
}

struct tr_command_wish *tr_command_wish_new(const struct troupe_program *args, char *why, size_t size) {
    const char *wrong = what_is_wrong(args);
    struct tr_command_wish *wish = wrong != NULL ? NULL : calloc(1, sizeof *wish);
    if (wrong == NULL) wrong = wish == NULL ? "no memory" : fill(wish, args);
    if (wrong == NULL) return wish;
    snprintf(why, size, "%s", wrong);
    tr_command_wish_free(wish);
    return NULL;
}

void tr_command_wish_free(struct tr_command_wish *wish) {
    if (wish == NULL) return;
    for (char **file = wish->files; *file != NULL; file++) free(*file);
    free(wish->environment);
    free(wish->arguments);
    free(wish);
}

/* ---- Descriptors ---- */

static bool give(struct tr_command_ends *ends, int fd, bool own) {
    if (fd < 0) return false;
    ends->fds[ends->count] = fd;
    ends->own[ends->count++] = own;
    return true;
}

/* What we have never blocks us; what the program has blocks it, as it expects. */
static bool open_pipe(struct tr_command *command, struct tr_command_ends *ends) {
    uint32_t number = ends->count;
    struct tr_command_stream *stream = &command->streams[number];
    int fds[2];
    bool input = number == 0, both = number > 2;
    if ((both ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) : pipe2(fds, O_CLOEXEC)) != 0) return false;
    stream->fd = fds[input ? 1 : 0];
    stream->reads = !input;
    stream->writes = input || both;
    give(ends, fds[input ? 0 : 1], true);
    return fcntl(stream->fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_one(struct tr_command *command, const struct troupe_program *args, const char *what,
                     struct tr_command_ends *ends) {
    int number = is_number(what) ? (int)strtol(what, NULL, 10) : (int)ends->count;
    if (what[0] == '\0' || strcmp(what, "pipe") == 0) return open_pipe(command, ends);
    if (strcmp(what, "ignore") == 0) return give(ends, open("/dev/null", O_RDWR | O_CLOEXEC), true);
    if (strcmp(what, "open") == 0) number = args->handles.items[ends->handles++];
    return fcntl(number, F_GETFD) >= 0 && give(ends, number, false);
}

int tr_command_open(struct tr_command *command, const struct troupe_program *args, struct tr_command_ends *ends,
                    char *why, size_t size) {
    uint32_t count = args->stdio.count > 3 ? args->stdio.count : 3;
    for (uint32_t i = 0; i < count; i++) {
        const char *what = i < args->stdio.count ? args->stdio.items[i] : "pipe";
        command->stream_count = i + 1;
        if (open_one(command, args, what, ends)) continue;
        int error = errno;
        snprintf(why, size, "its descriptor %u (%.20s): %s", i, what[0] == '\0' ? "pipe" : what, strerror(error));
        return error;
    }
    return 0;
}

void tr_command_ends_close(struct tr_command_ends *ends) {
    for (uint32_t i = 0; i < ends->count; i++)
        if (ends->own[i]) close(ends->fds[i]);
    ends->count = 0;
}

/* ---- Asking ---- */

static int write_request(const struct tr_command_wish *wish, const struct tr_command_ends *ends, int socket) {
    struct tr_command_request request = wish->request;
    uint8_t *bytes = malloc(TR_COMMAND_REQUEST_SIZE);
    int room = 2 * TR_COMMAND_REQUEST_SIZE;
    if (bytes == NULL) return ENOMEM;
    request.descriptors = ends->count;
    size_t size = tr_command_request_encode(&request, bytes);
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room); /* without, it may do for what is usual */
    int error = size == 0                                                                    ? E2BIG
                : tr_command_packet_send(socket, bytes, size, ends->fds, ends->count) ? 0 : errno;
    free(bytes);
    return error;
}

int tr_command_ask(const struct tr_command_wish *wish, const struct tr_command_ends *ends, int sockets[2], char *why,
                   size_t size) {
    int error = tr_control_pair(sockets) == 0 ? 0 : errno;
    if (error == 0) {
        error = write_request(wish, ends, sockets[0]);
        if (error != 0) close(sockets[0]);
        if (error != 0) close(sockets[1]);
    }
    if (error == E2BIG)
        snprintf(why, size, "arguments and environment are more than %d bytes", TR_COMMAND_REQUEST_SIZE);
    else if (error != 0) snprintf(why, size, "%s", strerror(error));
    return error;
}
