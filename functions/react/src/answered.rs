//! What follows from an answer, or from one that was voided.

use barometer_cloud::{
    bus,
    happiness::{self, refresh},
    table::answers::{Answer, Place, Source},
    watch::Watch,
};
use barometer_domain::{CompanyId, Settings, WorkspaceId};
use chrono::{DateTime, Utc};

use crate::{Deps, Event, Outcome, ReactError};

/// An answer's company and what it is looked at with.
struct Context<'a> {
    deps: &'a Deps,
    workspace: &'a WorkspaceId,
    company: &'a CompanyId,
    settings: Settings,
    now: DateTime<Utc>,
}

/// Recomputes the happiness, looks for a sudden drop and makes the follow-up task.
pub async fn follow(event: &Event, deps: &Deps) -> Result<Outcome, ReactError> {
    let detail = &event.detail;
    let company = detail.company_id.as_ref().ok_or(ReactError::Incomplete("company_id"))?;
    let id = detail.change.get("answer_id").and_then(|id| id.as_str());
    let place = id.and_then(Place::parse).ok_or(ReactError::Incomplete("answer_id"))?;
    let workspace = &detail.workspace_id;
    let Some(settings) = deps.table.settings(workspace).await? else { return Ok(Outcome::default()) };
    let context = Context { deps, workspace, company, settings: settings.settings, now: deps.clock.now() };
    let mut events: Vec<bus::Event> = Vec::new();
    events.extend(refresh(&deps.table, workspace, company, &context.settings, context.now).await?);
    // Nothing is left of the answer of somebody who was erased meanwhile.
    if let Some(answer) = deps.table.answer(workspace, &place).await?
        && answer.void.is_none()
    {
        events.extend(context.less_happy().await?);
        context.surveyed(&answer).await?;
    }
    deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
    Ok(Outcome { events: events.iter().map(|event| event.detail_type.as_str()).collect() })
}

impl Context<'_> {
    /// Opens an alert when the company's happiness dropped suddenly.
    async fn less_happy(&self) -> Result<Option<bus::Event>, ReactError> {
        let (table, workspace, company) = (&self.deps.table, self.workspace, self.company);
        let since = self.now - self.settings.answer_age() - self.settings.cadence_days.duration();
        let answers = table.answers(workspace, company, since, self.now).await?;
        let members = table.members(workspace, company).await?;
        let Some(finding) = happiness::dropped(&answers, &members, &self.settings, self.now) else {
            return Ok(None);
        };
        let watch = Watch { table, workspace, company: Some(company), now: self.now };
        Ok(watch.found(finding).await?)
    }

    /// Whoever answered a question of the product's own isn't asked by us for a while.
    async fn surveyed(&self, answer: &Answer) -> Result<(), ReactError> {
        if answer.source != Source::Mail {
            self.deps.table.note_surveyed(self.workspace, &answer.user_id, answer.at).await?;
        }
        Ok(())
    }
}
