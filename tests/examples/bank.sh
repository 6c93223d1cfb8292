#!/bin/sh
# No money is lost or made in the bank, while its accounts and tellers crash all the time, on threads and in processes,
# which are also killed from outside. What its auditor says is compared with the journals by other means, and so is
# each transfer: both halves or none, once.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/bank

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "bank: $*"
    cat out
    tail -n 20 log
    exit 1
}

# Transfers of the journals: sums, each name once a file, as many halves given as taken.
count_up() {
    awk -v tellers=3 -v transfers="$1" '
        FILENAME ~ /^account/ {
            if (seen[FILENAME, $1, $2]++) { print "twice in " FILENAME ": " $0; wrong = 1 }
            sum[$1, $2] += $3; all += $3; holds[FILENAME] += $3
            halves[$1, $2] += $3 != 0; decisions++
        }
        FILENAME ~ /^teller/ { if ($2 != ++last[$1]) { print "not in order: " $0; wrong = 1 } moved += $3 != 0 }
        END {
            for (name in sum) if (sum[name] != 0 || halves[name] % 2) { print "half a transfer: " name; wrong = 1 }
            for (name in halves) whole += halves[name] / 2
            for (i = 0; i < tellers; i++) if (last[i] != transfers) { print "teller " i ": " last[i]; wrong = 1 }
            if (all != 0 || whole != moved || whole == 0) { print all, whole, moved; wrong = 1 }
            for (i = 0; i < 4; i++) printf "/account/%d holds %d\n", i, 100 + holds["account-" i ".journal"]
            exit wrong
        }' account-?.journal teller-?.journal
}

# check NAME TRANSFERS CRASHES: what a run has left behind
check() {
    [ "$(grep -c 'accounts hold 400, as they should' out)" = 10 ] || fail "$1: ten audits, and the sum of each"
    ! grep -q WRONG out || fail "$1: the auditor found a wrong sum"
    count_up "$2" >counted || { cat counted; fail "$1: the journals are wrong"; }
    grep '^/account' out | sort | diff counted - || fail "$1: the journals (<) hold something else"
    accounts=$(grep -c '"path":"/account/.*started again' log || true)
    tellers=$(grep -c '"path":"/teller/.*started again' log || true)
    if [ "$accounts" -lt "$3" ] || [ "$tellers" -lt "$3" ]; then fail "$1: $accounts and $tellers crashes only"; fi
    echo "$1: $2 transfers of each teller, $accounts crashes of accounts, $tellers of tellers, the sum is right"
    rm -f ./*.journal
}

# One of the latest processes of accounts and tellers, in turn, if it is there still, and is ours.
kill_one() {
    turn=$((turn + 1))
    victim=$(sed -n 's/.*process \/[at][^ ]* pid \([0-9]*\) started.*/\1/p' log | tail -n "$((1 + turn % 7))" | head -n 1)
    [ -n "$victim" ] && [ "$(readlink "/proc/$victim/exe")" = "$(readlink -f "$program")" ] || return 0
    kill -9 "$victim" 2>/dev/null && kills=$((kills + 1))
}

# A line that is none is not taken for the end of the journal; one that was torn is.
echo garbage >account-1.journal
if "$program" run "$example/threads.yaml" >out 2>log; then fail "a journal with something else in it was taken"; fi
[ "$(cat account-1.journal)" = garbage ] || fail "a journal with something else in it was changed"
rm account-?.journal
printf '0 1 -1' >account-0.journal

"$program" run "$example/threads.yaml" >out 2>log || fail "on threads: exit code $?"
check "on threads" 2000 10

# One run, in which it is killed as often as that takes time for.
run_and_kill() {
    kills=0
    "$program" run "$example/processes.yaml" >out 2>log &
    pid=$!
    while [ -d "/proc/$pid" ] && ! grep -q '^round 10:' out; do
        ! grep -q '^round 1:' out || kill_one || true # a tree that has not begun yet gives up
        sleep 0.02 # to let it get on between two kills
    done
    wait "$pid" || fail "in processes: exit code $?"
    killed=$(grep -c '^{.*"level":"error".*killed by signal 9' log || true)
    [ "$killed" -gt 0 ] || [ "$kills" -eq 0 ] || fail "none of $kills kills was noticed"
    check "in processes, with $kills killed by -9" 2000 10
}

all=0 turn=0 runs=0
while [ "$all" -lt 5 ]; do # a quiet machine may be done before that
    runs=$((runs + 1))
    [ "$runs" -le 10 ] || fail "$all kills in 10 runs"
    run_and_kill
    all=$((all + kills))
done
