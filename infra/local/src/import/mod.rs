//! `barometer import`: companies, users, events and answers from a CSV file, through the product's own ingestion, and business
//! statuses through the API.
//!
//! The file is read in a stream and sent in batches. After each acknowledged batch a small state file says how far
//! it is, so that an import that was interrupted goes on there; batches that were acknowledged and not yet noted
//! are sent again, which changes nothing. See IMPORT.md.

pub mod calls;
pub mod columns;
pub mod errors;
pub mod progress;
pub mod rows;
pub mod send;
pub mod shape;
pub mod state;
pub mod summary;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use futures_util::{StreamExt, stream::FuturesOrdered};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::home::{Home, Options, StartError};
use calls::{Complaint, Made, Reading};
use columns::{ColumnError, Columns, Kind};
use errors::ErrorFile;
use progress::Progress;
use rows::{Place, ReadError, Rows};
use send::{SendError, Target};
use shape::Shape;
use state::State;
use summary::Summary;

/// Most calls of a batch.
const BATCH: usize = 200;
/// Most bytes of a batch.
const BATCH_BYTES: usize = 300_000;
/// Longest call that is sent: ingestion refuses events of more than 32 KB, and says so.
const LONGEST_CALL: usize = 90_000;
/// Most rows of a batch, when most of them aren't sent.
const BATCH_ROWS: u64 = 2_000;
/// Batches under way at the same time.
const AT_ONCE: usize = 4;
/// What tells of companies and users is dated no earlier than this many days ago: the default retention, less
/// the time that a long import takes.
const OLDEST_DAYS: i64 = 88;
/// Calls that a dry run shows.
const SHOWN: usize = 3;
/// Complaints that a dry run shows.
const COMPLAINTS_SHOWN: usize = 10;

/// What to import and where to.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What the file holds.
    kind: Kind,
    /// The file: CSV with a header, in UTF-8; comma, semicolon or tab.
    file: PathBuf,
    /// Address of a running home or of a deployment.
    #[arg(long, default_value = "http://127.0.0.1:8080", conflicts_with = "data")]
    url: String,
    /// Data folder of a home that isn't running; it runs while the import does.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The workspace's write key; else from BAROMETER_WRITE_KEY.
    #[arg(long, value_name = "WRITE_KEY")]
    key: Option<String>,
    /// An API token, for statuses, and for owner, renewal_on, churned_on, notice_on and request_feedback of companies;
    /// else from BAROMETER_API_TOKEN.
    #[arg(long, value_name = "API_TOKEN")]
    token: Option<String>,
    /// Have the workspace's rules act on the statuses: mails, tasks and webhooks for every row that changes one.
    #[arg(long)]
    fire: bool,
    /// A column under another name, as often as needed; `properties.x` is a property of an event.
    #[arg(long, value_name = "THEIRS=OURS", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Whose export a file of events is [default: what its header looks like].
    #[arg(long)]
    shape: Option<Shape>,
    /// The kind of group that is a company, where an export has several.
    #[arg(long, value_name = "TYPE")]
    group_type: Option<String>,
    /// Where to keep what is needed to go on [default: FILE.import-state.json].
    #[arg(long, value_name = "STATE_FILE")]
    state: Option<PathBuf>,
    /// Where to list the rows that aren't in [default: FILE.errors.csv].
    #[arg(long, value_name = "ERROR_FILE")]
    errors: Option<PathBuf>,
    /// How long to go on trying when nobody answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    patience: u64,
    /// Only check the file and show what would be sent.
    #[arg(long)]
    dry_run: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (theirs, ours) = text.rsplit_once('=').ok_or("it is THEIRS=OURS")?;
    Ok((theirs.to_owned(), ours.to_owned()))
}

