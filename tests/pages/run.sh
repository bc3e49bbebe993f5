#!/usr/bin/env bash
# Reads the pages and the mail in Chromium with axe, and lets a browser stay on a page without a click; see main.js.
# Needs Node 20 with npm, Chromium (CHROMIUM=path, else /usr/bin/chromium), and the home's binary: cargo build, or
# BAROMETER=path/to/barometer. Installs its packages under target/pages; leaves pictures in target/pages/pictures.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$PWD/target/pages
mkdir -p "$work"

# The sources stand beside the packages, because Node looks for packages where a program lies.
cp tests/pages/*.js tests/pages/package.json tests/pages/package-lock.json tests/clients/home.js "$work/"
cd "$work"

# Installed again only when the list has changed.
if ! { [[ -f node_modules/.installed ]] && cmp -s package-lock.json node_modules/.installed; }; then
  npm install --no-save --loglevel=error
  cp package-lock.json node_modules/.installed
fi

export BAROMETER=${BAROMETER:-$OLDPWD/target/debug/barometer} WORK=$work
node main.js
exec node day.js
