#!/usr/bin/env python3
"""Processes that make no progress, or have too much memory: found, ended with the reason, and started again."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import SLOWNESS, Application, check, run  # noqa: E402

SANITIZED = bool(os.environ.get("TROUPE_SANITIZE"))
PATIENCE = f"{200 * SLOWNESS}ms"


def guise(place="thread", name="guise"):
    return {"name": name, "actor": "guise_actor", "place": place}


def teller(deed, to="/guise"):
    return {"name": "tells" + to.replace("/", "_"), "actor": "teller", "args": {"to": to, "deed": deed}}


def application(*children, main=None, **options):
    return Application("guises", {"tree": {"restarts": 5, "within": "1m", "children": list(children)},
                                  **({"main": main} if main else {})}, **options)


def stop(app):
    app.signal(15)
    check(app.wait() == 0, "the exit code", app)
    app.close()


def up_again(app, process="/guise"):
    _, since = app.wait_for(f"process {process} pid .*incarnation 2")
    app.wait_for("ready /guise", since=0)
    while len(app.find("ready /guise$")) < 2:
        app.wait_for("ready /guise$", since=len(app.lines))


def test_a_handler_without_end():
    """Its supervisor and people hear why; it said where it was; what it handled is named."""
    for place in ("fork", "spawn"):
        app = application(guise({"process": "own", "start": place, "watchdog": PATIENCE}), teller("spin"))
        up_again(app)
        found = app.find(r"keeper: /guise \(node \d+, incarnation 1\): watchdog: no progress for [\d.]+ s while handling "
                         r"do_it in /guise$")
        check(len(found) == 1, "the keeper's word", app)
        check(app.find(r"/guise failed: watchdog: no progress for .* while handling do_it in /guise") or
              app.find(r"warning /guise: .*watchdog: no progress for .* while handling do_it in /guise") or
              app.find(r"/guise: .*failed: watchdog: no progress for .*do_it in /guise"), "the supervisor's word", app)
        check(SANITIZED or app.find(r"killed by signal 6 \(SIGABRT\).*backtrace="), "no backtrace", app)
        stop(app)


def test_one_that_does_not_abort():
    app = application(guise({"process": "own", "watchdog": PATIENCE}), teller("deaf"))
    up_again(app)
    check(len(app.find(r"keeper: /guise .*incarnation 1\): watchdog: no progress")) == 1, "the keeper's word", app)
    stop(app)


def test_a_process_that_was_stopped():
    """Though it has nothing to do."""
    app = application(guise({"process": "own", "watchdog": PATIENCE}), teller("nothing"))
    app.wait_for("told /guise")
    app.wait_for("process /guise pid")
    app.kill("/guise", signal.SIGSTOP)
    up_again(app)
    check(len(app.find(r"keeper: /guise .*incarnation 1\): watchdog: it was stopped for [\d.]+ s$")) == 1, "why", app)
    stop(app)


def test_main():
    """It is started again, and everything with it."""
    app = application(guise(), teller("spin"), main={"watchdog": PATIENCE})
    app.wait_for(r"keeper: main \(node 1, incarnation 1\): watchdog: no progress for .* while handling do_it in /guise")
    app.wait_for("process main pid .*incarnation 2")
    app.wait_for(r"keeper: main \(node 1, incarnation 2\): watchdog", seconds=30)
    app.signal(15)
    app.signal(15)
    app.wait()
    app.close()


def test_a_node_within_the_process():
    """Of a node that is a thread of main, the process is ended: a thread cannot be."""
    app = application(guise("inproc"), teller("spin"), main={"watchdog": PATIENCE})
    app.wait_for(r"keeper: /guise .*: its process ended: watchdog: no progress for [\d.]+ s of /guise while handling do_it")
    app.signal(15)
    app.signal(15)
    app.wait()
    app.close()


def test_who_may_block():
    """A thread of one's own, and calls of troupe_work, for many times its patience."""
    app = application({"name": "group", "place": {"process": "own", "watchdog": "100ms"}, "children": [
        guise({"thread": "own"}, "blocks"), guise(name="works"),
        teller("block", "/group/blocks"), teller("work", "/group/works")]})
    app.wait_for("done /group/blocks")
    app.wait_for("done /group/works")
    check(not app.find("watchdog"), "it barked", app)
    stop(app)


def wakes(pid):
    """How often the threads of a process have gone to sleep; that others were preferred does not count."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as text:
            total += sum(int(line.split()[1]) for line in text if line.startswith("voluntary_ctxt"))
    return total


def ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as text:
        fields = text.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def idle(options):
    """Of ten processes in 3 s: how often each went to sleep; the keeper's looks in a second, and its ticks in 3."""
    app = application(*(guise({"process": "own", **options}, f"guise{i}") for i in range(10)))
    for i in range(10):
        app.wait_for(f"ready /guise{i}")
    app.read_for(1)  # what begins has begun
    pids = [pid for path, pid in app.paths.items() if path != "main"]
    before, looks, used = sum(map(wakes, pids)), wakes(app.process.pid), ticks(app.process.pid)
    app.read_for(3)
    found = (sum(map(wakes, pids)) - before) / len(pids), (wakes(app.process.pid) - looks) / 3, \
        ticks(app.process.pid) - used
    stop(app)
    return found


def test_idle():
    """Thirty looks at each process wake none of them up, and cost the keeper next to nothing."""
    unwatched, watched = idle({}), idle({"watchdog": "400ms", **({} if SANITIZED else {"memory": "1GiB"})})
    check(watched[0] < unwatched[0] + 15, f"woken up {watched[0]} times in 3 s, {unwatched[0]} without a watchdog")
    check(unwatched[1] < 1 and 5 <= watched[1] <= 15, f"{watched[1]} looks a second, {unwatched[1]} without")
    check(watched[2] <= 3, f"{watched[2]} ticks of the keeper in 3 s")
    return f"10 processes wake {watched[0]:.0f} times each in 3 s, {unwatched[0]:.0f} without a watchdog; the keeper: " \
           f"{watched[1]:.0f} looks a second, {watched[2] * 10} ms in 3 s"


def out_of_memory(deed, limit):
    app = application(guise({"process": "own", "memory": limit}), teller(deed))
    up_again(app)
    mine = r"out of memory: it had ([\d.]+) MiB, and ([\d.]+) MiB are allowed while handling do_it in /guise"
    found = app.find(r"keeper: /guise \(node \d+, incarnation 1\): " + mine)
    check(len(found) == 1 and float(found[0][1]) > float(found[0][2]) == float(limit[:-3]), "why", app)
    check(len(app.find(mine)) >= 2, "the supervisor's word", app)
    stop(app)
    return float(found[0][1])


def test_memory():
    """Little by little: it is caught not far above."""
    return f"caught at {out_of_memory('hoard', '64MiB'):.0f} of 64 MiB"


def test_memory_faster_than_anybody_looks():
    """The system's own limit holds; what the process had is known when it is reaped."""
    return f"had {out_of_memory('burst', '16MiB'):.0f} of 16 MiB"


tests = [test_a_handler_without_end, test_one_that_does_not_abort, test_a_process_that_was_stopped, test_main,
         test_a_node_within_the_process, test_who_may_block, test_idle]
if not SANITIZED:  # they have memory of their own
    tests += [test_memory, test_memory_faster_than_anybody_looks]
run(tests)
