#!/bin/sh
# The tests of the lamp, an example of troupe/test.h, pass.
set -eu
program=$1
out=$("$program")
[ "$out" = "the lamp works" ] || { printf 'got: %s\n' "$out"; exit 1; }
echo "the lamp works"
