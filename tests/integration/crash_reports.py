#!/usr/bin/env python3
"""What is said of a process that died: its last words, and the calls that led to a crash."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, run  # noqa: E402

SANITIZED = bool(os.environ.get("TROUPE_SANITIZE"))
# exit() in a handler leaves everything where it is.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def die(fate, *options, place="process", **rest):
    app = Application("fates", {"tree": {"restarts": 1000, "within": "1s", "children": [
        {"name": "victim", "actor": "victim", "count": 1, "place": place, "args": {"fate": fate, "times": 1}},
        {"name": "prompter", "actor": "prompter", "args": {"rounds": 3, "pause": 1, "end": True}}]}, **rest},
        *options, env=NO_LEAK_CHECK)
    code = app.wait()
    check(code == 0, f"{fate}: exit code {code}", app)
    app.close()
    return app


def records(app):
    return [json.loads(line) for line in app.lines if line.startswith("{")]


def reports(app):
    return [record for record in records(app) if "output" in record or "backtrace" in record]


JSON = ("--set", "log.form=json")


def test_last_words():
    for place in ("process", "spawn"):
        app = die("words", *JSON, place=place)
        found = reports(app)
        check(len(found) == 1, f"{len(found)} reports", app)
        report = found[0]
        check(report["text"] == "exited with code 3" and report["path"] == "/victim/0" and
              report["level"] == "error", f"{report}")
        check(report["output"].split("\n") == [f'word {i} of "twelve"' for i in range(5, 12)] + ["the last?word"],
              f"{report['output']!r}")
        check("backtrace" not in report, "an exit is no crash")
        wrapped = [record for record in records(app) if record.get("stream") == "stderr"]
        check([record["text"] for record in wrapped] ==
              [f'word {i} of "twelve"' for i in range(1, 12)] + ["the last?word"], "lines are missing", app)
        check({record["process"] for record in wrapped} == {report["process"]}, "of another process", app)


def test_for_people():
    app = die("words")
    check([line for line in app.lines if line.startswith("word ")] ==
          [f'word {i} of "twelve"' for i in range(1, 12)], "not as they were written", app)
    check("the last\0word" in app.lines, "the last word", app)
    check(app.find(r"error   /victim/0: exited with code 3  process=\d+ output=\"word 5 of 'twelve'\|.*last.word\"$"),
          "no report", app)


def test_crashes():
    """Each with its own signal, as without the report; a stack that has overflowed too."""
    for fate, what in {"segv": "killed by signal 11 (SIGSEGV)", "abort": "killed by signal 6 (SIGABRT)",
                       "overflow": "killed by signal 11 (SIGSEGV)"}.items():
        for place in ("process", "spawn"):
            app = die(fate, *JSON, place=place)
            report = reports(app)
            check(len(report) == 1 and report[0]["text"] == what, f"{fate}: {report}", app)
            frames = report[0]["backtrace"].split("\n")
            check(len(frames) >= 4 and all("0x" in frame for frame in frames), f"{fate}: {frames}", app)
            check(not any(record.get("stream") for record in records(app)), "frames are no lines of output", app)


def test_main_crashes():
    app = Application("fates", {"tree": {"restarts": 0, "within": "1m", "children": [
        {"name": "victim", "actor": "victim", "count": 1, "args": {"fate": "segv", "times": 9}},
        {"name": "prompter", "actor": "prompter", "args": {"rounds": 1, "pause": 1, "end": True}}]}}, *JSON)
    code = app.wait()
    check(code == 2, f"exit code {code}", app)
    app.close()
    report = reports(app)
    check(len(report) == 1 and report[0]["path"] == "main" and "backtrace" in report[0], f"{report}", app)


def test_standard_error_as_it_is():
    app = die("words", *JSON, log={"stderr": "inherit"})
    check([line for line in app.lines if line.startswith("word ")] ==
          [f'word {i} of "twelve"' for i in range(1, 12)], "not as they were written", app)
    check(not reports(app), "a report of what was not read", app)


def test_nothing_is_said_of_an_end_in_order():
    app = die("none", *JSON)
    check(not reports(app), "a report", app)


tests = [test_last_words, test_for_people, test_standard_error_as_it_is, test_nothing_is_said_of_an_end_in_order]
if not SANITIZED:  # those have reports of their own
    tests += [test_crashes, test_main_crashes]
run(tests)
