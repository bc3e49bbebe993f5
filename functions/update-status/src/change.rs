//! One company's status, set.

use barometer_cloud::{
    StoreError,
    automation::Automation,
    bus::{DetailType, Event},
    http::{Problem, auth::Caller},
    lambda::Chain,
    table::{
        audit::{Action, Entry},
        companies::Company,
        statuses::StatusChange,
    },
    watch::Watch,
    workspaces,
};
use barometer_domain::{
    CompanyId, Settings, WorkspaceId,
    disagreement::Readings,
    status::{BusinessStatus, ChangeKind, Status},
};
use chrono::{DateTime, Utc};

use crate::{
    Deps,
    will::{Will, will},
};

/// Longest note, in characters.
pub const MAX_NOTE: usize = 5_000;

/// How often a write is tried when somebody else sets the status at the same moment.
const TRIES: u32 = 3;

/// A status to set.
pub struct Wanted {
    /// The status.
    pub status: Status,
    /// Why.
    pub note: String,
    /// Since when it is so; now unless said.
    pub set_at: Option<DateTime<Utc>>,
    /// The event says that nothing is to be set in motion by it.
    pub silent: bool,
    /// Whether it is found out what rules will do about it.
    pub look_ahead: bool,
}

/// What was set.
pub struct Outcome {
    /// The change.
    pub change: StatusChange,
    /// How often the status was set by now.
    pub status_version: u32,
    /// What lies in the outbox because of it.
    pub events: Vec<Event>,
    /// What rules will do about it; nothing when that wasn't asked or can't be found out.
    pub will: Option<Vec<Will>>,
}

/// A note as it is kept. Errors: what is wrong with it.
pub fn note(text: &str) -> Result<String, &'static str> {
    let note = text.trim();
    if note.is_empty() {
        Err("a status needs a note: why do you see it so?")
    } else if note.chars().count() > MAX_NOTE {
        Err("a note has at most 5,000 characters")
    } else {
        Ok(note.to_owned())
    }
}

/// 404
pub fn unknown_company() -> Problem {
    Problem::not_found("there is no such company")
}

/// Where a caller sets statuses.
pub struct Desk<'a> {
    /// What the function works with.
    pub deps: &'a Deps,
    /// Who sets them.
    pub caller: &'a Caller,
    /// Now.
    pub now: DateTime<Utc>,
    settings: Settings,
}

impl<'a> Desk<'a> {
    /// Reads the workspace's settings.
    pub async fn open(deps: &'a Deps, caller: &'a Caller, now: DateTime<Utc>) -> Result<Self, Problem> {
        let settings = deps.table.settings(&caller.workspace).await?.ok_or_else(Problem::internal)?.settings;
        Ok(Self { deps, caller, now, settings })
    }

    /// Sets a company's status; with `seen`, only upon that version. Its events are left to the caller to publish.
    pub async fn set(&self, id: &CompanyId, wanted: &Wanted, seen: Option<u32>) -> Result<Outcome, Problem> {
        let (deps, workspace) = (self.deps, &self.caller.workspace);
        let change_id = workspaces::random_id().map_err(|_| Problem::internal())?;
        for _ in 0..TRIES {
            let company = deps.table.company(workspace, id).await?.ok_or_else(unknown_company)?;
            if let Some(seen) = seen
                && seen != company.status_version
            {
                return Err(Problem::precondition_failed(company.status_version));
            }
            let change = self.change(&company, &change_id, wanted);
            let status_version = company.status_version + 1;
            // Before it is written: afterwards the rules that acted are quiet.
            let will = self.will(&company, &change, wanted).await;
            let events = events(workspace, id, &change, status_version, wanted.silent)?;
            let entry =
                Entry::new(Action::StatusSet, id.as_str(), &self.caller.author, self.now)?.of(Some(id));
            let entry = entry.change(&company.status, &change.status)?;
            let recording = deps.table.recording(workspace, &entry);
            match recording.set_status(workspace, id, company.status_version, &change, &events).await {
                Ok(()) => {
                    self.compare(&company, &change.status).await;
                    return Ok(Outcome { change, status_version, events, will });
                }
                // Somebody was faster: look again; with If-Match that now fails.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn will(&self, company: &Company, change: &StatusChange, wanted: &Wanted) -> Option<Vec<Will>> {
        if !wanted.look_ahead {
            return None;
        }
        let (table, workspace) = (&self.deps.table, &self.caller.workspace);
        let automation = Automation { table, workspace, now: self.now };
        will(&automation, company, change, &self.settings).await
    }

    fn change(&self, company: &Company, id: &str, wanted: &Wanted) -> StatusChange {
        let from = company.status.as_ref().map(|status| status.value);
        let set_at = wanted.set_at.unwrap_or(self.now);
        StatusChange {
            id: id.to_owned(),
            kind: ChangeKind::of(from, wanted.status),
            from,
            status: BusinessStatus {
                value: wanted.status,
                note: wanted.note.clone(),
                author: self.caller.author.clone(),
                set_at,
                review_by: self.settings.review_days.review_by(wanted.status, set_at),
            },
        }
    }

    /// Opens or closes the company's disagreement with its engagement. The status stands whatever comes of it; what
    /// fails here is done with the next weekly scoring.
    async fn compare(&self, company: &Company, status: &BusinessStatus) {
        let (workspace, now) = (&self.caller.workspace, self.now);
        let band = company.engagement.as_ref().map(|engagement| engagement.band);
        let fresh = status.stale(company.handed_over_at, now).is_none().then_some(status.value);
        let readings = Readings::of(fresh, band);
        if company.open_disagreements == 0 && !readings.is_some_and(Readings::disagree) {
            return;
        }
        let watch = Watch { table: &self.deps.table, workspace, company: Some(&company.company_id), now };
        if let Err(error) = watch.compare(readings).await {
            tracing::warn!(%workspace, company = %company.company_id, error = %Chain(&error), "disagreement left");
        }
    }
}

fn events(
    workspace: &WorkspaceId,
    company: &CompanyId,
    change: &StatusChange,
    version: u32,
    silent: bool,
) -> Result<Vec<Event>, Problem> {
    if change.kind == ChangeKind::Confirmation {
        return Ok(Vec::new());
    }
    let mut detail = serde_json::json!({
        "from": change.from, "to": change.status.value, "by": change.status.author,
        "note": change.status.note, "review_by": change.status.review_by, "version": version,
    });
    if silent && let Some(detail) = detail.as_object_mut() {
        detail.insert("silent".to_owned(), true.into());
    }
    let at = change.status.set_at;
    let event = Event::new(DetailType::StatusChanged, workspace, Some(company), at, &change.id, &detail);
    Ok(vec![event.map_err(StoreError::from)?])
}
