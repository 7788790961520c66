#!/usr/bin/env bash
# From nothing to a running flow: installs what is needed, builds, starts two nodes on free ports, runs
# the graph A to F over them, draws what ran at once, and tries three curl lines.
#
#   scripts/quickstart.sh [--keep] [--no-deps]
#
#   --keep     leaves the two nodes running, and says how to stop them
#   --no-deps  installs nothing
#   --help     prints this

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

keep=no
deps=yes
for argument in "$@"; do
  case "$argument" in
    --help | -h) usage && exit 0 ;;
    --keep) keep=yes ;;
    --no-deps) deps=no ;;
    *) echo "quickstart: \"$argument\" is not expected here; see --help" >&2 && exit 64 ;;
  esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ "$deps" == no ]] || scripts/install-deps.sh build quickstart
scripts/build.sh release
bin=build/release/bin
run=$(mktemp -d)
pids=()
# A daemon loads no plugin that others could replace, and a clone may be writable by its user's group.
install -m 644 build/release/plugins/stage_plugin.so "$run"

stop_nodes() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$run"
}
trap stop_nodes EXIT

# start_node NAME: starts a node on a free port; its address is then in the variable NAME.
start_node() {
  local out="$run/$1.out" log="$run/$1.log" address=
  "$bin/agentd" --port 0 --plugin "$run/stage_plugin.so" >"$out" 2>"$log" &
  pids+=("$!")
  for _ in $(seq 200); do
    address=$(sed -n 's/^agentd listening on //p' "$out")
    [[ -z "$address" ]] || break
    kill -0 "$!" 2>/dev/null || { echo "quickstart: the node did not start:" >&2 && cat "$log" >&2 && exit 1; }
    sleep 0.05
  done
  [[ -n "$address" ]] || { echo "quickstart: the node did not say where it listens within 10 s" >&2 && exit 1; }
  printf -v "$1" '%s' "$address"
}

first='' second=''
start_node first
start_node second
echo
echo "Two nodes are running: $first and $second"
echo
echo "The graph A to F over them: B and C after A; D after B and C; E needs nothing; F after D and E"
echo
"$bin/graph" "$first" "$second"

# try NODE BODY: shows the line, and what it answers.
try() {
  echo "  curl -s $1/rpc -d '$2'"
  local answer
  answer=$(curl -sS --max-time 10 "$1/rpc" -d "$2")
  echo "  $answer"
  echo
  [[ "$answer" == *'"result"'* ]] || { echo "quickstart: that was no result" >&2 && exit 1; }
}

echo
echo "Three lines to try, which have just been run:"
echo
try "$first" '{"jsonrpc":"2.0","id":1,"method":"agent.create","params":{"type":"counter","agent":"tally"}}'
try "$first" '{"jsonrpc":"2.0","id":2,"method":"agent.call","params":{"agent":"tally","input":41,"wait_ms":2000}}'
try "$second" '{"jsonrpc":"2.0","id":3,"method":"type.list"}' | cut -c 1-400

if [[ "$keep" == yes ]]; then
  echo "The nodes stay. To stop them:  kill ${pids[*]}"
  trap - EXIT
else
  echo "The nodes are stopped now; scripts/quickstart.sh --keep leaves them running."
fi
