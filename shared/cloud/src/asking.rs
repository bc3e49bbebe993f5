//! When users are asked: what the sweep, the answer page and the switch of a company decide in the same way.

use barometer_domain::{CompanyId, Settings, UserId, WorkspaceId, Zone, ask, language::Language, ramp};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    table::{companies::Company, members::Member, users::User},
};

/// How often the sweep comes.
pub const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(15);

/// The zone in which a user's mails are timed: the user's, else the company's, else the workspace's.
pub fn zone(member: &Member, user: &User, company: &Company, settings: &Settings) -> Zone {
    member.time_zone.or(user.time_zone).or(company.time_zone).unwrap_or(settings.time_zone)
}

/// The language in which a user is asked: the user's, else the company's, else the workspace's. Of a user who speaks none
/// of ours, that is the company's too.
pub fn language(member: &Member, user: &User, company: &Company, settings: &Settings) -> Language {
    let spoken = member.language.as_deref().or(user.language.as_deref());
    Language::of_user(spoken, company.language.unwrap_or(settings.mail.language))
}

/// The user's slot ([`ask::next_slot`]) as the sweep can keep it: at the beginning of its quarter of an hour.
/// A slot in the last quarter of the window would otherwise be found only when the window is over. Never
/// earlier than `due`.
pub fn slot(due: DateTime<Utc>, user: &UserId, zone: Zone) -> DateTime<Utc> {
    let first = quarter(ask::next_slot(due, user, zone));
    if first >= due { first } else { quarter(ask::next_slot(due + SWEEP_EVERY, user, zone)) }
}

fn quarter(at: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = at.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(SWEEP_EVERY.num_seconds()), 0).unwrap_or(at)
}

/// Whether the settings leave a user out of everything that counts.
pub fn is_excluded(settings: &Settings, user: &UserId, email: Option<&str>) -> bool {
    settings.exclusions.user_ids.contains(user)
        || email.is_some_and(|email| settings.exclusions.excludes_email(email))
}

/// The earliest instant at which a member may be asked again: 14 days after being first seen, the cadence with
/// its back-off after the last ask for this company, the cadence after the last one for any company, and 30 days after
/// an answer to another survey.
pub fn due(member: &Member, user: &User, settings: &Settings) -> DateTime<Utc> {
    let cadence = settings.cadence_days.duration();
    let own = ask::due(member.first_seen_at, member.last_ask_at, ask::cadence(cadence, member.unanswered));
    let asked = user.last_ask_at.map(|last| last + cadence);
    let surveyed = user.last_surveyed_at.map(|last| last + ask::AFTER_OTHER_SURVEY);
    [asked, surveyed].into_iter().flatten().fold(own, DateTime::max)
}

/// Puts every member of a company who can be asked on the list of those to be asked, for when the CSM turns
/// asking on: at the slot after now, 14 days after being first seen and the cadence after the last ask,
/// whichever is latest. Where nobody was ever asked, those whose turn it is by now are a backlog, which is spread over
/// up to 30 days. Members without an address, gone or excluded are left off the list. Returns how many were put on it.
pub async fn schedule_company(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<u32, StoreError> {
    let Some(row) = table.company(workspace, company).await? else { return Ok(0) };
    let members = table.members(workspace, company).await?;
    let first = members.iter().all(|member| member.last_ask_at.is_none());
    let mut askable = Vec::new();
    for member in members {
        let user = table.user(workspace, &member.user_id).await?.unwrap_or_default();
        let email = member.email.as_deref().or(user.email.as_deref());
        let gone = member.left.is_some_and(|left| left <= settings.time_zone.date(now));
        if email.is_some() && !gone && !is_excluded(settings, &member.user_id, email) {
            let due = due(&member, &user, settings);
            askable.push((zone(&member, &user, &row, settings), due, member.user_id));
        }
    }
    let backlog = askable.iter().filter(|(_, due, _)| *due <= now).count();
    let backlog = if first { u32::try_from(backlog).unwrap_or(u32::MAX) } else { 0 };
    for (zone, due, user) in &askable {
        let later = if *due <= now { ramp::spread(user, backlog) } else { TimeDelta::zero() };
        let at = slot((*due).max(now) + later, user, *zone);
        table.schedule_ask(workspace, company, user, Some(at)).await?;
    }
    Ok(u32::try_from(askable.len()).unwrap_or(u32::MAX))
}

/// Ends a member's back-off after an answer: the next ask comes no later than the plain cadence after the last
/// one. Somebody who is off the list stays off it.
pub async fn end_back_off(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    user: &UserId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    table.record_answered(workspace, company, user).await?;
    let Some(member) = table.member(workspace, company, user).await? else { return Ok(()) };
    let Some(planned) = member.due_at else { return Ok(()) };
    let person = table.user(workspace, user).await?.unwrap_or_default();
    let Some(row) = table.company(workspace, company).await? else { return Ok(()) };
    let at = slot(due(&member, &person, settings).max(now), user, zone(&member, &person, &row, settings));
    if at < planned {
        table.schedule_ask(workspace, company, user, Some(at)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_sweep_in_the_window_and_never_early() {
        for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Europe/Berlin"] {
            let zone: Zone = zone.parse().unwrap();
            for number in 0..200 {
                let user = UserId::new(format!("u{number}")).unwrap();
                let due: DateTime<Utc> = DateTime::from_timestamp(1_788_000_000 + number * 7_919, 0).unwrap();
                let at = slot(due, &user, zone);
                assert!(at >= due && at - due <= TimeDelta::days(4), "{zone} {due} {at}");
                assert_eq!(at.timestamp() % SWEEP_EVERY.num_seconds(), 0);
                assert!(ask::in_window(at, zone), "{zone} {at}");
                assert_eq!(slot(at, &user, zone), at);
            }
        }
    }
}
