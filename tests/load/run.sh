#!/usr/bin/env bash
# What taking in events costs: one JSON object a revision. See README.md beside this file.
#
#   tests/load/run.sh                   the files as they lie here
#   tests/load/run.sh 6e5c1af main .    any revisions from the end of issue 2 (6e5c1af) on
#
# Needs git, Java 11 or newer and npm (for DynamoDB Local), and Valgrind for the instruction counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet --release -p barometer-load
exec tests/store-on-dynamodb-local.sh target/release/barometer-load "$@"
