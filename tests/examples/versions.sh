#!/bin/sh
# The three results of each query: the error, the output, the errors.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/versions/versions.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# results LINE: the three that are printed for it, the name before each taken off.
results() { grep -A3 -xF "$1" "$work/out" | sed -n '2,4s/^  [a-z]*: *//p'; }

for place in thread process; do
    "$program" run "$config" --place "/versions=$place" >"$work/out" 2>"$work/log"
    [ "$(results 'uname -sr')" = "$(printf '\n%s\n' "$(uname -sr)")" ] ||
        { echo "uname, $place"; cat "$work/out"; exit 1; }
    # shellcheck disable=SC2012 # it is ls that is run
    results 'ls --version' | grep -qF "$(ls --version | head -n 1)"
    [ "$(results 'ls --no-such-option' | head -n 1)" = "exited with code 2" ]
    results 'ls --no-such-option' | grep -q 'no-such-option'
    [ "$(results 'no-such-program --version' | head -n 1)" = "exited with code 127" ]
done
echo "versions: four queries, three results each"
