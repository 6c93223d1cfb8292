#!/bin/sh
# The word count example says what standard tools say of the same files, wherever its actors run.
set -eu
# shellcheck source=scripts/lib/wordcount.sh
. "$TROUPE_SOURCE_DIR/scripts/lib/wordcount.sh"
example=$TROUPE_SOURCE_DIR/examples/wordcount
program=$TROUPE_BINARY_DIR/examples/wordcount/wordcount
passes=3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/texts" "$work/journal"

# Files that are easy to get wrong: words across the borders of chunks, no newline at the end, nothing
# at all, bytes that are no ASCII, a long word, a name with blanks.
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "word%c%s%s", 97 + i % 26, (i % 7 ? " " : "-"), (i % 11 ? "" : "\n") }' >"$work/texts/many"
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "x" }' >"$work/texts/one long word"
printf 'The end, without a newline' >"$work/texts/unfinished"
: >"$work/texts/empty"
printf 'na\303\257ve caf\303\251 \377\376 Zo\303\253\0zero 42nd\n' >"$work/texts/bytes"
cp "$TROUPE_SOURCE_DIR"/examples/wordcount/*.c "$work/texts"
set -- "$work"/texts/*

list=$(yaml_list "$@")
all_words "$@" >"$work/all"
top_words "$passes" <"$work/all" >"$work/expected"
expected_totals=$(totals "$passes" <"$work/all")

failed=0
# compare NAME CONFIGURATION [OPTION...]
compare() {
    name=$1 config=$example/$2
    shift 2
    if ! "$program" run "$config" --set "reader.args.files=$list" --set "reader.args.passes=$passes" \
        "$@" >"$work/$name.out" 2>"$work/$name.log"; then
        echo "$name: the program failed:"
        tail -n 20 "$work/$name.log"
        failed=1
        return
    fi
    grep -v '^#' "$work/$name.out" >"$work/$name.top" || true
    got="$(value counted "$work/$name.out") $(value distinct "$work/$name.out")"
    lost=$(value undelivered "$work/$name.out")
    if ! diff "$work/expected" "$work/$name.top"; then
        echo "$name: other words than the standard tools found (<)"
        failed=1
    elif [ "$got" != "$expected_totals" ] || [ "$lost" != 0 ]; then
        echo "$name: words and distinct words $got, standard tools $expected_totals; undelivered $lost"
        failed=1
    else
        echo "$name: $(wc -l <"$work/$name.top") words, totals $got, as the standard tools have it"
    fi
}

echo "comparing $# files, counted $passes times, in 6 placements"
compare threads threads.yaml
compare inproc inproc.yaml
compare processes processes.yaml
compare tcp threads.yaml --place '/counter/*=tcp'
compare mixed threads.yaml --place '/counter/0=process' --place '/counter/1=inproc' --place '/reader/*=process'
compare journals chaos.yaml --set "counter.args.journal=$work/journal"
exit "$failed"
