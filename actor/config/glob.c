/*
 * Globs over paths of the tree: "/counter/" and a star, "/" and two stars. Both levels (parts of a
 * path, letters of a part) are matched in the same way: on a mismatch go back to the last star and
 * let it take one more. That is complete, and at worst quadratic: no glob can make it slow.
 */
#include "config/glob.h"

#include <string.h>

#include "config/config.h"

/* The part of a path that begins at `text`; parts are what stands between slashes. */
static size_t part_size(const char *text) {
    return strcspn(text, "/");
}

static const char *next_part(const char *text) {
    text += part_size(text);
    return *text == '/' ? text + 1 : text;
}

static bool is_deep(const char *part) {
    return part_size(part) == 2 && part[0] == '*' && part[1] == '*';
}

static bool match_part(const char *glob, const char *part) {
    const char *glob_end = glob + part_size(glob), *part_end = part + part_size(part);
    const char *star = NULL, *taken = NULL;
    while (part < part_end) {
        if (glob < glob_end && *glob == '*') {
            star = ++glob;
            taken = part;
        } else if (glob < glob_end && *glob == *part) {
            glob++;
            part++;
        } else if (star != NULL) {
            glob = star;
            part = ++taken;
        } else {
            return false;
        }
    }
    while (glob < glob_end && *glob == '*') glob++;
    return glob == glob_end;
}

bool tr_glob_match(const char *glob, const char *path) {
    const char *deep = NULL, *taken = NULL;
    if (*glob != '/' || *path != '/') return false;
    glob++;
    path++;
    while (*path != '\0') {
        if (is_deep(glob)) {
            deep = glob = next_part(glob);
            taken = path;
        } else if (*glob != '\0' && match_part(glob, path)) {
            glob = next_part(glob);
            path = next_part(path);
        } else if (deep != NULL) {
            glob = deep;
            path = taken = next_part(taken);
        } else {
            return false;
        }
    }
    while (is_deep(glob)) glob = next_part(glob);
    return *glob == '\0';
}

static bool is_name_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

const char *tr_glob_check(const char *glob) {
    if (*glob != '/') return "must begin with '/'";
    if (strlen(glob) > TR_GLOB_MAX) return "is longer than 256 bytes";
    for (const char *part = glob; *part == '/'; part += part_size(part)) {
        size_t size = part_size(++part);
        if (size == 0) return "has an empty part";
        for (size_t i = 0; i < size; i++) {
            if (part[i] != '*' && !is_name_letter(part[i]))
                return "has a character that no name has";
        }
        if (is_deep(part) && is_deep(next_part(part))) return "has '**' twice in a row";
        if (memmem(part, size, "**", 2) != NULL && size != 2) return "has '**' within a part";
    }
    return NULL;
}

struct tr_glob_rank tr_glob_rank(const char *glob) {
    struct tr_glob_rank rank = { 0 };
    for (const char *part = glob + 1; *part != '\0'; part = next_part(part)) {
        uint32_t stars = 0;
        for (size_t i = 0; i < part_size(part); i++) stars += part[i] == '*';
        if (is_deep(part)) {
            rank.deep++;
        } else {
            rank.stars += stars;
        }
        if (stars == 0) rank.literal++;
    }
    return rank;
}

int tr_glob_compare(struct tr_glob_rank a, struct tr_glob_rank b) {
    if (a.literal != b.literal) return a.literal < b.literal ? -1 : 1;
    if (a.deep != b.deep) return a.deep > b.deep ? -1 : 1;
    if (a.stars != b.stars) return a.stars > b.stars ? -1 : 1;
    return 0;
}
