//! Whose activity it is, when the event doesn't say it all: the company a user named in another request, the person
//! an anonymous id turned out to be.
//!
//! Two requests may race, one with the activity and one with the fact that places it. Each writes first and looks
//! for the other's afterwards, so whichever comes second sees both and the activity is never left behind.

use std::collections::BTreeMap;

use barometer_cloud::{StoreError, table::users::Identity};
use barometer_domain::{CompanyId, IsoWeek, UserId};
use chrono::TimeDelta;

use crate::{
    batch::{Batch, PersonNote, Visit},
    store::Context,
};

/// How long activity waits for a company.
const WAITS: TimeDelta = TimeDelta::days(7);

/// How often a move is tried when something is added while it goes on.
const TRIES: u32 = 8;

/// Puts the person that is known behind an anonymous id in its place.
pub(crate) async fn resolve(context: &Context<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    let mut known: BTreeMap<UserId, UserId> = BTreeMap::new();
    for (user, note) in &batch.people {
        known.extend(note.aliases.iter().map(|alias| (alias.clone(), user.clone())));
    }
    for anonymous in &batch.anonymous {
        if !known.contains_key(anonymous)
            && let Some(found) = context.table.user(context.workspace, anonymous).await?
            && let Some(user) = found.alias_of
        {
            known.insert(anonymous.clone(), user);
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    let owner = |user: UserId| known.get(&user).cloned().unwrap_or(user);
    for ((user, company), visit) in std::mem::take(&mut batch.visits) {
        let user = owner(user);
        let visit = belonging_to(visit, &user);
        batch.visits.entry((user, company)).or_default().merge(visit);
    }
    for (user, visits) in std::mem::take(&mut batch.homeless) {
        let user = owner(user);
        let visits = visits.into_iter().map(|(at, visit)| (at, belonging_to(visit, &user)));
        batch.homeless.entry(user.clone()).or_default().extend(visits);
    }
    batch.anonymous.retain(|anonymous| !known.contains_key(anonymous));
    Ok(())
}

fn belonging_to(mut visit: Visit, user: &UserId) -> Visit {
    for answer in &mut visit.answers {
        answer.user_id = user.clone();
    }
    visit
}

/// Finds the company of events that name none, by the groups their user named; returns what has to wait.
pub(crate) async fn find_companies(
    context: &Context<'_>,
    batch: &mut Batch,
) -> Result<BTreeMap<UserId, Visit>, StoreError> {
    let mut waiting = BTreeMap::<UserId, Visit>::new();
    for (user, visits) in std::mem::take(&mut batch.homeless) {
        let identity = context.table.identity(context.workspace, &user).await?;
        for (at, visit) in visits {
            match identity.company_at(at) {
                Some(company) => {
                    batch.visits.entry((user.clone(), company.clone())).or_default().merge(visit);
                }
                None => waiting.entry(user.clone()).or_default().merge(visit),
            }
        }
    }
    Ok(waiting)
}

/// Keeps a visit until its company is known.
pub(crate) async fn wait(context: &Context<'_>, user: &UserId, visit: &Visit) -> Result<(), StoreError> {
    if let Some(first) = visit.first {
        context.table.note_seen(context.workspace, user, first).await?;
    }
    for (week, activity) in &visit.activity {
        let until = context.now + WAITS;
        context.table.add_pending(context.workspace, user, *week, activity, until).await?;
    }
    // The group, or who it is, may have come in the meantime.
    let identity = context.table.identity(context.workspace, user).await?;
    if let Some(owner) = identity.user.alias_of.clone() {
        return merge(context, user, &owner).await;
    }
    settle(context, user, &identity).await
}

/// What a request tells of a person, applied to what was written before: waiting activity, memberships, anonymous
/// activity.
pub(crate) async fn follow_up(
    context: &Context<'_>,
    user: &UserId,
    note: &PersonNote,
) -> Result<(), StoreError> {
    for anonymous in &note.aliases {
        merge(context, anonymous, user).await?;
    }
    let described = note.person != Default::default();
    let group = |company: &CompanyId| (context.workspace.clone(), company.clone(), user.clone());
    let new: Vec<_> = note
        .groups
        .iter()
        .filter(|(company, since)| !context.memory.knows_group(&group(company), **since))
        .collect();
    if !described && new.is_empty() {
        return Ok(());
    }
    let identity = context.table.identity(context.workspace, user).await?;
    if described {
        let person = identity.user.person();
        let visited = note.groups.keys().chain(identity.groups.iter().map(|group| &group.company));
        for company in visited {
            context.describe(user, company, &person).await?;
            if person.email.is_some() && !context.memory.was_reachable(group(company)) {
                // The sweep takes people without an address off its list.
                context.table.wake_ask(context.workspace, company, user, context.now).await?;
            }
        }
    }
    settle(context, user, &identity).await?;
    for (company, since) in new {
        context.memory.note_group(group(company), *since);
    }
    Ok(())
}

/// Gives waiting activity of a user to the company that they named.
async fn settle(context: &Context<'_>, user: &UserId, identity: &Identity) -> Result<(), StoreError> {
    if identity.groups.is_empty() {
        return Ok(());
    }
    if let Some(first) = identity.user.first_seen_at
        && let Some(company) = identity.company_at(first)
    {
        context.seat(user, company, first).await?;
    }
    for (week, _) in context.table.pending(context.workspace, user).await? {
        let Some(company) = identity.company_at(week.end(context.settings.time_zone)) else { continue };
        settle_week(context, user, company, week).await?;
    }
    Ok(())
}

async fn settle_week(
    context: &Context<'_>,
    user: &UserId,
    company: &CompanyId,
    week: IsoWeek,
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let pending = context.table.pending(context.workspace, user).await?;
        let Some((_, activity)) = pending.into_iter().find(|(of, _)| *of == week) else { return Ok(()) };
        context.table.add_activity(context.workspace, company, user, week, &activity).await?;
        match context.table.delete_pending(context.workspace, user, week, &activity).await {
            // Something was added since it was read: once more with all of it.
            Err(StoreError::Conflict) => {}
            done => return done,
        }
    }
    Err(StoreError::Conflict)
}

/// Gives everything of an anonymous id to the person it turned out to be.
async fn merge(context: &Context<'_>, anonymous: &UserId, user: &UserId) -> Result<(), StoreError> {
    let before = context.table.identity(context.workspace, anonymous).await?;
    for group in &before.groups {
        context.table.note_group(context.workspace, user, &group.company, group.since).await?;
    }
    if let Some(first) = before.user.first_seen_at {
        context.table.note_seen(context.workspace, user, first).await?;
    }
    for (week, company) in context.table.touched(context.workspace, anonymous).await? {
        merge_week(context, anonymous, user, &company, week).await?;
    }
    for (week, _) in context.table.pending(context.workspace, anonymous).await? {
        merge_pending(context, anonymous, user, week).await?;
    }
    let identity = context.table.identity(context.workspace, user).await?;
    settle(context, user, &identity).await
}

async fn merge_week(
    context: &Context<'_>,
    anonymous: &UserId,
    user: &UserId,
    company: &CompanyId,
    week: IsoWeek,
) -> Result<(), StoreError> {
    let (table, workspace) = (context.table, context.workspace);
    if let Some(seat) = table.member(workspace, company, anonymous).await? {
        context.seat(user, company, seat.first_seen_at).await?;
    }
    for _ in 0..TRIES {
        let Some(activity) = table.activity_of_user(workspace, company, anonymous, week).await? else {
            table.delete_touched(workspace, anonymous, week, company).await?;
            return table.delete_member(workspace, company, anonymous).await;
        };
        table.add_activity(workspace, company, user, week, &activity).await?;
        match table.delete_activity(workspace, company, anonymous, week, &activity).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

async fn merge_pending(
    context: &Context<'_>,
    anonymous: &UserId,
    user: &UserId,
    week: IsoWeek,
) -> Result<(), StoreError> {
    let (table, workspace) = (context.table, context.workspace);
    for _ in 0..TRIES {
        let pending = table.pending(workspace, anonymous).await?;
        let Some((_, activity)) = pending.into_iter().find(|(of, _)| *of == week) else { return Ok(()) };
        table.add_pending(workspace, user, week, &activity, context.now + WAITS).await?;
        match table.delete_pending(workspace, anonymous, week, &activity).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}
