#!/bin/sh
# The pipeline says what awk says of the same numbers, on threads and in processes, and when stages are killed; a slow
# sink slows the source, and there is never more under way, or in the sink's mailbox, than there may be.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/pipeline

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "pipeline: $*"
    cat out
    tail -n 20 log
    exit 1
}

value() {
    sed -n "s/.* $1=\([0-9]*\).*/\1/p" out
}

# check NAME NUMBERS: what it said, and what it held
check() {
    awk -v numbers="$2" 'BEGIN {
        for (n = 1; n <= numbers; n++) {
            x = n
            for (steps = 0; x > 1; steps++) x = x % 2 ? 3 * x + 1 : x / 2
            all += steps
            if (steps > most) { most = steps; longest = n }
        }
        printf "%d numbers take %d steps, the longest is %d with %d\n", numbers, all, longest, most
    }' >expected
    grep -v '^#' out | diff expected - || fail "$1: awk (<) says something else"
    under_way=$(value under_way) in_mailbox=$(value in_mailbox)
    [ "$under_way" = 32 ] || fail "$1: $under_way numbers under way"
    [ "$in_mailbox" -le 16 ] || fail "$1: $in_mailbox in the mailbox of the sink"
    echo "$1: as awk has it; in the mailbox of the sink at most $in_mailbox, refused $(value refused), repeated $(value repeated), twice $(value twice)"
}

"$program" run "$example/threads.yaml" >out 2>log || fail "on threads: exit code $?"
check "on threads" 10000
"$program" run "$example/processes.yaml" >out 2>log || fail "in processes: exit code $?"
check "in processes" 10000

# A sink that takes 1000 a second at most.
began=$(date +%s%N)
"$program" run "$example/threads.yaml" --set sink.args.slow_us=1000 --set source.args.numbers=1000 >out 2>log ||
    fail "with a slow sink: exit code $?"
took=$((($(date +%s%N) - began) / 1000000))
check "with a slow sink" 1000
[ "$took" -ge 1000 ] || fail "the sink cannot have been done in $took ms"
[ "$(value refused)" -gt 0 ] || fail "the sink was slow, and its mailbox never full"

# Stages are killed while it runs: a tree that has not begun yet would give up.
"$program" run "$example/processes.yaml" --set sink.args.slow_us=300 >out 2>log &
pid=$!
kills=0 stage=0
while [ "$kills" -lt 4 ] && [ -d "/proc/$pid" ]; do
    victim=$(sed -n "s/.*process \/stage\/$stage pid \([0-9]*\) started.*/\1/p" log | tail -n 1)
    if grep -q 'has come through' log && [ "$(readlink "/proc/$victim/exe")" = "$(readlink -f "$program")" ]; then
        sleep 0.1 # to let it get on between two kills
        kill -9 "$victim" && kills=$((kills + 1)) stage=$((stage + 1))
    fi
done
wait "$pid" || fail "with killed stages: exit code $?"
check "with $kills killed stages" 10000
if [ "$kills" -lt 4 ] || ! [ "$(grep -c '"level":"error".*killed by signal 9' log)" -ge 4 ]; then fail "$kills kills"; fi
[ "$(value repeated)" -gt 0 ] || fail "nothing was under way in those that were killed"
