//! Runs of the schedules: planned once however often the schedule fires, done when every shard is.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use barometer_domain::{
    CompanyId, IsoWeek, Month, WorkspaceId, Zone,
    telemetry::{Census, Telemetry},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys};

/// How long it is kept how far a shard was: longer than the schedule catches up.
const KEPT: TimeDelta = TimeDelta::weeks(14);

/// Which scoring of a week a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// As soon as the week has ended.
    First,
    /// After the grace, for late events.
    Final,
}

impl Pass {
    fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Final => "final",
        }
    }
}

/// A run over all companies of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it was planned, in the schedule's time.
    pub planned_at: DateTime<Utc>,
    /// The version of the settings that the whole run uses, also when somebody saves others meanwhile.
    pub settings_version: u32,
    /// Shards in all.
    pub shards: u8,
    /// Shards that are done.
    #[serde(default)]
    pub done: BTreeSet<u8>,
    /// Shards of a week whose companies were counted for `telemetry`.
    #[serde(default)]
    pub counted: BTreeSet<u8>,
    /// Whether the workspace was heard in the week; known as soon as every shard is counted, and scored with.
    #[serde(default)]
    pub telemetry: Option<Telemetry>,
    /// When everybody was told that it is complete.
    #[serde(default)]
    pub finished_at: Option<DateTime<Utc>>,
}

impl Run {
    /// Every shard is done.
    pub fn is_complete(&self) -> bool {
        self.done.len() >= usize::from(self.shards)
    }

    /// Whether a week needs no further scoring after this run of it: the second scoring, or a first one that came
    /// only after the grace.
    pub fn settles(&self, week: IsoWeek, pass: Pass, zone: Zone) -> bool {
        self.is_complete() && (pass == Pass::Final || self.planned_at >= week.grace_end(zone))
    }

    /// Whether every shard was counted.
    pub fn is_counted(&self) -> bool {
        self.counted.len() >= usize::from(self.shards)
    }

    /// Shards that are still to be done.
    pub fn left(&self) -> impl Iterator<Item = u8> {
        (0..self.shards).filter(|shard| !self.done.contains(shard))
    }
}

/// How far a shard is in one step of its run, so that whoever goes on begins where it was left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Companies up to this one are done.
    pub after: Option<CompanyId>,
    /// What was counted of them.
    pub census: Census,
    /// Companies that failed and will fail again; they don't keep the others waiting.
    pub failed: u64,
}

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Counting who was heard.
    Census,
    /// Scoring or rolling up.
    Score,
}

/// Names a run within its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKey {
    /// A scoring of a week.
    Week(IsoWeek, Pass),
    /// A roll-up of a month on the basis of so many scored weeks and so many final ones.
    Month(Month, u8, u8),
}

impl std::fmt::Display for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Week(week, pass) => write!(f, "week#{week}#{}", pass.as_str()),
            Self::Month(month, scored, settled) => write!(f, "month#{month}#{scored}-{settled}"),
        }
    }
}

impl RunKey {
    fn sk(self) -> String {
        self.to_string()
    }

    fn progress(self, workspace: &WorkspaceId, shard: u8, step: Step) -> (String, String) {
        (format!("{workspace}#run#{}", self.sk()), format!("shard#{shard:03}#{step:?}").to_lowercase())
    }
}

fn set_of(shard: u8) -> AttributeValue {
    AttributeValue::Ns(vec![shard.to_string()])
}

impl Table {
    /// A run, read consistently.
    pub async fn run(&self, workspace: &WorkspaceId, key: RunKey) -> Result<Option<Run>, StoreError> {
        self.get(keys::runs(workspace), key.sk()).await
    }

    /// Plans a run unless it is planned already; returns it as it stands.
    pub async fn plan_run(&self, workspace: &WorkspaceId, key: RunKey, run: &Run) -> Result<Run, StoreError> {
        let mut planned = item::write(keys::runs(workspace), key.sk(), run)?;
        // An empty set can't be stored; they appear with the first shard.
        planned.remove("done");
        planned.remove("counted");
        match self.put(planned, true).await {
            Ok(()) => Ok(run.clone()),
            Err(StoreError::Conflict) => Ok(self.run(workspace, key).await?.unwrap_or_else(|| run.clone())),
            Err(error) => Err(error),
        }
    }

