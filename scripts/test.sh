#!/bin/sh
# Installs what is missing, builds, and runs all tests.
#
#   scripts/test.sh [--preset NAME] [ARGUMENTS OF CTEST]
#
#   scripts/test.sh                        everything, warnings are errors
#   scripts/test.sh -L unit                one kind: unit, sim, integration, api, doors, models, examples, fuzz
#   scripts/test.sh -R mailbox             by name
#   PRESET=tsan scripts/test.sh            with a sanitizer: asan-ubsan, tsan; or release
set -eu
cd "$(dirname "$0")/.."

preset=${PRESET:-dev}
if [ "${1-}" = --preset ]; then
    preset=${2:?--preset wants a name}
    shift 2
fi

scripts/setup.sh
cmake --preset "$preset"
cmake --build --preset "$preset"
exec ctest --preset "$preset" "$@"
