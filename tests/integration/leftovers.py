#!/usr/bin/env python3
"""SIGKILL at any moment, for any process, in any order: a second later nothing is left, or all is as it was.

Each moment is drawn: from microseconds after the first process began, while all of them talk to each other, or after the
order to end; who is killed, how many of them, how soon after each other. If the keeper lives, all must be whole again:
every member knows every other, and each process has open what it would have if nothing had happened. What is left
at the end is counted from outside: this process is the reaper of all orphans (application.py), and looks at names of
sockets, shared memory and files.

TROUPE_MOMENTS of them, drawn by TROUPE_SEED; from number TROUPE_MOMENT on.
"""
import collections
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import SLOWNESS, Application, check, run  # noqa: E402

SEED = int(os.environ.get("TROUPE_SEED", "5"))
FIRST = int(os.environ.get("TROUPE_MOMENT", "0"))
MOMENTS = int(os.environ.get("TROUPE_MOMENTS", "150" if SLOWNESS == 1 else "30"))
MEMBERS = 3
PLACES = {"fork, ipc": {"process": "own"}, "spawn, ipc": {"process": "own", "start": "spawn"},
          "fork, tcp": {"process": "own", "lane": "tcp"},
          "spawn, tcp": {"process": "own", "lane": "tcp", "start": "spawn"}}
VICTIMS = (("keeper",), ("main",), ("member",), ("member", "member"), ("member", "main"), ("main", "member"),
           ("member", "keeper"), ("main", "keeper"), ("keeper", "main"), ("keeper", "member"),
           ("member", "main", "keeper"), ("main", "main"), ("all",))


def short(chance, least, most):
    """Seconds: each order of magnitude is as likely as the others."""
    return least * (most / least) ** chance.random()


def spin_until(moment):
    while time.monotonic() < moment:
        pass


# ---- Processes, from outside ----

def below(pid):
    """The children of a process, the oldest first: of a keeper's, that is main."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as text:
            return [int(word) for word in text.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as text:
            return int(text.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def kill_child(keeper, pid):
    """Unless its number is another process's by now."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if parent_of(pid) in (keeper, os.getpid()):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(pidfd)


def open_files(pid):
    """How many of each kind."""
    kinds = collections.Counter()
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            kinds[os.readlink(f"/proc/{pid}/fd/{number}").split("[")[0]] += 1
    except (FileNotFoundError, ProcessLookupError):
        pass
    return kinds


def names_of_sockets():
    """{name: inode} of those in no folder that may be Troupe's."""
    with open("/proc/net/unix", encoding="ascii", errors="replace") as table:
        lines = [line.split() for line in table if "@troupe-" in line]
    return {line[-1]: line[-2] for line in lines}


