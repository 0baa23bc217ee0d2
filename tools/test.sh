#!/bin/bash
# Everything a change must pass, as named steps with their time and a summary.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

usage() {
  cat <<'TEXT'
Usage: tools/test.sh [--fast] [--full] [--all] [--base REF] [--help]

Steps: setup, format; the programs as users build them, the tests that run them, and a project
that consumes the installed library; every other test under ASan+UBSan; those with threads and
without libzmq under TSan; clang-tidy on changed files outside tests/, the first twelve of them. Exits 1 when any
failed.

  --fast      only the release build and its unit tests
  --full      also clang-tidy on all that changed, all tests of the release build, and those that
              run the programs under ASan+UBSan
  --all       clang-tidy on the whole tree
  --base REF  changed means: since the merge base with REF. Default: origin/main,
              and on main itself the last commit
TEXT
}

fast=no
full=no
tidy_all=no
base=
while [[ $# -gt 0 ]]; do
  case $1 in
    --fast) fast=yes ;;
    --full) full=yes ;;
    --all) tidy_all=yes ;;
    --base) base=${2:?"--base needs a REF"}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

jobs=$(nproc)
tidy_most=12  # Ten seconds each.
logs=build/test-logs
mkdir -p "$logs"
summary=()
failed=no

# step NAME COMMAND…: runs it, keeps its output in a log, notes its time and verdict.
# Returns the command's verdict.
step() {
  local name=$1 verdict=ok started=$SECONDS status note
  shift
  echo "==== $name"
  "$@" 2>&1 | tee "$logs/$name.log"
  status=${PIPESTATUS[0]}
  if [[ $status -ne 0 ]]; then
    verdict=FAILED
    failed=yes
  fi
  note=$(grep -E '^[0-9]+% tests passed|^No tests were found' "$logs/$name.log" | tail -1)
  summary+=("$(printf '%-16s %-7s %4d s  %s' "$name" "$verdict" $((SECONDS - started)) "$note")")
  echo "==== $name: $verdict after $((SECONDS - started)) s"
  return "$status"
}

skip() {
  failed=yes
  summary+=("$(printf '%-16s %-7s' "$1" skipped)")
}

cpp_files() {
  git ls-files --cached --others --exclude-standard -- '*.h' '*.cpp'
}

tool() {
  command -v "$1-14" || command -v "$1"
}

check_format() {
  local clang_format file bad=0
  clang_format=$(tool clang-format) || { echo "no clang-format"; return 1; }
  if cpp_files | xargs -P "$jobs" -n 20 "$clang_format" --style=file --dry-run -Werror 2> /dev/null; then
    echo "all files are formatted"
    return 0
  fi
  : > build/format.patch
  while IFS= read -r file; do
    [[ -f $file ]] || continue
    "$clang_format" --style=file "$file" |
      diff -u --label "a/$file" --label "b/$file" "$file" - >> build/format.patch || bad=$((bad + 1))
  done < <(cpp_files)
  cat build/format.patch
  [[ $bad -eq 0 ]] && { echo "all files are formatted"; return 0; }
  echo "$bad files differ; to accept: git apply build/format.patch"
  return 1
}

# build PRESET [option…]: quiet unless it fails, so that the tests stay readable.
build() {
  local preset=$1 log=$logs/$1-ninja.log
  shift
  # The quickstart may have configured the same directory without tests.
  if { cmake --preset "$preset" -DBUILD_TESTING=ON &&
    cmake --build --preset "$preset" -j "$jobs" "$@"; } > "$log" 2>&1; then
    grep -E 'warning:' "$log"
    tail -1 "$log"
    return 0
  fi
  grep -nE '(error|FAILED|Error)' "$log" | head -40
  echo "---- the end of $log"
  tail -60 "$log"
  return 1
}

# In full each public header is also compiled alone.
build_asan() {
  if [[ $full == yes ]]; then
    build asan --target all all_verify_interface_header_sets
  else
    build asan --target zpost_checked_tests
  fi
}

build_release() {
  if [[ $full == yes ]]; then build release; else build release --target zpost_programs; fi
}

# Tests that only another build has made are not counted.
test_release() {
  if [[ $full == yes ]]; then run_ctest release; else run_ctest release -L '^programs$'; fi
}

test_asan() {
  if [[ $full == yes ]]; then run_ctest asan; else run_ctest checked; fi
}

