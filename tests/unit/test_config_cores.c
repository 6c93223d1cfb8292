/* `pin`, `spin`, `work_threads`: what they may be, on whatever cores this machine allows. */
#include "lib/config_test.h"

#include <sched.h>
#include <stdlib.h>

#include "core/flight.h"
#include "config/limits.h"

_Static_assert((int)TR_CONFIG_MAX_OWN == (int)TR_MAX_OWN, "what is checked is what there is room for");

/* The cores that this process may use, in order; ends with CPU_SETSIZE. */
static uint32_t cores[CPU_SETSIZE + 1], core_count, forbidden;

static int find_cores(void **state) {
    cpu_set_t set;
    (void)state;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    forbidden = UINT32_MAX;
    for (uint32_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &set)) cores[core_count++] = i;
        else if (forbidden == UINT32_MAX) forbidden = i;
    }
    return core_count > 0 ? 0 : -1;
}

static void defaults(void **state) {
    (void)state;
    struct tr_config *config = test_load("");
    assert_int_equal(config->core_count, 0);
    assert_int_equal(config->spin, 5 * TROUPE_MICROSECOND);
    assert_int_equal(config->work_threads, 8);
    tr_config_free(config);
    config = test_load("{ pin: false, spin: 0us, work_threads: 256 }");
    assert_int_equal(config->core_count, 0);
    assert_int_equal(config->spin, 0);
    assert_int_equal(config->work_threads, 256);
    tr_config_free(config);
}

static void all_cores(void **state) {
    (void)state;
    struct tr_config *config = test_load("pin: true");
    uint32_t expected = core_count < TR_CONFIG_MAX_CORES ? core_count : (uint32_t)TR_CONFIG_MAX_CORES;
    assert_int_equal(config->core_count, expected);
    for (uint32_t i = 0; i < expected; i++) assert_int_equal(config->cores[i], cores[i]);
    tr_config_free(config);
}

static void some_cores(void **state) {
    char text[64];
    (void)state;
    snprintf(text, sizeof text, "pin: [%u, %u, %u]", cores[core_count - 1], cores[0], cores[0]);
    struct tr_config *config = test_load(text);
    assert_int_equal(config->core_count, 3);
    assert_int_equal(config->cores[0], cores[core_count - 1]);
    assert_int_equal(config->cores[1], cores[0]);
    tr_config_free(config);
}

static void mistakes(void **state) {
    char text[64], line[256];
    (void)state;
    test_wrong("pin: maybe", "app.yaml:1:6: error: pin: expected true, false, or a list of cores, found 'maybe'\n");
    test_wrong("pin: []", "app.yaml:1:6: error: pin: expected 1 to 1024 cores, found 0\n");
    test_wrong("pin: [a]", "app.yaml:1:7: error: pin: expected the number of a core, found 'a'\n");
    test_wrong("pin: [[0]]", "app.yaml:1:7: error: pin: expected the number of a core, found a list\n");
    test_wrong("pin: [-1]", "app.yaml:1:7: error: pin: expected the number of a core, found '-1'\n");
    test_wrong("spin: 11ms", "app.yaml:1:7: error: spin: '11ms' is out of range; allowed: 0us to 10ms\n");
    test_wrong("spin: 5", "app.yaml:1:7: error: spin: '5' has no unit; allowed: 0us to 10ms\n");
    test_wrong("work_threads: 0", "app.yaml:1:15: error: work_threads: '0' is out of range; allowed: 1 to 256\n");
    if (core_count > 16 || forbidden == UINT32_MAX) return; /* the list would be cut off */
    char allowed[128] = "";
    for (uint32_t i = 0; i < core_count; i++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%u", i == 0 ? "" : ", ", cores[i]);
    }
    snprintf(text, sizeof text, "pin: [%u, %u]", cores[0], forbidden);
    snprintf(line, sizeof line,
             "app.yaml:1:%zu: error: pin: the core '%u' is not one that this process may use; allowed: %s\n",
             strchr(text, ',') - text + 3, forbidden, allowed);
    test_wrong(text, line);
}

/* In a process that the keeper has executed anew. */
static void checked_before(void **state) {
    char text[64];
    (void)state;
    if (forbidden == UINT32_MAX) skip();
    snprintf(text, sizeof text, "pin: [%u, %u]", cores[0], forbidden);
    struct tr_config_input input = { .text = text, .text_size = strlen(text), .actors = test_actors,
                                     .checked = true };
    struct tr_config *config = tr_config_load(&input, test_report, NULL);
    assert_non_null(config);
    assert_int_equal(config->core_count, 2);
    assert_int_equal(config->cores[1], forbidden);
    tr_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(all_cores),
        cmocka_unit_test(some_cores),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(checked_before),
    };
    return cmocka_run_group_tests(tests, find_cores, NULL);
}
