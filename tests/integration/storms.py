#!/usr/bin/env python3
"""Contracts 2 and 3 in a storm of SIGKILLs, while four senders send to four receivers as fast as they may.

Each receiver has a process to itself, which is killed again and again. Senders and receivers write down what they do in
memory that this test has made (programs/storm.c), and the keeper counts for itself: with at_least_once no message is lost
and each pair keeps its order; with the default, what was sent is handled, told to its sender as lost, or in doubt, one at
most for each kill. The memory of those that survive stays where it was. In further runs the senders' process is killed, too.

TROUPE_STORM=seconds:kills is how long and how often: 60:1000 is the full one. TROUPE_SEED draws the victims.
"""
import mmap
import os
import random
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.environ["TROUPE_SOURCE_DIR"], "tests", "lib"))
from application import SLOWNESS, Application, balanced, check, run  # noqa: E402

SEED = int(os.environ.get("TROUPE_SEED", "6"))
SECONDS, KILLS = (int(word) for word in os.environ.get("TROUPE_STORM", "5:80").split(":"))
SENDERS, RECEIVERS, REASONS, NUMBERS = 4, 4, 64, 1 << 24  # as in programs/storm.c
SANITIZED = bool(os.environ.get("TROUPE_SANITIZE"))  # they keep what is freed for a while
MOST_GROWTH = 16 << 20  # of what a surviving process has resident, once everything has been going on for a while


class Books:
    """The memory that the actors write to: struct books of programs/storm.c."""
    HEAD = struct.Struct(f"={3 + REASONS + 4 * SENDERS * RECEIVERS}Q")

    def __init__(self):
        self.descriptor = os.memfd_create("storm-books")
        os.ftruncate(self.descriptor, self.HEAD.size + SENDERS * RECEIVERS * NUMBERS)
        self.memory = mmap.mmap(self.descriptor, 0)
        self.path = f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def open_gate(self):
        self.memory[:8] = struct.pack("=Q", 1)

    def pairs(self):
        """(next, taken, last, disorder) of each."""
        _, _, self.full, *rest = self.HEAD.unpack(self.memory[:self.HEAD.size])
        self.back = {reason: count for reason, count in enumerate(rest[:REASONS]) if count > 0}
        return [rest[i:i + 4] for i in range(REASONS, len(rest), 4)]

    def all_have_met(self):
        return all(last > 0 for _, _, last, _ in self.pairs())

    def read(self):
        self.next, self.taken, _, self.disorder = zip(*self.pairs())
        self.handled, self.again = [], []
        for number, bound in enumerate(self.next):
            first = self.HEAD.size + number * NUMBERS
            times = self.memory[first:first + bound]
            self.handled.append(bound - times.count(0))
            self.again.append(sum(times) - self.handled[-1] if times.count(1) < self.handled[-1] else 0)

    def close(self):
        self.memory.close()
        os.close(self.descriptor)


