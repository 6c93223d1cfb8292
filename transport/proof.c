#include "transport/proof.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>

void tr_proof_make(const uint8_t *key, size_t key_size, const uint8_t *data, size_t size,
                   uint8_t proof[TR_PROOF_SIZE]) {
    struct hmac_sha256_ctx hmac;
    hmac_sha256_set_key(&hmac, key_size, key);
    hmac_sha256_update(&hmac, size, data);
    hmac_sha256_digest(&hmac, TR_PROOF_SIZE, proof);
}

bool tr_proof_equal(const uint8_t a[TR_PROOF_SIZE], const uint8_t b[TR_PROOF_SIZE]) {
    return memeql_sec(a, b, TR_PROOF_SIZE) != 0;
}
