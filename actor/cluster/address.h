/* Addresses of sockets as people write them: 127.0.0.1:80, [::1]:80, unix:/path, unix:@name. */
#ifndef TR_ADDRESS_H
#define TR_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct tr_address {
    struct sockaddr_storage at;
    socklen_t size;
};

/* False: `why` is a static text. */
bool tr_address_parse(const char *text, struct tr_address *address, const char **why);
/* Cut to `size`. "unix:" for a unix socket without a name. */
void tr_address_print(const struct tr_address *address, char *text, size_t size);

#endif
