#!/bin/sh
# macros.c expands every public macro and compiles without a warning, in C11 with every C compiler there
# is; the part that may stand in C++ does so in C++17. A macro that macros.c does not use is a failure.
#
#   macros.sh [CC CXX INCLUDE-DIR]     otherwise from the environment
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
cc=${1-${CC-cc}}
cxx=${2-${CXX-c++}}
include=${3-${TROUPE_SOURCE_DIR-$folder/../..}/include}
flags="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only"

# What stands above the line "From here on", without include guards and helpers.
public_macros() {
    for path in "$include"/troupe.h "$include"/troupe/*.h; do
        sed '/---- From here on/,$d' "$path"
    done | sed -n 's/^# *define \([Tt][A-Za-z0-9_]*\).*/\1/p' |
        grep -v -e '_H$' -e '^TROUPE_X_' -e '^TROUPE_STATUS_ENUM$' -e '^TROUPE_DEATH_ENUM$' -e '^TROUPE_CHILD_ENUM$' | sort -u
}

failed=0
macros=0
for macro in $(public_macros); do
    macros=$((macros + 1))
    if ! grep -q -w "$macro" "$folder/macros.c"; then
        echo "$macro: no use of it in macros.c" >&2
        failed=$((failed + 1))
    fi
done

compiled=0
# compile LANGUAGE-FLAGS COMPILER
compile() {
    compiled=$((compiled + 1))
    # shellcheck disable=SC2086
    $2 $1 $flags -I"$include" "$folder/macros.c" || failed=$((failed + 1))
}
for compiler in $(printf '%s\n' "$cc" gcc clang | sort -u); do
    command -v "$compiler" >/dev/null && compile "-std=c11 -x c" "$compiler"
done
for compiler in $(printf '%s\n' "$cxx" g++ clang++ | sort -u); do
    command -v "$compiler" >/dev/null && compile "-std=c++17 -x c++" "$compiler"
done

echo "$macros macros, compiled $compiled times, $failed failures"
[ "$macros" -gt 0 ] && [ "$compiled" -gt 0 ] && [ "$failed" -eq 0 ]
