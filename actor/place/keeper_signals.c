/*
 * Signals that the application gets, and that its actors may have asked for.
 *
 * The keeper knows nothing of actors: it passes them on to main, and main answers whether anybody there has
 * asked. If nobody has, the signal does to the keeper what it would have done, which is as a rule to end it,
 * and with it the application. So it is when main is not there to be asked, or ends without an answer; but
 * what comes while the application ends in order is over with it.
 *
 * Of one signal one message at a time is on its way to main: what comes meanwhile is counted, and goes with
 * the next. So nobody can fill main's socket by sending signals.
 */
#include <string.h>

#include "place/keeper_driver.h"
#include "place/signals.h"
#include "services/signals.h"

static struct tr_ward *find_main(struct tr_driver *driver) {
    for (size_t i = 0; i < driver->ward_count; i++)
        if (driver->wards[i].spec->kind == TR_NODE_MAIN) return &driver->wards[i];
    return NULL;
}

/* One that this process had blocked before would have waited, and does. While all ends in order, those who
 * had asked for it may have stopped already. */
static void unwanted(const struct tr_driver *driver, int number) {
    if (tr_keeper_is_stopping(driver->keeper)) return;
    if (sigismember(&driver->mask_before, number) == 0) tr_signal_unwanted(number);
}

static void ask_main(struct tr_driver *driver, struct tr_ward *main, int number) {
    struct tr_signal_asked *asked = &driver->asked[number];
    struct tr_control message = { .type = TR_CONTROL_SIGNAL, .signal = number, .times = asked->times };
    *asked = (struct tr_signal_asked){ .passed = true };
    tr_ward_send(driver, main, &message);
}

void tr_driver_signal(struct tr_driver *driver, int number) {
    struct tr_ward *main = find_main(driver);
    if (main == NULL || main->control < 0) {
        unwanted(driver, number);
        return;
    }
    driver->asked[number].times++;
    if (!driver->asked[number].passed) ask_main(driver, main, number);
}

bool tr_driver_signal_answered(struct tr_driver *driver, struct tr_ward *ward,
                               const struct tr_control *message) {
    struct tr_signal_asked *asked = &driver->asked[message->signal];
    if (message->type != TR_CONTROL_SIGNAL_ANSWER || ward->spec->kind != TR_NODE_MAIN || !asked->passed)
        return false;
    asked->passed = false;
    if (!message->taken) unwanted(driver, message->signal);
    if (asked->times > 0) ask_main(driver, ward, message->signal);
    return true;
}

void tr_driver_main_ended(struct tr_driver *driver, bool in_order) {
    for (int number = 1; number < NSIG; number++) {
        bool open = driver->asked[number].passed;
        driver->asked[number] = (struct tr_signal_asked){ 0 };
        if (open && !in_order) unwanted(driver, number);
    }
}
