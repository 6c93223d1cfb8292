#!/usr/bin/env python3
"""Builds and runs the benchmarks, prints a table, writes rows as JSON: see README.md.

A subject is a folder of programs, one a work: bench/SUBJECT/WORK.{c,cpp,erl,mjs}. C programs are taken from
the build folder when CMake has built them there (BUILD/bench/SUBJECT/WORK or BUILD/bench-SUBJECT-WORK),
and compiled here when they need no library of this project's.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
WORKS = ["pingpong", "pingpong_threads", "pingpong_inproc", "pingpong_processes", "oneway_processes",
         "fanin", "spawn"]
SUBJECTS = ["troupe", "nng", "caf", "erlang", "node", "floor"]
SUFFIX = {"troupe": "c", "nng": "c", "floor": "c", "caf": "cpp", "erlang": "erl", "node": "mjs"}
# Messages of a full run; erlang and node count their own in the same way. --quick divides by 10.
COUNTS = {
    "pingpong": 2000000, "pingpong_threads": 100000, "pingpong_inproc": 50000,
    "pingpong_processes": 20000, "oneway_processes": 200000, "fanin": 5000000, "spawn": 300000,
}
ONE_WORKER = {"pingpong", "spawn"}  # works of a single scheduler thread
DEADLINE_S = 120
LINE = re.compile(r"^work=(\S+) params=(\S+) value=(\S+) unit=(\S+) better=(higher|lower)\s*$")


def version_of(subject):
    def text(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            return ""
    if subject == "troupe":
        header = open(os.path.join(ROOT, "include/troupe/version.h")).read()
        return re.search(r'TROUPE_VERSION "([^"]+)"', header).group(1)
    if subject == "node":
        return text("node", "--version").lstrip("v")
    package = {"nng": "libnng-dev", "caf": "libcaf-dev", "erlang": "erlang-base"}.get(subject)
    return text("dpkg-query", "-W", "-f", "${Version}", package) if package else ""


class Missing(Exception):
    pass


def newer(target, *sources):
    return os.path.exists(target) and all(
        os.path.getmtime(target) >= os.path.getmtime(s) for s in sources)


def compile_with(command, needs):
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise Missing(f"does not build ({needs}): {reason}")


def built_by_cmake(build, subject, work):
    for path in (f"bench/{subject}/{work}", f"bench-{subject}-{work}", f"bench/bench-{subject}-{work}"):
        full = os.path.join(build, path)
        if os.access(full, os.X_OK):
            return full
    return None


def command_for(subject, work, build, scratch):
    """The command of a work, built if need be, without its count. Raises Missing."""
    source = os.path.join(HERE, subject, f"{work}.{SUFFIX[subject]}")
    out = os.path.join(scratch, f"{subject}-{work}")
    headers = [os.path.join(HERE, "bench.h")] + [
        os.path.join(HERE, subject, f) for f in os.listdir(os.path.join(HERE, subject))
        if f.endswith((".h", ".hpp"))]
    if subject in ("troupe", "nng", "floor"):
        found = built_by_cmake(build, subject, work)
        if found:
            return [found]
        if subject == "troupe":
            raise Missing(f"not built: cmake --build {os.path.relpath(build, ROOT)} --target bench")
        if not newer(out, source, *headers):
            compile_with(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-DNDEBUG", source, "-o", out]
                         + (["-lnng"] if subject == "nng" else []) + ["-lpthread"],
                         "libnng-dev" if subject == "nng" else "cc")
        return [out]
    if subject == "caf":
        if not newer(out, source, *headers):
            compile_with(["c++", "-std=c++17", "-O2", "-DNDEBUG", "-w", source, "-o", out, "-lcaf_core",
                          "-lpthread"], "libcaf-dev")
        return [out]
    if subject == "erlang":
        if not newer(os.path.join(scratch, f"{work}.beam"), source):
            compile_with(["erlc", "-o", scratch, source], "erlang-base")
        return (["erl", "-noshell", "-pa", scratch] + (["+S", "1:1"] if work in ONE_WORKER else [])
                + ["-run", work, "main"])
    if shutil.which("node") is None:
        raise Missing("node is not installed")
    return ["node", source]


def resident(pid):
    """Resident bytes of a process and all below it; shared pages count in each."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            total = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                total += sum(resident(child) for child in file.read().split())
        return total
    except (OSError, IndexError):
        return 0


