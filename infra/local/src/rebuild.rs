//! `barometer rebuild`: works out the activity of past weeks again from the packed log, says what differs from what
//! stands, and puts it right.
//!
//! The log is replayed, in the order in which it came, through the code that stored it, into a fresh store in
//! memory; its items are compared with those of the table. What people are said to be (names, companies, merged
//! ids) is taken as it stands, since it may have been said before the log begins. What is missing is added to sets and
//! what is too much taken away, one by one, so a deployment may go on meanwhile.
//!
//! Then the snapshots of those weeks and of their months are computed again, see `snapshots`; with `--rescore` the runs
//! of those that differ are done again.

mod snapshots;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use barometer_cloud::config::{self, ConfigError};
use barometer_cloud::sharded::RunError;
use barometer_cloud::table::members::Member;
use barometer_cloud::table::{activity::Stored, log::Pack};
use barometer_cloud::{StoreError, Table, clients};
use barometer_domain::{CompanyId, IsoWeek, Settings, UserId, WorkspaceId};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use clap::Args;
use ingest_events::replay::{self, Replay};

use crate::cli::DATA_FOLDER;
use crate::connect;
use crate::records::{RecordError, Records};
use crate::state::State;
use crate::store::{self, Store};
use crate::wiring;
use snapshots::{Difference, Published};

/// On AWS: how long after reading what stands the log is read. A request writes its activity first and its log
/// last, and has fewer seconds than this for both.
const SETTLES: Duration = Duration::from_secs(30);

/// What to rebuild.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// First day, such as 2026-09-01. Only ISO weeks that lie wholly in the range are rebuilt.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Last day.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// One workspace [default: all].
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// Only say what differs.
    #[arg(long)]
    check: bool,
    /// Have weeks and months whose snapshots differ scored again by their schedules: new revisions come of it.
    #[arg(long, conflicts_with = "check")]
    rescore: bool,
    /// Data folder of a home that isn't running [default: ./barometer-data].
    #[arg(long, value_name = "DIR", conflicts_with = "table")]
    data: Option<PathBuf>,
    /// Name of the table on AWS; region and credentials come from the environment.
    #[arg(long)]
    table: Option<String>,
}

/// Why a rebuild failed.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A store didn't open.
    #[error(transparent)]
    Open(#[from] store::StoreError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot can't be computed again.
    #[error(transparent)]
    Recompute(#[from] RunError),
    /// The home's records.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The environment lacks what AWS needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No such workspace, or no settings.
    #[error("there is no workspace {0}")]
    NoWorkspace(String),
    /// No whole week that the log still holds.
    #[error("no ISO week lies wholly between {0} and {1} and within what the log keeps")]
    NoWeeks(NaiveDate, NaiveDate),
    /// Standard output is closed.
    #[error("can't print")]
    Print(#[from] io::Error),
}

/// What a rebuild came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What stands is what the log says.
    Identical,
    /// Something differs and was left.
    Differs,
    /// Everything that differed was put right, or is to be scored again.
    Repaired,
}

/// Rebuilds, and prints what differs.
///
/// # Errors
/// When something can't be read or written; what was repaired stays so.
pub async fn run(args: RebuildArgs) -> Result<Outcome, RebuildError> {
    let home = match &args.table {
        Some(_) => None,
        None => Some(Store::open(Some(&args.data.clone().unwrap_or_else(|| DATA_FOLDER.into())))?),
    };
    let scratch = Store::open(None)?;
    let done = rebuild(&args, home.as_ref(), &scratch).await;
    scratch.close();
    if let Some(home) = home {
        home.close();
    }
    done
}

async fn rebuild(args: &RebuildArgs, home: Option<&Store>, scratch: &Store) -> Result<Outcome, RebuildError> {
    let (table, now) = match (home, &args.table) {
        (Some(home), _) => {
            let client = clients::dynamodb(&home.aws(connect::dynamodb::plain()));
            let state = State::load(&Records::open(client.clone()).await?).await?;
            (Table::new(client, wiring::TABLE), state.map_or_else(Utc::now, |state| state.clock))
        }
        (None, name) => {
            let aws = config::from_env(|environment| environment.aws())?;
            (Table::new(clients::dynamodb(&aws), name.clone().unwrap_or_default()), Utc::now())
        }
    };
    let scratch = Table::new(clients::dynamodb(&scratch.aws(connect::dynamodb::plain())), wiring::TABLE);
    scratch.create().await?;
    let workspaces = table.workspaces().await?.into_iter().map(|found| found.workspace_id);
    let wanted = |id: &WorkspaceId| args.workspace.as_ref().is_none_or(|wanted| wanted == id.as_str());
    let workspaces: Vec<WorkspaceId> = workspaces.filter(wanted).collect();
    if let (true, Some(wanted)) = (workspaces.is_empty(), &args.workspace) {
        return Err(RebuildError::NoWorkspace(wanted.clone()));
    }
    let mut found = Found::default();
    for workspace in workspaces {
        let settings = table.settings(&workspace).await?.map(|saved| saved.settings);
        let settings = settings.ok_or_else(|| RebuildError::NoWorkspace(workspace.to_string()))?;
        let one = Rebuild {
            table: &table,
            scratch: &scratch,
            workspace: &workspace,
            settings: &settings,
            now,
            live: home.is_none(),
        };
        let more = one.run(args).await?;
        found.repairable += more.repairable;
        found.published += more.published;
    }
    Ok(match found {
        Found { repairable: 0, published: 0 } => Outcome::Identical,
        _ if args.check => Outcome::Differs,
        Found { published: 1.., .. } if !args.rescore => Outcome::Differs,
        _ => Outcome::Repaired,
    })
}

/// How much differs.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// Of activity and members.
    repairable: usize,
    /// Of snapshots.
    published: usize,
}

