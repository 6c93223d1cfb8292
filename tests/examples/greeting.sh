#!/bin/sh
# Both are greeted, from another process, or from their own where the configuration says so.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/greeting/greeting.yaml

greetings() { printf 'child: "hello, child" from %s process\nparent: "hello, parent" from %s process' "$1" "$1"; }

for place in process thread inproc; do
    whose=$([ "$place" = process ] && echo another || echo "my own")
    out=$("$program" run "$config" --place "/child=$place" 2>/dev/null)
    [ "$out" = "$(greetings "$whose")" ] || { printf '%s:\n%s\n' "$place" "$out"; exit 1; }
done
echo "greeting: both ways, between processes and within one"
