#!/usr/bin/env -S python3 -B
"""Builds and runs the benchmarks, prints a table, writes rows as JSON: see README.md."""
import argparse
import datetime
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys

from measure import Failed, Others, run_idle, run_once
from subjects import (COUNTS, Missing, QUICK, ROOT, SUBJECTS, WORKS, commands_of, source_of,
                      version_of)

# Rows are compared with each other when these parameters are the same.
COMPARED_BY = ("senders", "receivers", "actors", "threads", "metric", "placed_by", "handoff", "to")


def count_of(work, quick):
    return QUICK.get(work, COUNTS[work] // 10) if quick else COUNTS[work]


def group_of(params):
    """'senders:5' of 'senders:5,mailbox:1024,n:2000000': what a row may be compared with."""
    return ",".join(p for p in params.split(",") if p.split(":")[0] in COMPARED_BY)


def commands_for(work, options, notes):
    """{(subject, index): (command, environment)} of what can run here."""
    commands = {}
    for subject in options.subjects:
        if not os.path.exists(source_of(subject, work)):
            continue
        try:
            found = commands_of(subject, work, options.build, options.scratch,
                                count_of(work, options.quick))
        except Missing as reason:
            notes.append(f"{work}: {subject} missing: {reason}")
            continue
        for index, (command, environment) in enumerate(found):
            pin = ["taskset", "-c", options.pin] if options.pin else []
            commands[(subject, index)] = (pin + command, environment)
    return commands


def sample(work, commands, options, notes):
    """{(subject, params): [(value, unit, better, cpu, rss)]}: every subject once a round, forwards and
    backwards in turn, so that drift hits them all alike."""
    samples = {}
    for turn in range(options.rounds):
        order = list(commands)
        for key in order if turn % 2 == 0 else reversed(order):
            command, environment = commands[key]
            try:
                if work in ("idle", "idle_processes"):
                    lines, cpu, rss = run_idle(command, environment, count_of(work, options.quick))
                else:
                    lines, cpu, rss = run_once(command, environment)
            except (Failed, OSError, subprocess.TimeoutExpired) as reason:
                notes.append(f"{work}: {key[0]} failed: {reason}")
                continue
            for params, value, unit, better in lines:
                pinned = f"pinned:{options.pin.replace(',', '+')}" if options.pin else "unpinned"
                samples.setdefault((key[0], f"{params},{pinned}"), []).append(
                    (float(value), unit, better, cpu, rss))
    return samples


def rows_of(work, samples, about):
    rows = []
    for (subject, params), found in samples.items():
        values = [s[0] for s in found]
        rows.append({
            "work": work, "subject": subject, "version": version_of(subject), "params": params,
            "value": statistics.median(values), "unit": found[0][1], "better": found[0][2],
            "cpu_seconds": round(statistics.median(s[3] for s in found), 4),
            "peak_rss_bytes": int(statistics.median(s[4] for s in found)),
            "lowest": min(values), "highest": max(values), "samples": len(values),
            "group": group_of(params), **about,
        })
    return rows


def speed_up(rows):
    """Of `imbalance`: how many times as fast two threads are as one, a row for each subject."""
    def other(row):
        return row["params"].replace("threads:2", "threads:1")
    one = {(r["subject"], r["params"]): r for r in rows}
    return [{**row, "params": row["params"].replace("threads:2", "metric:speed_up,threads:2/1"),
             "value": one[(row["subject"], other(row))]["value"] / row["value"], "unit": "x",
             "better": "higher", "group": "metric:speed_up",
             "lowest": one[(row["subject"], other(row))]["lowest"] / row["highest"],
             "highest": one[(row["subject"], other(row))]["highest"] / row["lowest"]}
            for row in rows
            if "threads:2" in row["params"] and (row["subject"], other(row)) in one]


def run_work(work, options, notes):
    others = Others()
    samples = sample(work, commands_for(work, options, notes), options, notes)
    about = {**options.about, "others_cores": others.cores()}
    rows = rows_of(work, samples, about)
    return rows + (speed_up(rows) if work == "imbalance" else [])


def best(rows):
    if not rows:
        return None
    pick = max if rows[0]["better"] == "higher" else min
    return pick(rows, key=lambda row: row["value"])


def best_peer(rows):
    return best([r for r in rows if r["subject"] not in ("troupe", "floor")])


def times_as_good(row, peer):
    """How many times as good as the best peer: over 1 is better. None where it means nothing."""
    if peer is None or row["value"] == 0 or peer["value"] == 0:
        return None
    return row["value"] / peer["value"] if row["better"] == "higher" else peer["value"] / row["value"]


def groups_of(rows):
    groups = {}
    for row in rows:
        groups.setdefault((row["work"], row["group"]), []).append(row)
    return groups


def print_table(rows):
    for (work, group), found in groups_of(rows).items():
        peer = best_peer(found)
        print(f"\n{work} {group}".rstrip() + (f"  (best peer: {peer['subject']})" if peer else ""))
        print(f"  {'subject':8} {'median':>12} {'lowest':>12} {'highest':>12} {'unit':6} {'x peer':>7}"
              f" {'cpu s':>7} {'MiB':>6}  params")
        for row in sorted(found, key=lambda r: r["value"], reverse=found[0]["better"] == "higher"):
            ratio = times_as_good(row, peer)
            print(f"  {row['subject']:8} {row['value']:12.4g} {row['lowest']:12.4g}"
                  f" {row['highest']:12.4g} {row['unit']:6} {f'{ratio:.2f}' if ratio else '':>7}"
                  f" {row['cpu_seconds']:7.2f} {row['peak_rss_bytes'] / 1048576:6.0f}  {row['params']}")
    sys.stdout.flush()


def about_machine(rounds, quick):
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": f"{os.cpu_count()} x {model.group(1) if model else platform.machine()}",
            "kernel": platform.release(), "rounds": rounds, "quick": quick}


