#!/bin/sh
# Benchmarks, this project beside its peers and the floors: see bench/README.md.
# usage: bench/run.sh [WORK ...] [--quick] [--json FILE] [--rounds N] [--subjects LIST] [--pin CPUS]
#                     [--build DIR] [--no-build]
exec python3 -B "$(dirname "$0")/run.py" "$@"
