#!/usr/bin/env python3
"""Deaths and ends of whole programs: who is told, who starts again, and that nothing is left."""
import os
import random
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, SLOWNESS, Application, abstract_sockets, check, run  # noqa: E402

SEED = int(os.environ.get("TROUPE_SEED", "8"))


def fates(fate="none", times=0, count=2, rounds=3, end=True, place="process", pause=1, **rest):
    tree = {"restarts": 1000, "within": "1s", "children": [
        {"name": "victim", "actor": "victim", "count": count, "place": place,
         "args": {"fate": fate, "times": times}},
        {"name": "prompter", "actor": "prompter", "args": {"rounds": rounds, "pause": pause, "end": end}}]}
    tree.update(rest.pop("tree", {}))
    return {"tree": tree, **rest}


def ends(app, code):
    got = app.wait()
    check(got == code, f"exit code {got}, not {code}", app)
    app.close()


# ---- Deaths ----

# exit() in a handler leaves everything where it is.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def test_a_killed_child_is_started_again():
    app = Application("fates", fates(rounds=0))
    app.wait_for("^round 2 ok")
    check(app.kill("/victim/1"), "no process", app)
    app.wait_for(r"/victim/1: failed: killed by signal 9 \(SIGKILL\).*; up \d+\.\d{3} s$")
    _, since = app.wait_for(r"process /victim/1 pid \d+ started \(incarnation 2\)")
    app.wait_for(r"/victim/1: started again \(restart 1\)", since)
    app.wait_for("^round .* ok", len(app.lines))
    app.signal(signal.SIGTERM)
    ends(app, 0)


def test_what_a_handler_can_do_to_its_process():
    told = {"segv": r"killed by signal 11 \(SIGSEGV\) while handling act",
            "abort": r"killed by signal 6 \(SIGABRT\) while handling act",
            "exit": "exited with code 3 while handling act",
            "exit0": "exited without being asked to while handling act"}
    for fate, line in told.items():
        app = Application("fates", fates(fate, times=1, count=1), env=NO_LEAK_CHECK)
        app.wait_for("/victim/0: failed: " + line)
        app.wait_for("^round 0 died")
        app.wait_for("^round 2 ok")
        ends(app, 0)
    return ", ".join(told)


def test_what_a_handler_can_do_to_main():
    """Everything starts again, and again: a victim in main is in its first run each time."""
    for fate, line in {"segv": r"killed by signal 11 \(SIGSEGV\)", "abort": r"killed by signal 6 \(SIGABRT\)",
                       "exit": "exited with code 3"}.items():
        app = Application("fates", fates(fate, times=1, count=1, place="thread",
                                         tree={"restarts": 2, "within": "1m"}), env=NO_LEAK_CHECK)
        for _ in range(3):
            app.wait_for(r"main \(node 1, incarnation 3\): " + line + " while handling act")
        app.wait_for(r"main died too often \(more than 2 times in 60000 ms\)")
        ends(app, 2)


def test_main_killed():
    app = Application("fates", fates(rounds=0, tree={"restarts": 1, "within": "1m"}))
    app.wait_for("^round 1 ok")
    check(app.kill("main"), "no main", app)
    _, since = app.wait_for(r"process main pid \d+ started \(incarnation 2\)")
    app.wait_for("^round 1 ok", since)
    check(app.kill("main"), "no main", app)
    app.wait_for("giving up", since)
    ends(app, 2)


def test_keeper_killed():
    for place in ("process", "spawn", "tcp"):
        app = Application("fates", fates(rounds=0, count=3, place=place))
        app.wait_for("^round 1 ok")
        check(len(app.paths) == 4, "not all processes were announced", app)
        app.signal(signal.SIGKILL)
        app.wait_all_gone(1)
        ends(app, -signal.SIGKILL)


def test_gives_up():
    app = Application("fates", fates("fail", times=9, count=1, rounds=0, tree={"restarts": 3, "within": "1m"}))
    app.wait_for("gave up")
    ends(app, 2)
    app = Application("fates", fates("segv", times=9, count=1, rounds=0, tree={"restarts": 3, "within": "1m"}))
    app.wait_for("gave up")
    ends(app, 2)


# ---- The end ----

def test_signals():
    for number in (signal.SIGTERM, signal.SIGINT):
        for place in PLACES:
            app = Application("fates", fates(rounds=0, count=3, place=place))
            app.wait_for("^round 1 ok")
            app.signal(number)
            code = app.wait()
            stops = [found[1] for found in app.find("^stop (.*)")]
            check(code == 0, f"{place}: exit code {code}", app)
            check(stops == ["/prompter", "/victim/2", "/victim/1", "/victim/0"], f"{place}: {stops}", app)
            app.close()
    return f"{2 * len(PLACES)} ends, right to left"


