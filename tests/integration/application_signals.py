#!/usr/bin/env python3
"""Signals of an application: what actors have asked for reaches them, all others do what they always did."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, run  # noqa: E402

HUP, USR1, USR2 = int(signal.SIGHUP), int(signal.SIGUSR1), int(signal.SIGUSR2)
RT = int(signal.SIGRTMIN) + 1  # the program counts from SIGRTMIN: -1


def start(main=(), remote=(), *options):
    children = [{"name": "here", "actor": "catcher", "args": {"signals": list(main)}},
                {"name": "too", "actor": "catcher", "args": {"signals": list(main)}},
                {"name": "there", "actor": "catcher", "place": "process", "args": {"signals": list(remote)}}]
    app = Application("signals", {"tree": {"restarts": 100, "children": children}}, *options)
    for child in children:
        app.wait_for(f"^/{child['name']} ready")
    return app


def end(app):
    app.signal(signal.SIGTERM)
    code = app.wait()
    check(code == 0, f"exit code {code}", app)
    app.close()


def test_the_applications_signals_reach_main():
    app = start((HUP, USR1), (HUP,))
    for i in range(1, 6):
        app.signal(signal.SIGHUP if i % 2 else signal.SIGUSR1)
        for who in ("here", "too"):
            app.wait_for(f"^/{who} got {HUP if i % 2 else USR1}, {i} in all")
    check(not app.find("^/there got"), "a process of its own heard of the application's signal", app)
    end(app)


def test_a_process_hears_its_own():
    app = start((USR1,), (USR1,))
    app.kill("/there", signal.SIGUSR1)
    app.wait_for(f"^/there got {USR1}, 1 in all")
    app.kill("main", signal.SIGUSR1)
    app.wait_for(f"^/here got {USR1}, 1 in all")
    app.wait_for(f"^/too got {USR1}, 1 in all")
    check(len(app.find("^/there got")) == 1, "told twice", app)
    end(app)


def test_many_at_once():
    """Realtime signals are counted to the last one, others at least once; and main is none the worse."""
    app = start((-1, USR1))
    for _ in range(5000):
        app.signal(RT)
    app.wait_for("^/here got .* 5000 in all")
    for _ in range(5000):
        app.signal(signal.SIGUSR1)
    app.wait_for(f"^/here got {USR1}")
    check(len(app.find("process main pid")) == 1, "main did not survive", app)
    end(app)


def test_nobody_asked():
    """To the first process it is the end of all; to another one of that; some are ignored by nature."""
    app = start((HUP,), (HUP,))
    app.signal(signal.SIGWINCH)
    app.signal(signal.SIGCONT)
    app.signal(signal.SIGHUP)
    app.wait_for("^/here got 1, 1 in all")
    app.kill("/there", signal.SIGUSR2)
    app.wait_for("^/there ready, run 1")
    app.kill("main", signal.SIGUSR2)
    _, since = app.wait_for("main died: everything starts again")
    app.wait_for("^/here ready", since)
    app.wait_for("^/there ready", since)
    app.signal(signal.SIGHUP)
    app.wait_for("^/here got 1, 1 in all", since)
    app.signal(signal.SIGUSR2)
    code = app.wait()
    check(code == -USR2, f"exit code {code}", app)
    app.close()


def test_a_terminal_hangs_up():
    """The first process and main get the signal both, and main dies of it before it could answer."""
    for _ in range(10):
        app = start()
        app.kill("main", signal.SIGHUP)
        app.signal(signal.SIGHUP)
        code = app.wait()
        check(code == -HUP, f"exit code {code}", app)
        app.close()


def test_one_process():
    app = start((USR1,), (USR1,), "--one-process")
    app.signal(signal.SIGUSR1)
    for who in ("here", "too", "there"):
        app.wait_for(f"^/{who} got {USR1}, 1 in all")
    app.signal(signal.SIGWINCH)
    end(app)
    app = start((USR1,), (USR1,), "--one-process")
    app.signal(signal.SIGUSR2)
    code = app.wait()
    check(code == -USR2, f"exit code {code}", app)
    app.close()


run([test_the_applications_signals_reach_main, test_a_process_hears_its_own, test_many_at_once,
     test_nobody_asked, test_a_terminal_hangs_up, test_one_process])
