#include "place/title.h"

#include <linux/prctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Fields of /proc/self/stat, see proc(5). */
enum {
    FIRST_FIELD = 3, /* behind the name, which may hold anything */
    START_CODE = 26, END_CODE, START_STACK, START_DATA = 45, END_DATA, START_BRK, ARG_START, ARG_END, ENV_START, ENV_END,
    FIELDS
};

static void set_short(const char *path) {
    static const char prefix[] = "troupe:";
    char name[16];
    size_t room = sizeof name - sizeof prefix, size = strlen(path);
    snprintf(name, sizeof name, "%s%s", prefix, size > room ? path + (size - room) : path);
    prctl(PR_SET_NAME, name);
}

static bool split(char *text, uint64_t fields[FIELDS]) {
    char *rest = strrchr(text, ')'), *end;
    if (rest == NULL || rest[1] == '\0' || rest[3] == '\0') return false;
    rest += 4; /* ") S" */
    for (int i = FIRST_FIELD + 1; i < FIELDS; i++, rest = end) {
        fields[i] = strtoull(rest, &end, 10);
        if (end == rest) return false;
    }
    return true;
}

static bool read_fields(uint64_t fields[FIELDS]) {
    char text[2048];
    FILE *stat = fopen("/proc/self/stat", "re");
    if (stat == NULL) return false;
    size_t size = fread(text, 1, sizeof text - 1, stat);
    fclose(stat);
    text[size] = '\0';
    return split(text, fields);
}

/* All stays as it is, but for where the arguments are. */
static bool move_arguments(const char *title) {
    uint64_t at[FIELDS];
    if (!read_fields(at)) return false;
    struct prctl_mm_map map = { .start_code = at[START_CODE], .end_code = at[END_CODE],
                                .start_data = at[START_DATA], .end_data = at[END_DATA],
                                .start_brk = at[START_BRK], .brk = (uint64_t)(uintptr_t)sbrk(0),
                                .start_stack = at[START_STACK], .arg_start = (uint64_t)(uintptr_t)title,
                                .arg_end = (uint64_t)(uintptr_t)title + strlen(title) + 1, .env_start = at[ENV_START],
                                .env_end = at[ENV_END], .exe_fd = UINT32_MAX };
    return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0;
}

static void print_title(char title[TR_TITLE_SIZE], const char *application, const char *path) {
    size_t used = (size_t)snprintf(title, TR_TITLE_SIZE, "%.100s: ", application), size = strlen(path);
    size_t room = TR_TITLE_SIZE - 1 - used;
    snprintf(title + used, room + 1, "%s", size > room ? path + (size - room) : path);
}

void tr_process_title(const char *application, const char *path) {
    set_short(path);
    void *page = mmap(NULL, TR_TITLE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    print_title(page, application == NULL ? "troupe" : application, path);
    if (!move_arguments(page)) munmap(page, TR_TITLE_SIZE); /* else the kernel reads there as long as the process lives */
}
