#!/bin/bash
# From nothing to two peers that talk, in one command. With a terminal it ends in a chat.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${ZPOST_PORT:-1234}
endpoint=tcp://127.0.0.1:$port
export ZPOST_ENDPOINT=$endpoint
work=$(mktemp -d)
pids=()

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# run COMMAND…: shows it as one would type it, and runs it.
run() {
  local word
  printf '$'
  for word in "$@"; do
    if [[ $word == *' '* ]]; then printf ' "%s"' "$word"; else printf ' %s' "$word"; fi
  done
  printf '\n'
  "$@"
}

stop_all() {
  local pid
  # In the order of their start, the broker last: it says goodbye to who is left.
  for pid in "${pids[@]:1}" "${pids[@]:0:1}"; do
    kill "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
  done
  rm -rf "$work"
}
trap stop_all EXIT

# await FILE PATTERN: until PATTERN stands in FILE, at most 10 s.
await() {
  local tries=0
  until grep -q "$2" "$1" 2> /dev/null; do
    tries=$((tries + 1))
    if [[ $tries -gt 200 ]]; then
      echo "quickstart: \"$2\" did not appear:" >&2
      cat "$1" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# await_peer NAME: until the broker lists NAME.
await_peer() {
  local tries=0
  until zpost-peer who "$1" --format json 2> /dev/null | grep -q "\"$1\""; do
    tries=$((tries + 1))
    if [[ $tries -gt 200 ]]; then
      echo "quickstart: $1 did not connect" >&2
      exit 1
    fi
    sleep 0.05
  done
}

say "Install what is missing, and build"
tools/setup.sh
cmake --preset release -DBUILD_TESTING=OFF > "$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build build --parallel "$(nproc)"
export PATH=$PWD/build/bin:$PATH

say "Start a broker on port $port"
zpost-broker --listen "$endpoint" --state "$work/state" > "$work/broker.log" 2>&1 &
pids+=($!)
tries=0
until grep -q '^listening on' "$work/broker.log"; do
  if ! kill -0 "${pids[0]}" 2> /dev/null; then
    cat "$work/broker.log" >&2
    echo "quickstart: the broker did not start; is port $port in use? ZPOST_PORT=PORT chooses another" >&2
    exit 1
  fi
  sleep 0.05
done
cat "$work/broker.log"

say "Watch everything from now on"
zpost-inspect tail > "$work/tail.log" 2> "$work/tail.err" &
pids+=($!)
await "$work/tail.err" '^watching'
echo "$ zpost-inspect tail &"

say "Alice writes, bob answers"
zpost-peer recv --as bob --count 1 > "$work/bob.log" &
bob=$!
await_peer bob
run zpost-peer send --as alice bob "hello bob, did you get this?"
wait "$bob"
echo "bob sees:   $(cat "$work/bob.log")"
zpost-peer recv --as alice --count 1 > "$work/alice.log" &
alice=$!
await_peer alice
run zpost-peer send --as bob alice "I did, and you know that I did"
wait "$alice"
echo "alice sees: $(cat "$work/alice.log")"

say "A file, line by line"
lines=$(wc -l < README.md)
zpost-peer recv --as bob --count "$lines" --raw > "$work/copy.md" &
bob=$!
await_peer bob
run zpost-peer send --as alice --lines --body-file README.md bob
wait "$bob"
cmp README.md "$work/copy.md" && echo "bob has all $lines lines, in order"

say "A request, answered by a command"
zpost-peer serve --as upper -- tr a-z A-Z &
pids+=($!)
await_peer upper
run zpost-peer request upper "is anybody there?"

say "To nobody: told, not lost in silence"
run zpost-peer send --as alice nobody "hello?" || echo "exit code $?"

say "What the inspector saw"
await "$work/tail.log" 'no-peer'
head -n 8 "$work/tail.log"
echo "  … ($(wc -l < "$work/tail.log") lines)"
tail -n 8 "$work/tail.log"

if [[ -t 0 && -t 1 ]]; then
  say "Your turn: you are $USER, echo answers. In another terminal: zpost-peer chat --as bob --to ${USER:-me}"
  zpost-peer chat --as "${USER:-me}" --to bob || true
fi
say "Done. Start your own: build/bin/zpost-broker, then build/bin/zpost-peer chat --as NAME --to OTHER"
