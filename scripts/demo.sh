#!/usr/bin/env bash
# Shows what Troupe does: one program, the word count of examples/wordcount, in four placements.
#
#   scripts/demo.sh [--passes N] [FILE...]    counts the files' words on threads, on inproc nodes, in
#                                             processes and in a mix, and compares the four results with
#                                             each other and with standard tools
#   scripts/demo.sh --chaos [...]             counts them in processes while a counter is killed every
#                                             200 ms, with both kinds of delivery, and holds the results
#                                             against what each of them promises
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

program=${TROUPE_BINARY_DIR:-$top/build/release}/examples/wordcount/wordcount
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
    if [ -n "${TROUPE_BINARY_DIR:-}" ]; then return; fi # the tests have built it
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

size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }

# kill_counter N COUNTERS: kills the process of one counter, if it is one of this program and still there,
# and has counted something since it was killed last. Else, on a busy machine, it would be killed for ever
# while it starts and reads its journal.
kill_counter() {
    local pid journal=$work/journal/counter-$1-of-$2
    if [ "$(size_of "$journal")" -le "${written[$1]:-0}" ]; then return 1; fi
    pid=$(counter_pid "$1")
    if [ -z "$pid" ] || [ ! "/proc/$pid/exe" -ef "$program" ]; then return 1; fi
    kill -KILL "$pid" 2>/dev/null || return 1
    written[$1]=$(size_of "$journal")
}

# logged KEY: of the keeper's last line, "messages: sent=... handled=..."; 0 if it does not say.
logged() { sed -n "s/.* messages:.* $1=\([0-9]*\).*/\1/p" "$work/log" | tail -n 1 | grep . || echo 0; }

# Runs the job and kills its counters in turn: chaos_run [OPTION...]. Sets kills, code, exact.
chaos_run() {
    local counters turn=0 written=()
    kills=0 code=0 exact=no
    rm -rf "$work/journal"
    mkdir "$work/journal"
    counters=$(sed -n '/name: counter/,/count:/s/.*count: *//p' "$example/chaos.yaml")

    "$program" run "$example/chaos.yaml" "${job[@]}" --set "counter.args.journal=$work/journal" --set log.form=pretty "$@" \
        >"$work/chaos.out" 2>"$work/log" &
    running=$!
    # The pause is the pace of the killing; nothing waits for anything by it.
    while sleep 0.2 && kill -0 "$running" 2>/dev/null; do
        if kill_counter "$turn" "$counters"; then kills=$((kills + 1)); fi
        turn=$(((turn + 1) % counters))
    done
    wait "$running" || code=$?
    running=

    if [ "$code" -eq 0 ] && same_as_tools chaos; then exact=yes; fi
    sed -n 's/^[^ ]* error *\(.*\): failed: \(killed.*\)/  \1: \2/p; s/^[^ ]* info *\(.*\): started again \(.*\)/  \1: started again \2/p' "$work/log"
    printf 'kills=%s\nrestarts=%s\nexit=%s\nexpected=%s\n' "$kills" \
        "$(grep -c 'started again' "$work/log" || true)" "$code" "${expected_totals% *}"
    sed -n 's/^# //p' "$work/chaos.out" | tr ' ' '\n'
    printf 'dead_letters=%s\nin_doubt=%s\nexact=%s\n' "$(logged dead_letters)" "$(logged in_doubt)" "$exact"
}

broken() {
    echo "promise=broken: $1; the last lines of the log:"
    tail -n 20 "$work/log"
    return 1
}

# Nothing is lost, nothing counts twice.
chaos_at_least_once() {
    headline "At least once: a counter is killed every 200 ms, and the result is exact"
    "$program" explain "$example/chaos.yaml"
    chaos_run
    if [ "$exact" = no ]; then broken "the result is not exact"; fi
    echo "promise=kept"
}

# What is lost is known: batches are counted by their sender as undelivered, and by the keeper as dead
# letters and in doubt.
chaos_at_most_once() {
    local undelivered lost
    headline "At most once: what is lost is counted"
    chaos_run --set counter.delivery=at_most_once
    undelivered=$(value undelivered "$work/chaos.out")
    lost=$(($(logged node_died) + $(logged in_doubt)))
    printf 'lost=%s\n' "$lost"
    if [ "$code" -ne 0 ]; then broken "exit code $code"; fi
    # An ask or its answer may be among what the keeper counts; never more than one for each ask and kill.
    if [ "${undelivered:-0}" -gt "$lost" ] || [ $((lost - undelivered)) -gt $((4 * kills)) ]; then
        broken "$undelivered batches came back, $lost messages were lost"
    fi
    echo "promise=kept"
}

chaos() {
    local all=0
    chaos_at_least_once || return 1
    all=$kills
    chaos_at_most_once || return 1
    all=$((all + kills))
    if [ "$all" -gt 0 ]; then return; fi
    echo "nothing was killed, so nothing was shown: try --passes $((passes * 4))"
    return 1
}

build
if [ "$chaos" = yes ]; then
    prepare 150
    chaos
else
    prepare 300
    four_placements
fi
