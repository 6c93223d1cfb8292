#!/bin/sh
# Every script of the project is clean in the eyes of shellcheck. Says how many it read; none is a failure.
set -eu
cd "$TROUPE_SOURCE_DIR"
command -v shellcheck >/dev/null || exit 77
scripts=$(find . -path ./build -prune -o -path './build-*' -prune -o -type f '(' -name '*.sh' -o -path ./.ci/run ')' -print)
# shellcheck disable=SC2086  # one word for each script: none has a blank in its name
set -- $scripts
echo "scripts: $# read"
[ $# -gt 0 ] && shellcheck -x "$@"
