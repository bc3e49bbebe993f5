//! The happiness of a company, recomputed from what its users said, and the recording of an answer with it.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId,
    alert::Finding,
    answer,
    automation::{Settled, settle},
    happiness::{self as rule, Asks, Happiness, Level},
    happiness_change::HappinessChange,
    happiness_drop::{Ratings, happiness_drop},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    asking::is_excluded,
    bus::{DetailType, Event},
    table::{
        answers::{Answer, Before, Place},
        asks::Ask,
        companies::Readings,
        instant_key,
        members::Member,
    },
};

/// How often an answer is tried again when another one of the same company comes at the same time.
const ATTEMPTS: usize = 8;

/// How long an answer can be revised: as long as its link works.
const REVISABLE: TimeDelta = TimeDelta::days(31);

/// Rule: happiness level, from everything that is stored at `now`, and `extra`, an answer that is about to be.
/// Answers of members who left or are excluded don't count.
pub async fn happiness(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    settings: &Settings,
    now: DateTime<Utc>,
    extra: Option<&Answer>,
) -> Result<Happiness, StoreError> {
    let mut answers = table.answers(workspace, company, now - settings.answer_age(), now).await?;
    answers.extend(extra.cloned());
    let members = table.members(workspace, company).await?;
    let asks = table.asks(workspace, company).await?;
    Ok(compute(&answers, &members, &asks, settings, now))
}

/// Rule: happiness level, from the answers within their age at `now` and before, the members and the asks of a
/// company.
pub fn compute(
    answers: &[Answer],
    members: &[Member],
    asks: &[Ask],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Happiness {
    let counted = counted(answers, members, settings, now);
    let since = now - settings.answer_age();
    let answered: BTreeSet<&str> = answers.iter().map(|answer| answer.origin.as_str()).collect();
    let mut sums = Asks::default();
    let mut rounds: BTreeMap<&UserId, u32> = BTreeMap::new();
    for ask in asks.iter().filter(|ask| ask.is_delivered()) {
        let round = rounds.entry(&ask.user_id).or_default();
        *round += 1;
        sums.rounds = sums.rounds.max(*round);
        if ask.accepted_at.is_some_and(|at| at >= since && at <= now) {
            sums.delivered += 1;
            // The answer itself counts too: the ask is marked only after it.
            let is_answered =
                ask.answered_at.is_some() || answered.contains(ask.send_id.to_string().as_str());
            sums.answered += u32::from(is_answered);
        }
    }
    rule::happiness(&counted, sums, now, settings.answer_age(), settings.happiness_levels)
}

/// The answers of members who haven't left and aren't excluded, without void ones.
pub fn counted(
    answers: &[Answer],
    members: &[Member],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Vec<answer::Answer> {
    let today = settings.time_zone.date(now);
    let active: BTreeSet<&UserId> = members
        .iter()
        .filter(|member| member.left.is_none_or(|left| left > today))
        .filter(|member| !is_excluded(settings, &member.user_id, member.email.as_deref()))
        .map(|member| &member.user_id)
        .collect();
    answers.iter().filter(|answer| active.contains(&answer.user_id)).filter_map(Answer::counted).collect()
}

/// Rule: sudden drop of happiness at `now`, against what counted one cadence ago. `answers` reach back as far as that
/// needs.
pub fn dropped(
    answers: &[Answer],
    members: &[Member],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Option<Finding> {
    let counted = counted(answers, members, settings, now);
    let then = ratings(&counted, settings, now - settings.cadence_days.duration());
    happiness_drop(&then, &ratings(&counted, settings, now), settings.time_zone)
}

/// Why the happiness at `now` isn't that of an instant before. `answers` reach back as far as that needs.
pub fn changed(
    answers: &[Answer],
    members: &[Member],
    settings: &Settings,
    (then, now): (DateTime<Utc>, DateTime<Utc>),
) -> HappinessChange {
    let counted = counted(answers, members, settings, now);
    let [before, after] = [then, now].map(|at| ratings(&counted, settings, at));
    HappinessChange::between(&before, &after, now - settings.answer_age())
}

/// The ratings that count at an instant; one given at that very instant counts.
fn ratings<'a>(counted: &'a [answer::Answer], settings: &Settings, at: DateTime<Utc>) -> Ratings<'a> {
    let instant = TimeDelta::microseconds(1);
    answer::latest_per_user(counted, at + instant, settings.answer_age() + instant)
}

/// When a company that is silent became so: with the second ask of some user, or when its last answer grew too old,
/// whichever came later. Nothing while nobody was asked twice.
pub fn silent_since(answers: &[Answer], asks: &[Ask], settings: &Settings) -> Option<DateTime<Utc>> {
    let mut of_users: BTreeMap<&UserId, Vec<DateTime<Utc>>> = BTreeMap::new();
    for ask in asks.iter().filter(|ask| ask.is_delivered()) {
        of_users.entry(&ask.user_id).or_default().extend(ask.accepted_at);
    }
    let second = of_users.values_mut().filter_map(|accepted| {
        accepted.sort_unstable();
        accepted.get(1).copied()
    });
    let faded = answers.iter().map(|answer| answer.at + settings.answer_age()).max();
    second.min().map(|second| faded.map_or(second, |faded| second.max(faded)))
}

/// What recording an answer did.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// It was written, with these events in the outbox; to be published now.
    New(Vec<Event>),
    /// It says what the user's latest answer to the same ask says already. Nothing was written.
    Unchanged,
}

