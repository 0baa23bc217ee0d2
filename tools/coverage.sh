#!/bin/bash
# How much of the routing core and the codec the tests that need no socket run.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
Usage: tools/coverage.sh [--least PERCENT] [--html] [--help]

Builds core, codec and the library's state with counters (build/coverage), runs their unit tests,
transcripts, simulations and fuzz corpora, and prints the lines that ran, file by file. Exits 1
below --least (default 90) percent of lines in broker/core and protocol.

  --html   also write build/coverage/report/index.html, which shows the lines
TEXT
}

least=90
html=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --least) least=${2:?"--least needs a PERCENT"}; shift ;;
    --html) html=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

tools/setup.sh --test --coverage
cmake --preset coverage > /dev/null
cmake --build --preset coverage -j "$(nproc)"
find build/coverage -name '*.gcda' -delete

bin=build/coverage/test-bin
"$bin/protocol_test" --gtest_brief=1
"$bin/core_test" --gtest_brief=1
"$bin/core_transcripts_test" --gtest_brief=1
"$bin/peer_state_test" --gtest_brief=1
"$bin/core_sim" --histories 40
"$bin/world_sim" --histories 150
"$bin/core_fuzz" tests/fuzz/corpus/core
"$bin/decode_fuzz" tests/fuzz/corpus/decode

report=(--root . build/coverage --gcov-executable gcov-12 --filter 'broker/core/' --filter 'protocol/'
  --exclude-throw-branches --txt - --fail-under-line "$least")
if [[ $html == yes ]]; then
  mkdir -p build/coverage/report
  report+=(--html-details build/coverage/report/index.html)
fi
gcovr "${report[@]}"
