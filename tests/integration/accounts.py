#!/usr/bin/env python3
"""Contract 3 across processes: what was sent is handled, a dead letter, or in doubt, and nobody counts it
twice. A source counts what was taken and what came back; sinks in processes write down what they handle,
and are killed again and again; the keeper counts for itself. All three must agree.
"""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import SLOWNESS, Application, balanced, check, run  # noqa: E402

SEED = int(os.environ.get("TROUPE_SEED", "8"))
KILLS = int(os.environ.get("TROUPE_KILLS", "50"))
SINKS = 2


def config(directory, delivery, place, numbers):
    return {"tree": {"restarts": 100000, "within": "1s", "children": [
        {"name": "sink", "actor": "sink", "count": SINKS, "place": place, "delivery": delivery,
         "args": {"directory": directory}},
        {"name": "source", "actor": "source", "args": {"numbers": numbers, "gate": directory + "/gate"}}]}}


def records(app, sink):
    with open(os.path.join(app.directory.name, str(sink)), "rb") as file:
        data = file.read()
    return [value for value, in struct.iter_unpack("=Q", data[:len(data) // 8 * 8])]


def play(delivery, place, kills=KILLS):
    """Kills the sinks in turn, each once it has started again; then opens the gate."""
    chance = random.Random(SEED)
    app = Application("tally", lambda directory: config(directory, delivery, place, 1000 * (kills + 1)))
    app.own = ["gate"] + [str(sink) for sink in range(SINKS)]
    since = [0] * SINKS
    app.wait_for("^begun")
    for number in range(kills):
        sink = number % SINKS
        _, since[sink] = app.wait_for(rf"process /sink/{sink} pid", since[sink])
        app.read_for(chance.random() * 0.02 * SLOWNESS)
        check(app.kill(f"/sink/{sink}"), "no process to kill", app)
    for sink in range(SINKS):
        app.wait_for(rf"process /sink/{sink} pid", since[sink])
    with open(os.path.join(app.directory.name, "gate"), "wb"):
        pass
    code = app.wait(60)
    check(code == 0, f"exit code {code}", app)
    source = {key: int(value) for key, value in
              (word.split("=") for word in app.find(r"^(taken=.*)")[0][1].split())}
    counts = app.counts()
    written = [records(app, sink) for sink in range(SINKS)]
    app.close()
    return source, counts, written


def test_the_default_delivery():
    for place in ("process", "tcp"):
        source, counts, written = play("at_most_once", place)
        all_written = [n for sink in written for n in sink]
        told = f"{place}: source {source}, keeper {counts}, {len(all_written)} written"
        check(balanced(counts), "unbalanced: " + told)
        check(len(set(all_written)) == len(all_written), "a number was handled twice: " + told)
        check(all(sink == sorted(sink) for sink in written), "out of order: " + told)
        in_doubt = source.get("in_doubt", 0)
        back = sum(value for key, value in source.items() if key not in ("taken", "refused", "readies"))
        # One in doubt was handled or not: all others that did not come back were.
        handled = source["taken"] - back
        check(handled <= len(all_written) <= handled + in_doubt, "the books differ: " + told)
        check(in_doubt == counts["in_doubt"] <= KILLS, "in doubt: " + told)
        check(source.get("node_died", 0) == counts.get("node_died", 0), "node_died: " + told)
        check(back > 0, "no kill hit a message: " + told)
    return told


def test_at_least_once():
    for place in ("process", "tcp"):
        source, counts, written = play("at_least_once", place)
        told = f"{place}: source {source}, keeper {counts}"
        check(balanced(counts), "unbalanced: " + told)
        check(set(source) == {"taken", "refused", "readies"}, "something came back: " + told)
        again = 0
        for sink, numbers in enumerate(written):
            first = list(dict.fromkeys(numbers))
            check(first == list(range(sink, source["taken"], SINKS)), "lost, or out of order: " + told)
            again += len(numbers) - len(first)
        check(again <= KILLS, f"{again} came twice: " + told)
    return f"{told}, {again} twice"


def test_nobody_dies():
    for place in ("thread", "inproc", "process", "tcp"):
        source, counts, written = play("at_most_once", place, kills=0) if place in ("process", "tcp") \
            else quiet(place)
        check(balanced(counts) and counts["dead_letters"] == 0 and counts["in_doubt"] == 0, str(counts))
        check(sum(map(len, written)) == source["taken"], f"{place}: {source}")


def quiet(place):
    app = Application("tally", lambda directory: config(directory, "at_most_once", place, 20000))
    app.own = ["gate"] + [str(sink) for sink in range(SINKS)]
    app.wait_for("^begun")
    with open(os.path.join(app.directory.name, "gate"), "wb"):
        pass
    check(app.wait() == 0, "it failed", app)
    source = {key: int(value) for key, value in
              (word.split("=") for word in app.find(r"^(taken=.*)")[0][1].split())}
    counts, written = app.counts(), [records(app, sink) for sink in range(SINKS)]
    app.close()
    return source, counts, written


run([test_nobody_dies, test_the_default_delivery, test_at_least_once])
