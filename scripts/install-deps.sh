#!/usr/bin/env bash
# Installs the Debian packages that agentd needs; does nothing where all are there.
#
#   scripts/install-deps.sh [GROUP]...
#
# Groups, `build` and `test` where none is given:
#   build       to build the daemon, the SDK and the examples
#   quickstart  to run scripts/quickstart.sh, beside `build`
#   test        to build and run the tests
#   check       to run scripts/check.sh: linters, formatter, fuzzer
#   bench       to run scripts/bench.sh: brings gRPC, the NATS server and wrk. Where systemd runs, Debian starts
#               that server as a service; `systemctl disable --now nats-server` ends it
#   bench-alone to run scripts/bench.sh --no-peers
#   all         all of them
#
#   --list  prints the packages of the groups, and installs nothing
#   --help  prints this
#
# For Debian 12. Asks for root by sudo where it is not root already.

set -euo pipefail

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

packages_of() {
  case "$1" in
    build) echo g++ cmake ninja-build pkg-config libboost1.81-dev nlohmann-json3-dev libsimdjson-dev \
      libssl-dev libcli11-dev libspdlog-dev libsystemd-dev ;;
    quickstart) echo curl ;;
    test) echo catch2 python3 curl jq util-linux iproute2 nodejs npm ;;
    check) echo clang clang-format clang-tidy libclang-rt-14-dev llvm cppcheck shellcheck systemd ;;
    bench-alone) echo python3 ;;
    bench) echo python3 libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev protobuf-compiler nats-server libnats-dev wrk ;;
    all) for group in build quickstart test check bench; do packages_of "$group"; done ;;
    *) return 1 ;;
  esac
}

# Node.js counts as there by whatever way it came: people have it from elsewhere.
is_installed() {
  case "$1" in
    nodejs) command -v node >/dev/null && return ;;
    npm) command -v npm >/dev/null && return ;;
  esac
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

install_packages() {
  local as_root=()
  if [[ "$(id -u)" != 0 ]]; then
    command -v sudo >/dev/null || {
      echo "install-deps: needs root, and there is no sudo; as root, run: apt-get install $*" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "install-deps: installing $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

list=no
groups=()
for argument in "$@"; do
  case "$argument" in
    --help | -h) usage && exit 0 ;;
    --list) list=yes ;;
    *)
      packages_of "$argument" >/dev/null || {
        echo "install-deps: there is no group \"$argument\"; the groups are build, quickstart, test, check, bench, bench-alone, all" >&2
        exit 64
      }
      groups+=("$argument")
      ;;
  esac
done
((${#groups[@]})) || groups=(build test)

mapfile -t packages < <(for group in "${groups[@]}"; do packages_of "$group"; done | tr ' ' '\n' | sort -u)
if [[ "$list" == yes ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

command -v apt-get >/dev/null || {
  echo "install-deps: there is no apt-get; install the equivalents of: ${packages[*]}" >&2
  exit 1
}

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "install-deps: all there (${groups[*]})"
else
  install_packages "${missing[@]}"
fi
