#!/bin/bash
# Installs the Debian packages that building, testing or measuring zpost needs.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tools/setup.sh [--test] [--lint] [--bench] [--coverage] [--all] [--list] [--help]

Installs what is missing to build zpost, and says what that is. When nothing is
missing it changes nothing and needs neither network nor root.

  --test   also what the tests need (GoogleTest, rapidcheck, Python, tmux,
           Prometheus, tshark and protoc; no service is started or enabled)
  --lint   also clang, clang-format, clang-tidy and the fuzzing runtime
  --bench  also the other brokers that zpost-bench compares with; their services
           are neither started nor enabled
  --coverage
           also gcovr
  --all    all of these
  --list   only print the packages that are missing; exit 1 if any is

Tested on Debian 12 (bookworm). Run as root, or as a user who may use sudo.
TEXT
}

build_packages=(
  build-essential g++ cmake ninja-build pkg-config ccache
  libzmq3-dev cppzmq-dev libmsgpack-cxx-dev libcli11-dev libspdlog-dev libfmt-dev
  libtomlplusplus-dev nlohmann-json3-dev libedit-dev libncurses-dev libssl-dev tao-pegtl-dev
  libcpp-httplib-dev prometheus-cpp-dev zlib1g-dev libzstd-dev
  libprotobuf-dev)
test_packages=(
  libgtest-dev libgmock-dev librapidcheck-dev python3 python3-zmq python3-msgpack tmux
  prometheus tshark protobuf-compiler)
lint_packages=(git clang clang-format clang-tidy libclang-rt-14-dev)
bench_packages=(
  nats-server libnats-dev redis-server libhiredis-dev mosquitto libmosquitto-dev)
coverage_packages=(gcovr)
# Packages among these that bring a service of the same name.
service_packages=(nats-server redis-server mosquitto prometheus)

policy=/usr/sbin/policy-rc.d

die() {
  echo "setup: $*" >&2
  exit 1
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Debian asks policy-rc.d before a package starts its service; 101 means no. An existing
# one is somebody's decision, so it stays as it is.
forbid_service_starts() {
  [[ -e $policy ]] && return
  trap 'as_root rm -f "$policy"' EXIT
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy"
}

# A service that was not there before must not appear at the next boot either, nor run
# because an existing policy-rc.d allowed it.
disable_new_services() {
  [[ -d /run/systemd/system ]] || return 0
  local package
  for package in "${service_packages[@]}"; do
    [[ " ${missing[*]} " == *" $package "* ]] || continue
    as_root systemctl disable --now "$package" || die "cannot disable the service $package"
  done
}

install_missing() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600
    -o Acquire::Retries=3)
  as_root "${apt[@]}" update -q
  as_root "${apt[@]}" install -q -y --no-install-recommends "${missing[@]}"
}

list_only=no
wanted=("${build_packages[@]}")
for argument in "$@"; do
  case $argument in
    --test) wanted+=("${test_packages[@]}") ;;
    --lint) wanted+=("${lint_packages[@]}") ;;
    --bench) wanted+=("${bench_packages[@]}") ;;
    --coverage) wanted+=("${coverage_packages[@]}") ;;
    --all)
      wanted+=("${test_packages[@]}" "${lint_packages[@]}" "${bench_packages[@]}"
        "${coverage_packages[@]}") ;;
    --list) list_only=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  die "this is not Debian; install what these packages hold: ${wanted[*]}"
fi

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done

if [[ $list_only == yes ]]; then
  [[ ${#missing[@]} -eq 0 ]] || { printf '%s\n' "${missing[@]}"; exit 1; }
  exit 0
fi

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup: already there: nothing to install"
  exit 0
fi

echo "setup: missing, will be installed: ${missing[*]}"
if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
  die "neither root nor sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
fi
forbid_service_starts
install_missing
disable_new_services
echo "setup: installed: ${missing[*]}"
