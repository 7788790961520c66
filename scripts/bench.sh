#!/usr/bin/env bash
# Measures calls through the SDK and daemons, beside the limit of the machine (echo servers of Boost.Beast
# alone) and beside gRPC and NATS, in the same run.
#
#   scripts/bench.sh [--json] [--runs N] [--no-deps] [--no-peers]
#
# Builds the release preset first. Prints a table of medians with the lowest and the highest of N runs (5
# where not given), and the ratios to the others: compare ratios, not figures of different runs.
#
#   --json      prints one JSON object in place of the table
#   --no-deps   installs nothing
#   --no-peers  leaves out gRPC, NATS and HTTP under wrk, and needs none of them
#   --help      prints this
#
# Talks to loopback only, ends what it started, and takes some minutes after the build.

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

deps=yes
packages=bench
targets=(bench bench_peers)
arguments=()
while (($#)); do
  case "$1" in
    --help | -h) usage && exit 0 ;;
    --json) arguments+=(--json) ;;
    --runs)
      arguments+=(--runs "${2:?--runs needs a number}")
      shift
      ;;
    --no-deps) deps=no ;;
    --no-peers)
      packages=bench-alone
      targets=(bench)
      arguments+=(--no-peers)
      ;;
    *) echo "bench: \"$1\" is not expected here; see --help" >&2 && exit 64 ;;
  esac
  shift
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

{
  [[ "$deps" == no ]] || scripts/install-deps.sh build "$packages"
  scripts/build.sh release "${targets[@]}"
} >&2
exec python3 -B tests/bench/bench.py build/release/bin "${arguments[@]}"
