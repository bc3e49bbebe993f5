#!/usr/bin/env bash
# Sends real webhooks to receivers built on the official libraries of Standard Webhooks; see main.js. Arguments: receivers
# (node, python). Needs Node 20 with npm, Python 3 with venv, openssl, and the sender: cargo build -p barometer-webhook
# --example webhook, or SENDER=path/to/webhook. Installs the libraries under target/webhooks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$PWD/target/webhooks
mkdir -p "$work"

# The sources stand beside the packages, because Node looks for packages where a program lies.
rm -rf "$work"/*.js "$work/receivers"
cp -r tests/webhooks/. "$work/"
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

# certificate <name>: for localhost, its own root.
certificate() {
  local extensions='subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE'
  printf '[req]\ndistinguished_name=name\nprompt=no\nx509_extensions=ext\n[name]\nCN=%s\n[ext]\n%b\n' "$1" "$extensions" >"$1.cnf"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -config "$1.cnf" \
    -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
certificate trusted
certificate stranger

export SENDER=${SENDER:-$OLDPWD/target/debug/examples/webhook} PYTHON=$work/venv/bin/python
exec node main.js "$@"
