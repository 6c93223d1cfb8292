#!/bin/sh
# The tutorial does what it says: its program builds against an installation as described, and every
# command that docs/tutorial.md shows is run and gives what is shown there. Of runs, each line shown must
# be among those printed; numbers, times and the order of lines may differ.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/tutorial

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$example"/* "$work"

# A sanitized library wants a sanitized program: that is no installation.
if [ -z "${TROUPE_SANITIZE-}" ]; then
    cmake --install "$TROUPE_BINARY_DIR" --prefix "$work/prefix" >"$work/log"
    cmake -S "$work" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >>"$work/log"
    cmake --build "$work/build" >>"$work/log" || { cat "$work/log"; exit 1; }
    program=$work/build/station
    echo "built with find_package"
fi
ln -s "$program" "$work/station"
sed -e 's/one_for_one/one_for_al/' -e 's/count: 2/count: two/' -e 's/actor: display/actor: dispaly/' \
    "$work/station.yaml" >"$work/broken.yaml"

cd "$work"
exec python3 - "$TROUPE_SOURCE_DIR/docs/tutorial.md" <<'PY'
import os
import re
import signal
import subprocess
import sys

NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
TIME = re.compile(r"^(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d+Z? ")


def shape(line):
    """The line without what differs from run to run."""
    return re.sub(r" +", " ", NUMBER.sub("#", TIME.sub("", line))).strip()


def lines_of(text):
    return [shape(line) for line in text.splitlines()]


def has(printed, line):
    """A shown line is the beginning of a printed one, `...` stands for the rest."""
    return any(candidate.startswith(shape(line).removesuffix("...")) for candidate in printed)


def missing(output, shown):
    printed = lines_of(output)
    return [line for line in shown.splitlines() if not has(printed, line)]


def for_people(command):
    """The log as it is on a terminal: it goes to a pipe here."""
    return re.sub(r" run (\w+\.yaml)", r" run \1 --set log.form=pretty", command)


def run(command):
    ended = subprocess.run(["sh", "-c", for_people(command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
    return ended.stdout, ended.returncode


def run_and_kill(command, victim):
    """Runs it, and kills the process of the victim once a first report was printed."""
    station = subprocess.Popen(["sh", "-c", "exec " + for_people(command)], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    output, process = "", None
    for line in station.stdout:
        output += line
        started = re.search(f"process {victim} pid (\\d+) started", line)
        process = int(started.group(1)) if started else process
        if process and " readings, " in line:
            os.kill(process, signal.SIGKILL)
            break
    output += station.stdout.read()
    return output, station.wait()


def forgets(output):
    """The readings must become more, whatever happens to the book."""
    readings = [int(n) for n in re.findall(r"^ *(\d+) readings, ", output, re.MULTILINE)]
    return ["(the book has forgotten something)"] if readings != sorted(set(readings)) else []


def check(command, output, code, shown, expected_code):
    exact = not command.startswith("./station run")
    wrong = missing(output, shown) if not exact else [] if output == shown else ["(not the same text)"]
    if "tower.yaml" in command:
        wrong += forgets(output)
    if code != expected_code:
        wrong.append(f"exit code {code}, not {expected_code}")
    if wrong:
        print(f"$ {command}\n{output}not as the tutorial shows:", *wrong, sep="\n  ")
    return not wrong


def blocks(text):
    """(command, what it prints, its exit code, what it prints when its process was killed meanwhile)"""
    for match in re.finditer(r"```\n\$ (\./station [^\n]*)\n(.*?)```\n(.*?)(?=```\n\$ \./station |\Z)",
                             text, re.DOTALL):
        command, shown, rest = match.groups()
        shown, _, code = shown.partition("$ echo $?\n")
        killed = re.search(r"```\n\$ kill -9 \d+\n```.*?```\n(.*?)```", rest, re.DOTALL)
        yield command, shown, int(code or 0), killed.group(1) if killed else None


def main():
    count, good = 0, True
    with open(sys.argv[1], encoding="utf-8") as page:
        text = page.read()
    for command, shown, expected_code, killed in blocks(text):
        output, code = run(command) if killed is None else run_and_kill(command, "/logbook")
        good = check(command, output, code, shown + (killed or ""), expected_code) and good
        count += 1
    print(f"tutorial: {count} commands")
    return 0 if good and count > 0 else 1


sys.exit(main())
PY
