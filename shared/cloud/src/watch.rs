//! From findings to cases: opens, worsens and closes alerts, disagreements and tasks as the rules decide. Doing it again
//! changes nothing.

use barometer_domain::{
    CompanyId, WorkspaceId, Zone,
    alert::{self, Alert, Finding},
    disagreement::{self, Disagreement, Readings},
    drop,
    follow_up::Wanted,
    task::{self, Subject, Task},
    week::WeekSnapshot,
};
use chrono::{DateTime, Utc};

use crate::{
    StoreError, Table,
    bus::{DetailType, Event},
    table::cases::{Case, Place, series_of, series_of_subject},
};

/// The one series of a company's disagreements.
const READINGS: &str = "readings";

/// A company whose cases are watched, or the whole workspace.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    /// The table.
    pub table: &'a Table,
    /// The workspace.
    pub workspace: &'a WorkspaceId,
    /// The company; nothing for the workspace's own alerts.
    pub company: Option<&'a CompanyId>,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Watch<'_> {
    fn place(&self, series: &str, number: u32) -> Place {
        Place { company: self.company.cloned(), series: series.to_owned(), number }
    }

    /// Takes in a finding. Returns the event that tells of a new or a worse alert. It lies in the outbox.
    pub async fn found(&self, finding: Finding) -> Result<Option<Event>, StoreError> {
        let series = series_of(finding.rule)?;
        let existing = self.table.latest_case::<Alert>(self.workspace, self.company, &series).await?;
        let known = existing.as_ref().map(|case| &case.content);
        let (case, was_live) = match (alert::decide(known, &finding), existing) {
            (alert::Decision::Nothing, _) => return Ok(None),
            (alert::Decision::Worsen, Some(mut case)) => {
                case.content.worsen(finding);
                (case, true)
            }
            (alert::Decision::Open | alert::Decision::Worsen, existing) => {
                let number = existing.map_or(1, |case| case.place.number + 1);
                let content = Alert::open(finding);
                (Case { place: self.place(&series, number), version: 0, content }, false)
            }
        };
        let event = self.opened(&case, was_live)?;
        self.table.write_case(self.workspace, &case, was_live, std::slice::from_ref(&event)).await?;
        Ok(Some(event))
    }

    fn opened(&self, case: &Case<Alert>, worsened: bool) -> Result<Event, StoreError> {
        let Finding { rule, period, severity, sentence, .. } = &case.content.finding;
        let change = serde_json::json!({
            "alert_id": case.place.id(), "rule": rule, "period": period, "severity": severity,
            "sentence": sentence, "worsened": worsened, "for_admins": rule.for_admins(), "by": "barometer",
        });
        let key = format!("{} {}", case.place.id(), case.version + 1);
        Ok(Event::new(DetailType::AlertOpened, self.workspace, self.company, self.now, &key, &change)?)
    }

    /// Takes in that a task is wanted. Returns the event that tells of a new one. It lies in the outbox.
    pub async fn wanted(
        &self,
        subject: Subject,
        wanted: Wanted,
        assignee: Option<String>,
    ) -> Result<Option<Event>, StoreError> {
        let series = series_of_subject(&subject);
        let existing = self.table.latest_case::<Task>(self.workspace, self.company, &series).await?;
        match (task::decide(existing.as_ref().map(|case| &case.content), &wanted), existing) {
            (task::Decision::Update, Some(mut case)) => {
                case.content.update(wanted);
                self.table.write_case(self.workspace, &case, true, &[]).await?;
                Ok(None)
            }
            (task::Decision::Open, existing) => {
                let number = existing.map_or(1, |case| case.place.number + 1);
                let content = Task::open(subject, wanted, assignee);
                let case = Case { place: self.place(&series, number), version: 0, content };
                let event = self.created(&case)?;
                self.table.write_case(self.workspace, &case, false, std::slice::from_ref(&event)).await?;
                Ok(Some(event))
            }
            _ => Ok(None),
        }
    }

    fn created(&self, case: &Case<Task>) -> Result<Event, StoreError> {
        let Task { subject, title, priority, due_at, assignee, .. } = &case.content;
        let change = serde_json::json!({
            "task_id": case.place.id(), "subject": subject, "title": title, "priority": priority, "due_at": due_at,
            "assignee": assignee, "by": "barometer",
        });
        let id = case.place.id();
        Ok(Event::new(DetailType::TaskCreated, self.workspace, self.company, self.now, &id, &change)?)
    }

    /// Makes a task more urgent when nobody did it in time. Returns the event that tells of it. It lies in the outbox.
    pub async fn escalate(&self, mut case: Case<Task>, zone: Zone) -> Result<Option<Event>, StoreError> {
        if !case.content.escalate(self.now, zone) {
            return Ok(None);
        }
        let Task { subject, title, due_at, assignee, .. } = &case.content;
        let id = case.place.id();
        let change = serde_json::json!({
            "task_id": id, "subject": subject, "title": title, "due_at": due_at, "assignee": assignee, "by": "barometer",
        });
        let kind = DetailType::TaskEscalated;
        let event = Event::new(kind, self.workspace, self.company, self.now, &id, &change)?;
        match self.table.write_case(self.workspace, &case, true, std::slice::from_ref(&event)).await {
            Ok(()) => Ok(Some(event)),
            // Somebody is at it.
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Cancels the live follow-up of a user that was made for an answer given at an instant: the answer is void.
    pub async fn unwanted(
        &self,
        subject: &Subject,
        asked_at: DateTime<Utc>,
        by: &str,
    ) -> Result<(), StoreError> {
        let series = series_of_subject(subject);
        let Some(mut case) = self.table.latest_case::<Task>(self.workspace, self.company, &series).await?
        else {
            return Ok(());
        };
        if case.content.asked_at == asked_at && case.content.cancel(by, self.now).is_ok() {
            self.table.write_case(self.workspace, &case, true, &[]).await?;
        }
        Ok(())
    }

    /// Closes live alerts of engagement drops that a week shows to be over.
    pub async fn recover(&self, week: &WeekSnapshot) -> Result<(), StoreError> {
        let Some(company) = self.company else { return Ok(()) };
        for mut case in self.table.cases_of::<Alert>(self.workspace, company).await? {
            let Some(how) = drop::recovery(&case.content, week) else { continue };
            if case.content.recover(how, self.now).is_ok() {
                self.table.write_case(self.workspace, &case, true, &[]).await?;
            }
        }
        Ok(())
    }

    /// Opens or closes the disagreement of a company as its readings stand.
    pub async fn compare(&self, readings: Option<Readings>) -> Result<(), StoreError> {
        let existing = self.table.latest_case::<Disagreement>(self.workspace, self.company, READINGS).await?;
        let known = existing.as_ref().map(|case| &case.content);
        let decision = disagreement::decide(known, readings, self.now);
        if decision == disagreement::Decision::Nothing {
            return Ok(());
        }
        let number = existing.as_ref().map_or(1, |case| case.place.number + 1);
        if let Some(mut case) = existing
            && case.content.state == disagreement::State::Open
        {
            case.content.expire(self.now);
            self.table.write_case(self.workspace, &case, true, &[]).await?;
        }
        let Some(readings) = readings.filter(|_| decision == disagreement::Decision::Open) else {
            return Ok(());
        };
        let content = Disagreement::open(readings, self.now);
        let case = Case { place: self.place(READINGS, number), version: 0, content };
        self.table.write_case(self.workspace, &case, false, &[]).await
    }
}
