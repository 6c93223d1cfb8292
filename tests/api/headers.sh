#!/bin/sh
# Each public header compiles alone, as C11 and as C++17, without a warning, with every compiler there is.
#
#   headers.sh [CC CXX INCLUDE-DIR]     otherwise from the environment
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
cc=${1-${CC-cc}}
cxx=${2-${CXX-c++}}
include=${3-${TROUPE_SOURCE_DIR-$folder/../..}/include}
flags="-Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only"

checked=0
failed=0

# compile LANGUAGE-FLAGS HEADER COMPILER: the declaration keeps a header of macros from being empty.
compile() {
    checked=$((checked + 1))
    # shellcheck disable=SC2086
    if ! printf '#include <%s>\nextern int not_empty;\n' "$2" | $3 $1 $flags -I"$include" -; then
        echo "$2: not clean with $3 $1" >&2
        failed=$((failed + 1))
    fi
}

for path in "$include"/troupe.h "$include"/troupe/*.h; do
    [ -f "$path" ] || continue
    header=${path#"$include"/}
    for compiler in $(printf '%s\n' "$cc" gcc clang | sort -u); do
        command -v "$compiler" >/dev/null && compile "-std=c11 -x c" "$header" "$compiler"
    done
    for compiler in $(printf '%s\n' "$cxx" g++ clang++ | sort -u); do
        command -v "$compiler" >/dev/null && compile "-std=c++17 -x c++" "$header" "$compiler"
    done
done

echo "compiled $checked times, $failed not clean"
[ "$checked" -gt 0 ] && [ "$failed" -eq 0 ]
