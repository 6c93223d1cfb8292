#!/bin/sh
# The benchmarks run from end to end: each work of this project gives rows, every row says what it has to,
# and the page can be made from them. Figures are not judged here.
set -eu
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The peers are left out: they are another project's, and slow to build. The floors stay, as a second
# subject for the table.
"$TROUPE_SOURCE_DIR/bench/run.sh" --quick --subjects troupe,floor --build "$TROUPE_BINARY_DIR" \
    --json "$work/rows.json"

python3 - "$TROUPE_SOURCE_DIR/bench" "$work/rows.json" <<'END'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from plot import plot
from publish import page_part
from subjects import WORKS

rows = json.load(open(sys.argv[2]))
kinds = {"work": str, "subject": str, "version": str, "params": str, "value": (int, float), "unit": str,
         "better": str, "cpu_seconds": (int, float), "peak_rss_bytes": int}
for row in rows:
    for key, kind in kinds.items():
        assert isinstance(row[key], kind), (key, row)
    assert row["better"] in ("higher", "lower"), row
    assert row["value"] > 0 or row["work"].startswith("idle"), row
    assert "pinned" in row["params"], row
missing = set(WORKS) - {row["work"] for row in rows if row["subject"] == "troupe"}
assert not missing, missing
assert plot(rows, True).startswith("<svg"), "no plot"
assert page_part([rows, rows]).count("### ") > 1, "no tables"
print(f"{len(rows)} rows checked")
END
