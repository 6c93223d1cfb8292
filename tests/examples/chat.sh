#!/bin/sh
# The chat: who is in a room hears what is said there, in the order in which each one said it, and nobody else does;
# who crashes is in the same rooms again, on threads and in processes, also after kill -9.
set -eu
program=$1
example=$TROUPE_SOURCE_DIR/examples/chat

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkfifo input

fail() {
    echo "chat: $*"
    cat out
    tail -n 20 log
    exit 1
}

begin() {
    "$program" run "$example/$1" <input >out 2>log &
    pid=$!
    exec 3>input
    await 'NAME joins ROOM'
}

do_lines() {
    printf '%s\n' "$@" >&3
}

await() {
    timeout 20 sh -c "until grep -q '$1' out; do sleep 0.01; done" || fail "there is no '$1'"
}

# until_heard WHO SPEAKER TEXT: says it until it is heard: another process learns of a subscription a moment later.
until_heard() {
    tries=0
    until grep -q "^$1 hears $2 in lobby: $3" out; do
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || fail "$1 never hears $2"
        do_lines "$2 says lobby $3"
        sleep 0.05
    done
}

finish() {
    exec 3>&-
    wait "$pid" || fail "exit code $?"
}

# What comes of each line, all of it, on threads.
begin threads.yaml
do_lines 'ann joins lobby' 'bob joins lobby' 'cid joins kitchen' 'ann says lobby hello, bob' 'cid says lobby let me in' \
    'bob says lobby one' 'bob says lobby two' 'ann joins kitchen' 'cid says kitchen soup' 'cid leaves kitchen' \
    'ann says kitchen nobody is here' 'dan joins lobby' 'bob whistles lobby' 'bob leaves' 'bob joins' 'bob says' ''
await 'bob says : not in that room'
do_lines 'bob crashes'
await 'bob is back, in 1 rooms'
do_lines 'bob joins lobby' 'ann says lobby again' 'bob leaves lobby' 'ann says lobby alone' 'bob joins hall' 'ann joins hall'
await 'bob hears ann in hall: (comes in)'
await 'ann hears bob in lobby: (leaves)'
finish
LC_ALL=C sort out >sorted
LC_ALL=C sort >expected <<'END'
NAME joins ROOM | NAME says ROOM TEXT | NAME leaves ROOM | NAME crashes
ann hears bob in lobby: (comes in)
bob hears ann in lobby: hello, bob
cid says lobby: not in that room
ann hears bob in lobby: one
ann hears bob in lobby: two
cid hears ann in kitchen: (comes in)
ann hears cid in kitchen: soup
ann hears cid in kitchen: (leaves)
: no such name
dan joins lobby: no such name
bob whistles lobby: nobody can do that
bob leaves : not in that room
bob joins : an argument is invalid
bob says : not in that room
bob crashes : the run that was handling it died
bob is back, in 1 rooms
bob hears ann in lobby: again
ann hears bob in lobby: (leaves)
bob hears ann in hall: (comes in)
END
diff expected sorted || fail "on threads: other lines (>) than these (<)"
[ "$(grep -n 'hears bob in lobby: one' out | cut -d: -f1)" -lt "$(grep -n 'hears bob in lobby: two' out | cut -d: -f1)" ] ||
    fail "two before one"
echo "on threads: $(wc -l <out) lines, as they should be"

begin processes.yaml
do_lines 'ann joins lobby' 'bob joins lobby' 'cid joins kitchen'
until_heard ann bob first
until_heard bob ann first
do_lines 'bob says lobby 1' 'bob says lobby 2' 'bob says lobby 3' 'bob says lobby 4' 'bob says lobby 5'
await 'ann hears bob in lobby: 5'
[ "$(sed -n 's/^ann hears bob in lobby: \([1-5]\)$/\1/p' out | tr -d '\n')" = 12345 ] || fail "not in order"
victim=$(sed -n 's/.*process \/bob pid \([0-9]*\) started.*/\1/p' log)
kill -9 "$victim"
await 'bob is back, in 1 rooms'
until_heard bob ann again
until_heard ann bob again
grep -q '"path":"/bob","text":"failed: killed by signal 9' log || fail "nobody noticed that bob was killed"
! grep '^cid hears' out || fail "cid is in another room"
finish
echo "in processes: in order, and bob is back after kill -9"
