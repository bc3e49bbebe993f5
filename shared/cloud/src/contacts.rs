//! Whom a company's mails go to.

use std::collections::BTreeMap;

use barometer_domain::{
    CompanyId, IsoWeek, Settings, UserId, WorkspaceId, Zone, automation::Contact, calendar::SLOT_SECONDS,
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    StoreError, Table,
    asking::{is_excluded, language},
    table::{companies::Company, members::Member, users::User},
};

/// How many weeks back from the company's latest activity a user is looked for.
const SEEN_WEEKS: i64 = 4;
/// Most primary contacts that one mail goes to.
const MOST: usize = 5;
/// Users who are looked at in vain before nobody is taken to be reachable.
const TRIED: usize = 50;

/// The address at which a user can be mailed: nothing when none is known, mails come back from it, they left, want no
/// automated mails, or the settings exclude them.
pub fn address(member: &Member, user: &User, settings: &Settings, now: DateTime<Utc>) -> Option<String> {
    let email = member.email.as_deref().or(user.email.as_deref()).map(str::trim);
    let email = email.filter(|email| !email.is_empty())?;
    let gone = member.left.is_some_and(|left| left <= settings.time_zone.date(now));
    let closed = gone
        || user.unsubscribed_at.is_some()
        || user.is_unreachable_at(email)
        || is_excluded(settings, &member.user_id, Some(email));
    (!closed).then(|| email.to_owned())
}

/// The address of a user of a company by now; see [`address`].
pub async fn address_of(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    user: &UserId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    let Some(member) = table.member(workspace, company, user).await? else { return Ok(None) };
    let person = table.user(workspace, user).await?.unwrap_or_default();
    let name = member.name.clone().or_else(|| person.name.clone());
    Ok(address(&member, &person, settings, now).map(|address| (address, name)))
}

/// Rule: a mail to a company goes to its primary contacts who can be mailed, else to the user seen last who can be. At most
/// five; nobody when there is none.
pub async fn contacts(
    table: &Table,
    workspace: &WorkspaceId,
    company: &Company,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<Contact>, StoreError> {
    let members = table.members(workspace, &company.company_id).await?;
    let mut found = Vec::new();
    for member in members.iter().filter(|member| member.is_primary_contact()) {
        found.extend(reachable(table, workspace, company, member, settings, now).await?);
        if found.len() == MOST {
            break;
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let seen = last_seen(table, workspace, &company.company_id, settings.time_zone).await?;
    let mut others: Vec<&Member> = members.iter().filter(|member| !member.is_primary_contact()).collect();
    others.sort_by_key(|member| {
        let at = seen.get(&member.user_id).copied().unwrap_or(DateTime::UNIX_EPOCH);
        (std::cmp::Reverse(at), std::cmp::Reverse(member.first_seen_at), member.user_id.clone())
    });
    for member in others.into_iter().take(TRIED) {
        if let Some(contact) = reachable(table, workspace, company, member, settings, now).await? {
            return Ok(vec![contact]);
        }
    }
    Ok(Vec::new())
}

async fn reachable(
    table: &Table,
    workspace: &WorkspaceId,
    company: &Company,
    member: &Member,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Option<Contact>, StoreError> {
    let user = table.user(workspace, &member.user_id).await?.unwrap_or_default();
    let name = member.name.clone().or_else(|| user.name.clone());
    let language = language(member, &user, company, settings);
    Ok(address(member, &user, settings, now).map(|_| Contact {
        user_id: member.user_id.clone(),
        name,
        language,
    }))
}

/// The latest activity of every user who was active in the last weeks of the company's activity, to five minutes.
pub async fn last_seen(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    zone: Zone,
) -> Result<BTreeMap<UserId, DateTime<Utc>>, StoreError> {
    let Some((latest, mut active)) = table.latest_activity(workspace, company).await? else {
        return Ok(BTreeMap::new());
    };
    let mut seen = BTreeMap::new();
    let mut week: IsoWeek = latest;
    for back in 0..SEEN_WEEKS {
        if back > 0 {
            week = latest.plus(-back);
            active = table.activity_of_week(workspace, company, week).await?;
        }
        for (user, activity) in &active {
            if let Some(slot) = activity.slots.last() {
                let at = week.start(zone) + TimeDelta::seconds(i64::from(*slot) * SLOT_SECONDS);
                seen.entry(user.clone()).or_insert(at);
            }
        }
    }
    Ok(seen)
}
