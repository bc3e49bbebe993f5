//! What happened beside a company's weeks: the lanes under its picture, and the same in words for its table.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use barometer_cloud::table::{answers::Answer, statuses::StatusChange};
use barometer_domain::{IsoWeek, UserId, Zone, alert::Alert, answer::Rating, status::ChangeKind};

use super::words;

/// The lanes, from above. In a narrow picture a label's second word is left out.
pub const LANES: [(&str, &str); 3] = [("Status", ""), ("Low", " answers"), ("Alerts", "")];

/// What happened in a week.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Happened {
    /// The sign of the latest status that was set.
    status: Option<&'static str>,
    /// Each status in words, in their order.
    statuses: Vec<String>,
    /// Who gave a low answer.
    unhappy: BTreeSet<UserId>,
    /// The lowest of those answers.
    lowest: Option<Rating>,
    /// What the alerts are called.
    alerts: Vec<&'static str>,
}

/// What happened, by week.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<IsoWeek, Happened>);

impl Marks {
    /// Gathers statuses that were set anew (a confirmation changes nothing), answers of 6 of 10 or less that count, and
    /// alerts in the week that they are about, whatever became of them.
    pub fn gather<'a>(
        changes: &[StatusChange],
        answers: &[Answer],
        alerts: impl Iterator<Item = &'a Alert>,
        zone: Zone,
    ) -> Self {
        let mut weeks: BTreeMap<IsoWeek, Happened> = BTreeMap::new();
        let mut transitions: Vec<&StatusChange> =
            changes.iter().filter(|change| change.kind == ChangeKind::Transition).collect();
        transitions.sort_by_key(|change| change.status.set_at);
        for change in transitions {
            let week = weeks.entry(IsoWeek::at(change.status.set_at, zone)).or_default();
            let to = change.status.value;
            week.status = Some(match change.from.map(|from| to.cmp(&from)) {
                Some(Ordering::Greater) => "▲",
                Some(Ordering::Less) => "▼",
                Some(Ordering::Equal) | None => "●",
            });
            week.statuses.push(match change.from {
                Some(from) => format!("status {} → {}", from.label(), to.label()),
                None => format!("status first set: {}", to.label()),
            });
        }
        let low = answers.iter().filter(|answer| answer.void.is_none() && answer.rating.is_detractor());
        for answer in low {
            let week = weeks.entry(IsoWeek::at(answer.at, zone)).or_default();
            week.unhappy.insert(answer.user_id.clone());
            let lowest = week.lowest.filter(|lowest| lowest.value() <= answer.rating.value());
            week.lowest = Some(lowest.unwrap_or(answer.rating));
        }
        for alert in alerts {
            let week = weeks.entry(alert.finding.period).or_default();
            week.alerts.push(alert.finding.rule.label());
        }
        Self(weeks)
    }

    /// The weeks from `from` on in which anything happened.
    pub fn weeks(&self, from: IsoWeek) -> impl DoubleEndedIterator<Item = IsoWeek> {
        self.0.range(from..).map(|(week, _)| *week)
    }

    /// What stands in the lanes at a week, in the order of [`LANES`].
    pub fn signs(&self, week: IsoWeek) -> [Option<String>; 3] {
        let Some(happened) = self.0.get(&week) else { return [const { None }; 3] };
        let number = |count: usize| (count > 0).then(|| count.to_string());
        let alert = (!happened.alerts.is_empty()).then(|| "!".repeat(happened.alerts.len().min(3)));
        [happened.status.map(str::to_owned), number(happened.unhappy.len()), alert]
    }

    /// The same in words.
    pub fn told(&self, week: IsoWeek) -> Vec<String> {
        let Some(happened) = self.0.get(&week) else { return Vec::new() };
        let mut told = happened.statuses.clone();
        if let Some(lowest) = happened.lowest {
            let count = u32::try_from(happened.unhappy.len()).unwrap_or(u32::MAX);
            let from = words::count(count, "user");
            told.push(format!("low answers of {from}, the lowest {lowest}"));
        }
        told.extend(happened.alerts.iter().map(|alert| format!("alert: {alert}")));
        told
    }
}

