#!/usr/bin/env bash
# Builds packages as they run on Lambda, into target/<target>/lambda.
#
#   infra/build.sh x86_64|arm64 package…
#
# Needs Rust and a C compiler; for another processor than this machine's also its Rust target and a C cross compiler
# (aarch64-linux-gnu-gcc or x86_64-linux-gnu-gcc). The same source, toolchain and C compiler give the same bytes,
# wherever the source lies: no path of this machine gets into a binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

machine=${1/arm64/aarch64}
target=$machine-unknown-linux-gnu
shift

# Where files lie is kept out of the locations of panics, and out of the C compiler's names of files. This is for the target
# only: build scripts and macros aren't built anew for it.
sources=${CARGO_HOME:-$HOME/.cargo}
library=$(rustc --print sysroot)/lib/rustlib/src/rust
commit=$(rustc --version --verbose | sed -n 's/^commit-hash: //p')
# At fixed addresses: otherwise each start would first write 42,000 addresses into memory, 30,000 of them of time zones, which was a third
# of it, and the package would carry them. What is left to randomise are the C library, heap and stack.
flags=("-Crelocation-model=static")
flags+=("-Clink-arg=-Wl,-T,$PWD/infra/lambda.ld" "-Clink-arg=-Wl,--no-eh-frame-hdr")
flags+=("--remap-path-prefix=$sources=/cargo" "--remap-path-prefix=$PWD=/barometer" "--remap-path-prefix=$library=/rustc/$commit")
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${flags[@]}")
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
export "CFLAGS_${target//-/_}=-ffile-prefix-map=$sources=/cargo -ffile-prefix-map=$PWD=/barometer"
if [[ $machine != "$(uname -m)" ]]; then
  linker=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$target")_LINKER
  export "$linker=${!linker:-$machine-linux-gnu-gcc}"
fi

exec cargo build --locked --profile lambda --target "$target" --bins "${@/#/--package=}"
