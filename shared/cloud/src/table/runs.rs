//! Runs of the schedules: planned once however often the schedule fires, done when every shard is.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use barometer_domain::{IsoWeek, Month, WorkspaceId, Zone};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys};

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
    /// The workspace was silent in the week, or so many companies that it is a gap.
    #[serde(default)]
    pub telemetry: Option<barometer_domain::telemetry::Telemetry>,
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

    /// Shards that are still to be done.
    pub fn left(&self) -> impl Iterator<Item = u8> {
        (0..self.shards).filter(|shard| !self.done.contains(shard))
    }
}

/// Names a run within its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKey {
    /// A scoring of a week.
    Week(IsoWeek, Pass),
    /// A roll-up of a month on the basis of so many scored weeks and so many final ones.
    Month(Month, u8, u8),
}

impl RunKey {
    fn sk(self) -> String {
        match self {
            Self::Week(week, pass) => format!("week#{week}#{}", pass.as_str()),
            Self::Month(month, scored, settled) => format!("month#{month}#{scored}-{settled}"),
        }
    }
}

impl Table {
    /// A run, read consistently.
    pub async fn run(&self, workspace: &WorkspaceId, key: RunKey) -> Result<Option<Run>, StoreError> {
        self.get(keys::runs(workspace), key.sk()).await
    }

    /// Plans a run unless it is planned already; returns it as it stands.
    pub async fn plan_run(&self, workspace: &WorkspaceId, key: RunKey, run: &Run) -> Result<Run, StoreError> {
        let mut planned = item::write(keys::runs(workspace), key.sk(), run)?;
        // An empty set can't be stored; `done` appears with the first shard.
        planned.remove("done");
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
        let answer = self
            .update(keys::runs(workspace), key.sk())
            .update_expression("ADD done :shard")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":shard", AttributeValue::Ns(vec![shard.to_string()]))
            .return_values(ReturnValue::AllNew)
            .send()
            .await?;
        item::read(answer.attributes.unwrap_or_default())
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
