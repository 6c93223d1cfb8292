#!/usr/bin/env -S python3 -B
"""Writes the tables of docs/performance.md, and its plot, from the rows of one run:

    bench/publish.py results.json              # docs/performance.md and docs/performance.svg
    bench/publish.py results.json pinned.json  # with the rows of a second run, --pin, behind them
    bench/publish.py results.json --provisional

Everything between the two marks of the page is replaced; the words around it are written by hand. A run
with --quick or of fewer than three rounds, or beside others that used the machine, is provisional whatever
one says.
"""
import argparse
import json
import os
import sys

from plot import plot
from run import best_peer, groups_of, times_as_good
from subjects import ROOT

PAGE = os.path.join(ROOT, "docs/performance.md")
PLOT = os.path.join(ROOT, "docs/performance.svg")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
NAMES = {"troupe": "Troupe", "nng": "NNG", "caf": "CAF", "erlang": "Erlang/OTP", "node": "Node.js",
         "floor": "floor"}
QUIET_CORES = 0.1  # others may have used so much of the machine
ENOUGH_ROUNDS = 3


def number(value):
    """Four figures, with thousands apart where there are many."""
    if value >= 10000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.4g}"


def reasons_to_doubt(rows, said):
    worst = max(row["others_cores"] for row in rows)
    reasons = ["it was asked for"] if said else []
    if worst > QUIET_CORES:
        reasons.append(f"others used up to {worst:.1f} cores during it")
    if any(row["quick"] for row in rows):
        reasons.append("it was a quick run")
    if any(row["rounds"] < ENOUGH_ROUNDS for row in rows):
        reasons.append(f"it had fewer than {ENOUGH_ROUNDS} rounds")
    return reasons


def about(rows, doubts):
    first = rows[0]
    versions = {row["subject"]: row["version"] for row in rows if row["version"]}
    pins = sorted({p for row in rows for p in row["params"].split(",") if "pinned" in p})
    lines = [f"- Date: {first['date']}",
             f"- Machine: {first['machine']}, Linux {first['kernel']}; {', '.join(pins)}",
             "- Versions: " + ", ".join(f"{NAMES[s]} {v}" for s, v in versions.items()),
             f"- Rounds: {first['rounds']}; a value is their median",
             f"- Load of others: {min(r['others_cores'] for r in rows):.2f} to "
             f"{max(r['others_cores'] for r in rows):.2f} cores, by work"]
    if doubts:
        lines = [f"**These figures are provisional ({first['date']}): {'; '.join(doubts)}.**", ""] + lines
    return lines


def noise_of(params):
    """The parameters without what the heading or the page says already."""
    return ", ".join(p for p in params.split(",") if "pinned" not in p)


def table(work, group, rows):
    peer = best_peer(rows)
    lines = [f"### {work}" + (f", {group.replace(',', ', ')}" if group else ""), "",
             f"| subject | {rows[0]['unit']} | lowest | highest | times the best peer | CPU s | MiB |"
             " parameters |",
             "|---|---:|---:|---:|---:|---:|---:|---|"]
    for row in sorted(rows, key=lambda r: r["value"], reverse=rows[0]["better"] == "higher"):
        ratio = times_as_good(row, peer)
        lines.append(f"| {NAMES[row['subject']]} | {number(row['value'])} | {number(row['lowest'])} |"
                     f" {number(row['highest'])} | {f'{ratio:.2f}' if ratio else ''} |"
                     f" {row['cpu_seconds']:.2f} | {row['peak_rss_bytes'] / 1048576:.0f} |"
                     f" {noise_of(row['params'])} |")
    return lines + [""]


def summary(rows):
    """Troupe beside the best peer of each work, which is what most readers want."""
    lines = ["| work | Troupe | best peer | | unit | times as good | floor |",
             "|---|---:|---:|---|---|---:|---:|"]
    for (work, group), found in groups_of(rows).items():
        peer, own = best_peer(found), [r for r in found if r["subject"] == "troupe"]
        floor = [r for r in found if r["subject"] == "floor"]
        if not own or (peer is None and not floor):
            continue
        ratio = times_as_good(own[0], peer) if peer else None  # None beside a zero too, as in `idle`
        lines.append(f"| {f'{work} {group}'.strip()} | {number(own[0]['value'])} |"
                     f" {number(peer['value']) if peer else ''} | {NAMES[peer['subject']] if peer else ''} |"
                     f" {own[0]['unit']} | {f'{ratio:.2f}' if ratio else ''} |"
                     f" {number(floor[0]['value']) if floor else ''} |")
    return lines + [""]


def tables(rows):
    lines = summary(rows)
    for (work, group), found in groups_of(rows).items():
        lines += table(work, group, found)
    return lines


def page_part(runs, said=False):
    """`runs`: the rows of each run, the first of which is plotted."""
    lines = [BEGIN, ""] + about(runs[0], reasons_to_doubt(runs[0], said))
    lines += ["", "![Troupe beside its best peer](performance.svg)", ""] + tables(runs[0])
    for rows in runs[1:]:
        lines += ["## Another run", ""] + about(rows, reasons_to_doubt(rows, said)) + [""] + tables(rows)
    return "\n".join(lines + [END])


def rows_of(path):
    with open(path) as file:
        rows = json.load(file)
    return rows or sys.exit(f"{path}: no rows")


def main():
    parser = argparse.ArgumentParser(prog="bench/publish.py")
    parser.add_argument("results", nargs="+", help="what bench/run.sh --json wrote")
    parser.add_argument("--provisional", action="store_true", help="mark the figures as such")
    options = parser.parse_args()
    runs = [rows_of(path) for path in options.results]
    with open(PAGE) as file:
        page = file.read()
    if BEGIN not in page or END not in page:
        sys.exit("no marks in docs/performance.md")
    doubts = reasons_to_doubt(runs[0], options.provisional)
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    with open(PAGE, "w") as file:
        file.write(head + page_part(runs, options.provisional) + tail)
    with open(PLOT, "w") as file:
        file.write(plot(runs[0], bool(doubts)))
    print(f"{os.path.relpath(PAGE, ROOT)}, {os.path.relpath(PLOT, ROOT)}: {sum(map(len, runs))} rows"
          + (", provisional" if doubts else ""))


if __name__ == "__main__":
    main()
