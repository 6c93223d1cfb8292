#!/usr/bin/env -S python3 -B
"""A plot of one run, drawn by hand and without libraries: how many times as good as the best peer this
project is, a bar for each work, on a scale of powers of two.

    bench/plot.py results.json > plot.svg
"""
import json
import math
import sys

from run import best_peer, groups_of, times_as_good

BAR, GAP, LEFT, WIDTH, TOP, RIGHT = 14, 8, 230, 460, 56, 70
BETTER, WORSE, INK, GRID = "#2a7f62", "#c0562b", "#222", "#ddd"


def ratios(rows):
    """[(label, ratio, unit)] of every group in which there is this project and a peer."""
    found = []
    for (work, group), members in groups_of(rows).items():
        own, peer = [r for r in members if r["subject"] == "troupe"], best_peer(members)
        ratio = times_as_good(own[0], peer) if own else None
        if ratio is not None:
            found.append((f"{work} {group}".strip(), ratio, peer["subject"]))
    return found


def text(x, y, words, anchor="start", size=12, weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}"'
            f' font-weight="{weight}" fill="{INK}">{words}</text>')


def plot(rows, provisional):
    bars = ratios(rows)
    low = min([math.log2(r) for _, r, _ in bars] + [-1.0])
    high = max([math.log2(r) for _, r, _ in bars] + [1.0])
    low, high = math.floor(low), math.ceil(high)

    def at(ratio):
        return LEFT + (math.log2(ratio) - low) / (high - low) * WIDTH
    bottom = TOP + len(bars) * (BAR + GAP)
    height, width = bottom + 36, LEFT + WIDTH + RIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
             f' viewBox="0 0 {width} {height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             text(10, 20, "Troupe beside the best peer of each work", size=15, weight="bold"),
             text(10, 38, f"times as good, right of 1 is better; {rows[0]['date']}"
                  + (", provisional" if provisional else ""))]
    for power in range(low, high + 1):
        x = at(2.0 ** power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}"'
                     f' stroke="{INK if power == 0 else GRID}"/>')
        parts.append(text(x, bottom + 16, f"{2 ** power}" if power >= 0 else f"1/{2 ** -power}", "middle"))
    for index, (label, ratio, peer) in enumerate(bars):
        y, x = TOP + index * (BAR + GAP), at(ratio)
        parts.append(text(LEFT - 8, y + BAR - 2, label, "end"))
        parts.append(f'<rect x="{min(x, at(1)):.1f}" y="{y}" width="{max(1.0, abs(x - at(1))):.1f}"'
                     f' height="{BAR}" fill="{BETTER if ratio >= 1 else WORSE}"/>')
        beyond = max(x, at(1))
        parts.append(text(beyond + 4, y + BAR - 3, f"{ratio:.2f} ({peer})", size=10))
    return "\n".join(parts + ["</svg>", ""])


if __name__ == "__main__":
    with open(sys.argv[1]) as results:
        sys.stdout.write(plot(json.load(results), False))
