#!/usr/bin/env bash
# Deploys infra/template.yaml to an AWS account that is emulated on this machine, and follows the product's path there, with the
# real binaries. See README.md beside this file.
#
#   tests/emulator/run.sh                 the packages of infra/package.sh, as they would be deployed
#   tests/emulator/run.sh target/debug    the binaries of a folder, such as those of cargo build --workspace
#
# Needs Linux, Python 3 with venv, Debian's faketime, and the home's binary: cargo build, or BAROMETER=path/to/barometer.
# Installs all else under target/emulator.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

from=$(realpath "${1:-target/lambda}")
work=$PWD/target/emulator
mkdir -p "$work"

# installed <list> <environment>: installed again only when the list has changed.
installed() {
  cmp -s "$1" "$2/.installed" && return
  rm -rf "$2"
  python3 -m venv "$2"
  "$2/bin/pip" install --quiet --disable-pip-version-check -r "$1"
  cp "$1" "$2/.installed"
}
installed tests/emulator/requirements.txt "$work/venv"
installed tests/emulator/deploy-requirements.txt "$work/sam"

BAROMETER=${BAROMETER:-$PWD/target/debug/barometer}
exec "$work/venv/bin/python" tests/emulator/journey.py "$from" "$work" "$work/sam/bin/sam" "$BAROMETER"