/// Records an answer: the answer, the company's happiness recomputed with it and the events that tell of both,
/// all or nothing. `answer.at` is now. When another answer of the company is recorded at the same moment, the
/// later of the two starts again, so that neither is missing in the happiness. Errors:
/// [`StoreError::Conflict`] when that happens again and again.
pub async fn record(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    settings: &Settings,
    answer: &Answer,
) -> Result<Recorded, StoreError> {
    for attempt in 1..=ATTEMPTS {
        // Read before the answers: whoever writes after this read changes it and stops us.
        let row = table.company(workspace, company).await?;
        let seen = row.as_ref().and_then(|row| row.happiness.as_ref());
        let mut answer = answer.clone();
        let revised = latest(table, workspace, company, &answer.user_id, &answer.origin, answer.at).await?;
        if let Some(latest) = &revised {
            if latest.rating == answer.rating && latest.comment == answer.comment {
                return Ok(Recorded::Unchanged);
            }
            // A clock that stands still or lags must not put the change before what it changes.
            answer.at = answer.at.max(latest.at + TimeDelta::microseconds(1));
        }
        let happiness = happiness(table, workspace, company, settings, answer.at, Some(&answer)).await?;
        let mut events = events(workspace, company, &answer, seen, &happiness)?;
        let known = row.as_ref().and_then(|row| row.settled_level);
        let settled = settled(known, None, &happiness, settings);
        let key = answer_key(&answer);
        events.extend(settled_event(workspace, company, settled, (answer.at, &key))?);
        let readings = Readings {
            settled_level: settled.transition().map(|(_, level)| level).filter(|_| row.is_some()),
            happiness: row.is_some().then_some(happiness),
            ..Readings::default()
        };
        let written = if attempt < ATTEMPTS {
            let before = Before { happiness: seen, revised: revised.as_ref() };
            table.record_answer_upon(workspace, company, &answer, before, &readings, &events).await
        } else {
            // An answer is worth more than an exact happiness, which the next answer or week mends.
            table.record_answer(workspace, company, &answer, &readings, &events).await
        };
        match written {
            Ok(()) => return Ok(Recorded::New(events)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// Recomputes a company's happiness from what is stored at `now`, after an answer that came without it, was voided or
/// removed. Returns the events that tell of another level; they lie in the outbox. When answers are recorded at the same
/// moment it starts again. Errors: [`StoreError::Conflict`] when that happens again and again.
pub async fn refresh(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<Event>, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(row) = table.company(workspace, company).await? else { return Ok(Vec::new()) };
        let after = happiness(table, workspace, company, settings, now, None).await?;
        if row.happiness.as_ref() == Some(&after) || (row.happiness.is_none() && after.answers == 0) {
            return Ok(Vec::new());
        }
        let key = format!("refreshed {}", instant_key(now));
        let seen = row.happiness.as_ref();
        let settled = settled(row.settled_level, None, &after, settings);
        let level = level_change(workspace, company, seen, &after, None, (now, &key))?;
        let settles = settled_event(workspace, company, settled, (now, &key))?;
        let events: Vec<Event> = level.into_iter().chain(settles).collect();
        let readings = Readings {
            happiness: Some(after),
            settled_level: settled.transition().map(|(_, level)| level),
            ..Readings::default()
        };
        match table.write_happiness_upon(workspace, company, &readings, seen, &events).await {
            Ok(()) => return Ok(events),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// The latest revision of a user's answer to one ask or event, as of `now`.
pub async fn latest(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    user: &UserId,
    origin: &str,
    now: DateTime<Utc>,
) -> Result<Option<Answer>, StoreError> {
    Ok(revisions(table, workspace, company, user, origin, now).await?.pop())
}

/// All revisions of a user's answer to one ask or event, as of `now`, oldest first, without void ones.
pub async fn revisions(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    user: &UserId,
    origin: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Answer>, StoreError> {
    // A little ahead: another machine's clock may be.
    let mut answers = table.answers(workspace, company, now - REVISABLE, now + TimeDelta::minutes(5)).await?;
    answers.retain(|answer| answer.user_id == *user && answer.origin == origin && answer.void.is_none());
    answers.sort_by_key(|answer| answer.at);
    Ok(answers)
}

fn events(
    workspace: &WorkspaceId,
    company: &CompanyId,
    answer: &Answer,
    before: Option<&Happiness>,
    after: &Happiness,
) -> Result<Vec<Event>, StoreError> {
    let key = answer_key(answer);
    let mut events = vec![received(workspace, company, answer, &key)?];
    let by = Some(&answer.user_id);
    events.extend(level_change(workspace, company, before, after, by, (answer.at, &key))?);
    Ok(events)
}

/// The event that tells of an answer. `key` names the answer within the workspace.
pub fn received(
    workspace: &WorkspaceId,
    company: &CompanyId,
    answer: &Answer,
    key: &str,
) -> Result<Event, StoreError> {
    // The comment stays in the store: the bus is no place for what people write.
    let change = serde_json::json!({
        "answer_id": Place::of(company, answer).id(),
        "user_id": answer.user_id,
        "rating": answer.rating,
        "value": answer.rating.value(),
        "comment": answer.comment.is_some(),
        "source": answer.source,
        "by": answer.user_id,
    });
    Ok(Event::new(DetailType::FeedbackReceived, workspace, Some(company), answer.at, key, &change)?)
}

/// What names an answer's events within the workspace.
fn answer_key(answer: &Answer) -> String {
    format!("{} {}", answer.origin, instant_key(answer.at))
}

/// Rule: what automations take the happiness for, before and now. `previous` is the level of the week's evaluation before:
/// answers in between are no evaluations that a level could be held for.
pub fn settled(
    before: Option<Level>,
    previous: Option<Level>,
    happiness: &Happiness,
    settings: &Settings,
) -> Settled<Level> {
    let settle = |score| settle(settings.happiness_levels, before, previous, score);
    Settled { before, now: happiness.score.map_or(before, settle) }
}

/// The event that tells automations of a level that has settled, if it is another one.
pub fn settled_event(
    workspace: &WorkspaceId,
    company: &CompanyId,
    settled: Settled<Level>,
    (at, key): (DateTime<Utc>, &str),
) -> Result<Option<Event>, StoreError> {
    let Some((from, to)) = settled.transition() else { return Ok(None) };
    let change = serde_json::json!({ "from": from, "to": to, "by": "barometer" });
    Ok(Some(Event::new(DetailType::HappinessSettled, workspace, Some(company), at, key, &change)?))
}

/// The event that tells of another level of happiness, if it is another one.
fn level_change(
    workspace: &WorkspaceId,
    company: &CompanyId,
    before: Option<&Happiness>,
    after: &Happiness,
    by: Option<&UserId>,
    (at, key): (DateTime<Utc>, &str),
) -> Result<Option<Event>, StoreError> {
    let from = before.map_or(Level::NoData, |before| before.level);
    if from == after.level {
        return Ok(None);
    }
    let by = by.map_or("barometer", UserId::as_str);
    let change = serde_json::json!({ "from": from, "to": after.level, "by": by, "score": after.score });
    Ok(Some(Event::new(DetailType::HappinessChanged, workspace, Some(company), at, key, &change)?))
}
