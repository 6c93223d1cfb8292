#!/usr/bin/env python3
"""Large data is the same wherever its receiver runs, by single sends and by one to many: shared within a
node, packed to another, and back."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, balanced, check, run  # noqa: E402

PLAY = {"tree": {"children": [
    {"name": "sink", "actor": "sink", "count": 3},
    {"name": "source", "actor": "source", "restart": "temporary"}]}}
ROUNDS, SINKS = 16, 3


def said(*options, env=None):
    """Every line about data, in the order of rounds and sinks."""
    app = Application("bulk", PLAY, *options, env=env)
    code = app.wait(60)
    check(code == 0, f"{options}: exit code {code}", app)
    check(balanced(app.counts()) and app.counts()["dead_letters"] == 0, f"{options}: lost some", app)
    check(not app.find("never given to troupe_buffer_release"), f"{options}: buffers are left", app)
    app.close()
    return sorted(found[0] for found in app.find(r"^(/sink/\d|back) \d+ .*"))


REFERENCE = said()


def test_the_program_says_all():
    check(len(REFERENCE) == 2 * ROUNDS * SINKS, f"{len(REFERENCE)} lines")
    hashes = {line.split()[-1] for line in REFERENCE}
    check(len(hashes) == ROUNDS - 1, f"{len(hashes)} kinds of data")  # of nothing there is one kind


def test_everywhere():
    for place in PLACES:
        check(said("--place", f"/sink/*={place}") == REFERENCE, f"{place}: other data")
    mixed = said("--place", "/sink/1=process", "--place", "/sink/2=inproc")
    check(mixed == REFERENCE, "in different places: other data")


def test_packed():
    check(said(env={"TROUPE_SERIALIZE": "always"}) == REFERENCE, "packed: other data")


run([test_the_program_says_all, test_everywhere, test_packed])