run_ctest() {
  ctest --preset "$1" --output-on-failure -j "$jobs" "${@:2}"
}

# The thread sanitizer cannot live with more random address bits than this.
run_tsan() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
  if [[ $bits -gt 28 ]]; then
    setarch -R ctest --preset tsan --output-on-failure -j "$jobs"
  else
    run_ctest tsan
  fi
}

# A project outside this one finds the installed library both ways and links it.
consume_install() {
  local work
  work=$(mktemp -d) || return 1
  tests/install/check.sh build "$work"
  local status=$?
  rm -rf "$work"
  return "$status"
}

# The commit that changes are counted from; nothing means the whole tree.
change_base() {
  local head ref merge_base
  head=$(git rev-parse HEAD) || return
  for ref in ${base:-origin/main main}; do
    merge_base=$(git merge-base HEAD "$ref" 2>/dev/null) || continue
    [[ $merge_base != "$head" || -n $base ]] && { echo "$merge_base"; return; }
  done
  git rev-parse --verify -q HEAD~1
}

# Tests are left out by default: they take long and the style that tidy checks matters less.
# A changed header is checked through the sources of the same name.
tidy_files() {
  local from known
  known=$(grep -oE '"file": "[^"]+"' build/tidy/compile_commands.json | cut -d'"' -f4 |
    sed "s|^$PWD/||" | grep -v '^build/' | sort -u)
  from=$(change_base)
  if [[ $tidy_all == yes || -z $from ]]; then
    if [[ $tidy_all == yes ]]; then echo "$known"; else grep -v '^tests/' <<< "$known"; fi
    return
  fi
  { git diff --name-only --diff-filter=d "$from" -- '*.cpp' '*.h'
    git ls-files --others --exclude-standard -- '*.cpp' '*.h'; } |
    grep -v '^tests/' | sed -E 's|.*/||; s|\.(cpp\|h)$||' | sort -u |
    while IFS= read -r stem; do grep -E "(^|/)$stem\.cpp$" <<< "$known"; done |
    grep -v '^tests/' | sort -u
}

# The release build compiles several sources as one; clang-tidy must know how each is compiled.
tidy_database() {
  cmake --preset release -B build/tidy -DBUILD_TESTING=ON -DCMAKE_UNITY_BUILD=OFF \
    > "$logs/tidy-cmake.log" 2>&1 || { cat "$logs/tidy-cmake.log"; return 1; }
}

run_tidy() {
  local clang_tidy files
  clang_tidy=$(tool clang-tidy) || { echo "no clang-tidy"; return 1; }
  tidy_database || return 1
  mapfile -t files < <(tidy_files)
  [[ ${#files[@]} -eq 0 ]] && { echo "no changed sources"; return 0; }
  if [[ $full == no && $tidy_all == no && ${#files[@]} -gt $tidy_most ]]; then
    echo "left out (see --full): ${files[*]:$tidy_most}"
    files=("${files[@]:0:$tidy_most}")
  fi
  echo "${#files[@]} sources: ${files[*]}"
  printf '%s\n' "${files[@]}" |
    xargs -P "$jobs" -n 1 "$clang_tidy" -p build/tidy --quiet --warnings-as-errors='*' \
      --extra-arg=-Wno-unknown-warning-option 2>&1 |
    grep -vE '^[0-9]+ warnings? (generated|treated as error)'
  [[ ${PIPESTATUS[1]} -eq 0 ]]
}

finish() {
  echo
  echo "==== Summary"
  printf '%s\n' "${summary[@]}"
  echo "total $SECONDS s"
  [[ $failed == no ]] && { echo "all steps passed"; exit 0; }
  echo "FAILED: the logs are in $logs"
  exit 1
}

if [[ $fast == yes ]]; then
  step setup tools/setup.sh --test || finish
  step release-build build release || finish
  step release-tests run_ctest release -L unit
  finish
fi

step setup tools/setup.sh --test --lint || finish
step format check_format
if step release-build build_release; then
  step release-tests test_release
  step install consume_install
else
  skip release-tests
fi
if step asan-build build_asan; then step asan-tests test_asan; else skip asan-tests; fi
if step tsan-build build tsan; then step tsan-tests run_tsan; else skip tsan-tests; fi
step tidy run_tidy
finish
