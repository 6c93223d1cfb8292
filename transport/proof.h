/*
 * Proofs that a node knows the token, without showing it: HMAC-SHA256 over what both sides said.
 * The only room that names nettle.
 */
#ifndef TR_PROOF_H
#define TR_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TR_PROOF_SIZE = 32 };

/* HMAC-SHA256 (RFC 2104) of `size` bytes. */
void tr_proof_make(const uint8_t *key, size_t key_size, const uint8_t *data, size_t size,
                   uint8_t proof[TR_PROOF_SIZE]);
/* Takes the same time wherever the first difference is. */
bool tr_proof_equal(const uint8_t a[TR_PROOF_SIZE], const uint8_t b[TR_PROOF_SIZE]);

#endif
