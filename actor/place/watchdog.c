#include "place/watchdog.h"

#include <string.h>

#define LOOKS_MOST (INT64_C(1000) * 1000 * 1000)
#define LOOKS_LEAST (INT64_C(10) * 1000 * 1000)
enum { LOOKS = 4 }; /* in its patience, if that is short */

void tr_watchdog_reset(struct tr_watchdog *dog, int64_t patience, int64_t now) {
    memset(dog, 0, sizeof *dog);
    dog->patience = patience;
    dog->usual = patience / LOOKS;
    if (dog->usual > LOOKS_MOST) dog->usual = LOOKS_MOST;
    if (dog->usual < LOOKS_LEAST) dog->usual = LOOKS_LEAST;
    dog->looked = now;
}

/* Of a handler that is at work; another one, or none: it begins anew. */
static int64_t same_for(struct tr_watchdog *dog, const struct tr_flight_worker *worker, uint32_t index, int64_t passed) {
    uint32_t serial = atomic_load_explicit(&worker->current_serial, memory_order_acquire);
    bool busy = atomic_load_explicit(&worker->current_type, memory_order_acquire) != 0;
    bool same = busy && dog->workers[index].serial == serial;
    dog->workers[index].serial = serial;
    dog->workers[index].same = same ? dog->workers[index].same + passed : 0;
    return dog->workers[index].same;
}

enum tr_watchdog_verdict tr_watchdog_look(struct tr_watchdog *dog, const struct tr_flight *page, uint32_t workers,
                                          bool stopped, int64_t now, int64_t *lasted) {
    int64_t passed = now - dog->looked, longest = 0;
    if (passed > 2 * dog->usual) passed = 2 * dog->usual;
    dog->looked = now;
    dog->stopped = stopped ? dog->stopped + passed : 0;
    for (uint32_t i = 0; i < workers && i < TR_MAX_POOL; i++) {
        int64_t same = same_for(dog, &page->workers[i], i, passed);
        if (same > longest) longest = same;
    }
    *lasted = stopped ? dog->stopped : longest;
    if (*lasted < dog->patience) return TR_WATCHDOG_FINE;
    return stopped ? TR_WATCHDOG_STOPPED : TR_WATCHDOG_STUCK;
}