def test_second_signal():
    for fate, place in (("stubborn", "process"), ("stubborn", "thread"), ("busy", "process")):
        app = Application("fates", fates(fate, times=9, rounds=0, count=1, place=place, shutdown="10m"))
        app.wait_for("^busy" if fate == "busy" else "^round 1 ok")
        app.signal(signal.SIGINT)
        app.wait_for("^stop /victim/0" if fate == "stubborn" else "^stop /prompter")
        app.signal(signal.SIGTERM)
        ends(app, 143)


def test_deadline():
    """Survivors are named by their paths, and killed."""
    for fate in ("busy", "stubborn"):
        for place in ("process", "thread", "inproc"):
            config = fates(fate, times=9, rounds=0, count=1, place=place, shutdown="300ms")
            config["tree"]["children"][0]["shutdown"] = "infinity"
            app = Application("fates", config)
            app.wait_for("^busy" if fate == "busy" else "^round 1 ok")
            app.signal(signal.SIGTERM)
            app.wait_for("did not stop in time.*/victim/0|/victim/0.*did not stop in time")
            ends(app, 137)


def test_an_actors_own_deadline():
    """A process that does not stop is killed by its supervisor's deadline; the end is in order then."""
    config = fates("stubborn", rounds=0, count=1)
    config["tree"]["children"][0]["shutdown"] = "100ms"
    app = Application("fates", config)
    app.wait_for("^round 1 ok")
    app.signal(signal.SIGTERM)
    ends(app, 0)


def test_one_process_does_not_hang():
    for fate in ("busy", "stubborn"):
        config = fates(fate, times=9, rounds=0, count=1, place="process", shutdown="300ms")
        config["tree"]["children"][0]["shutdown"] = "infinity"
        app = Application("fates", config, "--one-process", env=NO_LEAK_CHECK)
        app.wait_for("^busy" if fate == "busy" else "^round 1 ok")
        app.signal(signal.SIGTERM)
        app.wait_for("/victim/0.*did not stop in time")
        ends(app, 137)


# ---- At any time ----

def works_again(app):
    """A child that dies before it has started for the first time ends the start of its supervisor."""
    found, _ = app.wait_for("^round .* ok|main gives up", len(app.lines))
    return "gives up" not in found[0]


def kill_at_random(chance, number):
    """One run, killed somewhere at a random moment, start-up included; then told to stop."""
    place = chance.choice(["process", "spawn", "tcp"])
    app = Application("fates", fates(rounds=0, count=2, place=place, tree={"restarts": 1000, "within": "1s"}))
    app.read_for(chance.random() * 0.06 * SLOWNESS)
    victim = chance.choice(["/victim/0", "/victim/0", "/victim/1", "/victim/1", "main", "keeper"])
    if victim == "keeper":
        app.signal(signal.SIGKILL)
        code = app.wait()
        app.wait_all_gone(1)
        check(code == -signal.SIGKILL, f"run {number}: exit code {code}", app)
    elif app.kill(victim) and not works_again(app):
        code = app.wait()
        check(code == 2 and app.find("main gives up"), f"run {number}: {victim}: exit code {code}", app)
        victim += " while it started"
    else:
        app.wait_for("process main")  # before that, a signal ends a program as it ends any other
        app.signal(chance.choice([signal.SIGTERM, signal.SIGINT]))
        code = app.wait()
        # The keeper may hear of the signal before it hears of the death.
        late = code == 2 and app.find("main died while it was stopping")
        check(code == 0 or late, f"run {number}: {victim} killed, place {place}: exit code {code}", app)
    app.close()
    return victim


def test_random_kills():
    chance = random.Random(SEED)
    runs = int(os.environ.get("TROUPE_KILLS", "100" if SLOWNESS == 1 else "30"))
    killed = [kill_at_random(chance, number) for number in range(runs)]
    return f"seed {SEED}: " + ", ".join(f"{name} {killed.count(name)}" for name in sorted(set(killed)))


def test_no_socket_is_left():
    """Other programs of Troupe may run on this computer: sockets of theirs go when they go."""
    deadline = time.monotonic() + 20
    left = abstract_sockets() - SOCKETS
    while left and time.monotonic() < deadline:
        select.select([], [], [], 0.05)
        left &= abstract_sockets()
    check(not left, f"abstract sockets: {left}")


SOCKETS = abstract_sockets()
run([test_a_killed_child_is_started_again, test_what_a_handler_can_do_to_its_process,
     test_what_a_handler_can_do_to_main, test_main_killed, test_keeper_killed, test_gives_up,
     test_signals, test_second_signal, test_deadline, test_an_actors_own_deadline,
     test_one_process_does_not_hang, test_random_kills, test_no_socket_is_left])
