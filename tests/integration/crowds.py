#!/usr/bin/env python3
"""Groups and topics over processes: who is in is known everywhere, and nobody outlives his process."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, SLOWNESS, Application, balanced, check, run  # noqa: E402

MEMBERS, CROWD = 3, 300


def start(member, watcher, publisher="thread", crowd=CROWD):
    return Application("crowds", {"tree": {"restarts": 100000, "within": "1s", "children": [
        {"name": "member", "actor": "member", "count": MEMBERS, "place": member, "args": {"crowd": crowd}},
        {"name": "watcher", "actor": "watcher", "count": 2, "place": watcher},
        {"name": "publisher", "actor": "publisher", "place": publisher}]}})


def wait_times(app, pattern, times):
    deadline = time.monotonic() + 30 * SLOWNESS
    while len(app.find(pattern)) < times:
        check(time.monotonic() < deadline, f"not {times} times {pattern}: {app.find(pattern)[-5:]}", app)
        app.read_for(0.02)


def last_of(app, watcher):
    found = app.find(rf"^/watcher/{watcher} crowd \d+")
    return int(found[-1][0].split()[-1]) if found else -1


def wait_for_all(app, crowd):
    """Both watchers have last said so."""
    deadline = time.monotonic() + 30 * SLOWNESS
    while last_of(app, 0) != crowd or last_of(app, 1) != crowd:
        check(time.monotonic() < deadline, f"crowds {last_of(app, 0)}, {last_of(app, 1)}, not {crowd}", app)
        app.read_for(0.02)


def finish(app):
    app.signal(signal.SIGTERM)
    code = app.wait()
    check(code == 0, f"exit code {code}", app)
    check(balanced(app.counts()), f"unbalanced: {app.counts()}", app)
    check(not app.find("not in the order published"), "not in order", app)
    app.close()


def test_every_place():
    for place in PLACES:
        for watcher in ("thread", "process"):
            app = start(place, watcher, publisher=place)
            wait_for_all(app, MEMBERS * CROWD)
            for member in range(MEMBERS):
                app.wait_for(f"^/member/{member} hears")
            finish(app)


def test_nobody_outlives_his_process():
    """Killed at any moment; both watchers see all of a crowd go, and the next come."""
    kills = 20 if SLOWNESS == 1 else 4
    app = start("process", "process", publisher="process")
    wait_for_all(app, MEMBERS * CROWD)
    for member in range(MEMBERS):
        app.wait_for(f"^/member/{member} hears")
    begun = time.monotonic()
    for i in range(kills):
        lines = len(app.lines)
        check(app.kill(f"/member/{i % MEMBERS}"), "no process", app)
        deadline = time.monotonic() + 30 * SLOWNESS
        while True:
            seen = [line for line in app.lines[lines:] if f"crowd {(MEMBERS - 1) * CROWD}" in line]
            if all(any(line.startswith(f"/watcher/{w} ") for line in seen) for w in (0, 1)):
                break
            check(time.monotonic() < deadline, "a crowd is not missed", app)
            app.read_for(0.02)
        wait_for_all(app, MEMBERS * CROWD)
        wait_times(app, f"^/member/{i % MEMBERS} hears", 2 + i // MEMBERS)
    finish(app)
    return f"{kills} kills, {(time.monotonic() - begun) / kills * 1000:.0f} ms each until all have seen the next"


def test_killed_while_it_comes():
    """Whatever of its members was told already, and whatever is still on its way."""
    kills = 30 if SLOWNESS == 1 else 5
    app = start("process", "thread", crowd=2000)
    wait_for_all(app, MEMBERS * 2000)
    for i in range(kills):
        started = len(app.find(r"process /member/0 pid \d+ started"))
        check(app.kill("/member/0"), "no process", app)
        while len(app.find(r"process /member/0 pid \d+ started")) == started:
            app.read_for(0.02)
    wait_for_all(app, MEMBERS * 2000)
    finish(app)


def test_a_watcher_dies():
    app = start("process", "process")
    wait_for_all(app, MEMBERS * CROWD)
    for _ in range(5):
        seen = len(app.find(f"^/watcher/1 crowd {MEMBERS * CROWD}$"))
        check(app.kill("/watcher/1"), "no process", app)
        wait_times(app, f"^/watcher/1 crowd {MEMBERS * CROWD}$", seen + 1)
    finish(app)


def test_main_dies():
    """All begin anew, and know each other again."""
    app = start("process", "process", publisher="process")
    wait_for_all(app, MEMBERS * CROWD)
    seen = [len(app.find(f"^/watcher/{w} crowd {MEMBERS * CROWD}$")) for w in (0, 1)]
    check(app.kill("main"), "no process", app)
    for w in (0, 1):
        wait_times(app, f"^/watcher/{w} crowd {MEMBERS * CROWD}$", seen[w] + 1)
    finish(app)


run([test_every_place, test_nobody_outlives_his_process, test_killed_while_it_comes, test_a_watcher_dies,
     test_main_dies])
