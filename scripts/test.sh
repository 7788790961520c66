#!/usr/bin/env bash
# Builds the tests and runs them all. The last line says how many passed, failed and were skipped.
#
#   scripts/test.sh [--preset PRESET] [--no-deps] [-- CTEST ARGUMENT...]
#
# The preset is dev where none is given: assertions, line numbers, and warnings are errors.
# Installs the packages that are missing first, unless --no-deps is given.
#
#   scripts/test.sh -- -R runtime      runs the tests with "runtime" in their name
#   --help                             prints this

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

preset=dev
deps=yes
while (($#)); do
  case "$1" in
    --help | -h) usage && exit 0 ;;
    --preset)
      preset=${2:?--preset needs a name}
      shift
      ;;
    --no-deps) deps=no ;;
    --)
      shift
      break
      ;;
    *) echo "test: \"$1\" is not expected here; see --help" >&2 && exit 64 ;;
  esac
  shift
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ "$deps" == no ]] || scripts/install-deps.sh build test
scripts/build.sh "$preset"

# ThreadSanitizer ends programs whose addresses the kernel has chosen where it wants its own.
as_is=()
if [[ "$preset" == tsan ]] && setarch --addr-no-randomize true 2>/dev/null; then as_is=(setarch --addr-no-randomize); fi

# Where a sanitized program, a child of a child too, leaves what it found: CMakePresets.json says so.
found="$PWD/build/$preset/reports"
rm -rf "$found"
mkdir "$found"

report="$PWD/build/$preset/tests.xml"
rm -f "$report"
status=0
"${as_is[@]}" ctest --preset "$preset" --parallel "$(nproc)" --no-tests=error --output-junit "$report" "$@" || status=$?

# A number of the report's summary; 0 where there is no report.
count() { { grep -o -m1 "$1=\"[0-9]*\"" "$report" 2>/dev/null || true; } | head -n 1 | tr -dc 0-9; }
mapfile -t reports < <(find "$found" -type f)
if ((${#reports[@]})); then
  tail -n +1 "${reports[@]}"
  echo "test: a sanitizer has found something in ${#reports[@]} processes" >&2
  status=1
fi
total=$(count tests)
failed=$(count failures)
skipped=$(($(count skipped) + $(count disabled)))
echo "$((total - failed - skipped)) passed, $((failed)) failed, $((skipped)) skipped"
exit "$status"
