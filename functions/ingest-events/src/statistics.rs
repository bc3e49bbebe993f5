//! What came from each source, for the people who wonder why nothing arrives: counted here, written now and then.
//!
//! A quiet source's numbers are written with each request, a busy one's once in ten seconds and process, so that
//! they cost next to nothing beside its events. What a process hasn't written when it ends is lost: at most ten
//! seconds of its numbers, never an event. That the numbers can't be written never fails a request.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use barometer_cloud::{
    StoreError, Table,
    lambda::Chain,
    table::sources::{Counts, Reason, Unit},
};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    access::{Closed, Grant},
    bucket::{Bucket, Limit},
    read::Reading,
    refusal::Refusal,
};

/// How often a source's numbers are written: once in ten seconds, ten times at once after a pause.
const WRITES: Limit = Limit { rate: 0.1, burst: 10.0 };

/// How often they are written because something was not taken: once in two seconds.
const PROMPT: Limit = Limit { rate: 0.5, burst: 10.0 };

/// How often it is looked for sources whose numbers wait, though they have sent nothing more.
const SWEEP: TimeDelta = TimeDelta::seconds(1);

/// Most sources whose numbers are waited with; what comes from others then isn't counted.
const MAX_SOURCES: usize = 10_000;

/// Most sources written in one go, so that no request waits for many.
const MAX_AT_ONCE: usize = 4;

/// The longest that a request waits for its numbers to be written.
const PATIENCE: Duration = Duration::from_secs(1);

/// Longest message and example's id that are kept, in characters.
const LONGEST: usize = 200;

/// A source, whoever's it is.
type Place = (WorkspaceId, String);

/// Reasons by what is counted and code.
type Reasons = BTreeMap<(Unit, &'static str), Reason>;

/// What came from a source and hasn't been written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    counts: Counts,
    reasons: Reasons,
}

impl Tally {
    /// A request whose events were stored, except those that were rejected.
    pub fn taken(reading: &Reading, now: DateTime<Utc>) -> Self {
        let accepted = reading.events.len();
        let mut tally = Self {
            counts: Counts {
                accepted: accepted as u64,
                rejected: reading.rejected as u64,
                refused: 0,
                last_event_at: (accepted > 0).then_some(now),
            },
            reasons: BTreeMap::new(),
        };
        // Only the first thousand of a request are listed, and so counted by reason.
        for remark in &reading.errors {
            let reason = Reason {
                unit: Unit::Event,
                code: remark.code.to_owned(),
                message: cut(&remark.message),
                message_id: remark.message_id.as_deref().map(cut),
                index: Some(remark.index as u64),
                last_at: now,
                count: 1,
            };
            tally.because(remark.code, reason);
        }
        tally
    }

    /// A request that was refused as a whole; `path` is the one it was sent to.
    pub fn refused(refusal: &Refusal, path: &str, now: DateTime<Utc>) -> Self {
        let message = match refusal {
            Refusal::NotFound | Refusal::Method { .. } => format!("{refusal}: {path}"),
            _ => refusal.to_string(),
        };
        Self::request(refusal.code(), &message, now)
    }

    /// A request whose key doesn't work.
    pub fn closed(closed: Closed, now: DateTime<Utc>) -> Self {
        Self::request(closed.code(), &closed.to_string(), now)
    }

    fn request(code: &'static str, message: &str, now: DateTime<Utc>) -> Self {
        let mut tally = Self { counts: Counts { refused: 1, ..Counts::default() }, ..Self::default() };
        let message = cut(message);
        let unit = Unit::Request;
        let code_text = code.to_owned();
        let reason =
            Reason { unit, code: code_text, message, message_id: None, index: None, last_at: now, count: 1 };
        tally.because(code, reason);
        tally
    }