/// One workspace's rebuild.
struct Rebuild<'a> {
    table: &'a Table,
    scratch: &'a Table,
    workspace: &'a WorkspaceId,
    settings: &'a Settings,
    now: DateTime<Utc>,
    live: bool,
}

/// What is stored of a company and week, by user.
type Standing = BTreeMap<(CompanyId, IsoWeek), BTreeMap<UserId, Stored>>;

impl Rebuild<'_> {
    async fn run(&self, args: &RebuildArgs) -> Result<Found, RebuildError> {
        let weeks = self.weeks(args.from, args.to);
        let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
            return Err(RebuildError::NoWeeks(args.from, args.to));
        };
        let mut companies: BTreeSet<CompanyId> =
            self.table.companies(self.workspace).await?.into_iter().map(|found| found.company_id).collect();
        let mut standing = self.read(self.table, &companies, &weeks).await?;
        if self.live {
            tokio::time::sleep(SETTLES).await;
        }
        let (packs, events) = self.replay().await?;
        let replayed: BTreeSet<CompanyId> =
            self.scratch.companies(self.workspace).await?.into_iter().map(|found| found.company_id).collect();
        // Companies that the table has lost: nothing stands there.
        companies.extend(replayed);
        let mut told = self.read(self.scratch, &companies, &weeks).await?;

        let mut out = Report { told: 0 };
        writeln!(
            io::stdout(),
            "{}: {first} to {last}, {packs} requests with {events} events in the log, {} companies",
            self.workspace,
            companies.len()
        )?;
        for company in &companies {
            for week in &weeks {
                let place = (company.clone(), *week);
                let stands = standing.remove(&place).unwrap_or_default();
                let should = told.remove(&place).unwrap_or_default();
                let nothing = Stored::default();
                for user in stands.keys().chain(should.keys()).collect::<BTreeSet<_>>() {
                    let old = stands.get(user).unwrap_or(&nothing);
                    let new = should.get(user).unwrap_or(&nothing);
                    if same(old, new) {
                        continue;
                    }
                    out.say(company, &week.to_string(), user.as_str(), &difference(old, new))?;
                    if !args.check {
                        self.table.mend_week(self.workspace, company, user, *week, old, new).await?;
                    }
                }
            }
            self.members(company, args.check, &mut out).await?;
        }
        let repairable = out.told;
        self.snapshots(*first, *last, args.rescore, &mut out).await?;
        Ok(Found { repairable, published: out.told - repairable })
    }

    /// Says which snapshots differ, and has their runs done again with `rescore`.
    async fn snapshots(
        &self,
        first: IsoWeek,
        last: IsoWeek,
        rescore: bool,
        out: &mut Report,
    ) -> Result<(), RebuildError> {
        let zone = self.settings.time_zone;
        let published = Published::read(self.table, self.workspace, zone, first, last).await?;
        let mut runs = BTreeSet::new();
        for company in self.table.companies(self.workspace).await? {
            for Difference { period, run, what } in published.compare(&company).await? {
                out.say(&company.company_id, &period, "published", &what)?;
                // What a week is corrected to is rolled up anew.
                runs.extend([Some(run), published.rolled_up_by(run)].into_iter().flatten());
            }
        }
        if runs.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = runs.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        if !rescore {
            writeln!(
                io::stdout(),
                "Published otherwise than computed: {names}. With --rescore they are scored again."
            )?;
            return Ok(());
        }
        for run in runs {
            self.table.reopen_run(self.workspace, run, self.now).await?;
        }
        writeln!(io::stdout(), "Scored again when their schedules fire next: {names}.")?;
        Ok(())
    }

    /// The weeks that lie wholly in the range and no further back than the log.
    fn weeks(&self, from: NaiveDate, to: NaiveDate) -> Vec<IsoWeek> {
        let zone = self.settings.time_zone;
        let kept = self.now - TimeDelta::days(i64::from(self.settings.retention_days.get()));
        let mut weeks = Vec::new();
        let mut week = IsoWeek::of(from);
        while week.next().monday() <= to + Days::new(1) {
            if week.monday() >= from && week.start(zone) >= kept && week.start(zone) <= self.now {
                weeks.push(week);
            }
            week = week.next();
        }
        weeks
    }

    async fn read(
        &self,
        table: &Table,
        companies: &BTreeSet<CompanyId>,
        weeks: &[IsoWeek],
    ) -> Result<Standing, StoreError> {
        let mut standing = Standing::new();
        for company in companies {
            for week in weeks {
                let stored = table.stored_week(self.workspace, company, *week, true).await?;
                standing.insert((company.clone(), *week), stored);
            }
        }
        Ok(standing)
    }

    /// Replays the whole log: who somebody is may have been said in any week. Returns requests and events.
    async fn replay(&self) -> Result<(usize, usize), StoreError> {
        let days = u64::from(self.settings.retention_days.get()) + 1;
        let mut day = self.now.date_naive() - Days::new(days);
        let (replay, mut known) = (Replay::default(), BTreeSet::new());
        let (mut requests, mut stored) = (0, 0);
        // On AWS requests come while this runs, also after midnight.
        while day <= self.now.date_naive() + Days::new(1) {
            let mut packs: Vec<Pack> = self.table.log_of_day(self.workspace, day).await?;
            packs.sort_by(|a, b| (a.received_at, &a.content).cmp(&(b.received_at, &b.content)));
            for pack in packs {
                for event in replay::events(&pack)? {
                    for user in replay::people(&event) {
                        self.introduce(user, &mut known).await?;
                    }
                }
                stored += replay.pack(self.scratch, self.workspace, self.settings, &pack).await?;
                requests += 1;
            }
            day = day + Days::new(1);
        }
        Ok((requests, stored))
    }

    /// Takes over what was said of a user.
    async fn introduce(&self, user: &UserId, known: &mut BTreeSet<UserId>) -> Result<(), StoreError> {
        if known.insert(user.clone()) {
            for item in self.table.said_of(self.workspace, user).await? {
                self.scratch.put_item(item).await?;
            }
        }
        Ok(())
    }

    /// Members that are missing, or were seen earlier than it stands. What else is known of a member may be older
    /// than the log and stays.
    async fn members(&self, company: &CompanyId, check: bool, out: &mut Report) -> Result<(), RebuildError> {
        let standing: BTreeMap<UserId, Member> = self
            .table
            .members(self.workspace, company)
            .await?
            .into_iter()
            .map(|member| (member.user_id.clone(), member))
            .collect();
        let members = self.scratch.members(self.workspace, company).await?;
        for member in members {
            let user = &member.user_id;
            let stands = standing.get(user);
            if stands.is_some_and(|stands| stands.first_seen_at <= member.first_seen_at) {
                continue;
            }
            let what = if stands.is_some() { "member since too late" } else { "no member" };
            out.say(company, "-", user.as_str(), what)?;
            if !check {
                let (at, on) = (member.first_seen_at, member.first_seen);
                self.table.note_member(self.workspace, company, user, at, on).await?;
            }
        }
        Ok(())
    }
}

