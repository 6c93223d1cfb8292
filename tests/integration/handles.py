#!/usr/bin/env python3
"""Open descriptors in messages, to every place: they are the right ones, and none is left open, whatever becomes of
their messages and processes."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, balanced, check, run  # noqa: E402

CARRY, REFUSE = ("thread", "process", "spawn"), ("inproc", "tcp")


def play(scene, count, *options, delivery="at_most_once", env=None):
    config = {"tree": {"restarts": 100000, "within": "1s", "children": [
        {"name": "taker", "actor": "taker", "count": 3, "delivery": delivery, "place": "process"},
        {"name": "giver", "actor": "giver", "restart": "temporary", "args": {"scene": scene, "count": count}}]}}
    app = Application("handles", config, *options, env=env)
    code = app.wait(90)
    check(code == 0, f"{scene} {options}: exit code {code}", app)
    check(balanced(app.counts()), f"{scene} {options}: {app.counts()}", app)
    check(not app.find("another file than|no socket|not taken"), f"{scene} {options}: a wrong descriptor", app)
    ends = app.find(r"^ok (\d+) wrong (\d+)")
    check(len(ends) == 1, f"{scene} {options}: no end", app)
    check(ends[0][2] == "0", f"{scene} {options}: {ends[0][0]}", app)
    still_open = app.find(r"^open (\d+)")
    check(still_open and all(line[1] == "0" for line in still_open), f"{scene} {options}: some are left open", app)
    app.close()
    return int(ends[0][1]), app


def test_there_and_back():
    for place in CARRY:
        ok, _ = play("talk", 300, "--place", f"/taker/*={place}")
        check(ok == 300, f"{place}: {ok} came back")
    ok, _ = play("talk", 300, "--place", "/taker/*=thread", env={"TROUPE_SERIALIZE": "always"})
    check(ok == 300, f"packed: {ok} came back")


def test_refused_where_none_can_go():
    for place in REFUSE:
        ok, app = play("talk", 10, "--place", f"/taker/*={place}")
        check(ok == 0 and "refused invalid" in app.lines, f"{place}: not refused", app)
        check(app.find("file: a descriptor goes to actors of this node"), f"{place}: no reason in the log", app)


def test_taken_dropped_forwarded_and_failed():
    for place in CARRY:
        ok, _ = play("mixed", 600, "--place", f"/taker/*={place}")
        check(ok == 400, f"{place}: {ok} answers")  # all but the dropped and the failed


def test_one_to_many():
    for options in (["process"] * 3, ["thread"] * 3, ["thread", "process", "process"]):
        places = [part for i, place in enumerate(options) for part in ("--place", f"/taker/{i}={place}")]
        ok, _ = play("many", 100, *places)
        check(ok == 300, f"{options}: {ok} told")


def test_processes_that_are_killed_with_descriptors_on_their_way():
    ok, app = play("deaths", 500)
    died = len(app.find("keeper: .* killed by signal 9"))
    check(died > 20, f"only {died} died", app)
    return f"{died} died"


def test_delivered_again_with_them():
    ok, app = play("again", 400, delivery="at_least_once")
    died = len(app.find("keeper: .* killed by signal 9"))
    check(ok >= 400 and died > 10, f"{ok} told, {died} died", app)
    return f"{ok} deliveries, {died} died"


def test_a_receiver_that_has_no_room_for_them():
    ok, app = play("starve", 20, "--place", "/taker/*=process")
    check("undelivered 20" in app.lines, "not all were dead", app)
    check(ok == 20, f"{ok} came back afterwards", app)
    check(app.counts()["limit"] == 20, f"{app.counts()}", app)
    check(app.find("its descriptors did not arrive"), "no reason in the log", app)


run([test_there_and_back, test_refused_where_none_can_go, test_taken_dropped_forwarded_and_failed, test_one_to_many,
     test_processes_that_are_killed_with_descriptors_on_their_way, test_delivered_again_with_them,
     test_a_receiver_that_has_no_room_for_them])
