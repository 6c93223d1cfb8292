/* transport/proof.h against the vectors of RFC 4231 for HMAC-SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "transport/proof.h"

struct vector {
    size_t key_size;
    uint8_t key_byte; /* the key is this byte, repeated; 0: see key */
    const char *key;
    size_t size;
    uint8_t byte;
    const char *text;
    const char *hmac;
};

static const struct vector vectors[] = {
    { 20, 0x0b, NULL, 8, 0, "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { 4, 0, "Jefe", 28, 0, "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { 20, 0xaa, NULL, 50, 0xdd, NULL,
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { 131, 0xaa, NULL, 54, 0, "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

static void fill(uint8_t *to, size_t size, uint8_t byte, const char *text) {
    if (text != NULL)
        memcpy(to, text, size);
    else
        memset(to, byte, size);
}

static void rfc_4231(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *vector = &vectors[i];
        uint8_t key[256], data[256], proof[TR_PROOF_SIZE];
        char hex[2 * TR_PROOF_SIZE + 1];
        fill(key, vector->key_size, vector->key_byte, vector->key);
        fill(data, vector->size, vector->byte, vector->text);
        tr_proof_make(key, vector->key_size, data, vector->size, proof);
        for (size_t k = 0; k < TR_PROOF_SIZE; k++)
            snprintf(hex + 2 * k, 3, "%02x", proof[k]);
        assert_string_equal(hex, vector->hmac);
    }
}

static void every_bit_counts(void **state) {
    (void)state;
    uint8_t a[TR_PROOF_SIZE] = { 1, 2, 3 }, b[TR_PROOF_SIZE];
    memcpy(b, a, sizeof b);
    assert_true(tr_proof_equal(a, b));
    for (unsigned bit = 0; bit < 8 * TR_PROOF_SIZE; bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(tr_proof_equal(a, b));
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4231),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
