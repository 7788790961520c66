#!/usr/bin/env bash
# Looks for mistakes that tests do not find. Each step can be run by its name; all of them otherwise.
#
#   scripts/check.sh [--no-deps] [--seconds N] [STEP]...
#
#   format    every source is formatted
#   shell     shellcheck on every script
#   rooms     no source includes what its room does not link
#   units     systemd's view of the units: valid, and exposure at most 1.5
#   cppcheck  cppcheck on the sources
#   tidy      clang-tidy on the sources (TIDY_FILES="FILE...": on these)
#   asan      the tests, with AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan      the tests of what more than one thread touches, with ThreadSanitizer
#   fuzz      each parser's fuzzer, for FUZZ_SECONDS each (10 where not set)
#
# Goes on after a step that failed; the summary at the end says what became of each, and how long it
# took. A step that takes longer than its limit fails. With --seconds, a step that these end is
# "unfinished": the status is 75 then, unless another failed. Installs the packages that are missing
# first, unless --no-deps is given.
#
#   --help    prints this

# The steps are called by name.
# shellcheck disable=SC2317

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

all_steps=(format shell rooms units cppcheck tidy asan tsan fuzz)

# In seconds: three times what a step takes on two cores when nothing is built yet.
limit_of() {
  case "$1" in
    asan | tsan) echo 2000 ;;
    tidy) echo 900 ;;
    cppcheck) echo 180 ;;
    fuzz) echo 600 ;;
    *) echo 60 ;;
  esac
}

step_format() { scripts/format.sh --check; }

step_shell() {
  local scripts
  mapfile -t scripts < <(find scripts tests .ci sdk -name '*.sh' | sort)
  scripts+=(.ci/run)
  shellcheck --external-sources "${scripts[@]}"
  echo "shell: ${#scripts[@]} scripts"
}

step_rooms() { scripts/check_rooms.py; }

step_units() {
  local unit exposure
  for unit in systemd/*.service; do
    exposure=$(systemd-analyze security --offline=true "./$unit" | sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p')
    echo "units: $unit: exposure ${exposure:-unknown}"
    awk -v exposure="${exposure:-10}" 'BEGIN { exit !(exposure <= 1.5) }'
  done
}

step_cppcheck() {
  cppcheck --quiet --std=c++20 --language=c++ --inline-suppr --error-exitcode=1 -j "$(nproc)" \
    --enable=warning,performance,portability --suppressions-list=scripts/cppcheck.suppressions \
    -I . -I common/include -I sdk/include common daemon sdk
}

step_tidy() {
  # GCC's precompiled headers and flags are not for clang, so it has compile commands of its own.
  cmake --preset tidy >/dev/null
  local files
  if [[ -n "${TIDY_FILES:-}" ]]; then
    read -r -a files <<<"$TIDY_FILES"
  else
    mapfile -t files < <(sed -n "s|^ *\"file\": \"$PWD/\(.*\)\",\{0,1\}\$|\1|p" build/tidy/compile_commands.json | sort)
  fi
  echo "tidy: ${#files[@]} files"
  printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/tidy --quiet \
    2> >(grep -vE '^[0-9]+ warnings? generated\.$' >&2)
}

step_asan() { scripts/test.sh --no-deps --preset asan; }

step_tsan() { scripts/test.sh --no-deps --preset tsan; }

step_fuzz() {
  [[ -f build/fuzz/build.ninja ]] || cmake --preset fuzz >/dev/null
  local targets target found
  mapfile -t targets < <(sed -n 's/^agentd_fuzz_target(\([a-z0-9_]*\).*/\1/p' tests/fuzz/CMakeLists.txt)
  cmake --build --preset fuzz --target "${targets[@]}"
  for target in "${targets[@]}"; do
    echo "fuzz: $target"
    found=$(mktemp -d)
    # What it finds goes into a directory of its own; the seeds are only read.
    "build/fuzz/fuzz/$target" -max_total_time="${FUZZ_SECONDS:-10}" -verbosity=0 -print_funcs=0 -print_final_stats=0 \
      -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/${target%_fuzz}"
    rm -rf "$found"
  done
}

# Runs inside `timeout`, as a process of its own: `check.sh --inside STEP`.
if [[ "${1:-}" == --inside ]]; then
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  "step_$2"
  exit
fi

deps=yes
seconds=
steps=()
while (($#)); do
  case "$1" in
    --help | -h) usage && exit 0 ;;
    --no-deps) deps=no ;;
    --seconds)
      seconds=${2:?--seconds needs a number}
      shift
      ;;
    *)
      declare -F "step_$1" >/dev/null || {
        echo "check: there is no step \"$1\"; the steps are ${all_steps[*]}" >&2
        exit 64
      }
      steps+=("$1")
      ;;
  esac
  shift
done
((${#steps[@]})) || steps=("${all_steps[@]}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ "$deps" == no ]] || scripts/install-deps.sh build test check

summary=()
failures=0
unfinished=0
for step in "${steps[@]}"; do
  echo "== $step"
  started=$SECONDS
  result=passed
  status=0
  most=$(limit_of "$step")
  left=$((${seconds:-most + SECONDS} - SECONDS))
  left=$((left < 1 ? 1 : left < most ? left : most))
  timeout --kill-after=10 "$left" scripts/check.sh --inside "$step" || status=$?
  # By the clock: a step that is killed has another status, and one that fails may have this one.
  if ((status != 0 && SECONDS - started >= left && left < most)); then
    result="unfinished: no time was left"
    unfinished=$((unfinished + 1))
  elif ((status != 0)); then
    result=failed
    ((SECONDS - started < left)) || result="failed: took longer than $most s"
    failures=$((failures + 1))
  fi
  summary+=("$(printf '%-9s %s (%d s)' "$step" "$result" $((SECONDS - started)))")
done

echo "== summary"
printf '%s\n' "${summary[@]}"
((failures == 0)) || exit 1
exit $((unfinished ? 75 : 0))
