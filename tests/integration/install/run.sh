#!/bin/sh
# Usage: run.sh BUILD_DIR PROJECT CMAKE CXX GENERATOR [SANITIZERS]
# Installs what BUILD_DIR built to a place of its own, then builds PROJECT as somebody would who has
# only that: with find_package, and with pkg-config. Runs what comes out.
set -eu
build=$1 project=$2 cmake=$3 cxx=$4 generator=$5 sanitize=${6:-}

place=$(mktemp -d)
server=
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$place"
}
trap end EXIT

flags=
[ -z "$sanitize" ] || flags="-fsanitize=$sanitize"

"$cmake" --install "$build" --prefix "$place/usr" --component sdk >/dev/null

# No header of the SDK may need more than the SDK and the JSON library.
if grep -rlE '#include [<"](boost|simdjson|spdlog|common/|sdk/|daemon/)' "$place/usr/include"; then
  echo "the headers above include what is not installed" >&2
  exit 1
fi

# meet PROGRAM-WITH-SERVER PROGRAM-THAT-CALLS
meet() {
  mkfifo "$place/said"
  "$1" >"$place/said" &
  server=$!
  read -r port <"$place/said"
  "$2" "$port"
  kill "$server"
  wait "$server"
  server=
  rm "$place/said"
}

"$cmake" -S "$project" -B "$place/with-cmake" -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_PREFIX_PATH="$place/usr" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
"$cmake" --build "$place/with-cmake" >/dev/null
"$place/with-cmake/own_agent"
meet "$place/with-cmake/serve" "$place/with-cmake/call"

PKG_CONFIG_PATH=$(dirname "$(find "$place/usr" -name agentd.pc)")
export PKG_CONFIG_PATH
mkdir "$place/with-pkg-config"
# Word splitting is what the flags need.
# shellcheck disable=SC2046,SC2086
{
  "$cxx" $flags "$project/serve.cpp" -o "$place/with-pkg-config/serve" $(pkg-config --cflags --libs agentd)
  "$cxx" $flags "$project/call.cpp" -o "$place/with-pkg-config/call" $(pkg-config --cflags --libs agentd-client)
}
meet "$place/with-pkg-config/serve" "$place/with-pkg-config/call"
echo "installed, built with CMake and with pkg-config, and run"
