#!/usr/bin/env python3
"""Overload: producers send ten times what their consumers can handle. Memory stays flat, every message is
accounted for, a mailbox is never fuller than its limit, and those who wait for room are told of it.

    overload.py [--seconds N]     3 if not given; the producers send for so long

Prints what came of it, a line of key=value for each consumer and one for the whole, and fails if a promise
is broken. Four consumers, with two producers each: `plain` refuses those who do not care, `patient` those who
wait for troupe_ready, `lossy` drops, and `far`, in a process of its own, is bounded by its senders' window.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ.setdefault("TROUPE_SOURCE_DIR", os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", ".."))), "tests", "lib"))
from application import SLOWNESS, Application, balanced, check, run  # noqa: E402

EACH_US = 1000     # of a consumer, for a message
BURST = 50         # of a producer, every 10 ms: two of them, ten times what a consumer handles
LIMIT = 256
WINDOW = 1024
MOST_GROWTH = 4    # MiB, after the warm-up
CONSUMERS = {"plain": {}, "patient": {}, "lossy": {"mailbox": {"overflow": "drop_newest"}},
             "far": {"place": "process"}}
WAITING = {"plain": (False, False), "patient": (True, True), "lossy": (False, False), "far": (False, True)}


def take_seconds():
    if "--seconds" not in sys.argv:
        return 3
    at = sys.argv.index("--seconds")
    seconds = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return seconds


SECONDS = take_seconds()


def config():
    children = [{"name": "judge", "actor": "judge", "args": {"producers": 2 * len(CONSUMERS)}}]
    for name, options in CONSUMERS.items():
        mailbox = {"limit": LIMIT, **options.get("mailbox", {})}
        children.append({**options, "name": name, "actor": "consumer", "args": {"each": EACH_US},
                         "mailbox": mailbox})
    for name, waiting in WAITING.items():
        for number, waits in enumerate(waiting):
            children.append({"name": f"to_{name}_{number}", "actor": "producer",
                             "args": {"to": "/" + name, "waits": waits, "seconds": SECONDS, "burst": BURST}})
    return {"threads": 6, "tree": {"restarts": 0, "children": children}}


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1048576


def watch_memory(app):
    """{path: (least, most)} in MiB, between a third of the time and the end of sending."""
    begun, seen = time.monotonic(), {}
    while time.monotonic() - begun < SECONDS * 0.95:
        app.read_for(0.05)
        if time.monotonic() - begun < max(SECONDS / 3, 0.5):
            continue
        for path, pid in app.paths.items():
            now = resident(pid)
            least, most = seen.get(path, (now, now))
            seen[path] = (min(least, now), max(most, now))
    return seen


def numbers(text):
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", text)}


def told(app, kind):
    return {match[1]: numbers(match[2]) for match in app.find(rf"^{kind} /(\S+) (.*)")}


def show(what, values):
    print(what, " ".join(f"{key}={value}" for key, value in values.items()), flush=True)


def judge_consumer(name, consumer, producers):
    """What this consumer's producers counted is what it counted, and what its mailbox did."""
    total = {key: sum(p[key] for p in producers) for key in producers[0]}
    show(f"consumer={name}", {**total, **{"mailbox_" + key: value for key, value in consumer.items()}})
    check(total["taken"] == consumer["handled"] + total["dropped"], f"{name}: taken, handled and dropped differ")
    check(total["taken"] + total["refused"] > 1.5 * consumer["handled"] or name == "patient",
          f"{name}: that was no overload")
    check(consumer["waiting"] <= consumer["limit"], f"{name}: too full")
    if name == "far":
        check(total["refused"] > 0, "far: its window never closed")
        return
    check(consumer["high_water"] == consumer["limit"] == LIMIT, f"{name}: the high water mark is not the limit")
    found_full = total["refused"] + total["asks_refused"] + total["dropped"] + total["asks_dropped"]
    check(consumer["refused"] == found_full, f"{name}: refused {consumer['refused']}, not {found_full}")
    check((total["dropped"] > 0) == (name == "lossy"), f"{name}: dropped {total['dropped']}")


def test_overload():
    app = Application("overload", config())
    app.wait_for(r"process /far pid")
    memory = watch_memory(app)
    code = app.wait(60 + SECONDS)
    check(code == 0, f"exit code {code}", app)
    consumers, producers, counts = told(app, "consumer"), told(app, "producer"), app.counts()
    check(set(consumers) == set(CONSUMERS) and len(producers) == 2 * len(CONSUMERS), "who is missing?", app)
    for name in CONSUMERS:
        judge_consumer(name, consumers[name], [producers[f"to_{name}_{i}"] for i in range(2)])
    for name, waiting in WAITING.items():
        for i, waits in enumerate(waiting):
            check(not waits or producers[f"to_{name}_{i}"]["readies"] > 0, f"{name}: nobody was told", app)
    show("all", {**counts, **{f"{path.strip('/')}_mib": f"{most:.1f}" for path, (_, most) in memory.items()},
                 **{f"{path.strip('/')}_growth_mib": f"{most - least:.2f}"
                    for path, (least, most) in memory.items()}})
    check(balanced(counts) and counts["in_doubt"] == 0, f"unbalanced: {counts}")
    check(counts["dead_letters"] == counts.get("full", 0), f"dead letters of another kind: {counts}")
    check({"main", "/far"} <= set(memory), f"no memory seen: {memory}")
    if SLOWNESS == 1:  # a sanitizer keeps what was freed
        for path, (least, most) in memory.items():
            check(most - least < MOST_GROWTH, f"{path} grew by {most - least:.1f} MiB")
    app.close()
    return f"{SECONDS} s"


run([test_overload])
