#!/usr/bin/env python3
"""The data of the configuration is the same for every actor, in whatever process, and in the next one too."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import Application, check, run  # noqa: E402


def check_lines(app, path, life):
    for line in ("region=eu west", "retries=3", "none=NULL", "added=yes"):
        app.wait_for(rf"^{path} {life}: {line}$")


def test_all_find_the_same():
    asked = {"names": ["region", "retries", "none", "added"]}
    for place in ("process", "spawn", "tcp"):
        app = Application("data", {"data": {"region": "us", "retries": 3}, "tree": {"restarts": 100, "children": [
            {"name": "reader", "actor": "reader", "count": 2, "place": place, "args": asked},
            {"name": "last", "actor": "reader", "args": asked}]}},
                          "--set", "data.region=eu west", "--set", "data.added=yes")
        check_lines(app, "/last", 0)  # started when those before it are
        for number in (0, 1):
            check_lines(app, f"/reader/{number}", 0)
            os.kill(app.paths[f"/reader/{number}"], signal.SIGKILL)
            check_lines(app, f"/reader/{number}", 1)
        app.process.send_signal(signal.SIGTERM)
        code = app.wait()
        check(code == 0, f"{place}: exit code {code}", app)
        app.close()


run([test_all_find_the_same])
