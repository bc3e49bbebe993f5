//! A function's real binary under the Runtime API.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::{Child, Command};

use crate::runtime_api::{Outcome, RuntimeApi};

/// A running function. Dropping it ends the process.
pub struct Binary {
    api: RuntimeApi,
    process: Child,
}

impl Binary {
    /// Starts the binary `name` with nothing in its environment but `variables` and what Lambda itself sets.
    pub async fn start(name: &str, variables: &BTreeMap<String, String>) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let process = Command::new(program(name)?)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("barometer-{name}"))
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "EXAMPLE")
            .env("AWS_SESSION_TOKEN", "EXAMPLE")
            .env("TZ", ":UTC")
            .envs(variables)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { api, process })
    }

    /// Hands an event to the function and waits for what it makes of it. Errors: the function ended, or didn't
    /// answer in its time.
    pub async fn invoke(&mut self, event: Value) -> io::Result<Outcome> {
        tokio::select! {
            outcome = self.api.invoke(event) => {
                outcome.ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "the function didn't answer"))
            }
            ended = self.process.wait() => {
                let init_error = self.api.init_error().unwrap_or_default();
                Err(io::Error::other(format!("the function ended: {}, {init_error}", ended?)))
            }
        }
    }
}

/// Builds every binary of the workspace as the running test was built. A test run alone builds no binaries of
/// other packages, and stale ones would be worse than none.
pub async fn build() -> io::Result<()> {
    let folder = folder()?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--workspace", "--bins"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => {
            cargo.args(["--profile", profile]);
        }
    }
    let status = cargo.stdin(Stdio::null()).status().await?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cargo build: {status}"))) }
}

fn program(name: &str) -> io::Result<PathBuf> {
    Ok(folder()?.join(name).with_extension(std::env::consts::EXE_EXTENSION))
}

/// `target/debug`: the running test lies in its `deps`.
fn folder() -> io::Result<PathBuf> {
    let test = std::env::current_exe()?;
    test.parent()
        .and_then(Path::parent)
        .map(Path::to_owned)
        .ok_or_else(|| io::Error::other("no target folder"))
}
