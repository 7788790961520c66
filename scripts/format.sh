#!/usr/bin/env bash
# Formats the C++ sources as .clang-format says.
#
#   scripts/format.sh [--check] [FILE]...
#
#   --check  changes nothing, names the files that are not formatted, and fails where there are any
#   --help   prints this
#
# Without a FILE it takes all of the tree. A FILE that is no .cpp or .hpp is left alone.

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

check=no
files=()
for argument in "$@"; do
  case "$argument" in
    --help | -h) usage && exit 0 ;;
    --check) check=yes ;;
    -*) echo "format: there is no flag $argument; see --help" >&2 && exit 64 ;;
    *) files+=("$(realpath "$argument")") ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-format >/dev/null || {
  echo "format: clang-format is missing; run scripts/install-deps.sh check" >&2
  exit 1
}
((${#files[@]})) || mapfile -t files < <(find common daemon sdk tests -name '*.hpp' -o -name '*.cpp' | sort)

existing=()
for file in "${files[@]}"; do
  [[ ! -f "$file" || "$file" != *.[ch]pp ]] || existing+=("$file")
done
((${#existing[@]})) || exit 0

if [[ "$check" == no ]]; then
  clang-format -i "${existing[@]}"
  exit 0
fi
printf '%s\0' "${existing[@]}" | xargs -0 -n 16 -P "$(nproc)" clang-format --dry-run -Werror --ferror-limit=1 || {
  echo "format: run scripts/format.sh" >&2
  exit 1
}
echo "format: ${#existing[@]} files are formatted"
