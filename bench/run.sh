#!/bin/sh
# Benchmarks, this project beside its peers and the floors: see bench/README.md.
# usage: bench/run.sh [WORK ...] [--quick] [--json FILE] [--rounds N] [--build DIR]
exec python3 "$(dirname "$0")/run.py" "$@"
