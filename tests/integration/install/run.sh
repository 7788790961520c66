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

# refuse TEXT COMMAND...: ends the test with TEXT where COMMAND finds anything.
refuse() {
  text=$1
  shift
  found=$("$@") || return 0
  echo "$text: $found" >&2
  exit 1
}

# A stranger's project takes neither our warnings, nor our precompiled headers, nor our sanitizers.
refuse "flags of our own builds are installed" \
  grep -rnE -e '-fsanitize|-fpch|-Winvalid-pch|-Werror|-Wall|/build/' "$place/usr" --include=*.cmake --include=*.pc

# No header of the SDK needs more than the SDK, the JSON library and the standard library.
for header in "$place"/usr/include/agentd/*.hpp; do
  echo "#include <agentd/$(basename "$header")>"
done >"$place/all.cpp"
"$cxx" -std=c++20 -M -I"$place/usr/include" "$place/all.cpp" >"$place/all.d"
refuse "the SDK's headers include these" grep -E '/(boost|asio|simdjson|spdlog|openssl)/' "$place/all.d"
refuse "these headers include what is not installed" \
  grep -rnE '#include [<"](common|sdk|daemon)/' "$place/usr/include"

# What the documents show is what a stranger writes.
(cd "$project/../../../.." &&
  python3 tests/integration/install/snippets.py "$cxx" "$place/usr/include" README.md docs/sdk.md)

# meet PROGRAM-WITH-SERVER PROGRAM-THAT-CALLS
meet() {
  mkfifo "$place/said"
  "$1" >"$place/said" &
  server=$!
  read -r port <"$place/said"
  "$2" "$port"
  kill "$server"
  # It may not have come to wait for its end yet, and then the signal is the end.
  wait "$server" || [ $? -eq 143 ]
  server=
  rm "$place/said"
}

"$cmake" -S "$project" -B "$place/with-cmake" -G "$generator" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_PREFIX_PATH="$place/usr" -DCMAKE_CXX_FLAGS="$flags" >/dev/null
"$cmake" --build "$place/with-cmake" >/dev/null
"$place/with-cmake/own_agent"

# Without server code: a program that only calls has none of it.
nm -C "$place/with-cmake/call" >"$place/symbols"
grep -q 'agentd::net::' "$place/symbols"
refuse "a program that links agentd::client has server code" \
  grep -m 3 -E 'agentd::(runtime|node|rpc|http|peers|agents)::' "$place/symbols"
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
