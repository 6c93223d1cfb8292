/* The lamp, tested with troupe/test.h: the test plays the bulb, and two minutes pass as soon as it says so. */
#include <stdio.h>
#include <stdlib.h>
#include <troupe/test.h>

#include "lamp.h"

static const struct troupe_actor_type *const actors[] = { &lamp_actor, NULL };
static const char tree[] = "tree: { children: [ { name: lamp, actor: lamp, args: { bulb: bulb } } ] }";

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

static troupe_test *begin(void) {
    troupe_test *kit = troupe_test_new(.actors = actors, .config = tree);
    require(troupe_register(troupe_test_self(kit), "bulb") == TROUPE_OK, "the test is found as the bulb");
    return kit;
}

static void move(troupe_test *kit) { troupe_send_empty(troupe_test_self(kit), troupe_test_lookup(kit, "/lamp"), motion); }

static void goes_on_and_off(void) {
    troupe_test *kit = begin();
    move(kit);
    require(troupe_test_expect(kit, shine)->on, "on when somebody moves");
    troupe_test_advance(kit, LAMP_TIME - TROUPE_SECOND);
    troupe_test_expect_nothing(kit);
    troupe_test_advance(kit, TROUPE_SECOND);
    require(!troupe_test_expect(kit, shine)->on, "off after two minutes");
    troupe_test_free(kit);
}

static void stays_on_while_somebody_moves(void) {
    troupe_test *kit = begin();
    for (int minute = 0; minute < 60; minute++) {
        move(kit);
        troupe_test_advance(kit, TROUPE_MINUTE);
    }
    require(troupe_test_expect(kit, shine)->on, "on when somebody moves");
    troupe_test_expect_nothing(kit);
    require(!troupe_test_expect_within(kit, LAMP_TIME, shine)->on, "off when nobody does any more");
    troupe_test_free(kit);
}

static void does_not_stay_on_after_a_failure(void) {
    troupe_test *kit = begin();
    move(kit);
    require(troupe_test_expect(kit, shine)->on, "on when somebody moves");
    troupe_test_crash(kit, troupe_test_lookup(kit, "/lamp"), "struck by lightning");
    require(!troupe_test_expect(kit, shine)->on, "off when it begins anew");
    require(troupe_test_expect_death(kit, "/lamp")->kind == TROUPE_DEATH_FAILED, "it had failed");
    troupe_test_free(kit);
}

int main(void) {
    goes_on_and_off();
    stays_on_while_somebody_moves();
    does_not_stay_on_after_a_failure();
    puts("the lamp works");
    return 0;
}
