#!/usr/bin/env bash
# Runs the fuzzers: tests/fuzz/run.sh [seconds for each] [target…]. Without arguments every target, half an hour each, one
# after the other. Needs a nightly toolchain and cargo-fuzz (cargo install cargo-fuzz). What is found lies in
# tests/fuzz/artifacts; it becomes a file in tests/fixtures/hostile/<target> and the tests replay it from then on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-1800}
shift || true
targets=("$@")
((${#targets[@]})) || targets=(body segment jitsu posthog cloudevents time key)

# The versions that everything else is built with.
cp Cargo.lock tests/fuzz/Cargo.lock
# No unsafe code of ours, so the address sanitizer would find nothing that is ours and take half the speed.
fuzz=(--fuzz-dir tests/fuzz --sanitizer none --target-dir target/fuzz)
cargo +nightly fuzz build "${fuzz[@]}"
for target in "${targets[@]}"; do
  corpus=$PWD/tests/fuzz/corpus/$target
  mkdir -p "$corpus" "tests/fuzz/artifacts/$target"
  echo "== $target"
  # The built program itself: it writes its seeds before it reads the corpus.
  SEEDS=$corpus nice target/fuzz/*/release/"$target" "$corpus" -artifact_prefix="tests/fuzz/artifacts/$target/" \
    -dict=tests/fuzz/words.dict -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 2>&1 | tee "tests/fuzz/artifacts/$target.log" | grep -E '^(#[0-9]*[[:space:]]*(INITED|DONE)|stat::|.*(ERROR|SUMMARY|panicked))'
done
