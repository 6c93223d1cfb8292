#!/usr/bin/env python3
"""All that an actor may use works in every place alike: one application, moved by its configuration alone."""
import os
import random
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, balanced, check, run  # noqa: E402

SEED = int(os.environ.get("TROUPE_SEED", "9"))
OWN = {"thread": "own"}
EVERYWHERE = (*PLACES, OWN, {"thread": "shared"}, {"process": "shared"},
              {"process": "shared", "start": "spawn"}, {"process": "own", "lane": "tcp", "start": "spawn"})
LIMIT = 64


def travel(place, rounds=2, count=2, big=1 << 20, gate=False, stumbles="", placement=None, restarts=0, **root):
    def config(directory):
        if gate:
            os.mkfifo(directory + "/gate")
        return {**root, "placement": placement or {}, "tree": {"restarts": restarts, "children": [
            {"name": "traveller", "actor": "traveller", "count": count, "place": place,
             "mailbox": {"limit": LIMIT},
             "args": {"gate": directory + "/gate" if gate else "", "limit": LIMIT, "big": big,
                      "stumbles": stumbles}},
            {"name": "guide", "actor": "guide", "args": {"rounds": rounds}}]}}
    return config


def start(*args, options=(), env=None, **keywords):
    app = Application("placements", travel(*args, **keywords), *options, env=env)
    if keywords.get("gate"):
        app.own = ["gate"]
    return app


def open_gate(app):
    os.close(os.open(os.path.join(app.directory.name, "gate"), os.O_WRONLY))


def arrives(app, rounds, count=2, receives="invalid", seconds=60):
    code = app.wait(seconds)
    check(code == 0, f"exit code {code}", app)
    for who in range(count):
        for number in range(rounds):
            check(f"/traveller/{who} round {number}: ok" in app.lines, f"no round {number} of {who}", app)
        check(app.find(f"^/traveller/{who} receives: {receives}"), "troupe_receive says otherwise", app)
    check(balanced(app.counts()), f"unbalanced: {app.counts()}", app)
    app.close()


def receives(place):
    return "ok" if place == OWN else "invalid"


def undisturbed(what, app, *args, **keywords):
    arrives(app, *args, **keywords)
    check(not app.find("failed"), f"{what}: a run failed", app)
    check(app.counts()["dead_letters"] == 0, f"{what}: {app.counts()}", app)


def test_every_place():
    for place in EVERYWHERE:
        undisturbed(place, start(place), 2, receives=receives(place))
    return f"{len(EVERYWHERE)} places"


def test_everybody_elsewhere():
    """The guide too, and all that may be said of threads is said."""
    settings = {"threads": 2, "pin": True, "spin": "50us", "work_threads": 1, "blocked": "never"}
    for place in EVERYWHERE:
        undisturbed(place, start("thread", placement={"/**": place}, **settings), 2, receives=receives(place))


def test_one_process():
    for place in EVERYWHERE:
        app = start(place, options=("--one-process",), pin=True, spin="0us")
        undisturbed(place, app, 2, receives=receives(place))


def test_packed_everywhere():
    for place in EVERYWHERE:
        undisturbed(place, start(place, env={"TROUPE_SERIALIZE": "always"}), 2, receives=receives(place))


def test_a_handler_that_blocks():
    """It is reported wherever it holds up others, and the end of it; an own thread holds up nobody."""
    for place in EVERYWHERE:
        app = start(place, rounds=1, count=1, gate=True, blocked="10ms")
        app.wait_for("^/traveller/0 holds")
        if place != OWN:
            app.wait_for("/traveller/0: has been handling hold for")
        open_gate(app)
        undisturbed(place, app, 1, 1, receives=receives(place))
        reports = len(app.find("/traveller/0: was handling hold"))
        check(reports == (place != OWN), f"{place}: {reports} reports of the end", app)


# ---- Deaths ----

STEPS = 11  # without the gate


def test_failures_in_every_step():
    for place in EVERYWHERE:
        app = start(place, count=STEPS, stumbles="fails", restarts=STEPS)
        arrives(app, 2, STEPS, receives=receives(place))
        for step in range(STEPS):
            stumbled = app.find(f"/traveller/{step}: failed: stumbled in step {step} ")
            check(stumbled, f"{step} did not stumble", app)
            check(f"/traveller/{step} round 0: died" in app.lines, f"the guide heard nothing of {step}", app)
        check(not app.find("not so: "), f"{place}: what should be is not so", app)


def test_kills_in_every_step():
    for place in ("process", "spawn", "tcp", {"process": "shared"}):
        app = start(place, count=STEPS, stumbles="is killed", restarts=1000)
        arrives(app, 2, STEPS)
        check(app.find("killed by signal 9"), "nobody stumbled", app)
        check(not app.find("not so: "), f"{place}: what should be is not so", app)


def survive(place, disturb, times):
    """Something happens to a traveller's process, again and again: the rounds go on, nothing is left."""
    app = start(place, rounds=1000000, count=2, big=200000, restarts=10000)
    for _ in range(times):
        app.wait_for("round .* ok", len(app.lines))
        app.read_for(random.uniform(0, 0.02))
        disturb(app)
    for who in range(2):
        app.wait_for(f"^/traveller/{who} round .* ok", len(app.lines))
    app.signal(signal.SIGTERM)
    code = app.wait()
    check(code == 0, f"exit code {code}", app)
    check(not app.find("not so: "), "what should be is not so", app)
    check(balanced(app.counts()), f"unbalanced: {app.counts()}", app)
    app.close()
    return len(app.find("round .* ok")), len(app.find("round .* died"))


def killer(*paths):
    def kill(app):
        path = random.choice(paths)
        if app.kill(path):
            app.wait_for(f"{path} .*killed by signal 9", len(app.lines))
    return kill


def test_kill():
    told = []
    kill = killer("/traveller/0", "/traveller/1")
    for place in ("process", "spawn", "tcp"):
        told.append("%s: %d rounds, %d died" % (place, *survive(place, kill, 20)))
    return "; ".join(told)


def test_kill_main():
    told = []
    for place in (OWN, "process"):
        told.append("%s: %d rounds, %d died" % (place, *survive(place, killer("main"), 8)))
    return "; ".join(told)


def test_stop_and_continue():
    def pause(app):
        path = random.choice(list(app.paths))
        app.kill(path, signal.SIGSTOP)
        app.read_for(random.uniform(0, 0.2))
        app.kill(path, signal.SIGCONT)
    told = []
    for place in (OWN, "process", "spawn"):
        told.append("%s: %d rounds, %d died" % (place, *survive(place, pause, 10)))
    return "; ".join(told)


def test_cores_may_be_taken_away():
    """What was no mistake when the application began is none when a process is started again."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return "one core only"
    for place in ("process", "spawn"):
        app = start(place, rounds=1000000, restarts=3, pin=cores)
        app.wait_for("^/traveller/0 round .* ok")
        os.sched_setaffinity(app.process.pid, cores[:1])
        app.kill("/traveller/0")
        _, since = app.wait_for("/traveller/0: started again")
        os.sched_setaffinity(app.process.pid, cores)
        app.wait_for("^/traveller/0 round .* ok", since)
        app.signal(signal.SIGTERM)
        code = app.wait()
        check(code == 0, f"exit code {code}", app)
        app.close()
    return f"{len(cores)} cores"


random.seed(SEED)
run([test_every_place, test_everybody_elsewhere, test_one_process, test_packed_everywhere,
     test_a_handler_that_blocks, test_failures_in_every_step, test_kills_in_every_step, test_kill,
     test_kill_main, test_stop_and_continue, test_cores_may_be_taken_away])
