#!/usr/bin/env bash
# How long the functions take to start. See README.md beside this file.
#
#   tests/startup/run.sh                     every function
#   tests/startup/run.sh portfolio react     some
#   ROUNDS=100 tests/startup/run.sh
#
# Needs Linux, Rust, Python 3 and OpenSSL. Builds what infra/package.sh builds, and the bare program beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

mapfile -t functions < <(python3 infra/functions.py)
machine=$(uname -m)
# All of them at once, as for the packages: so the bare program gets the same runtime, feature by feature.
infra/build.sh "${machine/aarch64/arm64}" barometer-startup "${functions[@]}"
(($#)) || set -- "${functions[@]}"
exec python3 tests/startup/measure.py "target/$machine-unknown-linux-gnu/lambda" target/startup bare "$@"
