//! The one-machine home: every function in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    barometer::cli::main()
}
