/*
 * Runs a fuzz target over every file of the folders given: how the targets take part in the tests,
 * with any compiler. Each input is in an allocation of its own size, so that a sanitizer sees a
 * byte too many.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run_open(FILE *file, size_t size) {
    uint8_t *data = malloc(size);
    if (data == NULL && size != 0) return false;
    bool whole = fread(data, 1, size, file) == size;
    if (whole) (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return whole;
}

static bool run_file(const char *path) {
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    bool ran = fstat(fileno(file), &info) == 0 && run_open(file, (size_t)info.st_size);
    fclose(file);
    return ran;
}

/* The number of inputs, or -1 after saying what could not be read. */
static int run_folder(const char *folder) {
    char path[4096];
    int ran = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!run_file(path)) {
            fprintf(stderr, "%s: cannot be read\n", path);
            closedir(entries);
            return -1;
        }
        ran++;
    }
    if (entries == NULL) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    closedir(entries);
    return ran;
}

int main(int argc, char **argv) {
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int ran = run_folder(argv[i]);
        if (ran < 0) return 1;
        total += ran;
    }
    printf("ran %d inputs\n", total);
    return total > 0 ? 0 : 1;
}