def run_once(command):
    """Lines of the program, CPU seconds and the peak of resident bytes of it and its children."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    peak, began = 0, time.monotonic()
    while True:
        peak = max(peak, resident(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        if time.monotonic() - began > DEADLINE_S:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.005 if time.monotonic() - began < 0.1 else 0.05)
    process.returncode = os.waitstatus_to_exitcode(status)
    out, err = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    lines = [LINE.match(line) for line in out.splitlines()]
    lines = [line.groups() for line in lines if line]
    if process.returncode != 0 or not lines:
        last = (err.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(f"exit {process.returncode}: {last}")
    # A child that was waited for counts in its parent's usage.
    return lines, usage.ru_utime + usage.ru_stime, peak


def run_work(work, rounds, quick, build, scratch, notes):
    """Rows of one work: every subject once a round, so that drift hits them all alike."""
    commands = {}
    for subject in SUBJECTS:
        if not os.path.exists(os.path.join(HERE, subject, f"{work}.{SUFFIX[subject]}")):
            continue
        try:
            commands[subject] = command_for(subject, work, build, scratch)
        except Missing as reason:
            notes.append(f"{work}: {subject} missing: {reason}")
    count = str(COUNTS[work] // (10 if quick else 1))
    samples = {}  # (subject, params) -> list of (value, unit, better, cpu, rss)
    for turn in range(rounds):
        order = list(commands)
        for subject in order if turn % 2 == 0 else reversed(order):
            try:
                lines, cpu, rss = run_once(commands[subject] + [count])
            except RuntimeError as reason:
                notes.append(f"{work}: {subject} failed: {reason}")
                continue
            for _, params, value, unit, better in lines:
                samples.setdefault((subject, params), []).append((float(value), unit, better, cpu, rss))
    rows = []
    for (subject, params), found in samples.items():
        values = [s[0] for s in found]
        rows.append({
            "work": work, "subject": subject, "version": version_of(subject), "params": params,
            "value": statistics.median(values), "unit": found[0][1], "better": found[0][2],
            "cpu_seconds": round(statistics.median(s[3] for s in found), 4),
            "peak_rss_bytes": int(statistics.median(s[4] for s in found)),
            "lowest": min(values), "highest": max(values), "samples": len(values),
        })
    return rows


def best(rows):
    if not rows:
        return None
    pick = max if rows[0]["better"] == "higher" else min
    return pick(rows, key=lambda row: row["value"])


def times_best_peer(row, peer):
    """How many times as good as the best peer: over 1 is better."""
    if peer is None or row["value"] == 0 or peer["value"] == 0:
        return ""
    ratio = row["value"] / peer["value"] if row["better"] == "higher" else peer["value"] / row["value"]
    return f"{ratio:.2f}"


def print_table(work, rows):
    peer = best([r for r in rows if r["subject"] not in ("troupe", "floor")])
    print(f"\n{work}" + (f"  (best peer: {peer['subject']})" if peer else ""))
    print(f"  {'subject':8} {'median':>12} {'lowest':>12} {'highest':>12} {'unit':6} {'x peer':>7}"
          f" {'cpu s':>7} {'MiB':>6}  params")
    for row in sorted(rows, key=lambda r: r["value"], reverse=rows[0]["better"] == "higher"):
        print(f"  {row['subject']:8} {row['value']:12.4g} {row['lowest']:12.4g} {row['highest']:12.4g}"
              f" {row['unit']:6} {times_best_peer(row, peer):>7} {row['cpu_seconds']:7.2f}"
              f" {row['peak_rss_bytes'] / 1048576:6.0f}  {row['params']}")


def main():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="See bench/README.md.")
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS) + "; all if none")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, one round")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--rounds", type=int, help="runs of each subject (5; 1 with --quick)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"), metavar="DIR")
    arguments = parser.parse_args()
    for work in arguments.works:
        if work not in WORKS:
            parser.error(f"no such work: {work}")
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    build = os.path.abspath(arguments.build)
    scratch = os.path.join(build, "bench-peers")
    os.makedirs(scratch, exist_ok=True)
    if os.path.exists(os.path.join(build, "CMakeCache.txt")):
        built = subprocess.run(["cmake", "--build", build, "--target", "bench"], capture_output=True,
                               text=True)
        if built.returncode != 0:
            sys.exit(f"the bench target does not build:\n{built.stdout}{built.stderr}")
    rows, notes = [], []
    for work in arguments.works or WORKS:
        found = run_work(work, rounds, arguments.quick, build, scratch, notes)
        if found:
            print_table(work, found)
            sys.stdout.flush()
        rows += found
    if notes:
        print("\n" + "\n".join(dict.fromkeys(notes)))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    failed = any(" failed: " in note for note in notes)
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
