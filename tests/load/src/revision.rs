//! A revision's own programs: its function's binary and its `examples/load.rs`, built from a checkout of its own with
//! the target folder of this one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Stands for the files as they lie here, committed or not.
pub const HERE: &str = ".";

/// Where a revision before `examples/load.rs` gets it from.
const FIRST: &str = include_str!("../probes/first.rs");

/// The programs of a revision.
pub struct Programs {
    pub commit: String,
    pub function: PathBuf,
    probe: PathBuf,
}

fn run(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    run(Command::new("git").arg("-C").arg(folder).args(arguments))
}

/// A folder with programs to measure as they are, such as those of another profile, whatever revision is asked for.
const PREBUILT: &str = "BAROMETER_LOAD_PROGRAMS";

/// Builds the programs of `revision` in the repository at `root`.
pub fn build(root: &Path, revision: &str) -> Result<Programs, Box<dyn Error>> {
    if let Some(folder) = std::env::var_os(PREBUILT).map(PathBuf::from) {
        let commit = format!("programs in {}", folder.display());
        return Ok(Programs { commit, function: folder.join("ingest-events"), probe: folder.join("load") });
    }
    let target = root.join("target");
    let (source, commit) = if revision == HERE {
        let changed = !git(root, &["status", "--porcelain"])?.is_empty();
        (root.to_owned(), git(root, &["rev-parse", "HEAD"])? + if changed { " with changes" } else { "" })
    } else {
        let commit = git(root, &["rev-parse", &format!("{revision}^{{commit}}")])?;
        let source = target.join("load/source");
        if source.join(".git").exists() {
            git(&source, &["checkout", "--quiet", "--force", "--detach", &commit])?;
            git(&source, &["clean", "--quiet", "--force", "-d"])?;
        } else {
            let path = source.to_string_lossy().into_owned();
            git(root, &["worktree", "prune"])?;
            git(root, &["worktree", "add", "--quiet", "--force", "--detach", &path, &commit])?;
        }
        (source, commit)
    };
    let function = source.join("functions/ingest-events");
    let probe = function.join("examples/load.rs");
    if !probe.exists() {
        std::fs::create_dir_all(function.join("examples"))?;
        std::fs::write(&probe, FIRST)?;
        let manifest = function.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)?;
        let dependencies = "[dev-dependencies]\n";
        std::fs::write(
            manifest,
            text.replace(dependencies, &format!("{dependencies}zstd.workspace = true\n")),
        )?;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "-p", "ingest-events", "--bin", "ingest-events"]);
    run(cargo.args(["--example", "load"]).current_dir(&source).env("CARGO_TARGET_DIR", &target))?;
    // Kept apart: the next build of another revision writes to the same place.
    let kept = target.join("load/programs");
    std::fs::create_dir_all(&kept)?;
    let keep = |from: &str, name: &str| -> std::io::Result<PathBuf> {
        let to = kept.join(name);
        std::fs::copy(target.join("release").join(from), &to)?;
        Ok(to)
    };
    Ok(Programs {
        commit,
        function: keep("ingest-events", "ingest-events")?,
        probe: keep("examples/load", "load")?,
    })
}

/// What the revision's own reader takes for the bodies of a file.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub events_per_second: f64,
    pub instructions_per_event: Option<f64>,
    pub packed_bytes_per_event: f64,
}

impl Programs {
    /// Makes the table and a workspace in it.
    pub fn seed(&self, endpoint: &str, table: &str, key: &str) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(&self.probe);
        crate::function::environment(&mut command, endpoint, table);
        run(command.args(["seed", table, key]))?;
        Ok(())
    }

    /// Reads, validates and encodes the bodies of `file`, one a line.
    pub fn read(&self, file: &Path) -> Result<Reading, Box<dyn Error>> {
        let number = |text: &str, name: &str| -> Result<f64, Box<dyn Error>> {
            let fields: Value = serde_json::from_str(text)?;
            fields.get(name).and_then(Value::as_f64).ok_or_else(|| format!("no {name} in {text}").into())
        };
        let mut best = 0.0_f64;
        let mut packed = 0.0;
        for _ in 0..3 {
            let told = run(Command::new(&self.probe).arg("read").arg(file).arg("100"))?;
            let events = number(&told, "events")?;
            best = best.max(events / number(&told, "cpu_ns")? * 1e9);
            packed = number(&told, "packed_bytes")? / events;
        }
        let instructions = match (self.instructions(file, 1)?, self.instructions(file, 3)?) {
            (Some((once, events)), Some((thrice, _))) => Some((thrice - once) / (2.0 * events)),
            _ => None,
        };
        Ok(Reading {
            events_per_second: best,
            instructions_per_event: instructions,
            packed_bytes_per_event: packed,
        })
    }

    /// Instructions that callgrind counts for so many rounds, start-up included, and the events of a round; nothing
    /// without Valgrind.
    fn instructions(&self, file: &Path, rounds: u32) -> Result<Option<(f64, f64)>, Box<dyn Error>> {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        command.arg(&self.probe).arg("read").arg(file).arg(rounds.to_string());
        let Ok(output) = command.stdin(Stdio::null()).output() else { return Ok(None) };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let collected = text.lines().find_map(|line| line.split("Collected : ").nth(1)?.trim().parse().ok());
        let told: Value = serde_json::from_slice(&output.stdout)?;
        let events = told.get("events").and_then(Value::as_f64).unwrap_or_default() / f64::from(rounds);
        Ok(collected.map(|collected| (collected, events)))
    }
}
