//! A function's real binary under the Runtime API.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::runtime_api::{Outcome, RuntimeApi};

/// A running function. Dropping it ends the process.
pub struct Binary {
    process: Child,
    api: RuntimeApi,
    said: JoinHandle<Vec<Value>>,
}

impl Binary {
    /// Starts the binary `name` with nothing in its environment but `variables` and what Lambda itself sets.
    pub async fn start(name: &str, variables: &BTreeMap<String, String>) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let mut process = Command::new(program(name)?)
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
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                println!("{line}");
                said.push(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
            said
        });
        Ok(Self { process, api, said })
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

    /// Ends the process as it is (`SIGKILL`), and waits until it has ended.
    pub async fn kill(mut self) -> io::Result<()> {
        self.process.kill().await
    }

    /// Ends the process and returns the lines that it wrote, as JSON where they are. What it writes before it answers an
    /// event is among them.
    pub async fn hear(mut self) -> io::Result<Vec<Value>> {
        self.process.kill().await?;
        Ok(self.said.await?)
    }

    /// The most memory that the process ever had, in bytes; nothing where the system doesn't tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }
}

/// A folder with binaries to test as they are, such as those of another profile.
const PREBUILT: &str = "BAROMETER_TEST_BINARIES";

/// Where the binary `name` lies. A test run of the whole workspace builds it, because every package with a binary
/// has an integration test. Errors: it isn't there, as after a run of this package alone on a clean clone.
pub fn program(name: &str) -> io::Result<PathBuf> {
    let program = folder()?.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    if program.is_file() {
        return Ok(program);
    }
    let hint =
        format!("{} isn't built: test the whole workspace, or cargo build --workspace", program.display());
    Err(io::Error::new(io::ErrorKind::NotFound, hint))
}

/// `target/debug`: the running test lies in its `deps`.
fn folder() -> io::Result<PathBuf> {
    if let Some(prebuilt) = std::env::var_os(PREBUILT) {
        return Ok(prebuilt.into());
    }
    let test = std::env::current_exe()?;
    test.parent()
        .and_then(Path::parent)
        .map(Path::to_owned)
        .ok_or_else(|| io::Error::other("no target folder"))
}
