#!/usr/bin/env bash
# Shows what Troupe does: one program, the word count of examples/wordcount, in four placements.
#
#   scripts/demo.sh [--passes N] [FILE...]    counts the files' words on threads, on inproc nodes, in
#                                             processes and in a mix, and compares the four results with
#                                             each other and with standard tools
#   scripts/demo.sh --chaos [...]             counts them in processes while a counter is killed every
#                                             200 ms, and holds the result against the promise
#
# Without files: the licenses in /usr/share/common-licenses and this project's documentation.
# Each file is counted N times over, so that there is something to see.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/lib/wordcount.sh
. "$top/scripts/lib/wordcount.sh"

chaos=no
passes=
files=()
while [ $# -gt 0 ]; do
    case $1 in
    --chaos) chaos=yes ;;
    --passes)
        passes=${2:?--passes wants a number}
        shift
        ;;
    -h | --help)
        sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' "$0"
        exit
        ;;
    -*)
        echo "demo: unknown option $1; there are --chaos and --passes N" >&2
        exit 1
        ;;
    *) files+=("$(realpath "$1")") ;;
    esac
    shift
done
if [ ${#files[@]} -eq 0 ]; then
    for file in /usr/share/common-licenses/* "$top"/docs/*.md; do
        if [ -f "$file" ]; then files+=("$file"); fi
    done
fi

program=$top/build/release/examples/wordcount/wordcount
example=$top/examples/wordcount
work=$(mktemp -d)
running=
clean_up() {
    if [ -n "$running" ]; then kill -TERM "$running" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap clean_up EXIT

headline() { printf '\n== %s\n' "$*"; }

build() {
    headline "Building"
    "$top/scripts/setup.sh"
    (cd "$top" && cmake --preset release && cmake --build --preset release --target wordcount hello) >"$work/build" 2>&1 || {
        cat "$work/build"
        exit 1
    }
    echo "$program"
}

prepare() {
    if [ -z "$passes" ]; then passes=$1; fi
    job=(--set "reader.args.files=$(yaml_list "${files[@]}")" --set "reader.args.passes=$passes")
    all_words "${files[@]}" >"$work/all"
    top_words "$passes" <"$work/all" >"$work/expected"
    expected_totals=$(totals "$passes" <"$work/all")
    echo "${#files[@]} files, counted $passes times: ${expected_totals% *} words, ${expected_totals#* } distinct"
}

# ---- Four placements ----

# place NAME TITLE CONFIGURATION [OPTION...]
place() {
    local name=$1 title=$2 config=$3
    shift 3
    headline "$title"
    printf '$ wordcount run %s' "$config"
    if [ $# -gt 0 ]; then printf " %q" "$@"; fi
    printf '\n'
    "$program" explain "$example/$config" "$@"
    "$program" run "$example/$config" "${job[@]}" "$@" >"$work/$name.out"
    printf '%s words, %s words per second\n' \
        "$(value words "$work/$name.out")" "$(value words_per_second "$work/$name.out")"
}

# The first 20 lines and the totals of one placement against those of the standard tools.
same_as_tools() {
    local out=$work/$1.out
    grep -v '^#' "$out" | cmp -s "$work/expected" - &&
        [ "$(value counted "$out") $(value distinct "$out")" = "$expected_totals" ]
}

four_placements() {
    place threads "Everybody on worker threads" threads.yaml
    place inproc "Each counter on a node of its own, over inproc" inproc.yaml
    place processes "Each counter in a process of its own, over ipc" processes.yaml
    place mix "As you like: --place" threads.yaml \
        --place '/counter/0=process' --place '/counter/1=inproc' --place '/reader/1=process'

    headline "The 20 most frequent words"
    grep -v '^#' "$work/threads.out"

    headline "Compared"
    local name wrong=0
    for name in threads inproc processes mix; do
        if same_as_tools "$name"; then
            printf '%-10s %12s words/s   as the standard tools have it\n' "$name" \
                "$(value words_per_second "$work/$name.out")"
        else
            printf '%-10s differs from the standard tools:\n' "$name"
            grep -v '^#' "$work/$name.out" | diff "$work/expected" - || true
            wrong=1
        fi
    done
    if [ "$wrong" -eq 0 ]; then echo "four placements, one result"; fi
    return "$wrong"
}

# ---- Chaos ----

# The process of a counter that was started last, by the program's own log.
counter_pid() { sed -n "s|.*process /counter/$1 pid \([0-9]*\) started.*|\1|p" "$work/log" | tail -n 1; }

# Kills the process of one counter, if it is one of this program and still there.
kill_counter() {
    local pid
    pid=$(counter_pid "$1")
    if [ -z "$pid" ] || [ ! "/proc/$pid/exe" -ef "$program" ]; then return 1; fi
    kill -KILL "$pid" 2>/dev/null
}

chaos() {
    local counters kills=0 turn=0 code=0 exact=no
    headline "Counters in processes; one is killed every 200 ms"
    mkdir "$work/journal"
    "$program" explain "$example/chaos.yaml"
    counters=$(sed -n '/name: counter/,/count:/s/.*count: *//p' "$example/chaos.yaml")

    "$program" run "$example/chaos.yaml" "${job[@]}" --set "counter.args.journal=$work/journal" \
        >"$work/chaos.out" 2>"$work/log" &
    running=$!
    # The pause is the pace of the killing; nothing waits for anything by it.
    while sleep 0.2 && kill -0 "$running" 2>/dev/null; do
        if kill_counter "$turn"; then kills=$((kills + 1)); fi
        turn=$(((turn + 1) % counters))
    done
    wait "$running" || code=$?
    running=

    if [ "$code" -eq 0 ] && same_as_tools chaos; then exact=yes; fi
    grep -v '^#' "$work/chaos.out" || true
    headline "The outcome"
    printf 'kills=%s\nexit=%s\nexpected=%s\n' "$kills" "$code" "${expected_totals% *}"
    sed -n 's/^# //p' "$work/chaos.out" | tr ' ' '\n'
    printf 'exact=%s\n' "$exact"
    if [ "$kills" -eq 0 ]; then echo "nothing was killed, so nothing was shown: try --passes $((passes * 4))"; fi
    if [ "$exact" = no ]; then
        echo "the promise was broken; the last lines of the log:"
        tail -n 20 "$work/log"
    fi
    [ "$kills" -gt 0 ] && [ "$exact" = yes ]
}

build
if [ "$chaos" = yes ]; then
    prepare 200
    chaos
else
    prepare 100
    four_placements
fi
