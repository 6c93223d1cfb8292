/* Addresses of sockets: what is one, and what it is written as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/address.h"

static void there_and_back(void **state) {
    (void)state;
    static const char *const texts[] = { "127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8080", "[::]:0",
                                         "[2001:db8::1]:443", "unix:/run/app.socket", "unix:name", "unix:@name" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tr_address address;
        const char *why;
        char text[128];
        assert_true(tr_address_parse(texts[i], &address, &why));
        tr_address_print(&address, text, sizeof text);
        assert_string_equal(text, texts[i]);
    }
}

static void what_is_none(void **state) {
    (void)state;
    static const char *const texts[] = { "", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:080",
                                         "127.0.0.1:8x", "127.0.0.1:-1", "127.0.0.1: 80", "256.0.0.1:80", "localhost:80",
                                         "[::1]", "[::1]80", "[::1:80", "[]:80", "[127.0.0.1]:80", "::1:80", "unix:",
                                         "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1" };
    struct tr_address address;
    const char *why;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        why = NULL;
        if (tr_address_parse(texts[i], &address, &why)) fail_msg("'%s' is taken for one", texts[i]);
        assert_non_null(why);
    }
}

static void a_path_has_a_limit(void **state) {
    (void)state;
    char text[128];
    struct tr_address address;
    const char *why;
    for (int length = 106; length <= 109; length++) {
        snprintf(text, sizeof text, "unix:%0*d", length, 0);
        assert_int_equal(tr_address_parse(text, &address, &why), length <= 107);
    }
}

static void an_unnamed_socket(void **state) {
    (void)state;
    struct tr_address address = { .at.ss_family = AF_UNIX, .size = sizeof(sa_family_t) };
    char text[16];
    tr_address_print(&address, text, sizeof text);
    assert_string_equal(text, "unix:");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(there_and_back), cmocka_unit_test(what_is_none),
                                        cmocka_unit_test(a_path_has_a_limit), cmocka_unit_test(an_unnamed_socket) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