def config(books, delivery, lane, senders_apart):
    place = {"process": "own", "lane": lane}
    sender = {"name": "sender", "actor": "sender", "count": SENDERS, "args": {"memory": books.path}}
    if senders_apart:
        sender["place"] = {"process": "senders", "lane": lane}
    return {"shutdown": "30s", "tree": {"restarts": 1000000, "within": "1s", "children": [
        {"name": "receiver", "actor": "receiver", "count": RECEIVERS, "place": place, "delivery": delivery,
         "args": {"memory": books.path}}, sender]}}


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Storm:
    def __init__(self, delivery, lane="ipc", senders_apart=False):
        self.books = Books()
        self.app = Application("storm", config(self.books, delivery, lane, senders_apart))
        self.victims = [f"/receiver/{i}" for i in range(RECEIVERS)] + (["senders"] if senders_apart else [])
        self.chance = random.Random(SEED)
        self.kills = {path: 0 for path in self.victims}
        self.struck = set()  # pids
        self.sizes = {}

    def rage(self):
        self.wait_until_all_have_met()
        began = time.monotonic()
        for number in range(KILLS):
            self.app.read_for(began + SECONDS * SLOWNESS * (number + 1) / KILLS - time.monotonic())
            self.kill_one()
            if number in (KILLS // 4, KILLS - 1):
                self.measure()
        self.took = time.monotonic() - began
        while any(self.app.paths[path] in self.struck for path in self.victims):
            self.app.read_for(0.001)  # they are all back, so that no question is lost with the last ones
        self.books.open_gate()

    def wait_until_all_have_met(self):
        """One that is killed before it was ever ready would be the end of its tree."""
        deadline = time.monotonic() + 20 * SLOWNESS
        while not self.books.all_have_met():
            check(time.monotonic() < deadline, "not all begin", self.app)
            self.app.read_for(0.01)

    def kill_one(self):
        """One that is there: who was killed just now may not be back yet."""
        deadline = time.monotonic() + 20 * SLOWNESS
        while True:
            for path in self.chance.sample(self.victims, len(self.victims)):
                if self.app.paths[path] not in self.struck and self.app.kill(path):
                    self.kills[path] += 1
                    self.struck.add(self.app.paths[path])
                    return
            check(time.monotonic() < deadline, "nobody comes back", self.app)
            self.app.read_for(0.001)

    def measure(self):
        for name, pid in (("keeper", self.app.process.pid), ("main", self.app.paths["main"])):
            self.sizes.setdefault(name, []).append(resident(pid))

    def end(self):
        code = self.app.wait(60)
        check(code == 0, f"exit code {code}", self.app)
        self.books.read()
        self.counts = self.app.counts()
        self.told = (f"{sum(self.kills.values())} kills in {self.took:.0f} s, {sum(self.books.taken)} taken, "
                     f"{sum(self.books.handled)} handled, {sum(self.books.again)} again, back {self.books.back}, "
                     f"keeper {self.counts}, resident {self.sizes}")
        self.app.close()
        self.books.close()
        self.check_all()

    def check_all(self):
        """What holds whatever the delivery."""
        books = self.books
        check(books.full == 0, "there is no room for more numbers: " + self.told)
        check(balanced(self.counts), "unbalanced: " + self.told)
        check(not any(books.disorder), f"out of order {books.disorder}: " + self.told)
        check(min(books.handled) > 0, "a pair that never met: " + self.told)
        for name, (early, late) in self.sizes.items():
            check(SANITIZED or late - early < MOST_GROWTH, f"{name} grows: " + self.told)


def play(*args, **options):
    storm = Storm(*args, **options)
    storm.rage()
    storm.end()
    return storm


def test_at_least_once(lane="ipc"):
    storm = play("at_least_once", lane)
    books = storm.books
    check(books.handled == list(books.taken), f"lost: {books.taken}, {books.handled}: {storm.told}")
    check(sum(books.again) <= sum(storm.kills.values()), "too many came twice: " + storm.told)
    check(not books.back, "something came back: " + storm.told)
    check(storm.counts["in_doubt"] == storm.counts["dead_letters"] == 0, storm.told)
    return storm.told


def test_the_default(lane="ipc"):
    storm = play("at_most_once", lane)
    books, counts = storm.books, storm.counts
    check(not any(books.again), "something came twice: " + storm.told)
    in_doubt = counts["in_doubt"]
    kept = sum(books.taken) - sum(books.back.values())
    check(kept <= sum(books.handled) <= kept + in_doubt, "the books differ: " + storm.told)
    check(in_doubt <= sum(storm.kills.values()), "too many in doubt: " + storm.told)
    check(sum(books.back.values()) == in_doubt + counts["dead_letters"], "not all were told: " + storm.told)
    check(counts.get("sender_died", 0) == 0, "a sender died: " + storm.told)
    check(counts["dead_letters"] > 0, "no kill hit a message: " + storm.told)
    return storm.told


def test_senders_are_killed_too():
    """With their process goes what it had not handed over; what arrives keeps its order all the same."""
    told = []
    for delivery in ("at_least_once", "at_most_once"):
        storm = play(delivery, senders_apart=True)
        books, kills = storm.books, storm.kills["senders"]
        # Sent just before the kill, and not yet noted as taken: one at most.
        handled, taken = sum(books.handled), sum(books.taken) + kills
        lost = storm.counts["dead_letters"] + storm.counts["in_doubt"]
        check(kills > 0 and handled <= taken, storm.told)
        check(sum(books.again) <= (sum(storm.kills.values()) if delivery == "at_least_once" else 0), storm.told)
        check(taken - handled <= lost + kills, "lost and not counted: " + storm.told)
        told.append(storm.told)
    return "\n      ".join(told)


def test_over_tcp():
    return test_at_least_once("tcp") + "\n      " + test_the_default("tcp")


run([test_at_least_once, test_the_default, test_senders_are_killed_too, test_over_tcp])
