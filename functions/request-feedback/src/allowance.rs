//! What a workspace may send: the breakers that stop its mailing, and the cap of its first days.

use barometer_cloud::{StoreError, Table, watch::Watch};
use barometer_domain::{Settings, WorkspaceId, alert, breaker::Stop, ramp};
use chrono::{DateTime, Utc};

/// What a workspace may still send in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Mailing has stopped by itself.
    stopped: bool,
    /// Mails until the day's cap; nothing is no cap.
    left: Option<u64>,
    /// Whether the workspace has sent a mail before.
    begun: bool,
}

/// Whether a mail may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Yes,
    /// Mailing has stopped: look again in a while.
    Stopped,
    /// The day's cap is reached: tomorrow.
    Capped,
}

impl Allowance {
    /// Decides from what was sent in the last 24 hours and what came of it. Where that stops mailing, the admins are told.
    pub async fn of(
        table: &Table,
        workspace: &WorkspaceId,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let counts = table.mail_counts(workspace, now).await?;
        let stop = counts.stop();
        if let Some(stop) = stop {
            tell(table, workspace, settings, stop, now).await?;
        }
        let first = table.first_mail_at(workspace).await?;
        let day = |at| settings.time_zone.date(at);
        let days = first.map_or(0, |first| (day(now) - day(first)).num_days());
        let cap = ramp::daily_cap(u32::try_from(days).unwrap_or(0));
        let left = cap.map(|cap| u64::from(cap).saturating_sub(counts.sent));
        Ok(Self { stopped: stop.is_some(), left, begun: first.is_some() })
    }

    /// Whether one more mail may go.
    pub fn check(&self) -> Allowed {
        match self {
            Self { stopped: true, .. } => Allowed::Stopped,
            Self { left: Some(0), .. } => Allowed::Capped,
            _ => Allowed::Yes,
        }
    }

    /// Counts a mail that went; the workspace's first one is remembered.
    pub async fn sent(
        &mut self,
        table: &Table,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.left = self.left.map(|left| left.saturating_sub(1));
        if !self.begun {
            table.note_first_mail(workspace, now).await?;
            self.begun = true;
        }
        Ok(())
    }
}

/// Tells the workspace's admins that mailing has stopped. The event lies in the outbox.
pub async fn tell(
    table: &Table,
    workspace: &WorkspaceId,
    settings: &Settings,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tracing::error!(%workspace, reason = ?stop, "mailing stopped");
    let finding = alert::mail_stopped(stop, now, settings.time_zone);
    match (Watch { table, workspace, company: None, now }).found(finding).await {
        // Another worker tells it.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
