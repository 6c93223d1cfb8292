#!/usr/bin/env python3
"""The log of many processes: every line whole, none lost, whoever dies and whoever does not read."""
import collections
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import (SLOWNESS, Application, Failure, check, children, program, reap_orphans,  # noqa: E402
                         run, sanitizer_options)

MANY = 8
DROPPED = re.compile(r"^(\d+) lines were dropped here")


def speakers(lines, size=20, count=MANY, place="process", deaths=0, end=True, last="", **rest):
    tree = {"restarts": 1000, "within": "1s", "children": [
        {"name": "speaker", "actor": "speaker", "count": count, "place": place,
         "args": {"lines": lines, "size": size, "deaths": deaths, "last": last}},
        {"name": "counter", "actor": "counter", "args": {"of": count, "end": end}}]}
    return {"tree": tree, "blocked": "never", **rest}


def records(lines):
    """Every line that is not on standard output is one whole object."""
    found = []
    for line in lines:
        if line.startswith("done "):
            continue
        try:
            found.append(json.loads(line))
        except ValueError:
            raise Failure(f"a line that is none: {line!r}") from None
        check({"time", "level", "path", "text", "node", "pid"} <= set(found[-1]), f"a field is missing: {line}")
        check(len(line) < 4096, f"too long: {line}")
    return found


def said(found):
    """{(path, pid): the numbers in the order in which they came}"""
    numbers = collections.defaultdict(list)
    for record in found:
        if record["text"] == "said":
            check(record["who"] == record["path"], f"the fields of another line: {record}")
            numbers[record["path"], record["pid"]].append(record["n"])
    return numbers


def ends(app, code=0):
    got = app.wait(60)
    check(got == code, f"exit code {got}, not {code}", app)
    app.close()


JSON = ("--set", "log.form=json")


def test_many_processes_at_once():
    lines = 4000
    app = Application("speakers", speakers(lines), *JSON)
    ends(app)
    numbers = said(records(app.lines))
    check(len(numbers) == MANY, f"{len(numbers)} speakers", app)
    for who, got in numbers.items():
        check(got == list(range(lines)), f"{who}: {len(got)} of {lines} lines, or in another order")
    return f"{MANY * lines} lines of {MANY} processes"


def test_every_place():
    for place in ("thread", "inproc", "process", "spawn"):
        app = Application("speakers", speakers(500, count=3, place=place), *JSON)
        ends(app)
        numbers = said(records(app.lines))
        check(sorted(map(len, numbers.values())) == [500] * 3, f"{place}: {numbers.keys()}")


def test_for_people():
    lines = 1000
    app = Application("speakers", speakers(lines, size=100))
    ends(app)
    whole = re.compile(r"^\S+Z info    /speaker/(\d): said  n=(\d+) filling=x{100} who=/speaker/\1$")
    numbers = collections.defaultdict(list)
    for line in app.lines:
        found = whole.match(line)
        check(found or "said" not in line, f"a line that is none: {line!r}")
        if found:
            numbers[found[1]].append(int(found[2]))
    check(list(map(numbers.get, sorted(numbers))) == [list(range(lines))] * MANY, "lines are missing")


def test_lines_that_are_too_long():
    app = Application("speakers", speakers(200, size=6000, count=3), *JSON)
    ends(app)
    found = [record for record in records(app.lines) if record["text"] == "said"]
    check(len(found) == 600 and all(record.get("cut") for record in found), "not cut, or lost", app)


def test_killed_right_after_the_last_word():
    lines, deaths = 700, 2
    app = Application("speakers", speakers(lines, size=200, deaths=deaths), *JSON)
    ends(app)
    numbers = said(records(app.lines))
    check(len(numbers) == MANY * (deaths + 1), f"{len(numbers)} processes", app)
    for who, got in numbers.items():
        check(got == list(range(lines)), f"{who} had said {lines} lines, and {len(got)} are there")
    return f"{MANY * deaths} processes killed, {MANY * lines * (deaths + 1)} lines"


def test_killed_from_outside():
    app = Application("speakers", speakers(1000000, end=False, size=50), *JSON)
    for i in range(12):
        path = f"/speaker/{i % MANY}"
        app.wait_for(f'"process {path} pid', 0)
        _, since = app.wait_for(f'"path":"{path}","text":"said"', len(app.lines))
        check(app.kill(path), "no process", app)
        app.wait_for(f"process {path} pid", since)
    app.signal(signal.SIGTERM)
    ends(app)
    numbers = said(records(app.lines))
    for who, got in numbers.items():
        check(got == list(range(len(got))), f"{who}: a line is missing among {len(got)}")
    return f"{sum(map(len, numbers.values()))} lines of {len(numbers)} processes"


