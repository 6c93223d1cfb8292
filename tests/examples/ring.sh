#!/bin/sh
# All numbers come through the ring, in one process and between two, and when the reader is killed halfway.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/ring

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "ring: $*"
    cat out
    tail -n 20 log
    exit 1
}

# check NAME NUMBERS
check() {
    sum=$(awk -v n="$2" 'BEGIN { printf "%.0f", n * (n - 1) / 2 }')
    grep -qx "$2 numbers through the ring, the sum is $sum" out || fail "$1: not the sum of $2 numbers, $sum"
}

"$program" run "$example/threads.yaml" >out 2>log || fail "threads: exit code $?"
check threads 100000
"$program" run "$example/processes.yaml" >out 2>log || fail "processes: exit code $?"
check processes 100000

# The reader is killed while there is much to read: the writer is left alone with the ring, and both begin again.
"$program" run "$example/processes.yaml" --set writer.args.numbers=3000000 --set log.form=pretty >out 2>log &
pid=$!
victim=
until [ -n "$victim" ] && grep -q troupe-shared "/proc/$victim/maps" 2>/dev/null; do
    victim=$(sed -n 's/.*process \/reader pid \([0-9]*\) started.*/\1/p' log)
    [ -d "/proc/$pid" ] || fail "it has ended before the reader had the ring"
done
kill -9 "$victim"
wait "$pid" || fail "with a killed reader: exit code $?"
check "with a killed reader" 3000000
grep -q 'reader.*killed by signal 9' log || fail "nobody was killed"
echo "ring: through threads, processes and a killed reader"
