//! Which schedule is due next.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::template::{Schedule, Template};

/// All schedules, in the template's order.
#[derive(Debug, Clone)]
pub struct Timetable(Vec<Entry>);

/// A schedule and the function it calls.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The function's name.
    pub function: String,
    /// The schedule.
    pub schedule: Schedule,
}

impl Timetable {
    /// Collects the schedules of every function.
    #[must_use]
    pub fn new(template: &Template) -> Self {
        let entries = template.functions.iter().flat_map(|function| {
            let entry =
                |schedule: &Schedule| Entry { function: function.name.clone(), schedule: schedule.clone() };
            function.schedules.iter().map(entry)
        });
        Self(entries.collect())
    }

    /// Gives every schedule that has none a cursor at `now` and forgets those that are no longer there.
    pub fn begin(&self, cursors: &mut BTreeMap<String, DateTime<Utc>>, now: DateTime<Utc>) {
        cursors.retain(|id, _| self.0.iter().any(|entry| entry.schedule.id == *id));
        for entry in &self.0 {
            cursors.entry(entry.schedule.id.clone()).or_insert(now);
        }
    }

    /// The next run after the cursors: the earliest, and of those at the same instant the first in the
    /// template.
    #[must_use]
    pub fn next(&self, cursors: &BTreeMap<String, DateTime<Utc>>) -> Option<(DateTime<Utc>, &Entry)> {
        self.0
            .iter()
            .filter_map(|entry| {
                let cursor = cursors.get(&entry.schedule.id)?;
                Some((entry.schedule.expression.next_after(*cursor)?, entry))
            })
            // The first of equals is kept.
            .min_by_key(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_come_in_order_and_ties_in_the_templates_order() {
        let event = |cron: &str| {
            format!("Type: ScheduleV2, Properties: {{ScheduleExpression: 'cron({cron})', Input: '{{}}'}}")
        };
        let function = |name: &str, cron: &str| {
            format!(
                "  {name}:\n    Type: AWS::Serverless::Function\n    Metadata: {{BarometerFunction: {name}}}\n    \
                 Properties: {{Events: {{E: {{{}}}}}}}\n",
                event(cron)
            )
        };
        let text = format!("Resources:\n{}{}", function("b", "0/30 * * * ? *"), function("a", "0 * * * ? *"));
        let timetable = Timetable::new(&Template::parse(&text).unwrap());
        let now: DateTime<Utc> = "2026-09-07T10:00:00Z".parse().unwrap();
        let mut cursors = BTreeMap::from([("gone.E".to_owned(), now)]);
        timetable.begin(&mut cursors, now);
        assert_eq!(cursors.len(), 2);
        let mut runs = Vec::new();
        for _ in 0..4 {
            let (due, entry) = timetable.next(&cursors).unwrap();
            runs.push(format!("{} {}", due.format("%H:%M"), entry.function));
            cursors.insert(entry.schedule.id.clone(), due);
        }
        assert_eq!(runs, ["10:30 b", "11:00 b", "11:00 a", "11:30 b"]);
    }
}
