#!/bin/sh
# All results are gathered in the order of the inputs, from threads and from processes; what is too much for one worker
# costs the others nothing.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/fibonacci

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "fibonacci: $*"
    cat out
    tail -n 20 log
    exit 1
}

# check NUMBERS: what awk makes of them
check() {
    for n in $1; do
        awk -v n="$n" 'BEGIN {
            a = 0; b = 1
            for (i = 0; i < n; i++) { c = a + b; a = b; b = c }
            if (n > 45) printf "fibonacci(%d): the run that was handling it died\n", n
            else printf "fibonacci(%d) = %d\n", n, a
        }'
    done >expected
    diff expected out || fail "awk (<) says something else"
}

for places in threads processes; do
    "$program" run "$example/$places.yaml" >out 2>log || fail "$places: exit code $?"
    check "10 20 25 30 31 32 5 0 1"
    "$program" run "$example/$places.yaml" --set 'gatherer.args.inputs=[3, 100, 26, 90, 7]' >out 2>log ||
        fail "$places, with failures: exit code $?"
    check "3 100 26 90 7"
    grep -q 'more than fibonacci(45) is asked for: 100' log || fail "$places: the log does not say why"
done
echo "fibonacci: nine of nine from threads and from processes, three of five where two were too much"
