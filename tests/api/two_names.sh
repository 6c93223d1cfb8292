#!/bin/sh
# Two files of a program call different messages by one name. For the linker they are one; Troupe refuses
# to start such a program, and names the message with both lists of fields. Two files that mean the same
# are fine.
set -eu
[ -z "${TROUPE_SANITIZE:-}" ] || exit 77 # the library is built with flags that are not known here
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libraries=$(pkg-config --libs yaml-0.1 nettle)

cat > "$work/one.c" <<'C'
#include <troupe.h>
#define PAIR(field) field(u32, n) field(str, text)
TROUPE_MESSAGE(pair, PAIR)
struct one { char unused; };
TROUPE_ON(one, pair) { return TROUPE_OK; }
TROUPE_ACTOR(one, TROUPE_HANDLES(one, pair))
C
sed 's/one/two/g' "$work/one.c" > "$work/same.c"
sed 's/one/two/g; s/field(u32, n)/field(u64, n)/' "$work/one.c" > "$work/other.c"
cat > "$work/main.c" <<'C'
#include <troupe.h>
TROUPE_ACTOR_DECLARE(one)
TROUPE_ACTOR_DECLARE(two)
int main(int argc, char **argv) { return troupe_main(argc, argv, &one_actor, &two_actor, NULL); }
C
echo 'tree: { children: [ { name: one, actor: one } ] }' > "$work/app.yaml"

# shellcheck disable=SC2086 # several libraries in one word
build() { # PROGRAM SOURCE: with one.c and main.c
    "$cc" -std=c11 -I"$TROUPE_SOURCE_DIR/include" -o "$work/$1" "$work/main.c" "$work/one.c" "$work/$2" \
        "$TROUPE_BINARY_DIR/libtroupe.a" -lnng -lmsgpackc $libraries -lpthread -lm
}

build good same.c
"$work/good" check "$work/app.yaml"

build bad other.c
code=0
"$work/bad" check "$work/app.yaml" > "$work/out" 2>&1 || code=$?
cat "$work/out"
[ "$code" -eq 1 ] || { echo "two messages of one name: exit code $code instead of 1"; exit 1; }
for words in "pair" "n:u32" "n:u64"; do
    grep -q "$words" "$work/out" || { echo "the error does not say $words"; exit 1; }
done
