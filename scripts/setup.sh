#!/bin/sh
# Installs what building and testing Troupe needs, and only what is missing.
#
#   scripts/setup.sh           install what is missing
#   scripts/setup.sh --bench   and what the benchmarks compare with
#   scripts/setup.sh --list    say what is needed and why; install nothing
#
# Debian and what descends from it are known by their packages. Elsewhere it says what is needed by
# general names, and is content if all the tools are there.
set -eu

# USE PACKAGE REASON. A|B: releases name it differently; the first one known is taken.
packages() {
    cat <<'TABLE'
build gcc                           the C compiler
build libc6-dev                     headers and start files of the C library
build cmake                         configures the build
build ninja-build                   runs it
build pkg-config                    tells CMake where libyaml and Nettle are
build libnng-dev                    NNG: frames between nodes, over inproc, ipc and tcp
build libmsgpack-c-dev|libmsgpack-dev  msgpack-c: the bytes of a message
build libyaml-dev                   reads the configuration
build nettle-dev                    HMAC, by which nodes prove that they know the token
test libcmocka-dev                  the frame of the C tests
test g++                            the tests compile the public headers as C++ too
test clang                          the second compiler, and libFuzzer for scripts/fuzz.sh
test libclang-rt-dev                the runtime of clang's sanitizers and of libFuzzer
test python3                        tests/doors and tests that speak the wire format themselves
test spin                           explores the models of the lock-free protocols (tests/models)
test shellcheck                     the scripts are checked like everything else
bench libcaf-dev                    the C++ Actor Framework, a peer to be measured against
bench erlang-base                   Erlang/OTP, another
bench nodejs                        Node.js, another
TABLE
}

# What a system that is not Debian must have.
general_names() {
    cat <<'TABLE'
  a C11 compiler (GCC or clang; clang with libFuzzer for scripts/fuzz.sh), a C++17 compiler
  CMake 3.21 or newer, Ninja, pkg-config
  NNG 1.5.2 or newer, with its CMake files
  msgpack-c, the C library, with its CMake files
  libyaml, Nettle, cmocka, with their headers
  Python 3
TABLE
}

say() { printf 'setup: %s\n' "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }

is_installed() {
    case $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) in
    *' installed') return 0 ;;
    *) return 1 ;;
    esac
}

is_known() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

# One name out of A|B: the installed one, else the one that this release knows, else the last.
choose() {
    for name in $(echo "$1" | tr '|' ' '); do
        if is_installed "$name"; then
            echo "$name"
            return
        fi
    done
    for name in $(echo "$1" | tr '|' ' '); do
        if is_known "$name"; then break; fi
    done
    echo "$name"
}

# The packages of the wanted uses that are not installed.
missing() {
    packages | while read -r use names _; do
        case " $uses " in *" $use "*) ;; *) continue ;; esac
        name=$(choose "$names")
        is_installed "$name" || printf '%s ' "$name"
    done
}

# How to become root: "" when we are, "sudo ..." when we may, or a way out that says what to type.
as_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    if ! has sudo; then
        say "run this as root, then come back: apt-get install $1" >&2
        exit 1
    fi
    if [ -t 0 ] && [ -t 2 ]; then
        printf 'setup: install %swith sudo? [Y/n] ' "$1" >&2
        read -r answer
        case $answer in '' | [Yy]*) echo sudo ;; *) exit 1 ;; esac
    elif sudo -n true >/dev/null 2>&1; then
        echo 'sudo -n'
    else
        say "sudo wants a password; type this, then come back: sudo apt-get install $1" >&2
        exit 1
    fi
}

install_missing() {
    wanted=$(missing)
    if [ -z "$wanted" ]; then
        say "everything is there"
        return
    fi
    root=$(as_root "$wanted") || exit 1
    say "installing $wanted"
    # shellcheck disable=SC2086  # $root and $wanted are lists of words
    $root apt-get update -qq
    # Fresh images come without package lists: only now are the names known.
    wanted=$(missing)
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted
}

# No Debian: are the tools there? The libraries are for CMake to find.
check_elsewhere() {
    lacking=
    for tool in cc c++ cmake ninja pkg-config python3; do
        has "$tool" || lacking="$lacking $tool"
    done
    for module in yaml-0.1 nettle; do
        has pkg-config && pkg-config --exists "$module" || lacking="$lacking $module"
    done
    if [ -n "$lacking" ]; then
        say "this is no Debian: install these with your own package manager:" >&2
        general_names >&2
        say "not found:$lacking" >&2
        exit 1
    fi
    say "this is no Debian, but the tools are there; CMake will say if a library is missing"
}

uses='build test'
case ${1-} in
'') ;;
--bench) uses='build test bench' ;;
--list)
    packages
    exit
    ;;
*)
    say "unknown argument '$1'; there are --list and --bench" >&2
    exit 1
    ;;
esac

if has dpkg-query && has apt-get; then
    install_missing
else
    check_elsewhere
fi
