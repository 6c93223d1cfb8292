#!/bin/sh
# A handler that does not return holds up its worker, but not the lanes of the node: what comes from other processes
# is read by another worker, within a few looks of the monitor.
set -eu
program=$TROUPE_BINARY_DIR/tests/programs/heldup

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >heldup.yaml <<'END'
threads: 2
tree:
  children:
    - { name: echo, actor: echo, place: process }
    - { name: blocker, actor: blocker }
    - { name: asker, actor: asker }
END

"$program" run heldup.yaml >out 2>log || {
    cat out log
    exit 1
}
cat out
awk '{ ok = $2 < 300 } END { exit !(NR == 1 && ok) }' out || {
    echo "heldup: an answer had to wait for a worker that was held up"
    exit 1
}
