#!/usr/bin/env python3
"""Supervisors with places: subtrees in processes of their own, killed with SIGKILL, nested, and together with children
that code has added. Whoever was below the dead one ends, wherever it is, and comes back with it."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, balanced, check, run  # noqa: E402


def member(name, **rest):
    return {"name": name, "actor": "member", **rest}


def supervisor(name, *children, **rest):
    return {"name": name, "restarts": 1000, "within": "1s", "children": list(children), **rest}


def family(*children, watch=(), adopts="", **tree):
    watcher = {"name": "watcher", "actor": "watcher", "args": {"paths": list(watch), "adopts": adopts}}
    return {"tree": {"restarts": 1000, "within": "1s", "children": [*children, watcher], **tree}}


def ends(app, code=0):
    app.signal(signal.SIGTERM)
    got = app.wait()
    check(got == code, f"exit code {got}, not {code}", app)
    check(balanced(app.counts()), f"unbalanced: {app.counts()}", app)
    app.close()


def pid_of(app, path, since=0):
    found, at = app.wait_for(rf"^{path} ok pid (\d+) run (\d+)", since)
    return int(found[1]), int(found[2]), at


def test_a_subtree_is_in_one_process():
    for place in ("process", "spawn", "tcp", {"process": "pool"}):
        app = Application("family", family(supervisor("s", member("a"), supervisor("t", member("b")), place=place),
                                           member("c"), watch=["/s/a", "/s/t/b", "/c"]))
        a, b, c = (pid_of(app, path)[0] for path in ("/s/a", "/s/t/b", "/c"))
        check(a == b != c, f"{place}: {a}, {b}, {c}", app)
        check(a == app.paths["pool" if isinstance(place, dict) else "/s"], f"{place}: {app.paths}", app)
        ends(app)
        stops = [found[1] for found in app.find("^stop (\\S+)")]
        check(stops == ["/c", "/s/t/b", "/s/a"], f"{stops}", app)


def test_nodes_and_threads_are_in_that_process_too():
    app = Application("family", family(
        supervisor("s", member("a", place="inproc"), member("b", place={"thread": "own"}),
                   supervisor("t", member("c"), place={"thread": "pool"}), member("d"), place="process"),
        watch=["/s/a", "/s/b", "/s/t/c", "/s/d"]))
    for round in range(4):
        at = len(app.lines)
        pids = [pid_of(app, path, at)[0] for path in ("/s/a", "/s/b", "/s/t/c", "/s/d")]
        check(set(pids) == {app.paths["/s"]}, f"{pids}: {app.paths}", app)
        if round < 3:
            at = len(app.lines)
            check(app.kill("/s"), "no process", app)
            app.wait_for(r"^start /s/d", at)
    ends(app)
    stops = [found[1] for found in app.find("^stop (\\S+)")]
    check(stops == ["/s/d", "/s/t/c", "/s/b", "/s/a"], f"{stops}", app)


def test_it_starts_again_as_a_whole():
    app = Application("family", family(supervisor("s", member("a"), supervisor("t", member("b")), place="process"),
                                       watch=["/s/a", "/s/t/b"]))
    before, _, at = pid_of(app, "/s/a")
    for _ in range(5):
        check(app.kill("/s"), "no process", app)
        app.wait_for(r"/s: started again", at)
        _, at = app.wait_for(r"process /s pid \d+ started", at)
        after, _, _ = pid_of(app, "/s/t/b", at)
        check(before != after and after == app.paths["/s"], f"{before}, {after}", app)
        before = after
    ends(app)


def test_children_in_other_processes_end_with_it():
    """They come back in their own processes, which stay: a run that nobody supervises is ended."""
    app = Application("family", family(supervisor("s", member("a", place="process"), member("b"), place="process"),
                                       watch=["/s/a", "/s/b"]))
    pid, run_before, _ = pid_of(app, "/s/a")
    for _ in range(5):
        at = len(app.lines)
        check(app.kill("/s"), "no process", app)
        app.wait_for(rf"^start /s/a pid {pid} run 0", at)
        again, at_run, _ = pid_of(app, "/s/a", app.wait_for(r"^start /s/b", at)[1])
        check(again == pid and at_run == run_before == 0, f"{pid}, {again}", app)
    starts = len(app.find(r"^start /s/a"))
    check(starts == 6, f"{starts} starts", app)
    ends(app)


def test_nested_processes():
    """The death of the inner one is the outer one's to repair; that of the outer one takes the inner one along."""
    app = Application("family", family(supervisor("s", supervisor("t", member("b"), place="process"), member("a"),
                                                  place="process"), watch=["/s/a", "/s/t/b"]))
    outer, _, at = pid_of(app, "/s/a")
    inner, _, at = pid_of(app, "/s/t/b", at)
    check(app.kill("/s/t"), "no process", app)
    _, at = app.wait_for(r"^start /s/t/b pid (?!%d )" % inner, at)
    check(pid_of(app, "/s/a", at)[0] == outer, "the outer one was restarted, too", app)
    inner, _, at = pid_of(app, "/s/t/b", at)
    check(app.kill("/s"), "no process", app)
    _, at = app.wait_for(r"^start /s/t/b", at)
    _, at = app.wait_for(r"^start /s/a pid (?!%d )" % outer, at)
    pid_of(app, "/s/t/b", at)
    ends(app)


def test_one_that_fails_there_is_restarted_there():
    app = Application("family", family(supervisor("s", member("a", args={"fails": 0}), place="process"),
                                       supervisor("u", place="process"), watch=["/s/a"], adopts="/u"))
    pid_of(app, "/s/a")
    adopted, _, at = pid_of(app, "adopted")
    check(adopted == app.paths["/u"], f"{adopted}: {app.paths}", app)
    check(app.kill("/u"), "no process", app)  # what code has added is gone then
    _, at = app.wait_for("^adopted (died|gone|unreachable)", at)
    again, _, at = pid_of(app, "adopted", at)
    check(again == app.paths["/u"] != adopted, f"{again}: {app.paths}", app)
    ends(app)


