#!/usr/bin/env bash
# Builds a preset into build/PRESET; programs are in build/PRESET/bin. Installs nothing.
#
#   scripts/build.sh [PRESET] [TARGET]...
#
# PRESET is release where none is given; see CMakePresets.json for the others (dev, asan, tsan, fuzz).
# Without a TARGET everything is built.
#
#   --help  prints this

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

case "${1:-}" in
  --help | -h) usage && exit 0 ;;
  -*) echo "build: there is no flag $1; see --help" >&2 && exit 64 ;;
esac

preset=${1:-release}
shift || true
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for program in cmake ninja; do
  command -v "$program" >/dev/null || {
    echo "build: $program is missing; run scripts/install-deps.sh" >&2
    exit 1
  }
done
[[ -f "build/$preset/build.ninja" ]] || cmake --preset "$preset"

targets=()
((${#@} == 0)) || targets=(--target "$@")
cmake --build --preset "$preset" "${targets[@]}"
