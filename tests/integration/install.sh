#!/bin/sh
# An installed Troupe can be used: the README's program, built against an installation with find_package
# and with pkg-config, static and shared; the shared library exports public names only.
set -eu
# A sanitized library wants a sanitized program: that is no installation.
[ -z "${TROUPE_SANITIZE-}" ] || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
hello=$TROUPE_SOURCE_DIR/examples/hello

quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        echo "failed: $*"
        exit 1
    }
}

cat >"$work/CMakeLists.txt" <<TXT
cmake_minimum_required(VERSION 3.21)
project(guest LANGUAGES C)
find_package(troupe 0.1 REQUIRED)
add_executable(hello $hello/hello.c)
target_link_libraries(hello PRIVATE troupe::troupe)
TXT

# use NAME BUILD: installs it and builds the program against it, twice.
use() {
    prefix=$work/$1
    quietly cmake --install "$2" --prefix "$prefix"
    pc=$(find "$prefix" -name troupe.pc)
    library=$(find "$prefix" -name 'libtroupe.*' | sed -n 1p)

    quietly cmake -S "$work" -B "$work/$1-cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
    quietly cmake --build "$work/$1-cmake"
    quietly "$work/$1-cmake/hello" check "$hello/hello.yaml"

    # shellcheck disable=SC2046  # flags are words
    quietly "$CC" -o "$work/$1-hello" "$hello/hello.c" \
        $(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --cflags --libs troupe)
    LD_LIBRARY_PATH=$(dirname "$library") quietly "$work/$1-hello" check "$hello/hello.yaml"
    echo "$1: built and ran with find_package and with pkg-config"
}

use static "$TROUPE_BINARY_DIR"

quietly cmake -S "$TROUPE_SOURCE_DIR" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=ON \
    -DTROUPE_TESTS=OFF -DCMAKE_C_COMPILER="$CC"
quietly cmake --build "$work/build" -j 2
use shared "$work/build"

nm -D --defined-only "$(find "$work/shared" -name libtroupe.so)" | awk '{ print $3 }' >"$work/exported"
public=$(grep -c '^troupe_' "$work/exported" || true)
foreign=$(grep -v '^troupe_' "$work/exported" || true)
echo "shared: $public names exported"
if [ "$public" -eq 0 ] || [ -n "$foreign" ]; then
    echo "not public, but exported: ${foreign:-nothing; but nothing else either}"
    exit 1
fi
