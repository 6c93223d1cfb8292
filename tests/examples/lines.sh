#!/bin/sh
# The example reads lines from a pipe while they come, says how far it is when asked by SIGUSR1, and ends with
# its input; from a file and from /dev/null too, which never make it wait.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/lines/lines.yaml

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "lines: $*"
    cat out log
    exit 1
}

# await FILE TEXT: until the program has written it.
await() {
    timeout 20 sh -c "until grep -q '$2' $1; do sleep 0.01; done" || fail "there is no '$2'"
}

mkfifo input
"$program" run "$config" <input >out 2>log &
pid=$!
exec 3>input
await log counting # before it has asked for the signal, that would end it
kill -USR1 "$pid"
await out 'so far: 0 lines, 0 bytes'
kill -WINCH "$pid" # nobody asked for this one
printf 'one\ntwo\n' >&3
count=0
until grep -q 'so far: 2 lines, 8 bytes' out; do # it reads when it can, and is asked meanwhile
    count=$((count + 1))
    [ "$count" -lt 1000 ] || fail "two lines are not counted"
    kill -USR1 "$pid" || fail "it is gone"
    sleep 0.01
done
printf 'three\nand the rest' >&3
exec 3>&-
wait "$pid" || fail "exit code $?"
grep -qx 'end: 4 lines, 26 bytes' out || fail "the end is wrong"

seq 100000 >file
"$program" run "$config" <file 2>log | tee out | grep -qx 'end: 100000 lines, 588895 bytes' || fail "a file"
seq 100000 | "$program" run "$config" 2>log | tee out | grep -qx 'end: 100000 lines, 588895 bytes' || fail "a pipe"
"$program" run "$config" </dev/null 2>log | tee out | grep -qx 'end: 0 lines, 0 bytes' || fail "no input"
echo "lines: from a fifo with signals, a file, a pipe and from nothing"