    fn because(&mut self, code: &'static str, reason: Reason) {
        match self.reasons.entry((reason.unit, code)) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(reason);
            }
            std::collections::btree_map::Entry::Occupied(mut occupied) => {
                let known = occupied.get_mut();
                let count = known.count + reason.count;
                if reason.last_at >= known.last_at {
                    *known = reason;
                }
                known.count = count;
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.counts.add(&other.counts);
        for ((_, code), reason) in other.reasons {
            self.because(code, reason);
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// What of a source waits, and how often it was written.
#[derive(Debug)]
struct Entry {
    waiting: BTreeMap<NaiveDate, Tally>,
    writes: Bucket,
    prompt: Bucket,
}

impl Entry {
    fn new(now: DateTime<Utc>) -> Self {
        Self { waiting: BTreeMap::new(), writes: Bucket::full(now), prompt: Bucket::full(now) }
    }

    /// Whether what waits may be written now.
    fn is_due(&mut self, now: DateTime<Utc>) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let trouble = self.waiting.values().any(|tally| !tally.reasons.is_empty());
        self.writes.take(1.0, WRITES, now, TimeDelta::zero()).is_ok()
            || (trouble && self.prompt.take(1.0, PROMPT, now, TimeDelta::zero()).is_ok())
    }

    fn is_idle(&mut self, now: DateTime<Utc>) -> bool {
        self.waiting.is_empty() && self.writes.is_full(WRITES, now) && self.prompt.is_full(PROMPT, now)
    }
}

#[derive(Debug, Default)]
struct Entries {
    sources: HashMap<Place, Entry>,
    swept_at: Option<DateTime<Utc>>,
}

impl Entries {
    fn entry(&mut self, place: &Place, now: DateTime<Utc>) -> Option<&mut Entry> {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(place) {
            self.sources.retain(|_, entry| !entry.is_idle(now));
            if self.sources.len() >= MAX_SOURCES {
                return None;
            }
        }
        Some(self.sources.entry(place.clone()).or_insert_with(|| Entry::new(now)))
    }

    fn due(&mut self, now: DateTime<Utc>) -> Vec<Due> {
        self.swept_at = Some(now);
        self.sources
            .iter_mut()
            .filter_map(|(place, entry)| {
                entry.is_due(now).then(|| (place.clone(), std::mem::take(&mut entry.waiting)))
            })
            .take(MAX_AT_ONCE)
            .collect()
    }
}

/// A source with what is to be written of it.
type Due = (Place, BTreeMap<NaiveDate, Tally>);

/// The numbers of one process.
#[derive(Debug)]
pub struct Statistics {
    table: Table,
    entries: Mutex<Entries>,
}

impl Statistics {
    /// Nothing counted yet; to be written to `table`.
    pub fn new(table: Table) -> Self {
        Self { table, entries: Mutex::default() }
    }

    fn with<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        // A panic while the lock was held leaves numbers a little off at worst.
        access(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts without writing: for when the table can't be reached anyway.
    pub fn count(&self, grant: &Grant, tally: Tally, now: DateTime<Utc>) {
        let place = (grant.known.workspace.clone(), grant.source.id.clone());
        self.with(|entries| {
            if let Some(entry) = entries.entry(&place, now) {
                entry.waiting.entry(now.date_naive()).or_default().add(tally);
            }
        });
    }

    /// Counts, and writes what is due.
    pub async fn note(&self, grant: &Grant, tally: Tally, now: DateTime<Utc>) {
        self.count(grant, tally, now);
        let place = (grant.known.workspace.clone(), grant.source.id.clone());
        let mut due = self.with(|entries| {
            let sweep = entries.swept_at.is_none_or(|at| now < at || now >= at + SWEEP);
            if sweep { entries.due(now) } else { Vec::new() }
        });
        // The source itself comes first in any case: it is not in `due` when others filled that.
        if let Some(own) = self.with(|entries| {
            let entry = entries.sources.get_mut(&place)?;
            entry.is_due(now).then(|| (place.clone(), std::mem::take(&mut entry.waiting)))
        }) {
            due.push(own);
        }
        self.write(due, now).await;
    }

    /// Writes what is due of sources that have sent nothing more.
    pub async fn write_due(&self, now: DateTime<Utc>) {
        let due = self.with(|entries| entries.due(now));
        self.write(due, now).await;
    }

    /// Writes everything that waits, before the process ends.
    pub async fn write_all(&self, now: DateTime<Utc>) {
        let all = self.with(|entries| {
            let waiting = entries.sources.iter_mut().filter(|(_, entry)| !entry.waiting.is_empty());
            waiting.map(|(place, entry)| (place.clone(), std::mem::take(&mut entry.waiting))).collect()
        });
        self.write(all, now).await;
    }

    async fn write(&self, due: Vec<Due>, now: DateTime<Utc>) {
        let writes = due
            .into_iter()
            .flat_map(|(place, days)| days.into_iter().map(move |(day, tally)| (place.clone(), day, tally)));
        let work: Vec<_> = writes.map(|(place, day, tally)| self.write_day(place, day, tally, now)).collect();
        stream::iter(work).buffer_unordered(MAX_AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Writes one day of a source. What isn't written waits on; of what was under way when patience ended nobody
    /// knows, and it waits on too: a number may then be too high, but trouble isn't hidden.
    async fn write_day(&self, place: Place, day: NaiveDate, mut tally: Tally, now: DateTime<Utc>) {
        let written = tokio::time::timeout(PATIENCE, self.attempt(&place, day, &mut tally)).await;
        match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "a source's numbers not written"),
            Err(_) => tracing::warn!("a source's numbers not written in time"),
        }
        self.with(|entries| {
            if let Some(entry) = entries.entry(&place, now) {
                entry.waiting.entry(day).or_default().add(tally);
            }
        });
    }

    /// Writes; what is written is taken out of `tally`.
    async fn attempt(&self, place: &Place, day: NaiveDate, tally: &mut Tally) -> Result<(), StoreError> {
        let (workspace, id) = place;
        if !tally.counts.is_empty() {
            self.table.add_source_counts(workspace, id, day, &tally.counts).await?;
            tally.counts = Counts::default();
        }
        // Made before they are polled: as a stream's closure they would not be known to be `Send`.
        let writes: Vec<_> = tally
            .reasons
            .values()
            .map(|reason| self.table.add_source_reason(workspace, id, day, reason))
            .collect();
        stream::iter(writes).buffer_unordered(MAX_AT_ONCE).try_collect::<Vec<()>>().await?;
        tally.reasons.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Remark};

    fn at(second: i64) -> DateTime<Utc> {
        let noon: DateTime<Utc> = "2026-09-07T12:00:00Z".parse().unwrap();
        noon + TimeDelta::seconds(second)
    }

    fn rejected(index: usize, id: &str) -> Remark {
        Remark::fault(index, Some(id.to_owned()), &Fault::MissingUser)
    }

    #[test]
    fn a_tally_says_how_many_why_and_which_came_last() {
        let errors = vec![rejected(0, "a"), rejected(7, "b")];
        let reading = Reading { rejected: 2, errors, ..Reading::default() };
        let mut tally = Tally::taken(&reading, at(0));
        tally.add(Tally::refused(&Refusal::NotFound, "/v1/trakc", at(1)));
        tally.add(Tally::taken(
            &Reading { rejected: 1, errors: vec![rejected(2, "c")], ..Reading::default() },
            at(2),
        ));
        assert_eq!(tally.counts, Counts { accepted: 0, rejected: 3, refused: 1, last_event_at: None });
        let missing = &tally.reasons[&(Unit::Event, "missing_user")];
        assert_eq!((missing.count, missing.message_id.as_deref(), missing.index), (3, Some("c"), Some(2)));
        assert_eq!(missing.last_at, at(2));
        let path = &tally.reasons[&(Unit::Request, "not_found")];
        assert_eq!(path.message, "there is nothing at this path: /v1/trakc");
    }

    #[test]
    fn what_clients_send_is_cut() {
        let long = "é".repeat(5_000);
        let errors = vec![rejected(0, &long)];
        let tally = Tally::taken(&Reading { rejected: 1, errors, ..Reading::default() }, at(0));
        let kept = tally.reasons[&(Unit::Event, "missing_user")].message_id.clone().unwrap();
        assert_eq!(kept.len(), 256, "an answer lists no more of an id");
        let path = Tally::refused(&Refusal::NotFound, &long, at(0));
        assert_eq!(path.reasons[&(Unit::Request, "not_found")].message.chars().count(), LONGEST);
    }

    /// When a source that sends every second is written in two minutes.
    fn written(tally: &Tally) -> Vec<i64> {
        let mut entry = Entry::new(at(0));
        (0..120)
            .filter(|second| {
                entry.waiting.entry(at(*second).date_naive()).or_default().add(tally.clone());
                let due = entry.is_due(at(*second));
                if due {
                    entry.waiting.clear();
                }
                due
            })
            .collect()
    }

    #[test]
    fn a_busy_source_is_written_every_ten_seconds_and_trouble_every_two() {
        let fine = Tally { counts: Counts { accepted: 100, ..Counts::default() }, ..Tally::default() };
        let times = written(&fine);
        assert_eq!(times[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "the first ones at once");
        let pauses: Vec<i64> = times[11..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.len() > 8 && pauses.iter().all(|pause| *pause == 10), "{times:?}");

        let trouble = written(&Tally::refused(&Refusal::NotFound, "/", at(0)));
        let late: Vec<i64> = trouble.into_iter().filter(|second| *second >= 60).collect();
        assert!((30..=37).contains(&late.len()), "{late:?}");
    }

    #[test]
    fn a_quiet_source_is_exact() {
        let mut entry = Entry::new(at(0));
        for request in 0..50 {
            let now = at(request * 11);
            entry.waiting.entry(now.date_naive()).or_default().counts.accepted += 1;
            assert!(entry.is_due(now), "{request}");
            entry.waiting.clear();
            assert!(!entry.is_due(now), "nothing waits");
        }
    }
}