/// What is printed, counted.
struct Report {
    told: usize,
}

impl Report {
    fn say(&mut self, company: &CompanyId, period: &str, of: &str, what: &str) -> io::Result<()> {
        self.told += 1;
        writeln!(io::stdout(), "{company}  {period}  {of}  {what}")
    }
}

/// What differs between two weeks of a user, in words.
fn difference(old: &Stored, new: &Stored) -> String {
    match (old.is_empty(), new.is_empty()) {
        (true, false) => return "missing".to_owned(),
        (false, true) => return "extra".to_owned(),
        _ => {}
    }
    let (missing, extra) = (new.minus(old), old.minus(new));
    let counts = |part: &Stored| {
        let Stored { named, loose, .. } = part;
        [named.days.len(), named.uses.len(), named.slots.len(), loose.0.len()]
    };
    let mut told: Vec<String> = ["days", "uses", "slots", "without company"]
        .iter()
        .zip(counts(&missing).iter().zip(counts(&extra)))
        .filter(|(_, (missing, extra))| **missing + extra > 0)
        .map(|(name, (missing, extra))| format!("{name}: {missing} missing, {extra} extra"))
        .collect();
    if old.owner != new.owner {
        told.push("owner".to_owned());
    }
    format!("different: {}", told.join("; "))
}

/// Whether two weeks of a user say the same. One that lost everything to another company stays, and says nothing.
fn same(old: &Stored, new: &Stored) -> bool {
    old == new || old.is_empty() && new.is_empty()
}
