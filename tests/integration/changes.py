#!/usr/bin/env python3
"""Actors that become, put aside, wait for silence and forward, in every place: the same in each."""
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, balanced, check, run  # noqa: E402

LETTERS, OPENED_AT = 40, 20


def play(places, crash=False, **options):
    customer, office, clerk = places
    return Application("changes", {"tree": {"restarts": 100, "children": [
        {"name": "clerk", "actor": "clerk", "place": clerk, "args": {"crash": crash}},
        {"name": "office", "actor": "office", "place": office},
        {"name": "customer", "actor": "customer", "place": customer, "restart": "transient"}]}}, **options)


def finish(app, places):
    code = app.wait()
    check(code == 0, f"{places}: exit code {code}", app)
    check(app.find(f"^opened {OPENED_AT + 1} of {OPENED_AT + 1}$"), f"{places}: not all were put aside", app)
    check(len(app.find(f"^silence after {LETTERS}$")) == 1, f"{places}: not one silence at the end", app)
    counts = app.counts()
    check(balanced(counts), f"{places}: unbalanced: {counts}", app)
    app.close()
    return counts


def undisturbed(places, **options):
    app = play(places, **options)
    app.wait_for(f"^ok {LETTERS} died 0$")
    counts = finish(app, places)
    check(counts["dead_letters"] == counts["in_doubt"] == 0, f"{places}: {counts}", app)


def test_every_place():
    for place in PLACES:
        undisturbed((place, place, place))


def test_mixed():
    """Each of the three on a node of its own or on another's, main included."""
    some = ("thread", "process", {"process": "shared"})
    for places in itertools.product(some, some, some):
        undisturbed(places)


def test_packed():
    for place in ("thread", "process"):
        undisturbed((place, place, place), env={"TROUPE_SERIALIZE": "always"})


def test_the_last_of_the_way_dies():
    """Whoever asked hears of it, though it was not asked by them; on the way through the office nothing is left."""
    for office in ("thread", "process"):
        for customer in ("thread", "process"):
            app = play((customer, office, "process"), crash=True)
            found, _ = app.wait_for(r"^ok (\d+) died (\d+)$")
            check(int(found[1]) + int(found[2]) == LETTERS and int(found[2]) > 0, found[0], app)
            finish(app, (customer, office))


run([test_every_place, test_mixed, test_packed, test_the_last_of_the_way_dies])
