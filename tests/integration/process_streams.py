#!/usr/bin/env python3
"""Where standard output and error of a process go: lines of the log, a file, nothing."""
import json
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, run  # noqa: E402

JSON = ("--set", "log.form=json")


def application(place, *options, deed="print", restarts=5, **root):
    def config(home):
        told = {key: value.replace("HOME", home) if isinstance(value, str) else value for key, value in place.items()}
        return {"tree": {"restarts": restarts, "within": "1m", "children": [
            {"name": "guise", "actor": "guise_actor", "place": {"process": "own", **told}},
            {"name": "teller", "actor": "teller", "args": {"to": "/guise", "deed": deed}}]}, **root}
    return Application("guises", config, *options)


def stop(app):
    app.signal(15)
    check(app.wait() == 0, "the exit code", app)
    app.close()


def records(app, stream):
    found = [json.loads(line) for line in app.lines if line.startswith("{")]
    return [record for record in found if record.get("stream") == stream]


def test_lines():
    """With path, level, stream and process; not flushed by the program, and there all the same."""
    for start in ("fork", "spawn"):
        app = application({"start": start, "stdout": "lines", "stderr": "lines"}, *JSON)
        app.wait_for("and another")
        app.wait_for(r"a .* word")
        app.wait_for("process /guise pid")
        out, errors = records(app, "stdout"), records(app, "stderr")
        check([record["text"] for record in out] == ["ready /guise", "one line", "and another"], f"{out}", app)
        check([record["text"] for record in errors] == ["a \x01 word"], f"{errors}", app)
        check({(record["path"], record["level"], record["process"]) for record in out} ==
              {("/guise", "info", app.paths["/guise"])}, f"{out}")
        check(errors[0]["path"] == "/guise" and errors[0]["level"] == "warning", f"{errors}")
        stop(app)


def test_lines_for_people():
    app = application({"stdout": "lines", "stderr": "lines"})
    app.wait_for(r"Z info    /guise: and another  stream=stdout process=\d+$")
    app.wait_for(r"Z warning /guise: a . word  stream=stderr process=\d+$")
    check("one line" not in app.lines, "as it is, too", app)
    stop(app)


def test_last_words():
    """What was written before it was killed is there, be it without an end; and its last errors are reported."""
    app = application({"stdout": "lines", "stderr": "lines"}, *JSON, deed="last words")
    app.wait_for("process /guise pid .*incarnation 2")
    check([record["text"] for record in records(app, "stdout")][:2] == ["ready /guise", "an output without an end"], "output", app)
    check([record["text"] for record in records(app, "stderr")] == ["an error without an end"], "error", app)
    check(any(json.loads(line).get("output") == "an error without an end" for line in app.lines if line.startswith("{")),
          "no report", app)
    stop(app)


def test_nothing():
    app = application({"stdout": None, "stderr": "null"})
    app.wait_for("told /guise")
    stop(app)
    check(not app.find("one line|word|ready /guise"), "something was said", app)


def test_files():
    """Made as the mask says, appended to by each incarnation, by an absolute path and by one from where we are."""
    app = application({"stdout": "HOME/out", "stderr": "./errors", "cwd": "/", "umask": "077"}, deed="last words")
    app.own = ("out", "errors")
    app.wait_for("process /guise pid .*incarnation 2")
    app.signal(15)
    check(app.wait() == 0, "the exit code", app)
    home = app.directory.name
    with open(os.path.join(home, "out"), encoding="ascii") as out, open(os.path.join(home, "errors"), encoding="ascii") as errors:
        check(out.read().startswith("ready /guise\nan output without an end"), "output")
        check(errors.read() == "an error without an end", "errors")
    check(stat.S_IMODE(os.stat(os.path.join(home, "out")).st_mode) == 0o600, "the mask")
    app.close()


def test_a_file_that_cannot_be():
    app = application({"stdout": "/no/such/directory/file"}, restarts=0)
    check(app.wait() == 2, "the exit code", app)
    check(app.find("/guise .*could not be set up: stdout /no/such/directory/file: No such file or directory"), "why", app)
    app.close()


def test_main_and_inherited():
    app = Application("guises", {"main": {"stdout": "lines"}, "log": {"form": "pretty"}, "tree": {"children": [
        {"name": "guise", "actor": "guise_actor"},
        {"name": "other", "actor": "guise_actor", "place": {"process": "own", "stderr": "inherit"}},
        {"name": "teller", "actor": "teller", "args": {"to": "/other", "deed": "print"}}]}})
    app.wait_for(r"info    main: ready /guise  stream=stdout")
    app.wait_for("^a . word$")
    check("ready /other" in app.lines, "as it is", app)
    stop(app)


run([test_lines, test_lines_for_people, test_last_words, test_nothing, test_files, test_a_file_that_cannot_be,
     test_main_and_inherited])
