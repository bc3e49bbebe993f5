#!/usr/bin/env bash
# Builds on the API as a customer's engineers would, from the document that a running home serves: clients in TypeScript and
# Python that are generated, checked and run, and schemathesis, which calls every operation in every way that the document
# allows and some that it doesn't. Arguments: parts (typescript, python, schemathesis), all of them without any; see main.js. Needs
# Node 20 with npm, Python 3 with venv, and the home's binary: cargo build, or BAROMETER=path/to/barometer. Installs all else under
# target/api.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$PWD/target/api
mkdir -p "$work"

# The sources stand beside the packages, because Node looks for packages where a program lies.
rm -rf "$work"/*.js "$work"/*.ts "$work"/*.py "$work/made"
cp -r tests/api/. "$work/"
# The same home as that of the job with official clients.
cp tests/clients/home.js "$work/"
cd "$work"

# Installed again only when a list has changed.
installed() {
  local list=$1 mark=$2
  [[ -f $mark ]] && cmp -s "$list" "$mark"
}
if ! installed package-lock.json node_modules/.installed; then
  npm install --no-save --loglevel=error
  cp package-lock.json node_modules/.installed
fi
if ! installed requirements.txt venv/.installed; then
  python3 -m venv venv
  venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt venv/.installed
fi

export BAROMETER=${BAROMETER:-$OLDPWD/target/debug/barometer} WORK=$work/made
exec node main.js "$@"
