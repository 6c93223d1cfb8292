/*
 * Mirrors: run, sleep_until_noticed, tr_monitor_notice (actor/core/monitor.c); become_idle, become_busy, park,
 * tr_wake_one (actor/core/worker.c). A change there must change this model.
 *
 * Two workers that go to sleep and are woken by work from outside; what they run then never returns. The
 * monitor looks once with every worker idle before it sleeps, which is as good as any other number. Its mutex
 * is taken by whoever found it asleep, and given up while it waits: the signal is that `waiting` ends.
 *
 * Shown: the monitor is not left asleep while a worker is stuck, however the two meet.
 *
 * BUG 1: the mask is not looked at again between saying that it is asleep and sleeping.
 * BUG 2: a worker looks whether the monitor is asleep before it has left the mask.
 * BUG 3: who wakes the monitor does not take the mutex.
 */
#ifndef BUG
#define BUG 0
#endif
#define WORKERS 2
#define ALL 3
#ifndef JOBS
#define JOBS 2 /* from outside: each makes a worker stuck */
#endif

byte mask;            /* idle workers */
byte wakes[WORKERS];
byte jobs, stuck;
bool asleep, waiting, mutex;

inline lock() { atomic { !mutex -> mutex = true } }

/* A worker that is no longer on the mask: tr_monitor_notice. */
inline notice(seen) {
    if
    :: asleep ->
        atomic { seen = asleep; asleep = false }
        if
        :: seen ->
#if BUG != 3
            lock();
#endif
            waiting = false;
#if BUG != 3
            mutex = false
#endif
        :: else
        fi
    :: else
    fi;
    seen = false
}

/* Work comes, and an idle worker is woken for it: tr_wake_one. */
proctype outside() {
    byte i;
    do
    :: jobs < JOBS ->
        jobs++;
        atomic {
            i = 0;
            do
            :: i < WORKERS && !(mask & (1 << i)) -> i++
            :: else -> break
            od;
            if
            :: i < WORKERS -> mask = mask & ~(1 << i)
            :: else
            fi
        }
        if
        :: i < WORKERS -> wakes[i]++
        :: else
        fi
    :: break
    od
}

proctype worker(byte me) {
    bool seen;
    do
    :: atomic { jobs > stuck -> stuck++ };
end_stuck: false
    :: else ->
        mask = mask | (1 << me);
        if
        :: jobs > stuck
        :: else ->
end_asleep: atomic { wakes[me] > 0 -> wakes[me] = 0 }
        fi;
#if BUG == 2
        notice(seen);
#endif
        mask = mask & ~(1 << me);
#if BUG != 2
        notice(seen)
#endif
    od
}

proctype monitor() {
    bool idle;
    do
    :: idle = mask == ALL;      /* a look */
        if
        :: idle ->
            lock();
            asleep = true;
#if BUG != 1
            if
            :: mask == ALL && asleep ->
#endif
                atomic { waiting = true; mutex = false };
end_waits:      !waiting;
                lock();
#if BUG != 1
            :: else
            fi;
#endif
            asleep = false;
            mutex = false
        :: else
        fi
    od
}

init {
    atomic {
        run monitor(); run outside(); run worker(0); run worker(1)
    }
    timeout -> assert(!(waiting && stuck > 0) && stuck == jobs)
}
