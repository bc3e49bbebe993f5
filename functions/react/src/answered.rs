//! What follows from an answer, or from one that was voided.

use barometer_cloud::{
    bus,
    happiness::{self, refresh},
    table::{
        answers::{Answer, Place, Source},
        members::Member,
    },
    watch::Watch,
};
use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId,
    answer::Rating,
    follow_up::{Heard, follow_up},
    task::Subject,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{BusEvent, Deps, Outcome, ReactError};

/// An answer that is older when it is heard of, such as an imported one, asks for nothing any more.
const FRESH: TimeDelta = TimeDelta::days(7);

/// An answer's company and what it is looked at with.
struct Context<'a> {
    deps: &'a Deps,
    workspace: &'a WorkspaceId,
    company: &'a CompanyId,
    settings: Settings,
    now: DateTime<Utc>,
    /// The company's answers, as far back as they count now or counted one cadence ago.
    answers: Vec<Answer>,
    members: Vec<Member>,
}

/// Recomputes the happiness, looks for a sudden drop and makes the follow-up task.
pub async fn follow(event: &BusEvent, deps: &Deps) -> Result<Outcome, ReactError> {
    let detail = &event.detail;
    let company = detail.company_id.as_ref().ok_or(ReactError::Incomplete("company_id"))?;
    let id = detail.change.get("answer_id").and_then(|id| id.as_str());
    let place = id.and_then(Place::parse).ok_or(ReactError::Incomplete("answer_id"))?;
    let workspace = &detail.workspace_id;
    let Some(settings) = deps.table.settings(workspace).await? else { return Ok(Outcome::default()) };
    let (settings, now) = (settings.settings, deps.clock.now());
    let mut events: Vec<bus::Event> = Vec::new();
    events.extend(refresh(&deps.table, workspace, company, &settings, now).await?);
    // Nothing is left of the answer of somebody who was erased meanwhile.
    if let Some(answer) = deps.table.answer(workspace, &place).await? {
        let since = now - settings.answer_age() - settings.cadence_days.duration();
        let answers = deps.table.answers(workspace, company, since, now).await?;
        let members = deps.table.members(workspace, company).await?;
        let context = Context { deps, workspace, company, settings, now, answers, members };
        match &answer.void {
            Some(void) => context.withdrawn(&answer, &void.by).await?,
            None => {
                events.extend(context.less_happy().await?);
                events.extend(context.task(&answer).await?);
                context.surveyed(&answer).await?;
            }
        }
    }
    deps.table.publish_or_leave(&deps.bus, workspace, &events).await;
    Ok(Outcome::of(&events))
}

impl Context<'_> {
    /// Opens an alert when the company's happiness dropped suddenly.
    async fn less_happy(&self) -> Result<Option<bus::Event>, ReactError> {
        let Some(finding) = happiness::dropped(&self.answers, &self.members, &self.settings, self.now) else {
            return Ok(None);
        };
        Ok(self.watch().found(finding).await?)
    }

    fn watch(&self) -> Watch<'_> {
        let Self { deps, workspace, company, now, .. } = *self;
        Watch { table: &deps.table, workspace, company: Some(company), now }
    }

    /// Makes the task that the answer asks for, or tells the open one.
    async fn task(&self, answer: &Answer) -> Result<Option<bus::Event>, ReactError> {
        if answer.at + FRESH < self.now {
            return Ok(None);
        }
        let Self { deps, workspace, company, settings, .. } = self;
        let Some(row) = deps.table.company(workspace, company).await? else { return Ok(None) };
        let member = self.members.iter().find(|member| member.user_id == answer.user_id);
        let name = member.and_then(|member| member.name.as_deref());
        let heard = Heard {
            name: name.unwrap_or(answer.user_id.as_str()),
            rating: answer.rating,
            comment: answer.comment.as_deref(),
            before: self.before(answer),
            at: answer.at,
        };
        let Some(wanted) = follow_up(&heard, settings.time_zone).task else { return Ok(None) };
        Ok(self.watch().wanted(about(&answer.user_id), wanted, row.owner).await?)
    }

    /// What the same user gave before, as far back as answers count.
    fn before(&self, answer: &Answer) -> Option<Rating> {
        let since = answer.at - self.settings.answer_age();
        let is_earlier = |other: &&Answer| {
            other.user_id == answer.user_id
                && other.void.is_none()
                && since <= other.at
                && other.at < answer.at
        };
        self.answers.iter().filter(is_earlier).max_by_key(|other| other.at).map(|other| other.rating)
    }

    /// The task that a void answer asked for isn't to be done.
    async fn withdrawn(&self, answer: &Answer, by: &str) -> Result<(), ReactError> {
        Ok(self.watch().unwanted(&about(&answer.user_id), answer.at, by).await?)
    }

    /// Whoever answered a question of the product's own isn't asked by us for a while.
    async fn surveyed(&self, answer: &Answer) -> Result<(), ReactError> {
        if answer.source != Source::Mail {
            self.deps.table.note_surveyed(self.workspace, &answer.user_id, answer.at).await?;
        }
        Ok(())
    }
}

fn about(user: &UserId) -> Subject {
    Subject::FollowUp { user_id: user.clone() }
}
