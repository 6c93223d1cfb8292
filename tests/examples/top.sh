#!/bin/sh
# The example prints the tree and what each actor in it does, on threads and in processes: who is there, where, that
# they get work, and that the restarts of those who fail are counted, with the reason.
set -eu
program=$1
folder=$TROUPE_SOURCE_DIR/examples/top

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "top: $*"
    cat out log
    exit 1
}

# look CONFIG: the last of ten looks, into `last`.
look() {
    "$program" run "$folder/$1" --set top.args.every_ms=100 --set top.args.times=10 >out 2>log || fail "$1: exit code $?"
    [ "$(grep -c '^PATH' out)" -eq 10 ] || fail "$1: it has not looked ten times"
    tac out | sed -n '2,/^PATH/p' | tac >last
}

# field PATH N: a field of the line of this actor.
field() { awk -v path="$1" -v n="$2" '$1 == path { print $n }' last; }

for config in threads.yaml processes.yaml; do
    look "$config"
    [ "$(sed 1d last | awk '{ print $1 ":" $2 }' | sort | tr '\n' ' ')" = \
        "/boss:boss /top:top /workshop/worker/0:worker /workshop/worker/1:worker /workshop/worker/2:worker /workshop:troupe_supervisor " ] ||
        fail "$config: the tree is another"
    restarts=0
    for worker in 0 1 2; do
        restarts=$((restarts + $(field "/workshop/worker/$worker" 4)))
        grep -qE "^/workshop/worker/$worker .* [0-9]+ +[0-9]+ +[1-9][0-9]* +[0-9]+ +[0-9]+( |$)" out ||
            fail "$config: worker $worker has handled nothing"
    done
    [ "$restarts" -ge 1 ] || fail "$config: nobody was started again"
    grep -qE '  /workshop/worker/[0-2] failed: job [0-9]*[49]9 was too much' last || fail "$config: nobody says why"
    nodes=$(sed -n 's/^\/workshop\/worker.*/&/p' last | awk '{ print $5 }' | sort -u | tr '\n' ' ')
    case $config:$nodes in
    'threads.yaml:1 ' | 'processes.yaml:2 3 4 ') ;;
    *) fail "$config: the workers are on nodes $nodes" ;;
    esac
done
# await FILE REGEX: it is written there within 20 s.
await() {
    deadline=$(($(date +%s) + 20))
    until grep -qE "$2" "$1"; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "not in $1: $2"
        sleep 0.02
    done
}

# A process that is killed, and with it all that was in it: the tree tells what happened all the same.
"$program" run "$folder/processes.yaml" --set top.args.every_ms=100 >out 2>log &
run=$!
trap 'kill "$run" 2>/dev/null || true; rm -rf "$work"' EXIT
await out '^/workshop/worker/0 .*running'
kill -9 "$(sed -nE 's/.*process \/workshop\/worker\/0 pid ([0-9]+) started.*/\1/p' log)"
await out '^/workshop/worker/0 .*  /workshop/worker/0 .*signal 9'
kill -TERM "$run"
wait "$run" || fail "exit code $? after SIGTERM"

echo "top: the tree, work, restarts and why, on threads and in processes, killed ones included"
