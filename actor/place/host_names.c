/* The names of the application as a process has them: mapped, or, in one-process mode, made. */
#include <sys/mman.h>

#include "place/host_parts.h"

/* The beginning is the keeper's: nobody here is to write there, not even by mistake. */
static bool protect(struct tr_host *host) {
    return mprotect(host->names_memory, tr_names_keepers_size(host->node_count), PROT_READ) == 0;
}

bool tr_host_names_open(struct tr_host *host, int descriptor, uint64_t incarnation) {
    bool given = descriptor >= 0;
    int flags = given ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, tr_names_size(host->node_count), PROT_READ | PROT_WRITE, flags, descriptor, 0);
    if (memory == MAP_FAILED) return false;
    host->names_memory = memory;
    tr_names_open(&host->names, memory, host->node_count, host->own, incarnation);
    return !given || protect(host);
}

void tr_host_names_close(struct tr_host *host) {
    if (host->names_memory == NULL) return;
    tr_names_close(&host->names);
    munmap(host->names_memory, tr_names_size(host->node_count));
}