# ---- Who reads it ----

class Unread:
    """A program whose standard error is a pipe of the test's own, read when the test says so."""

    def __init__(self, config, *options):
        self.directory = tempfile.TemporaryDirectory(prefix="troupe-test-")
        path = os.path.join(self.directory.name, "app.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(json.dumps(config))
        self.errors, errors = os.pipe()
        self.process = subprocess.Popen([program("speakers"), "run", path, *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=errors, cwd=self.directory.name,
                                        env=sanitizer_options(dict(os.environ)))
        os.close(errors)

    def await_done(self, count, seconds=40):
        deadline = time.monotonic() + seconds * SLOWNESS
        text = b""
        while text.count(b"\n") < count:
            left = deadline - time.monotonic()
            check(left > 0 and select.select([self.process.stdout], [], [], left)[0],
                  f"it hangs; done so far: {text!r}")
            more = os.read(self.process.stdout.fileno(), 4096)
            check(more, f"it ended; done so far: {text!r}")
            text += more

    def end(self, number=signal.SIGTERM, seconds=20):
        if number:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("it does not end") from None

    def read_all(self):
        with open(self.errors, "rb") as file:
            return file.read().decode().splitlines()

    def close(self):
        self.process.stdout.close()
        reap_orphans()
        check(not children(), f"processes are left: {children()}")
        self.directory.cleanup()


def test_nobody_reads_for_a_while():
    """More than all buffers hold: nobody hangs, and what is lost is counted."""
    lines, size = 3000, 1000
    app = Unread(speakers(lines, size=size, count=4, end=False))
    app.await_done(4)
    app.process.send_signal(signal.SIGTERM)
    text = app.read_all()
    check(app.end(None) == 0, "its exit code")
    app.close()
    found = records(text)
    came = sum(map(len, said(found).values()))
    lost = sum(int(match[1]) for match in (DROPPED.match(record["text"]) for record in found) if match)
    check(came + lost >= 4 * lines, f"{came} lines came and {lost} are said to be lost, of {4 * lines}")
    check(0 < lost < 4 * lines, f"{lost} lost: the test shows nothing")
    return f"{came} came, {lost} lost"


def test_nobody_reads_at_all():
    app = Unread(speakers(2000, size=1000, count=4, end=False))
    app.await_done(4)
    begun = time.monotonic()
    check(app.end() == 0, "its exit code")
    took = time.monotonic() - begun
    check(took < 8 * SLOWNESS, f"the end took {took:.1f} s")
    os.close(app.errors)
    app.close()
    return f"ended within {took:.1f} s"


def test_the_reader_goes_away():
    app = Unread(speakers(3000, count=4, end=False))
    os.read(app.errors, 1000)
    os.close(app.errors)
    app.await_done(4)
    check(app.end() == 0, "its exit code")
    app.close()


def test_on_a_terminal():
    """For people, without being asked to; and no terminal is left non-blocking."""
    master, slave = pty.openpty()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(json.dumps(speakers(3, count=2)))
        file.flush()
        process = subprocess.Popen([program("speakers"), "run", file.name], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True,
                                   env=sanitizer_options(dict(os.environ)))
        text = b""
        deadline = time.monotonic() + 20 * SLOWNESS
        while b"messages: sent=" not in text and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                text += os.read(master, 65536)
        check(process.wait(20 * SLOWNESS) == 0, "its exit code")
        check(os.get_blocking(slave), "the terminal was left non-blocking")
    os.close(master)
    os.close(slave)
    check(len(re.findall(rb"Z info    /speaker/\d: said  n=\d filling=x{20} who=/speaker/\d\r\n", text)) == 6,
          f"it said: {text!r}")


def test_below_the_level():
    app = Application("speakers", speakers(10, count=2, log={"level": "warning"}), *JSON)
    ends(app)
    check(records(app.lines) == [], f"it said: {app.lines}")


run([test_many_processes_at_once, test_every_place, test_for_people, test_lines_that_are_too_long,
     test_killed_right_after_the_last_word, test_killed_from_outside, test_nobody_reads_for_a_while,
     test_nobody_reads_at_all, test_the_reader_goes_away, test_on_a_terminal, test_below_the_level])
