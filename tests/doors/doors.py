#!/usr/bin/env python3
"""The doors between the rooms: who may include whom.

Reads every #include of the project, names each that goes through a wall, and prints how many it read.
Reading none is a failure too: a gate that cannot fail is no gate.

Usage: doors.py [ROOT]      (default: $TROUPE_SOURCE_DIR, else the project this file lies in)
"""
import os
import re
import sys

# A room, its folder, and the rooms that its files may include. Each may include itself.
ACTOR_ROOMS = ["base", "core", "services", "config", "place", "cluster", "app"]
DOORS = {
    "include": [],
    "base": ["include"],
    "core": ["include", "base"],
    "services": ["include", "base", "core"],
    "config": ["include", "base"],
    "transport": ["include", "base"],
    "place": ["include", "base", "core", "services", "config", "transport"],
    "cluster": ["include", "base", "core", "services", "config", "transport"],
    "app": ["include"] + ACTOR_ROOMS,
    "testing": ["include"] + ACTOR_ROOMS,
    "examples": ["include"],
    "tools": ["include"],
    "bench/troupe": ["include", "bench"],
    "bench": [],
}
# Rooms of programs, each in its own folder: they share no headers with each other.
PROGRAMS = ["examples", "tools", "bench/troupe"]
# Libraries that exactly one file of the project may name.
ONCE = {"nng": re.compile(r"^nng/"), "msgpack": re.compile(r"^msgpack(\.h|/)")}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]*)>|"([^"]*)"|(?=\S))')


def room_of(path):
    """The room that a file (relative to the root) lies in; None: none of ours."""
    if path.startswith("actor/"):
        return path.split("/")[1]
    if os.path.dirname(path) == "bench":
        return "bench"  # what all benchmarks share; those in the other folders are no part of this
    for room in DOORS:
        if room != "bench" and path.startswith(room + "/"):
            return room
    return None


def files(root):
    for top in ["actor", "transport", "include", "examples", "tools", "bench"]:
        for folder, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith((".c", ".h")) and room_of(path) is not None:
                    yield path


def includes(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1), match.group(2)


def resolve(root, path, name):
    """The file that a quoted include means, relative to the root; None: there is none."""
    for folder in [os.path.dirname(path), "actor", "", "include"]:
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(os.path.join(root, candidate)):
            return candidate
    return None


def target_of(root, path, angle, quoted):
    """The room that an include leads to, or None for the system's; and what is wrong, or None."""
    if angle is not None:
        if angle == "troupe.h" or angle.startswith("troupe/"):
            return "include", None
        ours = angle.split("/")[0] in ACTOR_ROOMS + ["testing", "actor", "transport"]
        return None, f'<{angle}>: the files of this project stand in quotes' if ours else None
    if quoted is None:
        return None, "an include whose file cannot be read from the line"
    found = resolve(root, path, quoted)
    if found is None:
        return None, f'"{quoted}" is no file of this project'
    if room_of(path) in PROGRAMS and os.path.dirname(found) == os.path.dirname(path):
        return None, None
    return room_of(found), None


def judge(root, path, angle, quoted):
    """What is wrong with one include, or None."""
    room = room_of(path)
    if room not in DOORS:
        return f"actor/{room} is no room: tests/doors/doors.py lists them"
    if room == "include" and angle and any(pattern.match(angle) for pattern in ONCE.values()):
        return f"include never names <{angle}>"
    target, wrong = target_of(root, path, angle, quoted)
    if wrong:
        return wrong
    if target == room and room in PROGRAMS:
        return f'"{quoted}" lies in the folder of another program'
    if target is None or target == room or target in DOORS[room]:
        return None
    return f"no door leads from {room} to {target}"


def check(root):
    """Every mistake as a line, and how many includes were read."""
    mistakes, read, users = [], 0, {library: {} for library in ONCE}
    for path in files(root):
        for number, angle, quoted in includes(root, path):
            read += 1
            wrong = judge(root, path, angle, quoted)
            if wrong:
                mistakes.append(f"{path}:{number}: {wrong}")
            for library, pattern in ONCE.items():
                if angle and pattern.match(angle):
                    users[library].setdefault(path, number)
    for library, found in users.items():
        if not found:
            mistakes.append(f"nothing includes {library}: exactly one file is to")
        if len(found) > 1:
            mistakes += [f"{path}:{number}: {library} is included by {len(found)} files, exactly one may"
                         for path, number in found.items()]
    if read == 0:
        mistakes.append("no #include was read: is this the project's root?")
    return mistakes, read


def main():
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    root = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TROUPE_SOURCE_DIR", here)
    mistakes, read = check(root)
    for mistake in mistakes:
        print(mistake)
    print(f"doors: {read} includes read, {len(mistakes)} through a wall")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
