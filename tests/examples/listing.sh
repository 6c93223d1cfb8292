#!/bin/sh
# What ls says is what the example says, line by line; a folder that is not there is ls's to complain of.
set -eu
program=$1
config=$TROUPE_SOURCE_DIR/examples/listing/listing.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/folder"
touch "$work/folder/one" "$work/folder/two words"

for place in thread process; do
    "$program" run "$config" --set tree.children.listing.args.folder="$work/folder" \
        --place "/listing=$place" >"$work/out" 2>"$work/log"
    # shellcheck disable=SC2012 # it is ls that is run
    { ls -l "$work/folder" | sed 's/^/stdout: /'; echo "closed with code 0 after 3 lines"; } >"$work/expected"
    diff "$work/expected" "$work/out"
done
"$program" run "$config" --set tree.children.listing.args.folder="$work/none" >"$work/out" 2>"$work/log"
grep -q '^stderr: ls: .*none' "$work/out"
grep -q '^closed with code 2 after 1 lines' "$work/out"
"$program" run "$config" >"$work/out" 2>"$work/log"
grep -q '^stdout: .* usr' "$work/out"
echo "listing: as ls has it, in threads and processes; and what is not there"
