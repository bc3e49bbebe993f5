#!/usr/bin/env bash
# What scoring thousands of companies costs: one JSON object a size and store. See README.md beside this file.
#
#   tests/scale/run.sh                       1,000, 10,000 and 100,000 companies on both stores
#   tests/scale/run.sh 1000 10000            other sizes, the smallest first; multiples of eight
#   STORES=embedded tests/scale/run.sh       the embedded store only; or dynamodb-local
#   BAROMETER_SCALE_USERS=50 tests/scale/run.sh 200
#
# Needs Linux, and for DynamoDB Local Java 11 or newer and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet --release -p barometer-scale
for store in ${STORES:-embedded dynamodb-local}; do
  case $store in
    embedded) env -u BAROMETER_TEST_DYNAMODB target/release/barometer-scale "$@" ;;
    dynamodb-local) tests/store-on-dynamodb-local.sh target/release/barometer-scale "$@" ;;
    *) echo "no store $store" >&2; exit 2 ;;
  esac
done
