#!/bin/bash
# check.sh BUILD WORK: installs BUILD below the empty folder WORK, then builds this folder's
# program against it, once through find_package(zpost) and once through pkg-config.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$(cd "$2" && pwd)

cmake --install "$build" --prefix "$work/first" > "$work/install.log"
# Installed packages get moved: nothing may remember where it was built.
mv "$work/first" "$work/prefix"

# What the programs' help speaks of.
for file in doc/zpost/docs/filter.md doc/zpost/protocol/SPEC.md zpost/zpost.lua; do
  test -s "$work/prefix/share/$file" || { echo "$file is not installed"; exit 1; }
done

cmake -S "$here" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/cmake"
"$work/cmake/consumer"

pc_dir=$(dirname "$(find "$work/prefix" -name zpost-peer.pc)")
export PKG_CONFIG_PATH=$pc_dir
# shellcheck disable=SC2046  # The flags are words.
"${CXX:-c++}" -std=c++20 "$here/main.cpp" -o "$work/by-pkg-config" $(pkg-config --cflags --libs zpost-peer)
"$work/by-pkg-config"
echo "find_package and pkg-config both work"
