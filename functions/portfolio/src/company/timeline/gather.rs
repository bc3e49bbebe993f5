//! Where a timeline comes from.

use barometer_cloud::{
    StoreError, Table,
    table::{
        cases::{Case, Content},
        companies::Company,
        statuses::StatusChange,
    },
};
use barometer_domain::{
    CompanyId, IsoWeek, Settings, WorkspaceId,
    alert::{self, Alert},
    calendar::SLOT_SECONDS,
    day,
    disagreement::Disagreement,
    task::Task,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::entry::{Engagement, Entry, Happiness, Kind, Moved, Step, What};
use crate::{company::happiness::Known, feedback::AnswerView};

/// What is read once for a page, and where the rest is read week by week.
pub struct Gather<'a> {
    table: &'a Table,
    workspace: &'a WorkspaceId,
    company: &'a Company,
    settings: &'a Settings,
    kinds: &'a [Kind],
    now: DateTime<Utc>,
    known: Known,
    statuses: Vec<StatusChange>,
    /// Entries of cases, which don't lie in the order of time.
    cases: Vec<(Kind, DateTime<Utc>, Moving)>,
}

/// A case that moved on.
#[derive(Clone)]
enum Moving {
    Alert(Moved, Case<Alert>),
    Task(Moved, Case<Task>),
    Disagreement(Moved, Case<Disagreement>),
}

impl<'a> Gather<'a> {
    /// Reads what doesn't lie in the order of time, and the answers from one instant to another with those that counted
    /// at its beginning.
    pub async fn read(
        table: &'a Table,
        workspace: &'a WorkspaceId,
        company: &'a Company,
        settings: &'a Settings,
        kinds: &'a [Kind],
        [oldest, newest]: [DateTime<Utc>; 2],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let id = &company.company_id;
        let since = oldest - settings.answer_age() - TimeDelta::weeks(1);
        let (known, statuses, alerts, tasks, disagreements) = tokio::join!(
            Known::read(table, workspace, id, [since, newest]),
            table.status_changes(workspace, id),
            cases::<Alert>(table, workspace, id, kinds.contains(&Kind::Alert)),
            cases::<Task>(table, workspace, id, kinds.contains(&Kind::Task)),
            cases::<Disagreement>(table, workspace, id, kinds.contains(&Kind::Disagreement)),
        );
        let mut cases = Vec::new();
        for case in alerts? {
            let (opened, changed, state) =
                (case.content.opened_at, case.content.changed_at, case.content.state);
            let moved = match state {
                alert::State::Open => None,
                alert::State::Acknowledged => Some(Moved::Acknowledged),
                alert::State::Resolved => Some(Moved::Closed),
            };
            cases.extend(moved.map(|moved| (Kind::Alert, changed, Moving::Alert(moved, case.clone()))));
            cases.push((Kind::Alert, opened, Moving::Alert(Moved::Opened, case)));
        }
        for case in tasks? {
            let (opened, closed) = (case.content.opened_at, case.content.closed_at);
            cases.extend(closed.map(|at| (Kind::Task, at, Moving::Task(Moved::Closed, case.clone()))));
            cases.push((Kind::Task, opened, Moving::Task(Moved::Opened, case)));
        }
        for case in disagreements? {
            let (opened, closed) = (case.content.opened_at, case.content.closed_at);
            let of = Kind::Disagreement;
            cases.extend(closed.map(|at| (of, at, Moving::Disagreement(Moved::Closed, case.clone()))));
            cases.push((of, opened, Moving::Disagreement(Moved::Opened, case)));
        }
        Ok(Self {
            table,
            workspace,
            company,
            settings,
            kinds,
            now,
            known: known?,
            statuses: statuses?,
            cases,
        })
    }

    /// An instant before which nothing happened.
    pub async fn begins(&self) -> Result<DateTime<Utc>, StoreError> {
        let id = &self.company.company_id;
        let (heard, answer) = tokio::join!(
            self.table.first_heard(self.workspace, id),
            self.table.first_answer(self.workspace, id)
        );
        let firsts = [
            heard?.map(|week| week.start(self.settings.time_zone)),
            answer?.map(|answer| answer.at),
            self.statuses.iter().map(|change| change.status.set_at).min(),
            self.cases.iter().map(|(_, at, _)| *at).min(),
        ];
        Ok(firsts.into_iter().flatten().fold(self.company.created_at, DateTime::min))
    }

