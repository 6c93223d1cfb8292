#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, FIRST_WORD = 64, LONGEST_WORD = 1024 * 1024 };

/* ---- Opening ---- */

static bool find_files(struct words *words, const char *const *patterns, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        int flags = GLOB_NOCHECK | (i > 0 ? GLOB_APPEND : 0);
        if (glob(patterns[i], flags, NULL, &words->files) == 0) continue;
        snprintf(words->error, sizeof words->error, "%s: cannot be listed", patterns[i]);
        return false;
    }
    return true;
}

/* Finds out now, before anything is counted, whether the files can be had. */
static bool add_up(struct words *words) {
    for (size_t i = words->first; i < words->files.gl_pathc; i += words->step) {
        const char *path = words->files.gl_pathv[i];
        struct stat status;
        bool found = stat(path, &status) == 0;
        if (found && S_ISREG(status.st_mode)) {
            words->of_bytes += (uint64_t)status.st_size * words->passes;
            continue;
        }
        snprintf(words->error, sizeof words->error, "%s: %s", path,
                 found ? "not a file" : strerror(errno));
        return false;
    }
    return true;
}

bool words_open(struct words *words, const char *const *patterns, uint32_t count, size_t first,
                size_t step, uint64_t passes) {
    *words = (struct words){ .first = first, .step = step > 0 ? step : 1, .file = first, .passes = passes };
    words->chunk = malloc(CHUNK);
    words->word = malloc(FIRST_WORD);
    words->capacity = FIRST_WORD;
    if (words->chunk == NULL || words->word == NULL) {
        snprintf(words->error, sizeof words->error, "out of memory");
        return false;
    }
    return find_files(words, patterns, count) && add_up(words);
}

void words_close(struct words *words) {
    if (words->open) close(words->fd);
    globfree(&words->files);
    free(words->chunk);
    free(words->word);
    *words = (struct words){ 0 };
}

/* ---- Reading ---- */

/* WORDS_PAUSE: a file is open. */
static enum words_step open_next(struct words *words) {
    if (words->file >= words->files.gl_pathc) {
        words->file = words->first;
        if (words->passes > 0) words->passes--;
    }
    if (words->passes == 0 || words->file >= words->files.gl_pathc) return WORDS_END;
    const char *path = words->files.gl_pathv[words->file];
    words->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (words->fd < 0) {
        snprintf(words->error, sizeof words->error, "%s: %s", path, strerror(errno));
        return WORDS_ERROR;
    }
    words->open = true;
    words->file += words->step;
    return WORDS_PAUSE;
}

static enum words_step finish_word(struct words *words, const char **word) {
    words->word[words->length] = '\0';
    words->length = 0;
    *word = words->word;
    return WORDS_ONE;
}

static enum words_step refill(struct words *words, const char **word) {
    if (!words->open) {
        enum words_step step = open_next(words);
        if (step != WORDS_PAUSE) return step;
    }
    ssize_t n = read(words->fd, words->chunk, CHUNK);
    if (n < 0 && errno == EINTR) return WORDS_PAUSE;
    if (n < 0) {
        snprintf(words->error, sizeof words->error, "reading: %s", strerror(errno));
        return WORDS_ERROR;
    }
    words->at = 0;
    words->end = (size_t)n;
    words->bytes += (uint64_t)n;
    if (n > 0) return WORDS_PAUSE;
    close(words->fd);
    words->open = false;
    return words->length > 0 ? finish_word(words, word) : WORDS_PAUSE;
}

static bool add_letter(struct words *words, char letter) {
    if (words->length + 1 == words->capacity) {
        char *longer = words->capacity < LONGEST_WORD ? realloc(words->word, 2 * words->capacity) : NULL;
        if (longer == NULL) {
            snprintf(words->error, sizeof words->error, "a word of more than %d letters", LONGEST_WORD);
            return false;
        }
        words->word = longer;
        words->capacity *= 2;
    }
    words->word[words->length++] = letter;
    return true;
}

enum words_step words_next(struct words *words, const char **word) {
    while (words->at < words->end) {
        char c = words->chunk[words->at++];
        char lower = (char)(c | 0x20);
        if (lower >= 'a' && lower <= 'z') {
            if (!add_letter(words, lower)) return WORDS_ERROR;
        } else if (words->length > 0) {
            return finish_word(words, word);
        }
    }
    return refill(words, word);
}
