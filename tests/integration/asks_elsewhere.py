#!/usr/bin/env python3
"""How asks of an actor in another place end, and what a sender sees of one that does not keep up."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import PLACES, Application, balanced, check, run  # noqa: E402

WINDOW = 1024


def play(scene, place, restart="permanent", **args):
    def config(directory):
        os.mkfifo(directory + "/gate")
        return {"tree": {"restarts": 100, "children": [
            {"name": "server", "actor": "server", "place": place, "restart": restart},
            {"name": "client", "actor": "client", "restart": "transient",
             "args": {"scene": scene, "gate": directory + "/gate", **args}}]}}
    app = Application("asks", config)
    app.own = ["gate"]
    return app


def open_gate(app):
    os.close(os.open(os.path.join(app.directory.name, "gate"), os.O_WRONLY))


def said(app, *lines):
    code = app.wait()
    check(code == 0, f"exit code {code}", app)
    for line in lines:
        check(line in app.lines, f"'{line}' is missing", app)
    check(balanced(app.counts()), f"unbalanced: {app.counts()}")
    app.close()


def test_every_end():
    for place in PLACES:
        said(play("all", place), "reply ok", "other wrong_reply", "silence no_reply", "fail died")


def test_a_crash():
    """Of the request that was kept and of the one at hand; what waited behind is lost with its process."""
    for place in ("process", "spawn", "tcp"):
        said(play("crash", place), "keep died", "crash died", "reply died")


def test_gone():
    for place in PLACES:
        app = play("leave", place, restart="transient")
        app.wait_for("^leave no_reply")
        app.wait_for("^reply gone|^reply refused gone")
        said(app)


def test_what_waits_when_its_node_ends():
    """It is a dead letter in every book, whether its report or the end of the node comes first."""
    for place in PLACES:
        app = play("vain", place, restart="transient", sends=5)
        app.wait_for("^sent")
        open_gate(app)
        said(app, "wait and leave no_reply")
        counts = app.counts()
        check(counts["handled"] == 1 and counts["dead_letters"] == 5, f"{place}: {counts}")


def test_timeout():
    for place in PLACES:
        said(play("timeout", place), "keep timeout")


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_slow_receiver():
    """Full at the window; sends that are refused cost no memory; one troupe_ready when there is room."""
    for place in ("process", "tcp"):
        app = play("flood", place, sends=300000)
        found, since = app.wait_for(r"^flooded taken=(\d+) refused=(\d+) first_full=(\d+)")
        # The order that waits at the gate is one of the window.
        check(int(found[1]) == int(found[3]) == WINDOW - 1, f"{place}: {found[0]}")
        for path in ("main", "/server"):
            check(resident(app.paths[path]) < 200 << 20, f"{path} has grown")
        check(not app.find("^ready"), "ready before there was room", app)
        open_gate(app)
        app.wait_for("^ready", since)
        said(app, f"loads {WINDOW - 1}")
        check(len(app.find("^ready")) == 1, "ready more than once", app)


run([test_every_end, test_a_crash, test_gone, test_what_waits_when_its_node_ends, test_timeout,
     test_a_slow_receiver])
