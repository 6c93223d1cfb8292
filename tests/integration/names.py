#!/usr/bin/env python3
"""Names: seen and taken from every node alike, freed by every kind of death, before anybody hears of it."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, SLOWNESS, Application, check, run  # noqa: E402

PROCESSES = ("process", "spawn", "tcp")
SHARED = {"thread": "shared"}


def direct(place, orders, times=1, tellers=3):
    """Carries the orders out, and compares what came of each: 'teller order = result'."""
    pairs = [line.rsplit(" = ", 1) for line in orders]
    app = Application("names", {"tree": {"restarts": 100000, "within": "1s", "children": [
        {"name": "teller", "actor": "teller", "count": tellers, "place": place},
        {"name": "director", "actor": "director",
         "args": {"orders": "; ".join(pair[0] for pair in pairs), "times": times}}]}})
    app.wait_for("^over", seconds=100)
    code = app.wait()
    told = [found[0].split(" ", 1) for found in app.find(r"^\d+ .*")]
    expected = [[str(number), pair[1]] for number, pair in enumerate(pairs)]
    for (number, result), (_, wanted) in zip(told, expected):
        check(result == wanted, f"{place}: {number}: {pairs[int(number)][0]}: {result}, not {wanted}", app)
    check(told == expected, f"{place}: {told[len(expected):]}", app)
    check(code == 0, f"{place}: exit code {code}", app)
    app.close()


def test_names_are_seen_from_every_node():
    for place in (*PLACES, SHARED):
        direct(place, [
            "1 lookup x = none", "0 register x = ok", "0 register x = ok", "d lookup x = /teller/0",
            "1 lookup x = /teller/0", "0 lookup x = /teller/0", "d call x = /teller/0",
            "1 register x = exists", "d register x = exists", "2 spawn x = exists", "d spawn x = exists",
            "1 unregister x = not_found", "0 register y = invalid", "0 unregister x = ok", "2 lookup x = none",
            "1 register x = ok", "0 lookup x = /teller/1", "d register self = ok", "0 lookup self = /director",
            "1 unregister x = ok", "d lookup x = none"])


def test_what_is_spawned_anywhere_is_found_everywhere():
    for place in (*PLACES, SHARED):
        direct(place, [
            "0 spawn kid = ok", "d call kid = /kid", "1 lookup kid = somebody", "1 spawn kid = exists",
            "d register kid = exists", "d quit kid = gone", "d lookup kid = none", "1 lookup kid = none",
            "1 spawn kid = ok", "d call kid = /kid", "d quit kid = gone"], times=5)


def test_the_trees_names_are_the_trees():
    for place in ("thread", "inproc", "process"):
        direct(place, ["0 register director = exists", "1 spawn teller/1 = invalid", "0 lookup director = /director",
                       "0 lookup /teller/2 = /teller/2", "d spawn director = exists"])


def test_a_restart_keeps_the_name():
    for place in (*PLACES, SHARED):
        direct(place, ["0 register x = ok", "0 fail x = died", "1 lookup x = /teller/0", "1 register x = exists",
                       "0 register x = ok", "0 unregister x = ok", "1 register x = ok", "1 unregister x = ok"])


def test_the_death_of_a_process_frees_its_names_before_it_is_told():
    """The director acts as soon as it hears of it, by itself and through others."""
    for place in PROCESSES:
        direct(place, ["0 register x = ok", "0 spawn kid = ok", "1 register y = ok", "0 die x = died",
                       "d lookup x = none", "d lookup kid = none", "d register x = ok", "1 lookup x = /director",
                       "1 lookup y = /teller/1", "1 spawn kid = ok", "0 register x = exists", "d unregister x = ok",
                       "0 register x = ok", "2 lookup x = /teller/0", "d call kid = /kid", "d quit kid = gone"])


def test_many_deaths():
    """The name is never lost, never doubled, and free again each time."""
    times = 500 if SLOWNESS == 1 else 20
    begun = time.monotonic()
    direct("process", ["0 register x = ok", "1 register x = exists", "0 die x = died", "1 register x = ok",
                       "d lookup x = /teller/1", "2 spawn kid = ok", "1 die x = died", "d lookup x = none",
                       "d call kid = /kid", "d quit kid = gone"], times=times)
    return f"{2 * times} deaths, {(time.monotonic() - begun) / 2 / times * 1000:.1f} ms each"


def test_a_stopped_process_holds_nobody_up():
    """It may be in the midst of anything: the others register and look up as before."""
    app = Application("names", {"tree": {"restarts": 1000, "within": "1s", "children": [
        {"name": "stopped", "actor": "teller", "place": "process"},
        {"name": "teller", "actor": "teller", "count": 2, "place": "process"},
        {"name": "director", "actor": "director", "args": {
            "orders": "0 register x; 1 lookup x; 0 unregister x; 1 register x; 1 unregister x", "times": 2000 if SLOWNESS == 1 else 200}}]}})
    app.wait_for("^4 ok")
    check(app.kill("/stopped", signal.SIGSTOP), "no process", app)
    app.wait_for("^over", seconds=60)
    check(app.kill("/stopped", signal.SIGCONT), "it is gone", app)
    check(app.wait() == 0, "exit code", app)
    check(len(app.find(r"^\d+ ")) == 5, "not the same each time", app)
    app.close()


run([test_names_are_seen_from_every_node, test_what_is_spawned_anywhere_is_found_everywhere,
     test_the_trees_names_are_the_trees, test_a_restart_keeps_the_name,
     test_the_death_of_a_process_frees_its_names_before_it_is_told, test_many_deaths,
     test_a_stopped_process_holds_nobody_up])
