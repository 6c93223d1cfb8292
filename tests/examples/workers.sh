#!/bin/sh
# The parts of the page about worker threads do what it says, on threads and in processes, and on another region.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/workers

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "workers: $*"
    cat out
    tail -n 20 log
    exit 1
}

# check REGION
check() {
    {
        echo "/right: hello"
        echo "/left: goodbye"
        echo "/right: the other end has closed"
        echo "/listener/0 in $1: it rains"
        echo "/listener/1 in $1: it rains"
        echo "/taker: 1048576 bytes, 7340032 in all"
        echo "/poller: took 3 lines, and there is no other"
    } >expected
    sort expected >expected.sorted
    sort out | diff expected.sorted - || fail "something else was expected (<)"
    grep -v listener expected >in_order # the two listeners have no order between them
    grep -v listener out | diff in_order - || fail "another order was expected (<)"
}

for places in threads processes; do
    "$program" run "$example/$places.yaml" >out 2>log || fail "$places: exit code $?"
    check "the north"
done
"$program" run "$example/threads.yaml" --set 'data.region=the south' >out 2>log || fail "exit code $?"
check "the south"
echo "workers: channel, broadcast, transfer and polling, on threads and in processes"