#[cfg(test)]
mod tests {
    use barometer_cloud::table::answers::{Source, Void};
    use barometer_domain::{
        Percent,
        alert::{Finding, Rule, State},
        status::Status,
    };
    use chrono::{DateTime, TimeDelta, Utc};

    use super::super::samples;
    use super::*;

    fn change(from: Option<Status>, to: Status, days_ago: i64) -> StatusChange {
        let (id, kind) = (format!("{days_ago}"), ChangeKind::of(from, to));
        StatusChange { id, kind, from, status: samples::business_status(to, days_ago) }
    }

    fn answer(user: &str, rating: u8, at: DateTime<Utc>) -> Answer {
        Answer {
            user_id: UserId::new(user).unwrap(),
            rating: Rating::nps(rating).unwrap(),
            comment: None,
            at,
            source: Source::Mail,
            origin: user.to_owned(),
            void: None,
        }
    }

    fn week(name: &str) -> IsoWeek {
        name.parse().unwrap()
    }

    fn gathered(changes: &[StatusChange], answers: &[Answer], alerts: &[Alert]) -> Marks {
        Marks::gather(changes, answers, alerts.iter(), samples::settings().time_zone)
    }

    #[test]
    fn a_status_says_by_its_shape_which_way_it_went_and_a_confirmation_says_nothing() {
        // Now is in 2026-W37; the list comes newest first.
        let marks = gathered(
            &[
                change(Some(Status::Thriving), Status::Thriving, 0),
                change(Some(Status::Struggling), Status::Thriving, 1),
                change(Some(Status::Healthy), Status::Struggling, 7),
                change(None, Status::Healthy, 14),
            ],
            &[],
            &[],
        );
        let signs: Vec<_> = marks.weeks(week("2026-W01")).map(|week| marks.signs(week)[0].clone()).collect();
        assert_eq!(signs, [Some("●".to_owned()), Some("▼".to_owned()), Some("▲".to_owned())]);
        assert_eq!(marks.told(week("2026-W36")), ["status Healthy → Struggling"]);
        assert_eq!(marks.told(week("2026-W35")), ["status first set: Healthy"]);
    }

    #[test]
    fn low_answers_count_their_users_and_neither_void_nor_good_ones() {
        let at = samples::now();
        let void = Void { by: "anna".to_owned(), at, reason: "a test".to_owned() };
        let answers = [
            answer("ada", 6, at),
            answer("ada", 3, at - TimeDelta::minutes(1)),
            answer("bo", 5, at),
            answer("cy", 7, at),
            Answer { void: Some(void), ..answer("di", 0, at) },
        ];
        let marks = gathered(&[], &answers, &[]);
        assert_eq!(marks.signs(week("2026-W37")), [None, Some("2".to_owned()), None]);
        assert_eq!(marks.told(week("2026-W37")), ["low answers of 2 users, the lowest 3 of 10"]);
    }

    #[test]
    fn an_alert_stands_at_the_week_that_it_is_about() {
        let finding = Finding {
            rule: Rule::EngagementSuddenDrop,
            period: week("2026-W36"),
            at: samples::now(),
            severity: Percent::whole(30),
            baseline: None,
            sentence: "30 points below the usual".to_owned(),
        };
        let alert = Alert {
            finding,
            state: State::Resolved,
            opened_at: samples::now(),
            changed_at: samples::now(),
            changed_by: None,
            note: "they are back".to_owned(),
        };
        let marks = gathered(&[], &[], &[alert]);
        assert_eq!(marks.weeks(week("2026-W37")).next(), None);
        assert_eq!(marks.signs(week("2026-W36")), [None, None, Some("!".to_owned())]);
        assert_eq!(marks.told(week("2026-W36")), ["alert: Sudden engagement drop"]);
    }
}
