#!/bin/sh
# The demonstration's chaos keeps its promises: the word count is exact with delivery at_least_once, and
# what the default delivery loses is counted, while counters are killed.
set -eu
passes=75
if [ -n "${TROUPE_SANITIZE:-}" ]; then passes=10; fi
"$TROUPE_SOURCE_DIR/scripts/demo.sh" --chaos --passes "$passes" \
    /usr/share/common-licenses/* "$TROUPE_SOURCE_DIR"/docs/*.md