def is_held(inode):
    """By any process: other tests may be running."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{number}") == f"socket:[{inode}]" for number in os.listdir(f"/proc/{pid}/fd")):
                return True
        except OSError:
            continue
    return False


# ---- One moment ----

class Moment:
    def __init__(self, number):
        self.chance = random.Random(f"{SEED}:{number}")
        self.phase = self.chance.choice(("start", "start", "run", "end"))
        self.place = self.chance.choice(list(PLACES))
        self.victims = self.chance.choice(VICTIMS)
        self.about = f"moment {number} ({self.phase}; {self.place}; {', '.join(self.victims)})"
        self.keeper_dies = "keeper" in self.victims or "all" in self.victims
        self.known = []  # the keeper's children, when there was last a keeper to ask
        self.struck = set()
        self.gave_up = False

    def play(self):
        """Returns how long it took until nothing was left, after the keeper's death."""
        undisturbed = normal(self.place)
        names, shared = names_of_sockets(), set(os.listdir("/dev/shm"))
        self.begin()
        self.kill()
        if not self.keeper_dies and self.phase != "end" and self.goes_on():
            self.is_whole(undisturbed)
            self.app.signal(signal.SIGTERM)
        code = self.app.wait()
        self.app.close()
        took = time.monotonic() - self.killed
        self.check_end(code, took)
        left = [name for name, inode in names_of_sockets().items() if name not in names and not is_held(inode)]
        check(not left, f"{self.about}: sockets are left: {left}")
        left = [name for name in set(os.listdir("/dev/shm")) - shared if "troupe" in name]
        check(not left, f"{self.about}: shared memory is left: {left}")
        return took if code < 0 else 0

    def begin(self):
        self.app = start(self.place)
        began = time.monotonic()
        if self.phase == "start":
            spin_until(began + short(self.chance, 1e-6, 0.05 * SLOWNESS))
            return
        wait_for_all(self.app, self.struck)
        self.app.read_for(self.chance.random() * 0.01)
        if self.phase == "end":
            self.app.signal(signal.SIGTERM)
            spin_until(time.monotonic() + short(self.chance, 1e-6, 0.02 * SLOWNESS))

    def kill(self):
        for number, victim in enumerate(self.victims):
            if number > 0:
                spin_until(time.monotonic() + short(self.chance, 1e-6, 0.01))
            self.strike(victim)
        self.killed = time.monotonic()

    def strike(self, victim):
        self.known = below(self.app.process.pid) or self.known
        if victim in ("keeper", "all"):
            self.app.signal(signal.SIGKILL)
        targets = {"keeper": [], "main": self.known[:1], "all": self.known,
                   "member": self.chance.sample(self.known[1:], len(self.known) > 1)}[victim]
        for pid in targets:
            kill_child(self.app.process.pid, pid)
        self.struck.update(self.known if victim == "main" else targets)

    def goes_on(self):
        """A member that is killed during its very first start makes the tree give up, and that is the end."""
        self.gave_up = not wait_for_all(self.app, self.struck)
        check(not self.gave_up or (self.phase == "start" and "member" in self.victims), f"{self.about}: it gave up", self.app)
        return not self.gave_up

    def is_whole(self, undisturbed):
        deadline = time.monotonic() + SLOWNESS
        while files_of(self.app) != undisturbed:
            check(time.monotonic() < deadline, f"{self.about}: open are {files_of(self.app)}, not {undisturbed}", self.app)
            self.app.read_for(0.005)

    def check_end(self, code, took):
        codes = {0, 2} if self.phase == "end" else {2} if self.gave_up else {0}
        if self.keeper_dies:
            ended = {"start": {2} if "member" in self.victims else set(), "run": set(), "end": {0, 2}}[self.phase]
            codes = {-signal.SIGKILL} | ended  # if it was over before the last blow
            check(took < SLOWNESS, f"{self.about}: something was left for {took:.2f} s")
        check(code in codes, f"{self.about}: exit code {code}", self.app)


def start(place):
    return Application("acquaintances", {"tree": {"restarts": 1000, "within": "1s", "children": [
        {"name": "member", "actor": "member", "count": MEMBERS, "place": PLACES[place]}]}})


def wait_for_all(app, struck):
    """Every member is in a process that was not struck, and knows all others. False: it gave up."""
    since, pids = 0, {}
    while len(pids) < MEMBERS or not set(pids.values()) <= set(below(app.process.pid)) - struck:
        found, since = app.wait_for(r"^(/member/\d) knows all, pid (\d+)|main gave up", since)
        if found[1] is None:
            return False
        pids[found[1]] = int(found[2])
    return True


def files_of(app):
    """Of the keeper, and of all others together: over tcp, who of two listens has one more than who connects."""
    together = collections.Counter()
    for pid in below(app.process.pid):
        together.update(open_files(pid))
    return open_files(app.process.pid), together


NORMAL = {}


def normal(place):
    """What is open in an application that nothing has happened to, once it has come to rest."""
    if place not in NORMAL:
        app = start(place)
        wait_for_all(app, set())
        last = None
        while last != files_of(app):
            last = files_of(app)
            app.read_for(0.1)
        NORMAL[place] = last
        app.signal(signal.SIGTERM)
        check(app.wait() == 0, "it did not end well", app)
        app.close()
    return NORMAL[place]


def test_any_moment():
    longest = 0
    for number in range(FIRST, FIRST + MOMENTS):
        longest = max(longest, Moment(number).play())
    return f"{MOMENTS} moments, after the keeper's death nothing was left within {longest * 1000:.0f} ms"


run([test_any_moment])