    /// Everything from the first to the last of these weeks, in no order.
    pub async fn step(&self, first: IsoWeek, last: IsoWeek) -> Result<Vec<Entry>, StoreError> {
        let zone = self.settings.time_zone;
        let [from, to] = [first.start(zone), last.end(zone)];
        let (activity, engagement, changes, mails) = tokio::join!(
            self.activity(first, last),
            self.engagement(first, last),
            self.changes([from, to]),
            self.mails([from, to]),
        );
        let mut entries = activity?;
        entries.extend(engagement?);
        entries.extend(changes?);
        entries.extend(mails?);
        if self.wants(Kind::Answer) {
            let of = |answer: &barometer_cloud::table::answers::Answer| {
                let view = AnswerView::new(self.company.company_id.clone(), answer.clone());
                Entry { id: view.id().to_owned(), at: answer.at, what: What::Answer(Box::new(view)) }
            };
            entries.extend(self.known.answers.iter().map(of));
        }
        if self.wants(Kind::Mail) {
            entries.extend(self.known.asks.iter().cloned().map(Entry::from));
        }
        if self.wants(Kind::Status) {
            entries.extend(self.statuses.iter().cloned().map(Entry::from));
        }
        if self.wants(Kind::Happiness) {
            entries.extend(self.happiness(first, last));
        }
        for (_, at, case) in self.cases.iter().filter(|(kind, ..)| self.wants(*kind)) {
            entries.push(self.moved(*at, case.clone()));
        }
        entries.retain(|entry| (from..to).contains(&entry.at));
        Ok(entries)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    async fn activity(&self, first: IsoWeek, last: IsoWeek) -> Result<Vec<Entry>, StoreError> {
        let (mut entries, zone) = (Vec::new(), self.settings.time_zone);
        if !self.wants(Kind::Activity) {
            return Ok(entries);
        }
        for ahead in 0..=last.since(first) {
            let week = first.plus(ahead);
            let id = &self.company.company_id;
            let activity = self.table.activity_of_week(self.workspace, id, week).await?;
            for day in day::days(week, zone, &activity) {
                let slot = |slot: u16| week.start(zone) + TimeDelta::seconds(i64::from(slot) * SLOT_SECONDS);
                let at = day.last_slot.map_or_else(|| zone.start_of(day.day), slot);
                entries.push(Entry { id: format!("day-{}", day.day), at, what: What::Activity(day) });
            }
        }
        Ok(entries)
    }

    async fn engagement(&self, first: IsoWeek, last: IsoWeek) -> Result<Vec<Entry>, StoreError> {
        if !self.wants(Kind::Engagement) {
            return Ok(Vec::new());
        }
        let id = &self.company.company_id;
        let (mut entries, mut from) = (Vec::new(), None);
        for published in self.table.weeks(self.workspace, id, first.previous(), last).await? {
            let (week, to, score) =
                (published.snapshot.period, published.snapshot.band, published.snapshot.score);
            if week >= first && from != Some(to) {
                let what = What::Engagement(Engagement { week, from, to, score });
                entries.push(Entry { id: format!("engagement-{week}"), at: self.end_of(week), what });
            }
            from = Some(to);
        }
        Ok(entries)
    }

    /// The last instant of a week, or now in the running one.
    fn end_of(&self, week: IsoWeek) -> DateTime<Utc> {
        // The instant after belongs to the next week.
        (week.end(self.settings.time_zone) - TimeDelta::microseconds(1)).min(self.now)
    }

    fn happiness(&self, first: IsoWeek, last: IsoWeek) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut from = self.known.at(self.end_of(first.previous()), self.settings).level;
        for ahead in 0..=last.since(first) {
            let week = first.plus(ahead);
            if week.start(self.settings.time_zone) > self.now {
                break;
            }
            let at = self.end_of(week);
            let reading = self.known.at(at, self.settings);
            let to = reading.level;
            if from != to {
                let what = What::Happiness(Happiness { week, from, to, score: reading.score });
                entries.push(Entry { id: format!("happiness-{week}"), at, what });
            }
            from = to;
        }
        entries
    }

    async fn changes(&self, span: [DateTime<Utc>; 2]) -> Result<Vec<Entry>, StoreError> {
        if !self.wants(Kind::Change) {
            return Ok(Vec::new());
        }
        let found = self.table.company_changes(self.workspace, &self.company.company_id, span).await?;
        Ok(found.into_iter().map(Entry::from).collect())
    }

    async fn mails(&self, span: [DateTime<Utc>; 2]) -> Result<Vec<Entry>, StoreError> {
        if !self.wants(Kind::Mail) {
            return Ok(Vec::new());
        }
        let found = self.table.actions_between(self.workspace, &self.company.company_id, span).await?;
        Ok(found.into_iter().filter_map(Entry::of_action).collect())
    }

    fn moved(&self, at: DateTime<Utc>, case: Moving) -> Entry {
        let name = |moved: Moved, id: String| match moved {
            Moved::Opened => format!("{id}-opened"),
            Moved::Acknowledged => format!("{id}-acknowledged"),
            Moved::Closed => format!("{id}-closed"),
        };
        match case {
            Moving::Alert(happened, case) => {
                let id = name(happened, case.place.id());
                Entry { id, at, what: What::Alert(Step { happened, case: case.into() }) }
            }
            Moving::Task(happened, case) => {
                let id = name(happened, case.place.id());
                let case = crate::tasks::TaskView::new(case, self.now);
                Entry { id, at, what: What::Task(Step { happened, case }) }
            }
            Moving::Disagreement(happened, case) => {
                let id = name(happened, case.place.id());
                Entry { id, at, what: What::Disagreement(Step { happened, case: case.into() }) }
            }
        }
    }
}

/// The cases of a kind, if it is wanted.
async fn cases<T: Content>(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    wanted: bool,
) -> Result<Vec<Case<T>>, StoreError> {
    if wanted { table.cases_of(workspace, company).await } else { Ok(Vec::new()) }
}
