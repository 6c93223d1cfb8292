"""Runs a program of Troupe's from a test, and looks at it from outside.

Everything is waited for: lines of output by poll, the end of processes by their pidfds, each with a
deadline. Only processes that this module has started, or that such a process has started, are killed.
"""
import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

BINARY_DIR = os.environ["TROUPE_BINARY_DIR"]
SLOWNESS = 4 if os.environ.get("TROUPE_SANITIZE") else 1
PLACES = ("thread", "inproc", "process", "spawn", "tcp")
STARTED = re.compile(r"process (\S+) pid (\d+) started \(incarnation (\d+)\)")


# Whoever outlives its keeper becomes a child of this process, and can be counted and reaped here.
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Failure(Exception):
    pass


def program(name):
    return os.path.join(BINARY_DIR, "tests", "programs", name)


def abstract_sockets():
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        return {line.split()[-1] for line in table if "@troupe-" in line}


def children():
    """Of this process: zombies too."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as text:
        return text.read().split()


def is_zombie(pid):
    """Its number may be another process's by now."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as text:
            return text.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def reap_orphans(seconds=1):
    """The keeper was killed before it could reap its children, or even announce the last one. The children of these
    come when they have died."""
    deadline = time.monotonic() + seconds * SLOWNESS
    while children() and time.monotonic() < deadline:
        for child in map(int, children()):
            pidfd = os.pidfd_open(child)
            if select.select([pidfd], [], [], max(0, deadline - time.monotonic()))[0]:
                os.waitpid(child, 0)
            os.close(pidfd)


def sanitizer_options(env):
    """NNG is not compiled with the thread sanitizer, which cannot see how its threads agree."""
    supp = os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib", "tsan.supp")
    return {**env, "TSAN_OPTIONS": env.get("TSAN_OPTIONS", "") + ":suppressions=" + supp}


class Application:
    """One run. `lines` are all lines of both outputs, in the order they came."""
    running = []  # those that were not closed

    def __init__(self, name, config, *options, env=None, user=None):
        self.directory = tempfile.TemporaryDirectory(prefix="troupe-test-")
        path = os.path.join(self.directory.name, "app.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(json.dumps(config(self.directory.name) if callable(config) else config))
        self.lines = []
        self.rest = b""
        self.seen = {}  # pid: pidfd, of every process that was announced
        self.paths = {}  # path: pid, the latest
        reader, writer = os.pipe()
        self.process = subprocess.Popen([program(name), "run", path, *self.form(options), *options], stdin=subprocess.DEVNULL,
                                        stdout=writer, stderr=writer, cwd=self.directory.name, **self.as_user(user),
                                        env=sanitizer_options({**os.environ, "TMPDIR": self.directory.name, **(env or {})}))
        os.close(writer)
        self.output = reader
        self.keeper = os.pidfd_open(self.process.pid)
        Application.running.append(self)

    def as_user(self, user):
        """The whole application as somebody else: a number."""
        if user is None:
            return {}
        os.chown(self.directory.name, user, user)
        return {"user": user, "group": user, "extra_groups": []}

    @staticmethod
    def form(options):
        """Patterns of tests are those of lines for people, though they are read from a pipe."""
        return () if any("log.form" in option for option in options) else ("--set", "log.form=pretty")

    # ---- Output ----

    def _take(self, line):
        self.lines.append(line)
        found = STARTED.search(line)
        if found:
            path, pid = found[1], int(found[2])
            self.paths[path] = pid
            try:
                self.seen[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                pass  # gone already

    def _read(self, deadline):
        """False: no more output, or the deadline is past."""
        left = deadline - time.monotonic()
        if left < 0 or not select.select([self.output], [], [], left)[0]:
            return False
        data = os.read(self.output, 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        return bool(data)

    def wait_for(self, pattern, since=0, seconds=20):
        """The match of the first line from `since` on, and that line's number + 1."""
        deadline = time.monotonic() + seconds * SLOWNESS
        while True:
            for number in range(since, len(self.lines)):
                found = re.search(pattern, self.lines[number])
                if found:
                    return found, number + 1
            since = len(self.lines)
            if not self._read(deadline):
                raise Failure(f"no line with {pattern!r}; the last lines:\n" + self.tail())

    def read_for(self, seconds):
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass

    def tail(self, count=25):
        return "\n".join(self.lines[-count:])

    def find(self, pattern):
        return [found for found in (re.search(pattern, line) for line in self.lines) if found]

    def counts(self):
        """The keeper's last line."""
        line = self.find(r"messages: (.*)")[-1][1]
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}

    # ---- Processes ----

    def kill(self, path, number=signal.SIGKILL):
        """By the pidfd of the latest process of this path: false if it was gone."""
        pidfd = self.seen.get(self.paths.get(path))
        try:
            if pidfd is not None:
                signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            return False
        return pidfd is not None

    def signal(self, number):
        signal.pidfd_send_signal(self.keeper, number)

    def wait(self, seconds=30):
        """The exit code, once all output is read. Negative: the signal."""
        deadline = time.monotonic() + seconds * SLOWNESS
        while self._read(deadline):
            pass
        if not select.select([self.keeper], [], [], max(0, deadline - time.monotonic()))[0]:
            raise Failure("it did not end; the last lines:\n" + self.tail())
        return self.process.wait()

    def wait_all_gone(self, seconds=1):
        deadline = time.monotonic() + seconds * SLOWNESS
        for pid, pidfd in self.seen.items():
            if not select.select([pidfd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure(f"process {pid} is still there")

    def close(self):
        """After the end: nothing is left of it."""
        self.wait_all_gone()
        if self.process.returncode < 0:
            reap_orphans()
        for pid, pidfd in self.seen.items():
            if is_zombie(pid):
                raise Failure(f"process {pid} is a zombie")
            os.close(pidfd)
        os.close(self.output)
        os.close(self.keeper)
        left = sorted(set(os.listdir(self.directory.name)) - {"app.yaml"} - set(getattr(self, "own", ())))
        if left:
            raise Failure(f"files are left: {left}")
        if children():
            raise Failure(f"processes are left: {children()}")
        self.directory.cleanup()
        Application.running.remove(self)

    @classmethod
    def abandon(cls):
        """After a failure: what it left must not make the next test fail."""
        for app in cls.running:
            app.process.kill()
            app.process.wait()
            app.directory.cleanup()
        while children():
            os.waitpid(-1, 0)
        cls.running.clear()


def balanced(counts):
    dead = sum(value for key, value in counts.items()
               if key not in ("sent", "handled", "dead_letters", "in_doubt", "refused"))
    return counts["sent"] == counts["handled"] + counts["dead_letters"] + counts["in_doubt"] and \
        (dead == counts["dead_letters"])


def check(condition, what, application=None):
    if not condition:
        raise Failure(what + ("\n" + application.tail() if application else ""))


def run(tests):
    """Runs all, or those named on the command line; says what each found."""
    failed = 0
    names = sys.argv[1:]
    chosen = [test for test in tests if not names or test.__name__ in names]
    for test in chosen:
        begun = time.monotonic()
        try:
            told = test()
            print(f"ok    {test.__name__}: {told or ''} ({time.monotonic() - begun:.1f} s)", flush=True)
        except (Failure, KeyError, IndexError) as failure:
            failed += 1
            print(f"FAIL  {test.__name__}: {failure!s:.4000}", flush=True)
            Application.abandon()
    print(f"{len(chosen)} tests, {failed} failed")
    sys.exit(failed > 0 or not chosen)
