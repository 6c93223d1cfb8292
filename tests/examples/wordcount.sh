#!/bin/sh
# Every configuration that the word count comes with is valid and can be explained; a wrong one is not.
# What it counts is compared with standard tools by tests/integration/wordcount.sh.
set -eu
program=$1
cd "$TROUPE_SOURCE_DIR/examples/wordcount"
checked=0
for config in *.yaml; do
    "$program" check "$config"
    "$program" explain "$config" | grep -q /counter/1 || { echo "$config: explain names no /counter/1"; exit 1; }
    checked=$((checked + 1))
done
if echo 'tree: { children: [ { name: counter, actor: bounter } ] }' >"$TROUPE_BINARY_DIR/wrong.yaml" &&
    "$program" check "$TROUPE_BINARY_DIR/wrong.yaml" 2>/dev/null; then
    echo "a wrong configuration was accepted"
    exit 1
fi
echo "$checked configurations checked"
[ "$checked" -gt 0 ]
