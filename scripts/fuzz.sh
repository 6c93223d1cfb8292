#!/bin/sh
# Builds every fuzz target with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and
# runs each for so many seconds. What is found new goes to build/fuzz/corpus; what breaks, to
# build/fuzz/broken, from where it belongs into tests/fuzz/corpus with the fix.
#
#   scripts/fuzz.sh [SECONDS [NAME...]]     a minute each; for example: scripts/fuzz.sh 600 codec peer
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-60}
case $seconds in
*[!0-9]*)
    echo "usage: scripts/fuzz.sh [SECONDS [NAME...]]" >&2
    exit 1
    ;;
esac
if [ "$#" -gt 0 ]; then shift; fi

scripts/setup.sh
cmake --preset fuzz
cmake --build --preset fuzz

ran=0
broken=0
for program in build/fuzz/tests/fuzz_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    name=${program##*/fuzz_}
    case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
    mkdir -p "build/fuzz/corpus/$name" build/fuzz/broken "tests/fuzz/corpus/$name"
    echo "fuzz: $name, $seconds s"
    ran=$((ran + 1))
    "$program" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/broken/$name-" \
        "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" || broken=$((broken + 1))
done
echo "fuzz: $ran targets ran, $broken broke"
[ "$ran" -gt 0 ] && [ "$broken" -eq 0 ]
