#include "cluster/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const char unix_prefix[] = "unix:";
enum { UNIX_PREFIX = sizeof unix_prefix - 1 };

static bool parse_port(const char *text, in_port_t *port) {
    uint32_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && at - text < 5; at++) number = number * 10 + (uint32_t)(*at - '0');
    *port = htons((uint16_t)number);
    return at != text && *at == '\0' && number <= UINT16_MAX && (text[0] != '0' || text[1] == '\0');
}

/* Abstract names begin with a zero byte, and are not ended by one. */
static bool parse_unix(const char *path, struct tr_address *address, const char **why) {
    struct sockaddr_un *to = (struct sockaddr_un *)(void *)&address->at;
    const size_t length = strlen(path);
    const bool abstract = path[0] == '@';
    *why = length == 0 ? "a path is missing after unix:" : "the path of a unix socket has at most 107 bytes";
    if (length == 0 || length >= sizeof to->sun_path) return false;
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path, length + 1);
    if (abstract) to->sun_path[0] = '\0';
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    return true;
}

static bool parse_6(const char *text, struct tr_address *address) {
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)(void *)&address->at;
    char host[INET6_ADDRSTRLEN];
    const char *end = strchr(text, ']');
    if (end == NULL || end[1] != ':' || (size_t)(end - text - 1) >= sizeof host) return false;
    memcpy(host, text + 1, (size_t)(end - text - 1));
    host[end - text - 1] = '\0';
    to->sin6_family = AF_INET6;
    address->size = sizeof *to;
    return inet_pton(AF_INET6, host, &to->sin6_addr) == 1 && parse_port(end + 2, &to->sin6_port);
}

static bool parse_4(const char *text, struct tr_address *address) {
    struct sockaddr_in *to = (struct sockaddr_in *)(void *)&address->at;
    char host[INET_ADDRSTRLEN];
    const char *colon = strchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    to->sin_family = AF_INET;
    address->size = sizeof *to;
    return inet_pton(AF_INET, host, &to->sin_addr) == 1 && parse_port(colon + 1, &to->sin_port);
}

bool tr_address_parse(const char *text, struct tr_address *address, const char **why) {
    memset(address, 0, sizeof *address);
    if (strncmp(text, unix_prefix, UNIX_PREFIX) == 0) return parse_unix(text + UNIX_PREFIX, address, why);
    *why = "it is none of 127.0.0.1:80, [::1]:80, unix:/path, unix:@name (names of hosts are not looked up)";
    return text[0] == '[' ? parse_6(text, address) : parse_4(text, address);
}

static void print_unix(const struct tr_address *address, char *text, size_t size) {
    const struct sockaddr_un *from = (const struct sockaddr_un *)(const void *)&address->at;
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    const size_t length = address->size > head ? address->size - head : 0;
    const bool abstract = length > 0 && from->sun_path[0] == '\0';
    snprintf(text, size, "%s%s%.*s", unix_prefix, abstract ? "@" : "", (int)(abstract ? length - 1 : length),
             from->sun_path + (abstract ? 1 : 0));
}

void tr_address_print(const struct tr_address *address, char *text, size_t size) {
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address->at;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&address->at;
    switch (address->at.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(four->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%u", host, ntohs(six->sin6_port));
        break;
    case AF_UNIX: print_unix(address, text, size); break;
    default: snprintf(text, size, "?");
    }
}
