#!/bin/sh
# The program of the README does what the README says, wherever the greeter runs.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/hello/hello.yaml
expected='"" was not greeted: the run that was handling it died
Good evening, Ada! (1)
Good evening, Grace! (1)'

for place in thread inproc process; do
    out=$("$program" run "$config" --place "/greeter=$place")
    sorted=$(printf '%s\n' "$out" | LC_ALL=C sort)
    if [ "$sorted" != "$expected" ]; then
        printf '%s: expected\n%s\nand got\n%s\n' "$place" "$expected" "$sorted"
        exit 1
    fi
    echo "$place: three guests, as the README says"
done
