#!/usr/bin/env python3
"""Actors in another program than this one: that it works, and what is said when it is not the right one."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, program, run  # noqa: E402

STRANGERS = program("strangers")


def application(exec_, *options, actor="stranger", restarts=5, place=None, child=None):
    return Application("guises", {"tree": {"restarts": restarts, "within": "1m", "children": [
        {"name": "other", "actor": actor, "place": {"process": "own", "exec": exec_, **(place or {})}, **(child or {})},
        {"name": "teller", "actor": "teller", "args": {"to": "/other", "deed": "hello"}}]}}, *options)


def stop(app):
    app.signal(15)
    check(app.wait() == 0, "the exit code", app)
    app.close()


def test_another_program():
    """It is started, spoken to, started again when it was killed, and stopped in order."""
    for lane in ("ipc", "tcp"):
        app = application(STRANGERS, place={"lane": lane})
        app.wait_for("stranger /other: hello")
        app.wait_for("process /other pid")
        pid = app.paths["/other"]
        check(os.readlink(f"/proc/{pid}/exe") == os.path.realpath(STRANGERS), "it is this program")
        app.kill("/other")
        _, since = app.wait_for("process /other pid .*incarnation 2")
        while len(app.find("ready /other$")) < 2:
            app.wait_for("ready /other$", since=len(app.lines))
        stop(app)


def test_by_a_relative_path():
    """From where the application was started, wherever the process is to be."""
    app = Application("guises", lambda home: {"tree": {"children": [
        {"name": "other", "actor": "stranger", "place": {"process": "own", "cwd": "/",
         "exec": os.path.relpath(STRANGERS, os.path.realpath(home))}}]}})
    app.wait_for("ready /other")
    stop(app)


def refused(reason, exec_, **rest):
    app = application(exec_, restarts=0, **rest)
    code = app.wait()
    check(code == 2, f"exit code {code}", app)
    check(app.find(rf"keeper: /other .*{reason}"), f"the keeper does not say: {reason}", app)
    check(app.find(rf"/other: .*failed: .*{reason}"), f"the supervisor does not say: {reason}", app)
    app.close()


def test_not_the_right_program():
    refused(r"could not be set up: /no/such/program: No such file or directory", "/no/such/program")
    refused(r"could not be set up: /etc/passwd: Permission denied", "/etc/passwd")
    refused(r"could not be set up: /tmp: Permission denied", "/tmp")
    refused(r"could not be set up: \S*strangers has no actor 'guise_actor'", STRANGERS, actor="guise_actor")
    refused(r"exited with code 0 before it was ready: is it a program of Troupe\?", "/bin/true")
    refused(r"exited with code 1 before it was ready: is it a program of Troupe\?", "/bin/false")


def test_a_program_that_never_begins():
    """Nobody waits longer than he said; without a word, 30 s (tests/unit/test_keeper.c)."""
    app = Application("guises", lambda home: {"tree": {"restarts": 0, "children": [
        {"name": "other", "actor": "stranger", "ready": "1s",
         "place": {"process": "own", "exec": write_sleeper(home)}}]}})
    app.own = ["sleeper"]
    check(app.wait() == 2, "the exit code", app)
    check(app.find("/other"), "nothing is said of it", app)
    app.close()


def write_sleeper(home):
    path = os.path.join(home, "sleeper")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexec sleep 1000\n")
    os.chmod(path, 0o755)
    return path


def test_in_one_process():
    app = application(STRANGERS, "--one-process")
    check(app.wait() == 1, "the exit code", app)
    check(app.find(r"app.yaml:\d+:\d+: error: the program has no actor 'stranger', and in one process there is no other"),
          "no mistake", app)
    app.close()


run([test_another_program, test_by_a_relative_path, test_not_the_right_program, test_a_program_that_never_begins,
     test_in_one_process])
