#!/bin/sh
# Mistakes that the compiler must catch. Each file in misuse/ but the control makes one; its first line
# says what a compiler must have to say about it: /* expect: REGEX */ (extended). The control file makes
# none and must compile, or the failures of the others would prove nothing.
#
#   misuse.sh [CC CXX INCLUDE-DIR]     otherwise from the environment
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
cc=${1-${CC-cc}}
include=${3-${TROUPE_SOURCE_DIR-$folder/../..}/include}
flags="-std=c11 -Wall -Wextra -Werror"
object=$(mktemp)
trap 'rm -f "$object"' EXIT

checked=0
failed=0

complain() {
    echo "$1" >&2
    failed=$((failed + 1))
}

# compile COMPILER FILE: what it says. Not for syntax alone: some warnings come later.
compile() {
    # shellcheck disable=SC2086
    LC_ALL=C $1 $flags -I"$include" -c -o "$object" "$2" 2>&1
}

check_misuse() {
    checked=$((checked + 1))
    expected=$(sed -n '1s|^/\* expect: \(.*\) \*/$|\1|p' "$2")
    if [ -z "$expected" ]; then
        complain "$2: the first line does not say what to expect"
    elif said=$(compile "$1" "$2"); then
        complain "$2: $1 accepts it"
    elif ! printf '%s\n' "$said" | grep -q -E "error.*($expected)"; then
        complain "$2: $1 says something else than \"$expected\":
$said"
    fi
}

for compiler in $(printf '%s\n' "$cc" gcc clang | sort -u); do
    command -v "$compiler" >/dev/null || continue
    said=$(compile "$compiler" "$folder/misuse/control.c") || complain "control.c: $compiler refuses it:
$said"
    for file in "$folder"/misuse/*.c; do
        case $file in */control.c) continue ;; esac
        check_misuse "$compiler" "$file"
    done
done

echo "$checked misuses checked, $failed failures"
[ "$checked" -gt 0 ] && [ "$failed" -eq 0 ]