def build_programs(build, subjects):
    for subject in subjects:
        if subject not in ("troupe", "nng", "floor", "caf"):
            continue
        built = subprocess.run(["cmake", "--build", build, "--parallel", "2", "--target",
                                f"bench_{subject}"], capture_output=True, text=True)
        if built.returncode != 0:
            sys.exit(f"the target bench_{subject} does not build:\n{built.stdout}{built.stderr}")


def parse():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="See bench/README.md.")
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS) + "; all if none")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, one round")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--rounds", type=int, help="runs of each subject (5; 1 with --quick)")
    parser.add_argument("--subjects", metavar="LIST", default=",".join(SUBJECTS),
                        help="with commas between; all if not given")
    parser.add_argument("--pin", metavar="CPUS",
                        help="run everything on these cores alone: what taskset -c takes")
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"), metavar="DIR")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are in DIR")
    options = parser.parse_args()
    for work in options.works:
        if work not in WORKS:
            parser.error(f"no such work: {work}")
    options.subjects = options.subjects.split(",")
    for subject in options.subjects:
        if subject not in SUBJECTS:
            parser.error(f"no such subject: {subject}")
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.build = os.path.abspath(options.build)
    options.scratch = os.path.join(options.build, "bench-peers")
    options.about = about_machine(options.rounds, options.quick)
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.makedirs(options.scratch, exist_ok=True)
    if os.path.exists(os.path.join(options.build, "CMakeCache.txt")) and not options.no_build:
        build_programs(options.build, options.subjects)
    rows, notes = [], []
    for work in options.works or WORKS:
        found = run_work(work, options, notes)
        print_table(found)
        rows += found
    if notes:
        print("\n" + "\n".join(dict.fromkeys(notes)))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)
            file.write("\n")
    failed = any(" failed: " in note for note in notes)
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