def test_giving_up_goes_up():
    """The supervisor gives up in its process; its own restarts it there, until that gives up."""
    app = Application("family", family(supervisor("s", member("a", args={"fails": 1000000}), place="process"),
                                       restarts=2, within="1m"))
    code = app.wait()
    check(code == 2, f"exit code {code}", app)
    app.close()


def test_one_that_is_never_ready_is_killed():
    """With its process, if it has one: nobody waits for it, and its supervisor gives up."""
    for place in ("thread", "inproc", "process"):
        late = member("a", args={"never": True}, ready="100ms", place=place)
        app = Application("family", family(supervisor("s", late, place="process"), member("c"), restarts=0))
        app.wait_for("/s/a: (failed: )?killed")
        code = app.wait()
        check(code == 2, f"{place}: exit code {code}", app)
        check(app.find("main gives up: .*a child could not be started"), "it does not say why", app)
        check(not app.find("^start /c"), "the next one was started", app)
        app.close()


def test_a_temporary_one_leaves_nobody_behind():
    app = Application("family", family(supervisor("s", member("a", place="process"), member("b"), place="process",
                                                  restart="temporary"), member("c"), watch=["/c"]))
    app.wait_for("^start /s/b")
    pid_of(app, "/c")
    check(app.kill("/s"), "no process", app)
    _, at = app.wait_for(r"process of /s|/s: failed|/s \(node", 0)
    pid_of(app, "/c", at)
    ends(app)
    check(not app.find("^stop /s/a"), "a stop handler ran of one that was to be killed", app)


def count_of(app, path, since=0):
    found, at = app.wait_for(rf"^{path} ok pid \d+ run \d+ count (\d+)", since)
    return int(found[1]), at


def test_what_was_saved_outlives_the_process():
    """But for what was on its way when the process was killed: that may be the last one."""
    for place in ("process", "spawn", "tcp"):
        app = Application("family", family(member("a", place=place), supervisor("s", member("b"), place=place),
                                           watch=["/a", "/s/b"]))
        app.wait_for("^/a ok .* count 5")
        count, at = count_of(app, "/s/b")
        for _ in range(3):
            at = len(app.lines)
            counted = max(int(found[1]) for found in app.find("^/a ok .* count (\\d+)"))
            check(app.kill("/a"), "no process", app)
            _, at = app.wait_for("^start /a", at)
            again, at = count_of(app, "/a", at)
            check(counted - 1 <= again, f"{place}: {counted} before, then {again}", app)
        check(app.kill("/s"), "no process", app)  # a supervisor that dies has saved nothing
        _, at = app.wait_for("^start /s/b", at)
        count, at = count_of(app, "/s/b", at)
        check(count == 1, f"{place}: {count}", app)
        ends(app)


def test_in_one_process():
    app = Application("family", family(supervisor("s", member("a"), supervisor("t", member("b"), place="process"),
                                                  place="process"), watch=["/s/a", "/s/t/b"], adopts="/s/t"),
                      "--one-process")
    for path in ("/s/a", "/s/t/b", "adopted"):
        pid_of(app, path)
    ends(app)


def test_main_and_keeper():
    """Main takes all others with it, and all start again; the keeper takes all with it, and nobody does."""
    tree = supervisor("s", member("a"), supervisor("t", member("b"), place="process"), place="process")
    app = Application("family", family(tree, watch=["/s/a", "/s/t/b"]))
    for path in ("/s/a", "/s/t/b"):
        pid_of(app, path)
    at = len(app.lines)
    check(app.kill("main"), "no process", app)
    _, at = app.wait_for("everything starts again", at)
    for path in ("/s/a", "/s/t/b"):
        _, after = app.wait_for(f"^start {path} pid", at)
        pid_of(app, path, after)
    app.signal(signal.SIGKILL)
    check(app.wait() == -signal.SIGKILL, "it ended otherwise", app)
    app.wait_all_gone(1)
    app.close()


def test_random_kills():
    app = Application("family", family(
        supervisor("s", member("a", place="process"), supervisor("t", member("b"), member("c", place="process"),
                                                                 place="process"), place="process"),
        watch=["/s/a", "/s/t/b", "/s/t/c"], adopts="/s/t"))
    victims = ["/s", "/s/t", "/s/a", "/s/t/c", "/s", "/s/t", "/s/t", "/s"]
    for path in ("/s/a", "/s/t/b", "/s/t/c"):
        pid_of(app, path)
    for number, victim in enumerate(victims * 4):
        app.kill(victim)
        app.read_for(0.003 * (number % 7))
        if number % 3 == 0:
            at = len(app.lines)
            for path in ("/s/a", "/s/t/b", "/s/t/c"):
                pid_of(app, path, at)
    at = len(app.lines)
    for path in ("/s/a", "/s/t/b", "/s/t/c", "adopted"):
        pid_of(app, path, at)
    ends(app)
    return f"{len(victims) * 4} kills"


run([test_a_subtree_is_in_one_process, test_nodes_and_threads_are_in_that_process_too, test_it_starts_again_as_a_whole,
     test_children_in_other_processes_end_with_it, test_nested_processes,
     test_one_that_fails_there_is_restarted_there, test_giving_up_goes_up,
     test_one_that_is_never_ready_is_killed, test_a_temporary_one_leaves_nobody_behind,
     test_what_was_saved_outlives_the_process, test_in_one_process, test_main_and_keeper,
     test_random_kills])
