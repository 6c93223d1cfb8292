#!/bin/sh
# The models of the lock-free protocols (README.md), each explored to the end by Spin.
#
# A model must be free of errors, have no fewer states than the floor in the table (one that a mistake
# has blocked is free of errors too), and fit in memory. Then each of its bugs is put in: Spin must find
# every one. Prints a line for each model. 77: no Spin, or no compiler.
set -eu

models=${TROUPE_SOURCE_DIR:-$(dirname "$0")/../..}/tests/models
models=$(cd "$models" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"

command -v spin >/dev/null || { echo "models: no spin"; exit 77; }
compiler=${CC:-cc}
command -v "$compiler" >/dev/null || { echo "models: no compiler"; exit 77; }

depth=20000
megabytes=2048

# MODEL OPTION FLOOR BUGS
table() {
    cat <<'TABLE'
mailbox  -DLINKS=5 3000000  1 2 3 4
wake     -DPLAINS=1 1000000 1 2 3 4 5 6 7 8 9
idle     -DWORKERS=2 5000000 1 2 3 5
idle     -DWORKERS=3 5000000 4
runqueue -DLINKS=4 2000000  1 2 3 4
ready    -DLIMIT=1 4000000  1 2
ready    -DLIMIT=2 1000000  3 4
alarm    -DTICKS=3 30000    1 2 3 4 5
event    -DEACH=2  100000   1 2
watch    -DBYTES=2 60000    1 2 3 4 5
leave    -DEACH=2  40000    1 2 3
monitor  -DJOBS=2  30000    1 2 3
own      -DMESSAGES=2 80000 1 2 3 4 5
home     -DLATE=2  300000   1 2 3 4 5
start    -DLATE=1  500000   1 2 3 4 5
replace  -DRUNS=3  50000    1 2 3 4 5 6 7
names    -DTHIRD=1 300000   3 5
names    -DTHIRD=3 1000000  1 2 3 4 5
TABLE
}

fail() {
    echo "models: $*"
    [ ! -f pan.out ] || cat pan.out
    exit 1
}

# explore MODEL OPTION BUG OPTIMISE: leaves the count of states and of errors in $states and $errors.
explore() {
    rm -f pan pan.* ./*.trail
    spin "-DBUG=$3" "$2" -a "$models/$1.pml" >spin.out || { cat spin.out; fail "$1: spin"; }
    "$compiler" "$4" -w -DSAFETY "-DMEMLIM=$megabytes" -o pan pan.c || fail "$1: pan.c"
    ./pan "-m$depth" >pan.out 2>&1 || true
    states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.out)
    errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' pan.out)
    if [ -z "$states" ] || [ -z "$errors" ]; then fail "$1: no result"; fi
}

is_complete() { ! grep -q -e 'not completed' -e 'max search depth too small' -e 'MEMLIM' pan.out; }

runs=0
bugs=0
while read -r model option floor numbers; do
    explore "$model" "$option" 0 -O2
    echo "$model $option: states=$states errors=$errors"
    [ "$errors" -eq 0 ] || fail "$model: an error"
    is_complete || fail "$model: not explored to the end"
    [ "$states" -ge "$floor" ] || fail "$model: fewer states than $floor"
    runs=$((runs + 1))
    for bug in $numbers; do
        explore "$model" "$option" "$bug" -O0 # soon found
        [ "$errors" -gt 0 ] || fail "$model: bug $bug is not found"
        bugs=$((bugs + 1))
    done
done <<TABLE
$(table)
TABLE

missing=0
for file in "$models"/*.pml; do
    table | grep -q "^$(basename "$file" .pml) " || { echo "not in the table: $file"; missing=1; }
done
echo "models: $runs runs without errors, $bugs bugs found"
[ "$missing" -eq 0 ] && [ "$runs" -gt 0 ] && [ "$bugs" -gt 0 ]
