#!/usr/bin/env bash
# Starts a home, posts two weeks of activity to it with the official Node client and checks the scores.
# Needs Node 20 or newer with npm, and the home's binary: cargo build -p barometer (or BAROMETER=path/to/barometer).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

barometer=${BAROMETER:-$PWD/target/debug/barometer}
work=$PWD/target/node-client
mkdir -p "$work"
cp tests/node/package.json tests/node/*.test.js "$work/"
(cd "$work" && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error)

port=$(node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });')
log=$work/home.log
"$barometer" serve --in-memory --listen "127.0.0.1:$port" --now 2026-09-03T18:00:00Z >"$log" 2>&1 &
home=$!
stop() {
  local code=$?
  kill -INT "$home" 2>/dev/null || true
  wait "$home" 2>/dev/null || true
  if ((code != 0)); then
    echo "The home said:" >&2
    cat "$log" >&2
  fi
}
trap stop EXIT

for _ in $(seq 1 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  if ! kill -0 "$home" 2>/dev/null; then
    echo "the home did not start" >&2
    exit 1
  fi
  sleep 0.1
done

HOME_URL=http://127.0.0.1:$port node --test "$work/scores.test.js"
