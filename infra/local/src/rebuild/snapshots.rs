//! Recomputes what was published of weeks and months from what is stored, by the functions that published it, and says
//! what differs. Nothing is rewritten: what is wrong becomes a new revision when its run is done again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use barometer_cloud::sharded::RunError;
use barometer_cloud::table::companies::Company;
use barometer_cloud::table::runs::{Run, RunKey};
use barometer_cloud::{StoreError, Table};
use barometer_domain::{CompanyId, IsoWeek, Month, WorkspaceId, Zone};
use roll_up_month::Versions;
use serde::Serialize;
use serde_json::Value;

/// Fields of a snapshot that are named one by one.
const FIELDS: usize = 6;

/// The published weeks and months of a workspace.
pub(super) struct Published<'a> {
    table: &'a Table,
    workspace: &'a WorkspaceId,
    versions: Versions,
    /// Per week that needs no further scoring: the run that settled it.
    weeks: BTreeMap<IsoWeek, (RunKey, Run)>,
    /// Months of those weeks, each with its latest roll-up. One that is still to be rolled up says itself what changed.
    months: BTreeMap<Month, RunKey>,
}

/// A snapshot that isn't what comes out when it is computed again.
pub(super) struct Difference {
    pub period: String,
    pub run: RunKey,
    pub what: String,
}

impl<'a> Published<'a> {
    /// Weeks from `first` to `last` that need no further scoring, with the months that they are in.
    pub(super) async fn read(
        table: &'a Table,
        workspace: &'a WorkspaceId,
        zone: Zone,
        first: IsoWeek,
        last: IsoWeek,
    ) -> Result<Self, StoreError> {
        // By week and pass: the later pass of a week stays.
        let runs = table.week_runs(workspace, first, last).await?.into_iter();
        let mut settled: Vec<_> = runs
            .filter(|(week, pass, run)| run.settles(*week, *pass, zone))
            .map(|(week, pass, run)| (week, (RunKey::Week(week, pass), run)))
            .collect();
        settled.sort_by_key(|(_, (key, _))| *key);
        let weeks: BTreeMap<_, _> = settled.into_iter().collect();
        let mut months = BTreeMap::new();
        for month in weeks.keys().map(|week| week.month()).collect::<BTreeSet<Month>>() {
            let Some(key) = roll_up_month::due_run(table, workspace, month, zone).await? else { continue };
            if table.run(workspace, key).await?.is_some_and(|run| run.is_complete()) {
                months.insert(month, key);
            }
        }
        Ok(Self { table, workspace, versions: Versions::default(), weeks, months })
    }

    /// The roll-up of the month that a run's week is in.
    pub(super) fn rolled_up_by(&self, run: RunKey) -> Option<RunKey> {
        match run {
            RunKey::Week(week, _) => self.months.get(&week.month()).copied(),
            RunKey::Month(..) => None,
        }
    }

    /// What differs of a company's snapshots: weeks, then months.
    pub(super) async fn compare(&self, company: &Company) -> Result<Vec<Difference>, RunError> {
        let mut differences = Vec::new();
        for (week, (run, settled)) in &self.weeks {
            if let Some(what) = self.week(company, *week, settled).await? {
                differences.push(Difference { period: week.to_string(), run: *run, what });
            }
        }
        for (month, run) in &self.months {
            if let Some(what) = self.month(&company.company_id, *month).await? {
                differences.push(Difference { period: month.to_string(), run: *run, what });
            }
        }
        Ok(differences)
    }

    async fn week(
        &self,
        company: &Company,
        week: IsoWeek,
        settled: &Run,
    ) -> Result<Option<String>, RunError> {
        let (Some(telemetry), id) = (settled.telemetry, &company.company_id) else { return Ok(None) };
        let stands = self.table.week_revisions(self.workspace, id, week).await?.pop();
        // No snapshot: the company came later, or was lost.
        let Some(stands) = stands.map(|stands| stands.snapshot) else { return Ok(None) };
        let settings = self.versions.get(self.table, self.workspace, stands.settings_version).await?;
        // The plan of then: another one since is no reason to score a week again.
        let company = Company { plan: stands.basis.plan.clone(), ..company.clone() };
        let again =
            score_week::recompute(self.table, self.workspace, &company, week, &settings, telemetry).await?;
        Ok(difference(Some(&stands), Some(&again))?)
    }

    async fn month(&self, company: &CompanyId, month: Month) -> Result<Option<String>, RunError> {
        let stands = self.table.months(self.workspace, company, month, month).await?.pop();
        let again =
            roll_up_month::recompute(self.table, self.workspace, company, month, &self.versions).await?;
        Ok(difference(stands.map(|stands| stands.snapshot).as_ref(), again.as_ref())?)
    }
}

/// What differs between what stands and what comes out, in words; nothing when they are the same.
fn difference<T: Serialize + PartialEq>(
    stands: Option<&T>,
    again: Option<&T>,
) -> Result<Option<String>, serde_json::Error> {
    let (stands, again) = match (stands, again) {
        (stands, again) if stands == again => return Ok(None),
        (Some(stands), Some(again)) => (serde_json::to_value(stands)?, serde_json::to_value(again)?),
        (None, _) => return Ok(Some("missing".to_owned())),
        (_, None) => return Ok(Some("extra".to_owned())),
    };
    let mut told = Vec::new();
    fields("", &stands, &again, &mut told);
    let more = told.len().saturating_sub(FIELDS);
    told.truncate(FIELDS);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    Ok(Some(told.join("; ")))
}

/// The fields in which two documents differ, as `score 58 → 61`.
fn fields(name: &str, old: &Value, new: &Value, told: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for part in names {
                let of =
                    |fields: &serde_json::Map<String, Value>| fields.get(part).cloned().unwrap_or_default();
                fields(&dotted(name, part), &of(old), &of(new), told);
            }
        }
        (old, new) => told.push(format!("{name} {} → {}", short(old), short(new))),
    }
}

fn dotted(name: &str, part: impl Display) -> String {
    if name.is_empty() { part.to_string() } else { format!("{name}.{part}") }
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => format!("{} values", values.len()),
        Value::Object(fields) => format!("{} fields", fields.len()),
        other => other.to_string(),
    }
}
