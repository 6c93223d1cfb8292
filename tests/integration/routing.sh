#!/bin/sh
# Routers whose members, and one of which, are in processes of their own: each request ends, also when its process is
# killed by it; the others have the work meanwhile, and the next run of that member has its share again.
set -eu
program=$TROUPE_BINARY_DIR/tests/programs/routing

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >routing.yaml <<'END'
tree:
  restarts: 1000
  children:
    - { name: worker, actor: worker, count: 3, place: process }
    - { name: byturn, actor: troupe_router, args: { group: workers } }
    - { name: bykey, actor: troupe_router, place: process, args: { policy: hash, key: n, children: /worker } }
    - { name: boss, actor: boss }
END

fail() {
    echo "routing: $*"
    cat out log
    exit 1
}

"$program" run routing.yaml >out 2>log || fail "exit code $?"
[ "$(cut -d ' ' -f 1 out | sort -n | tr '\n' ' ')" = "$(seq 0 59 | tr '\n' ' ')" ] || fail "not each request ended once"
# The one that killed has died, and with it what its process held then: the other router may have just asked there too.
grep -q '^20 died 0$' out || fail "the one that killed did not die"
died=$(grep -c ' died ' out)
[ "$(grep -c -v ' ok ' out)" = "$died" ] || fail "another outcome than ok and died"
[ "$died" -le 3 ] || fail "more died than their process can have held"
for half in 0 1; do # by turn, by key
    [ "$(awk -v half=$half '$1 % 2 == half && $2 == "ok" { print $3 }' out | sort -u | wc -l)" -ge 3 ] ||
        fail "not all members had work"
done
# Beside the requests there is the talk of the groups, of which a little may die with the process too.
sed -n 's/.*messages: sent=\([0-9]*\) handled=\([0-9]*\) dead_letters=\([0-9]*\) in_doubt=\([0-9]*\) .*/\1 \2 \3 \4/p' \
    log | awk -v died="$died" '{ ok = $4 == 1 && $3 >= died - 1 && $1 == $2 + $3 + $4 } END { exit !ok }' ||
    fail "the accounts are wrong"
echo "routing: 60 requests by turn and by key, one of which killed its member"