    /// Marks a shard as done; returns the run as it stands then.
    pub async fn shard_done(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        shard: u8,
    ) -> Result<Run, StoreError> {
        self.update_run(workspace, key, "ADD done :value", set_of(shard)).await
    }

    /// Marks a shard as counted; returns the run as it stands then.
    pub async fn shard_counted(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        shard: u8,
    ) -> Result<Run, StoreError> {
        self.update_run(workspace, key, "ADD counted :value", set_of(shard)).await
    }

    /// Decides with which telemetry a run scores, unless it is decided already; returns the run as it stands then.
    pub async fn decide_telemetry(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        telemetry: Telemetry,
    ) -> Result<Run, StoreError> {
        let set = "SET telemetry = if_not_exists(telemetry, :value)";
        self.update_run(workspace, key, set, item::value(&telemetry)?).await
    }

    /// Notes when everybody was told of a run's end, the first time.
    pub async fn finish_run(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        at: DateTime<Utc>,
    ) -> Result<Run, StoreError> {
        self.update_run(
            workspace,
            key,
            "SET finished_at = if_not_exists(finished_at, :value)",
            item::value(&at)?,
        )
        .await
    }

    /// Has a complete run done once more by the next firing of its schedule, with the settings and the telemetry that
    /// it had. Errors: [`StoreError::Conflict`] when there is no such run.
    pub async fn reopen_run(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let shards = self.run(workspace, key).await?.map_or(0, |run| run.shards);
        for shard in 0..shards {
            let (pk, sk) = key.progress(workspace, shard, Step::Score);
            self.delete(pk, sk).await?;
        }
        let again = "SET planned_at = :value REMOVE done, finished_at";
        self.update_run(workspace, key, again, item::value(&now)?).await.map(|_| ())
    }

    async fn update_run(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        update: &str,
        value: AttributeValue,
    ) -> Result<Run, StoreError> {
        let answer = self
            .update(keys::runs(workspace), key.sk())
            .update_expression(update)
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":value", value)
            .return_values(ReturnValue::AllNew)
            .send()
            .await?;
        item::read(answer.attributes.unwrap_or_default())
    }

    /// How far a shard is in a step of a run.
    pub async fn progress(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        shard: u8,
        step: Step,
    ) -> Result<Progress, StoreError> {
        let (pk, sk) = key.progress(workspace, shard, step);
        Ok(self.get(pk, sk).await?.unwrap_or_default())
    }

    /// Keeps how far a shard is, for 14 weeks. Errors: [`StoreError::Conflict`] when it is further already.
    pub async fn keep_progress(
        &self,
        workspace: &WorkspaceId,
        key: RunKey,
        shard: u8,
        step: Step,
        progress: &Progress,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (pk, sk) = key.progress(workspace, shard, step);
        let mut kept = item::write(pk, sk, progress)?;
        kept.insert("expires_at".to_owned(), item::expiry(now + KEPT));
        let after = progress.after.as_ref().map_or("", CompanyId::as_str);
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(kept))
            .condition_expression("attribute_not_exists(pk) OR #after <= :after")
            .expression_attribute_names("#after", "after")
            .expression_attribute_values(":after", item::text(after))
            .send()
            .await?;
        Ok(())
    }

    /// Runs of weeks from one to another, with their keys.
    pub async fn week_runs(
        &self,
        workspace: &WorkspaceId,
        from: IsoWeek,
        to: IsoWeek,
    ) -> Result<Vec<(IsoWeek, Pass, Run)>, StoreError> {
        let range = Range::Between(format!("week#{from}"), format!("week#{to}~"));
        self.query(keys::runs(workspace), range, true)
            .await?
            .into_iter()
            .map(|found| {
                let sk = item::get_text(&found, "sk")?.to_owned();
                let mut parts = sk.split('#').skip(1);
                let week = parts.next().and_then(|week| week.parse().ok());
                let pass = match parts.next() {
                    Some("first") => Some(Pass::First),
                    Some("final") => Some(Pass::Final),
                    _ => None,
                };
                match (week, pass) {
                    (Some(week), Some(pass)) => Ok((week, pass, item::read(found)?)),
                    _ => Err(StoreError::Corrupt(format!("{sk:?} names no run").into())),
                }
            })
            .collect()
    }
}
