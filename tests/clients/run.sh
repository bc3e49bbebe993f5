#!/usr/bin/env bash
# Runs official clients against a running home; see main.js. Arguments: suites (node, python, browser) or clients.
# Needs Node 20 with npm, Python 3 with venv, Chromium for the browser suite (CHROMIUM=path, else /usr/bin/chromium), and
# the home's binary: cargo build, or BAROMETER=path/to/barometer. Installs the clients under target/clients.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$PWD/target/clients
mkdir -p "$work"

# The sources stand beside the packages, because Node looks for packages where a program lies.
rm -rf "$work"/*.js "$work/programs"
cp -r tests/clients/. "$work/"
cd "$work"

# Installed again only when a list has changed.
installed() {
  local list=$1 mark=$2
  [[ -f $mark ]] && cmp -s "$list" "$mark"
}
if ! installed package-lock.json node_modules/.installed; then
  # Not `npm ci`, which refuses a list that lacks other systems' optional packages.
  npm install --no-save --loglevel=error
  cp package-lock.json node_modules/.installed
fi
if ! installed requirements.txt venv/.installed; then
  python3 -m venv venv
  venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
  cp requirements.txt venv/.installed
fi

export BAROMETER=${BAROMETER:-$OLDPWD/target/debug/barometer} PYTHON=$work/venv/bin/python WORK=$work/homes
exec node main.js "$@"
