#!/usr/bin/env bash
# Measures calls through the SDK and daemons, beside the limit of the machine (echo servers of Boost.Beast
# alone) and beside gRPC and NATS, in the same run. With a word, something else.
#
#   scripts/bench.sh [--json] [--runs N] [--loops N] [--no-deps] [--no-peers]
#   scripts/bench.sh growth [--no-deps]                   what a call costs, and memory, at 10^3 to 10^6 agents and
#                                                         at 1 to 10,000 connections
#   scripts/bench.sh overload [--seconds N] [--no-deps]   three times the load that is sustained, for so long (120
#                                                         where not given), twice; fails where an aim is missed
#   scripts/bench.sh plot [--out FILE] [--no-deps]        throughput and p99 against load, drawn as SVG
#                                                         (throughput.svg where not given)
#
# Builds the release preset first. Without a word it prints a table of medians with the lowest and the highest
# of N runs (5 where not given), and the ratios to the others: compare ratios, not figures of different runs.
#
#   --json      prints one JSON object in place of the table
#   --loops N   gives the daemons so many event loops (1 where not given)
#   --no-deps   installs nothing
#   --no-peers  leaves out gRPC, NATS and HTTP under wrk, and needs none of them
#   --help      prints this
#
# Talks to loopback only, ends what it started, and takes some minutes after the build. "growth" needs 20,000
# open files, and raises its soft limit to the hard one.

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

refuse() {
  echo "bench: \"$1\" is not expected here; see --help" >&2
  exit 64
}

word=bench
case "${1:-}" in
  growth | overload | plot)
    word=$1
    shift
    ;;
esac
deps=yes
packages=bench
targets=(bench bench_peers)
if [[ "$word" != bench ]]; then
  packages=bench-alone
  targets=(bench)
fi
arguments=()
while (($#)); do
  case "$word $1" in
    *" --help" | *" -h") usage && exit 0 ;;
    *" --no-deps") deps=no ;;
    "bench --json") arguments+=(--json) ;;
    "bench --no-peers")
      packages=bench-alone
      targets=(bench)
      arguments+=(--no-peers)
      ;;
    "bench --runs" | "bench --loops" | "overload --seconds" | "plot --out")
      arguments+=("$1" "${2:?$1 needs a value}")
      shift
      ;;
    *) refuse "$1" ;;
  esac
  shift
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

{
  [[ "$deps" == no ]] || scripts/install-deps.sh build "$packages"
  # A build that was configured before the packages came does not know of them.
  cmake --preset release
  scripts/build.sh release "${targets[@]}"
} >&2
exec python3 -B "tests/bench/$word.py" build/release/bin "${arguments[@]}"
