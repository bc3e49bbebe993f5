#!/usr/bin/env bash
# Builds every Lambda function and packs each into target/lambda/<name>.zip, which infra/template.yaml deploys.
#
#   infra/package.sh [x86_64|arm64]     this machine's own processor when none is named
#
# Needs what build.sh needs, and Python 3. Fails when a package is over its budget or needs a newer C library than
# Lambda has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

own=$(uname -m)
architecture=${1:-${own/aarch64/arm64}}
case $architecture in x86_64 | arm64) ;; *) echo "x86_64 or arm64, not $architecture" >&2 && exit 2 ;; esac

mapfile -t functions < <(python3 infra/functions.py)
infra/build.sh "$architecture" "${functions[@]}"
exec python3 infra/pack.py "$architecture" "target/${architecture/arm64/aarch64}-unknown-linux-gnu/lambda" target/lambda "${functions[@]}"
