//! The happiness of a company, recomputed from what its users said, and the recording of an answer with it.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId, answer,
    happiness::{self as rule, Asks, Happiness, Level},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    asking::is_excluded,
    bus::{DetailType, Event},
    table::{answers::Answer, asks::Ask, companies::Readings, instant_key, members::Member},
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
        if let Some(latest) =
            latest(table, workspace, company, &answer.user_id, &answer.origin, answer.at).await?
        {
            if latest.rating == answer.rating && latest.comment == answer.comment {
                return Ok(Recorded::Unchanged);
            }
            // A clock that stands still or lags must not put the change before what it changes.
            answer.at = answer.at.max(latest.at + TimeDelta::microseconds(1));
        }
        let happiness = happiness(table, workspace, company, settings, answer.at, Some(&answer)).await?;
        let events = events(workspace, company, &answer, seen, &happiness)?;
        let readings = Readings { happiness: row.is_some().then_some(happiness), ..Readings::default() };
        let written = if attempt < ATTEMPTS {
            table.record_answer_upon(workspace, company, &answer, &readings, seen, &events).await
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
    let key = format!("{} {}", answer.origin, instant_key(answer.at));
    // The comment stays in the store: the bus is no place for what people write.
    let received = serde_json::json!({
        "user_id": answer.user_id,
        "rating": answer.rating,
        "value": answer.rating.value(),
        "comment": answer.comment.is_some(),
        "source": answer.source,
    });
    let event = |kind, change| Event::new(kind, workspace, Some(company), answer.at, &key, change);
    let mut events = vec![event(DetailType::FeedbackReceived, &received)?];
    let from = before.map_or(Level::NoData, |before| before.level);
    if from != after.level {
        let changed = serde_json::json!({ "from": from, "to": after.level, "by": answer.user_id, "score": after.score });
        events.push(event(DetailType::HappinessChanged, &changed)?);
    }
    Ok(events)
}
