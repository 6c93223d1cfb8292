#!/usr/bin/env python3
"""Monitors and links in every place: the scenarios of OTP's own suites (process, link, monitor, signal) that have a
meaning here, each with the same expectation wherever the actors are."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, check, run  # noqa: E402

PROCESSES = ("process", "spawn", "tcp")


def direct(place, steps, restart="permanent"):
    """Steps are "0 monitor 1 = ok": what is to be done, and what must come of it."""
    orders, expected = zip(*(step.split(" = ") for step in steps))
    app = Application("links", {"tree": {"restarts": 1000, "within": "1s", "children": [
        {"name": "player", "actor": "player", "count": 4, "place": place, "restart": restart},
        {"name": "director", "actor": "director", "args": {"orders": "; ".join(orders)}}]}})
    for number, result in enumerate(expected):
        app.wait_for(f"^{number} {result}$")
    check(app.wait() == 0, "exit code", app)
    app.close()


def everywhere(steps, places=PLACES, **options):
    for place in places:
        direct(place, steps, **options)
    return ", ".join(places)


def test_a_monitor_tells_once_how_it_ended():
    return everywhere([
        "0 monitor 1 = ok", "1 fail = ok", "0 hears = down /player/1 failed",
        "1 fail = ok", "0 greet 1 = ok",                   # its next run is not monitored; the one after that is
        "0 monitor 1 = ok", "1 exit = ok", "0 hears = down /player/1 done",
        "0 monitor 1 = ok", "2 stop 1 = ok", "0 hears = down /player/1 stopped by /player/2"])


def test_each_monitor_tells_and_what_is_taken_back_does_not():
    return everywhere([
        "0 monitor 1 = ok", "0 monitor 1 = ok", "0 monitor 1 = ok", "0 demonitor = ok", "0 demonitor = gone",
        "2 monitor 1 = ok", "1 fail = ok", "0 hears = down /player/1 failed", "0 hears = down /player/1 failed",
        "2 hears = down /player/1 failed", "2 demonitor = gone",
        "0 monitor 2 = ok", "2 exit = ok", "0 hears = down /player/2 done"])


def test_of_oneself_no_end_is_told():
    return everywhere(["0 monitor 0 = ok", "0 link 0 = ok", "0 unlink 0 = gone", "0 exit = ok", "0 monitor 1 = ok", "1 exit = ok",
                       "0 hears = down /player/1 done"])


def test_nobody_lives_there():
    return everywhere([
        "1 spawnmonitor = ok", "kid fail = died", "1 hears = down kid failed",
        "0 monitor kid = ok", "0 hears = down kid gone", "1 monitor kid = ok", "1 hears = down kid gone",
        "0 trap = ok", "0 link kid = ok", "0 hears = exited kid gone",
        "d monitor 2 = ok", "2 link kid = (ok|died)", "d hears = down /player/2 gone"])


def test_the_end_of_one_is_the_end_of_the_other():
    return everywhere([
        "0 trap = ok", "0 link 1 = ok", "1 link 2 = ok", "2 link 3 = ok", "d monitor 1 = ok",
        "3 fail = ok", "d hears = down /player/1 failed by /player/2",
        "0 hears = exited /player/1 failed by /player/2",
        "1 link 3 = ok", "d monitor 3 = ok", "0 stop 1 = ok", "d hears = down /player/3 stopped by /player/1"])


def test_links_have_two_ends():
    """Whoever made it, either end ends the other, or takes it back."""
    return everywhere([
        "0 link 1 = ok", "1 link 0 = ok", "d monitor 1 = ok", "0 fail = ok", "d hears = down /player/1 failed by /player/0",
        "0 link 1 = ok", "1 unlink 0 = ok", "0 fail = ok", "1 unlink 0 = gone",
        "0 link 1 = ok", "1 link 0 = ok", "0 unlink 1 = ok", "d monitor 1 = ok", "0 fail = ok", "1 exit = ok",
        "d hears = down /player/1 done"])


def test_a_normal_end_ends_nobody():
    return everywhere([
        "0 link 1 = ok", "2 trap = ok", "2 link 1 = ok", "d monitor 0 = ok", "1 exit = ok",
        "2 hears = exited /player/1 done", "0 unlink 1 = (ok|gone)", "0 exit = ok", "d hears = down /player/0 done"])


def test_who_traps_is_told():
    return everywhere([
        "0 trap = ok", "0 link 1 = ok", "1 fail = ok", "0 hears = exited /player/1 failed",
        "0 link 1 = ok", "2 stop 1 = ok", "0 hears = exited /player/1 stopped by /player/2",
        "0 link 1 = ok", "0 untrap = ok", "d monitor 0 = ok", "1 fail = ok", "d hears = down /player/0 failed by /player/1",
        "0 link 1 = ok", "d monitor 0 = ok", "1 fail = ok", "d hears = down /player/0 failed by /player/1"])


def test_unlinked_and_linked_at_once():
    return everywhere([
        "0 trap = ok", "0 link 1 = ok", "0 unlink 1 = ok", "0 link 1 = ok", "0 link 1 = ok", "1 fail = ok",
        "0 hears = exited /player/1 failed", "0 unlink 1 = gone",
        "0 link 1 = ok", "0 unlink 1 = ok", "1 fail = ok", "0 monitor 1 = ok", "1 exit = ok",
        "0 hears = down /player/1 done"])


def test_a_spawn_with_a_bond_leaves_no_gap():
    return everywhere([
        "0 spawnmonitor = ok", "kid exit = no_reply", "0 hears = down kid done",
        "0 trap = ok", "0 spawnlink = ok", "kid fail = died", "0 hears = exited kid failed",
        "1 spawnlink = ok", "0 monitor kid = ok", "1 fail = ok", "0 hears = down kid failed by /player/1"])


def test_the_end_comes_after_all_that_was_sent():
    return everywhere([
        "0 monitor 1 = ok", "1 burst 0 = ok", "0 hears = down /player/1 failed after 500",
        "0 trap = ok", "0 link 1 = ok", "1 burst 0 = ok", "0 hears = exited /player/1 failed after 1000"])


def test_not_started_again():
    return everywhere([
        "0 monitor 1 = ok", "1 exit = ok", "0 hears = down /player/1 done",
        "d monitor 2 = ok", "2 fail = ok", "d hears = down /player/2 failed"], restart="temporary")


def test_a_killed_process_is_known_by_its_signal():
    """noconnection, in OTP's words: for monitors and links, made from either side."""
    return everywhere([
        "0 monitor 1 = ok", "0 trap = ok", "0 link 1 = ok", "2 trap = ok", "1 link 2 = ok", "d monitor 3 = ok", "1 link 3 = ok",
        "1 die = died", "0 hears = down /player/1 signal 9", "0 hears = exited /player/1 signal 9",
        "2 hears = exited /player/1 signal 9", "d hears = down /player/3 signal 9 by /player/1",
        # the next incarnation knows nothing of all that
        "1 link 0 = ok", "1 fail = ok", "0 hears = exited /player/1 failed",
        "0 monitor 1 = ok", "1 exit = ok", "0 hears = down /player/1 done"], PROCESSES)


