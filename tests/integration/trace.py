#!/usr/bin/env python3
"""Contract 8: the trace of a program is the same wherever its actors run.

Compared are, for each pair of actors, the sequence of messages from one to the other, and for each actor
its starts and ends. Lines of different pairs may come in any order. Actors that code has spawned have an
address for a name; here they are named after the player that first spoke with them. Troupe's own actors,
one for each node, are left out.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, check, run  # noqa: E402

PLAY = {"tree": {"restarts": 100, "children": [
    {"name": "player", "actor": "player", "count": 3, "restart": "transient"},
    {"name": "director", "actor": "director", "restart": "transient", "args": {"acts": 6, "lines": 40}}]}}
MESSAGE = re.compile(r"(message|ask|reply) (\S+) -> (\S+) (.*)")


def rename(lines):
    names = {}
    for line in lines:
        found = MESSAGE.match(line)
        if found and found[3].startswith("/extra/") and found[3] not in names:
            names[found[3]] = "/extra of " + found[2]
    return [re.sub(r"/extra/\S+", lambda found: names.get(found[0], "an extra nobody spoke with"), line)
            for line in lines]


def by_pair(lines):
    """{pair or actor: [what happened, in order]}"""
    sequences = {}
    for line in rename([line for line in lines if "/tr_" not in line]):
        found = MESSAGE.match(line)
        if found:
            sequences.setdefault((found[2], found[3]), []).append(found[1] + " " + found[4])
        else:
            what, actor = line.split(" ", 1)
            sequences.setdefault(actor, []).append(what)
    return sequences


def differences(a, b):
    told = []
    for key in sorted(set(a) | set(b), key=str):
        left, right = a.get(key, []), b.get(key, [])
        if left != right:
            at = next((i for i, (x, y) in enumerate(zip(left, right)) if x != y), min(len(left), len(right)))
            told.append(f"{key}: {len(left)} and {len(right)} lines; at {at}: {left[at:at + 2]}, "
                        f"{right[at:at + 2]}")
    return told


def trace(*options, env=None):
    app = Application("conversation", PLAY, "--trace", "trace", *options, env=env)
    app.own = ["trace"]
    code = app.wait()
    check(code == 0, f"{options}: exit code {code}", app)
    check(app.find(r"^heard \d+$"), f"{options}: the play did not end", app)
    with open(os.path.join(app.directory.name, "trace"), encoding="ascii") as file:
        lines = file.read().splitlines()
    app.close()
    return lines


REFERENCE = trace("--threads", "1")


def compare(*options, env=None):
    found = differences(by_pair(REFERENCE), by_pair(trace(*options, env=env)))
    check(not found, f"{options} {env or ''}: other than on direct:\n" + "\n".join(found))


def everywhere(env=None):
    for place in PLACES:
        compare("--place", f"/player/*={place}", env=env)
    compare("--place", "/player/0=process", "--place", "/player/1=tcp", "--place", "/director=inproc", env=env)
    compare("--place", "/player/*={ process: shared }", "--place", "/director=spawn", env=env)
    compare("--one-process", "--place", "/player/*=process", env=env)
    return f"{len(REFERENCE)} lines, {len(PLACES) + 3} placements"


def test_everywhere():
    return everywhere()


def test_everywhere_serialised():
    return everywhere({"TROUPE_SERIALIZE": "always"})


def test_it_is_not_trivial():
    events = by_pair(REFERENCE)
    check(events[("/director", "/player/0")].count("ask question{act: 0, fatal: false}") == 1, "no ask")
    check(events["/player/0"].count("failed") == 4, f"other failures: {events['/player/0']}")
    check(events["/extra of /player/0"] == ["start", "stopped"], "no extra")
    check(len(events[("/player/2", "/director")]) > 200, "hardly any messages")


def test_a_changed_trace_is_noticed():
    lines = REFERENCE
    pair = [i for i, line in enumerate(lines) if line.startswith("message /director -> /player/1 line")]
    life = lines.index("failed /player/2")
    swapped = list(lines)
    swapped[pair[3]], swapped[pair[4]] = swapped[pair[4]], swapped[pair[3]]
    changes = {"reordered": swapped, "missing": lines[:pair[5]] + lines[pair[5] + 1:],
               "twice": lines[:pair[5]] + lines[pair[5]:pair[5] + 1] + lines[pair[5]:],
               "no failure": lines[:life] + lines[life + 1:]}
    for name, changed in changes.items():
        check(differences(by_pair(lines), by_pair(changed)), f"{name}: not noticed")
    # Lines of different pairs have no order: the whole trace, sorted by pair, is the same trace.
    other = sorted(lines, key=lambda line: line.split("{")[0].split(" ", 1)[1].rsplit(" ", 1)[0])
    check(not differences(by_pair(lines), by_pair(other)), "the order between pairs should not matter")
    return f"{len(changes)} changes"


run([test_everywhere, test_everywhere_serialised, test_it_is_not_trivial, test_a_changed_trace_is_noticed])
