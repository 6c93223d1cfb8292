#!/bin/sh
# Ten megabytes of a program that never ends, which is stopped then, and gone.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/endless/endless.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for place in thread process; do
    timeout 60 "$program" run "$config" --place "/endless=$place" >"$work/out" 2>"$work/log"
    printf 'enough: 10000000 bytes\nclosed: signal 15, aborted\n' >"$work/expected"
    diff "$work/expected" "$work/out"
done
echo "endless: stopped after ten megabytes, in threads and processes"