def test_bonds_end_with_the_process_of_either():
    return everywhere([
        "0 monitor 1 = ok", "0 link 1 = ok", "d monitor 1 = ok", "0 die = died", "d hears = down /player/1 signal 9 by /player/0",
        "0 monitor 1 = ok", "1 fail = ok", "0 hears = down /player/1 failed"], PROCESSES)



def test_a_node_that_ends_in_order_takes_its_kids_along():
    """It ends with the last of its configured actors."""
    steps = ["1 spawn = ok", "0 trap = ok", "0 monitor kid = ok", "0 link kid = ok", "1 exit = ok",
             "0 hears = down kid {0}", "0 hears = exited kid {0}", "0 monitor kid = ok", "0 hears = down kid (gone|unreachable)"]
    direct("inproc", [step.format("lost") for step in steps], restart="temporary")
    return everywhere([step.format("exited") for step in steps], PROCESSES, restart="temporary")


def test_killed_again_and_again():
    """Nothing is told twice, nothing is left out, and each incarnation begins without bonds."""
    rounds = ["0 monitor 1 = ok", "0 link 1 = ok", "1 link 2 = ok", "1 monitor 0 = ok", "1 die = died",
              "0 hears = down /player/1 signal 9", "0 hears = exited /player/1 signal 9",
              "2 hears = exited /player/1 signal 9"]
    return everywhere(["0 trap = ok", "2 trap = ok"] + 12 * rounds + ["0 monitor 1 = ok", "1 exit = ok", "0 hears = down /player/1 done"],
                      PROCESSES)


run([test_a_monitor_tells_once_how_it_ended, test_each_monitor_tells_and_what_is_taken_back_does_not,
     test_of_oneself_no_end_is_told, test_nobody_lives_there, test_the_end_of_one_is_the_end_of_the_other,
     test_links_have_two_ends, test_a_normal_end_ends_nobody, test_who_traps_is_told, test_unlinked_and_linked_at_once,
     test_a_spawn_with_a_bond_leaves_no_gap, test_the_end_comes_after_all_that_was_sent, test_not_started_again,
     test_a_killed_process_is_known_by_its_signal, test_bonds_end_with_the_process_of_either,
     test_a_node_that_ends_in_order_takes_its_kids_along, test_killed_again_and_again])
