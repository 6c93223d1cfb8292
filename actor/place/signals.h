/* Signals that actors may ask for (services/signals.h): what happens when none has. */
#ifndef TR_PLACE_SIGNALS_H
#define TR_PLACE_SIGNALS_H

/* Such a signal was read from a signalfd. Does what it would have done, had this thread not blocked it: as a
 * rule the process ends. */
void tr_signal_unwanted(int number);

#endif