/// Why an import didn't come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its header.
    #[error(transparent)]
    Columns(#[from] ColumnError),
    /// No write key.
    #[error("a write key is needed: --key, or BAROMETER_WRITE_KEY")]
    NoKey,
    /// No API token.
    #[error("an API token is needed for statuses: --token, or BAROMETER_API_TOKEN")]
    NoToken,
    /// Something that no rule acts on.
    #[error("--fire is for statuses: rules act on everything else by themselves")]
    Fire,
    /// No name for the import.
    #[error("no random numbers")]
    Random(#[from] getrandom::Error),
    /// The home in the data folder didn't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Sending.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The state or the error file can't be written.
    #[error("{}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("can't print")]
    Print(#[from] io::Error),
}

/// Imports a file. Answers whether every row is in.
///
/// # Errors
/// When it can't be read to its end or sent to its end; started again, it goes on.
pub async fn run(args: ImportArgs) -> Result<bool, ImportError> {
    let statuses = args.kind == Kind::Statuses;
    if args.fire && !statuses {
        return Err(ImportError::Fire);
    }
    let mut rows = Rows::open(&args.file)?;
    let shape = match args.kind {
        Kind::Events => args.shape.unwrap_or_else(|| Shape::of(rows.header())),
        _ => Shape::Plain,
    };
    let reading = Reading {
        kind: args.kind,
        shape,
        columns: Columns::find(args.kind, shape, rows.header(), &args.map)?,
        group_type: args.group_type.clone(),
        oldest: oldest(Utc::now()),
    };
    let token = args.token.clone().or_else(|| std::env::var("BAROMETER_API_TOKEN").ok());
    tell(&args, &reading, token.is_some())?;
    if args.dry_run {
        return dry_run(&mut rows, &reading);
    }
    let key = if statuses {
        // What is recognised is who writes.
        token.clone().ok_or(ImportError::NoToken)?
    } else {
        let key = args.key.clone().or_else(|| std::env::var("BAROMETER_WRITE_KEY").ok());
        key.ok_or(ImportError::NoKey)?
    };
    let home = match &args.data {
        Some(folder) => {
            Some(Home::start(Options { data: Some(folder.clone()), ..Options::default() }).await?)
        }
        None => None,
    };
    let url = home.as_ref().map_or_else(|| args.url.clone(), Home::url);
    let place = args.data.as_ref().map_or_else(|| args.url.clone(), |data| data.display().to_string());
    // Without the date, which doesn't change what the rows say.
    let read_as =
        format!("{:?} {shape:?} {:?} {:?} {}", args.kind, reading.columns, reading.group_type, args.fire);
    let recognised = recognised(&[rows.fingerprint(), &place, &key, &read_as]);
    let state_path = args.state.clone().unwrap_or_else(|| beside(&args.file, "import-state.json"));
    let state = begin(&mut rows, &state_path, recognised)?;
    let import = Import {
        target: Target {
            client: Client::new(&url),
            path: reading.shape.path(),
            key,
            token,
            patience: Duration::from_secs(args.patience),
            progress: Progress::begin(rows.length(), state.place.byte, state.summary.rows),
        },
        reading,
        fire: args.fire,
        state_path,
        errors_path: args.errors.clone().unwrap_or_else(|| beside(&args.file, "errors.csv")),
    };
    let imported = import.run(&mut rows, state).await;
    if let Some(home) = home {
        home.stop().await;
    }
    let (summary, errors) = imported?;
    summary.print(&mut io::stdout().lock(), &errors, "imported")?;
    Ok(summary.all_rejected() == 0)
}

/// A day's start, so that an import that goes on the same day dates alike.
fn oldest(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = (now - TimeDelta::days(OLDEST_DAYS)).date_naive();
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

fn recognised(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    barometer_cloud::bus::hex(hash.finalize().iter().take(16))
}

fn beside(file: &Path, extension: &str) -> PathBuf {
    file.with_extension(extension)
}

/// Where an interrupted import goes on, or the beginning.
fn begin(rows: &mut Rows, path: &Path, recognised: String) -> Result<State, ImportError> {
    let mut run = [0; 8];
    getrandom::fill(&mut run)?;
    let new = State {
        of: recognised,
        run: barometer_cloud::bus::hex(&run),
        place: rows.place(),
        errors: 0,
        summary: Summary::default(),
    };
    let Some(found) = State::read(path) else { return Ok(new) };
    let mut out = io::stderr().lock();
    if found.of != new.of {
        writeln!(out, "the file, its target or the options have changed since: from the beginning")?;
        return Ok(new);
    }
    writeln!(out, "goes on after row {}", found.place.row)?;
    rows.go_on(found.place)?;
    Ok(found)
}

/// Says what was understood, before anything is sent.
fn tell(args: &ImportArgs, reading: &Reading, has_token: bool) -> io::Result<()> {
    let mut out = io::stderr().lock();
    let kind = args.kind.as_str();
    match args.kind {
        Kind::Events => writeln!(out, "{kind}, shape {}", reading.shape.as_str())?,
        _ => writeln!(out, "{kind}")?,
    }
    const MOST: usize = 24;
    let told = reading.columns.told();
    let more = told.len().saturating_sub(MOST);
    writeln!(out, "read      {}", told.iter().take(MOST).cloned().collect::<Vec<_>>().join(", "))?;
    if more > 0 {
        writeln!(out, "          and {more} more")?;
    }
    if !reading.columns.unknown.is_empty() {
        let unknown = &reading.columns.unknown;
        let more = unknown.len().saturating_sub(MOST);
        let names = unknown.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "not read  {names}{more}")?;
    }
    let set = ["owner", "renewal_on", "churned_on", "notice_on", "request_feedback"];
    let ignored: Vec<_> = set.into_iter().filter(|field| reading.columns.place(field).is_some()).collect();
    if args.kind == Kind::Companies && !has_token && !ignored.is_empty() {
        writeln!(out, "ignored   {}: needs --token, since a CSM sets them", ignored.join(", "))?;
    }
    Ok(())
}

fn dry_run(rows: &mut Rows, reading: &Reading) -> Result<bool, ImportError> {
    let mut out = io::stdout().lock();
    let (mut summary, mut shown, mut complained) = (Summary::default(), 0, 0);
    while let Some(row) = rows.read()? {
        summary.rows += 1;
        let made = match &row.cells {
            Ok(cells) => reading.row(cells),
            Err(complaint) => Made::Rejected(complaint.clone()),
        };
        let complaints = match made {
            Made::Call(call) => {
                summary.accepted += 1;
                if shown < SHOWN {
                    shown += 1;
                    writeln!(out, "row {}: {}", row.number, call.json)?;
                    if let Some((company, fields)) = &call.patch {
                        writeln!(out, "  and of {company}: {}", Value::Object(fields.clone()))?;
                    }
                }
                for remark in &call.remarks {
                    *summary.remarks.entry(remark.code.clone()).or_default() += 1;
                }
                call.remarks
            }
            Made::Nothing => {
                summary.skipped += 1;
                Vec::new()
            }
            Made::Rejected(complaint) => {
                *summary.rejected.entry(complaint.code.clone()).or_default() += 1;
                vec![complaint]
            }
        };
        for complaint in complaints {
            if complained < COMPLAINTS_SHOWN {
                writeln!(out, "row {}: {}: {}", row.number, complaint.code, complaint.message)?;
            }
            complained += 1;
        }
    }
    summary.print(&mut out, Path::new("the error file, when it is imported"), "to send")?;
    Ok(summary.all_rejected() == 0)
}

/// A row that is on its way.
struct Sent {
    number: u64,
    shown: csv::StringRecord,
    patch: Option<(String, Map<String, Value>)>,
}

/// Rows that are sent together, in the order of the file.
struct Batch {
    calls: Vec<String>,
    bytes: usize,
    sent: Vec<Sent>,
    /// What is wrong with rows, before and after they are sent; whether that keeps them out.
    complaints: Vec<(u64, csv::StringRecord, Complaint, bool)>,
    summary: Summary,
    end: Place,
}

impl Batch {
    fn complain(&mut self, row: u64, shown: &csv::StringRecord, complaint: Complaint, out: bool) {
        let counts = if out { &mut self.summary.rejected } else { &mut self.summary.remarks };
        *counts.entry(complaint.code.clone()).or_default() += 1;
        self.complaints.push((row, shown.clone(), complaint, out));
    }
}

struct Import {
    target: Target,
    reading: Reading,
    fire: bool,
    state_path: PathBuf,
    errors_path: PathBuf,
}

impl Import {
    async fn run(self, rows: &mut Rows, mut state: State) -> Result<(Summary, PathBuf), ImportError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ImportError::Write { path, source }
        };
        let mut errors = ErrorFile::open(self.errors_path.clone(), rows.header(), state.errors)
            .map_err(failed(&self.errors_path))?;
        let cells: Vec<usize> = (0..rows.header().len())
            .filter(|place| rows.header().get(*place).is_some_and(|name| !columns::is_ours(name)))
            .collect();
        // A company's statuses follow one another, so those batches do.
        let at_once = if self.reading.kind == Kind::Statuses { 1 } else { AT_ONCE };
        if self.reading.kind == Kind::Statuses {
            // The name must be known before anything is sent under it.
            state.write(&self.state_path).map_err(failed(&self.state_path))?;
        }
        let run = state.run.clone();
        let mut under_way = FuturesOrdered::new();
        let mut more = true;
        loop {
            while more && under_way.len() < at_once {
                match self.batch(rows)? {
                    Some(batch) => under_way.push_back(self.send(batch, &run)),
                    None => more = false,
                }
            }
            let Some(done) = under_way.next().await else { break };
            let mut batch = done?;
            batch.complaints.sort_by_key(|(row, ..)| *row);
            let lines: Vec<_> = batch
                .complaints
                .iter()
                .map(|(row, shown, complaint, _)| {
                    let shown = cells.iter().map(|place| shown.get(*place).unwrap_or_default()).collect();
                    (*row, shown, complaint)
                })
                .collect();
            errors.add(&lines).map_err(failed(errors.path()))?;
            state.summary.add(&batch.summary);
            state.place = batch.end;
            state.errors = errors.written();
            state.write(&self.state_path).map_err(failed(&self.state_path))?;
            self.target.progress.at(batch.end.byte, &state.summary);
        }
        self.target.progress.end();
        State::remove(&self.state_path).map_err(failed(&self.state_path))?;
        Ok((state.summary, errors.path().to_owned()))
    }

    /// The next rows.
    fn batch(&self, rows: &mut Rows) -> Result<Option<Batch>, ImportError> {
        let mut batch = Batch {
            calls: Vec::new(),
            bytes: 0,
            sent: Vec::new(),
            complaints: Vec::new(),
            summary: Summary::default(),
            end: rows.place(),
        };
        while batch.calls.len() < BATCH && batch.bytes < BATCH_BYTES && batch.summary.rows < BATCH_ROWS {
            let Some(row) = rows.read()? else { break };
            batch.summary.rows += 1;
            batch.end = rows.place();
            let made = match &row.cells {
                Ok(cells) => self.reading.row(cells),
                Err(complaint) => Made::Rejected(complaint.clone()),
            };
            match made {
                Made::Nothing => batch.summary.skipped += 1,
                Made::Rejected(complaint) => batch.complain(row.number, &row.shown, complaint, true),
                // Ingestion would say the same, after a batch that is too large.
                Made::Call(call) if call.json.len() > LONGEST_CALL => {
                    let complaint = Complaint::new("too_large", "the row makes an event of over 32 KB");
                    batch.complain(row.number, &row.shown, complaint, true);
                }
                Made::Call(call) => {
                    for remark in call.remarks {
                        batch.complain(row.number, &row.shown, remark, false);
                    }
                    batch.bytes += call.json.len() + 1;
                    batch.calls.push(call.json);
                    batch.sent.push(Sent { number: row.number, shown: row.shown, patch: call.patch });
                }
            }
        }
        Ok((batch.summary.rows > 0).then_some(batch))
    }

    /// Sends a batch and notes what became of its rows.
    async fn send(&self, mut batch: Batch, run: &str) -> Result<Batch, SendError> {
        if batch.calls.is_empty() {
            return Ok(batch);
        }
        let receipt = if self.reading.kind == Kind::Statuses {
            let first = batch.sent.first().map_or(0, |row| row.number);
            self.target.set_statuses(&batch.calls, self.fire, &format!("import-{run}-{first}")).await?
        } else {
            self.target.post(&batch.calls).await?
        };
        batch.summary.accepted += receipt.accepted + receipt.unchanged;
        batch.summary.unattributed += receipt.unattributed;
        let mut rejected: Vec<(usize, Complaint)> = Vec::new();
        let mut undated = Vec::new();
        for remark in receipt.errors {
            // A company or person may be older than the log; what the row says holds today as well.
            let old = remark.code == "too_old" && matches!(self.reading.kind, Kind::Companies | Kind::Users);
            match batch.calls.get(remark.index).filter(|_| old) {
                Some(call) => undated.push((remark.index, without_date(call)?)),
                None => rejected.push((remark.index, remark.complaint())),
            }
        }
        if !undated.is_empty() {
            let calls: Vec<String> = undated.iter().map(|(_, call)| call.clone()).collect();
            let receipt = self.target.post(&calls).await?;
            batch.summary.accepted += receipt.accepted;
            for remark in receipt.errors {
                if let Some((index, _)) = undated.get(remark.index) {
                    rejected.push((*index, remark.complaint()));
                }
            }
        }
        let sent = std::mem::take(&mut batch.sent);
        for (index, complaint) in &rejected {
            if let Some(row) = sent.get(*index) {
                batch.complain(row.number, &row.shown, complaint.clone(), true);
            }
        }
        for remark in receipt.warnings {
            if let Some(row) = sent.get(remark.index) {
                batch.complain(row.number, &row.shown, remark.complaint(), false);
            }
        }
        for (index, row) in sent.iter().enumerate() {
            let Some((company, fields)) = &row.patch else { continue };
            if rejected.iter().any(|(out, _)| *out == index) {
                continue;
            }
            if let Some(complaint) = self.target.patch(company, fields).await? {
                batch.complain(row.number, &row.shown, complaint, false);
            }
        }
        Ok(batch)
    }
}

fn without_date(call: &str) -> Result<String, serde_json::Error> {
    let mut call: Map<String, Value> = serde_json::from_str(call)?;
    call.remove("timestamp");
    serde_json::to_string(&call)
}
