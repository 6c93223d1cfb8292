/*
 * Most text is ASCII, so it is passed eight bytes at a time; the first byte with its high bit set
 * falls back to one sequence at a time, as the Unicode standard's table of well-formed sequences
 * says (only the second byte has a range that depends on the first).
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool ascii_word(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

static size_t sequence_length(uint8_t first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

static bool second_fits(uint8_t first, uint8_t second) {
    switch (first) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF; /* shorter forms exist below */
    case 0xED: return second >= 0x80 && second <= 0x9F; /* surrogates above */
    case 0xF0: return second >= 0x90 && second <= 0xBF; /* shorter forms exist below */
    case 0xF4: return second >= 0x80 && second <= 0x8F; /* above U+10FFFF */
    default: return second >= 0x80 && second <= 0xBF;
    }
}

/* The length of the sequence at `at`, 0 when it is not valid. */
static size_t sequence(const uint8_t *at, size_t left) {
    size_t length = sequence_length(at[0]);
    if (length == 0 || length > left) return 0;
    if (length > 1 && !second_fits(at[0], at[1])) return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return length;
}

bool tr_utf8_valid(const char *text, size_t size) {
    const uint8_t *at = (const uint8_t *)text;
    size_t i = 0;
    while (i < size) {
        if (size - i >= sizeof(uint64_t) && ascii_word(at + i)) {
            i += sizeof(uint64_t);
            continue;
        }
        size_t length = sequence(at + i, size - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

/* The beginning of a character, and nothing behind it. */
static bool is_cut_off(const uint8_t *at, size_t left) {
    if (sequence_length(at[0]) <= left || (left > 1 && !second_fits(at[0], at[1]))) return false;
    return left < 3 || (at[2] & 0xC0) == 0x80;
}

void tr_utf8_mend(char *text) {
    uint8_t *at = (uint8_t *)text;
    for (size_t left = strlen(text); left > 0;) {
        size_t length = sequence(at, left);
        if (length == 0 && is_cut_off(at, left)) {
            *at = '\0';
            return;
        }
        if (length == 0) *at = '?';
        length = length == 0 ? 1 : length;
        at += length;
        left -= length;
    }
}

bool tr_utf8_is_control(const char *at) {
    unsigned char first = (unsigned char)at[0];
    return first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char)at[1] < 0xa0);
}
