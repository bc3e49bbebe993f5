//! Erasure: a person's data goes, what was computed from it stays.
//!
//! Everything that a workspace keeps of a person goes or loses its person, at all companies where they were seen:
//!
//! | what | becomes |
//! |---|---|
//! | member, user, what waits for a company, ids that turned out to be theirs | gone |
//! | activity, as days, slots and names of features | another id's, an alias that says nothing |
//! | answers | the rating stays, with the alias; comment, and the reason of a void one, go |
//! | mails that asked | the alias's; their links lead nowhere, one that waits isn't sent |
//! | tasks that follow an answer | the alias's, without name and note |
//! | mails and webhooks of rules | without receiver and text; what waits is cancelled |
//! | the packed log | the alias, without traits, comments and sessions; within a day, by `erase-users` |
//!
//! Scores and snapshots stay as they were published. The alias has left the company, so it counts in no later week. Two
//! things stay that name no more than the id: what CSMs did to the person in the audit, which nothing changes, and for
//! 24 hours an answer that is kept for an `Idempotency-Key`.
//!
//! A product that goes on sending events of the person tells of somebody new from an hour after the request on; what
//! comes before is taken for a straggler and goes, too. So: erase in the product first.

use std::collections::{BTreeMap, BTreeSet};

use barometer_domain::{
    CompanyId, IsoWeek, SendId, Settings, UserId, WorkspaceId,
    automation::Wanted,
    follow_up,
    task::{Subject, Task},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    StoreError, Table,
    table::{
        actions::{Action, ActionState},
        answers::Answer,
        asks::AskState,
        audit::{self, Entry},
        cases::series_of_subject,
        erasures::Erasure,
        members::Member,
    },
    workspaces,
};

/// How long events of the person still belong to what was asked to be erased.
pub const STRAGGLERS: TimeDelta = TimeDelta::hours(1);

/// An event of a client whose clock runs slow can lie so far before the request that brought it.
const SLOW: TimeDelta = TimeDelta::days(2);

/// Why what waited isn't done.
const ERASED: &str = "the person was erased";

/// Most ids of one person that are followed.
const MAX_IDS: usize = 1_000;

/// Weeks whose activity is moved at the same time.
const AT_ONCE: usize = 8;

/// Begins the erasure of a user of a company and does all of it but the log. Asking again while the log isn't gone through
/// does again what a crash left. Returns whether there is such a user. `by` is who asked.
pub async fn begin(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    user: &UserId,
    settings: &Settings,
    by: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (member, running) =
        tokio::try_join!(table.member(workspace, company, user), table.erasure(workspace, user))?;
    let erasure = match (member, running) {
        (None, None) => return Ok(false),
        (None, Some(running)) if running.companies.contains(company) => running,
        (None, Some(_)) => return Ok(false),
        (Some(member), running) => {
            let erasure = plan(table, workspace, company, &member, settings, running, now).await?;
            let entry = Entry::new(audit::Action::UserErased, erasure.alias.as_str(), by, now)?;
            let entry = entry.of(Some(company));
            table.recording(workspace, &entry).write_erasure(workspace, &erasure).await?;
            erasure
        }
    };
    forget(table, workspace, &erasure, settings, now).await?;
    Ok(true)
}

/// Who is to be forgotten, and where.
async fn plan(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    member: &Member,
    settings: &Settings,
    running: Option<Erasure>,
    now: DateTime<Utc>,
) -> Result<Erasure, StoreError> {
    let user = &member.user_id;
    let mut companies = BTreeSet::from([company.clone()]);
    let (mut ids, mut open) = (BTreeSet::new(), vec![user.clone()]);
    while let Some(id) = open.pop() {
        if ids.len() >= MAX_IDS || !ids.insert(id.clone()) {
            continue;
        }
        let who = table.who(workspace, &id, now).await?;
        companies.extend(who.seats.into_keys());
        for joined in who.joined {
            // One of them may have gone to an earlier claim of somebody else.
            let claim = table.user(workspace, &joined).await?.and_then(|user| user.claim);
            if claim.is_some_and(|claim| claim.user == id) {
                open.push(joined);
            }
        }
    }
    let alias = match &running {
        Some(running) => running.alias.clone(),
        None => {
            let random = workspaces::random_id().map_err(|error| StoreError::Unavailable(error.into()))?;
            UserId::new(format!("erased-{random}")).map_err(|error| StoreError::Corrupt(error.into()))?
        }
    };
    if let Some(running) = running {
        ids.extend(running.ids);
        companies.extend(running.companies);
    }
    let kept = now - TimeDelta::days(i64::from(settings.retention_days.get()) + 1);
    let log_day = kept.max(member.first_seen_at - SLOW).min(now).date_naive();
    Ok(Erasure { user_id: user.clone(), ids, companies, alias, requested_at: now, log_day })
}

/// Forgets a person in all but the log. Doing it again does what is left.
pub async fn forget(
    table: &Table,
    workspace: &WorkspaceId,
    erasure: &Erasure,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for company in &erasure.companies {
        let at = Desk { table, workspace, company, erasure, settings, now };
        let members = at.members().await?;
        let names = at.names(&members).await?;
        at.answers_and_asks().await?;
        at.tasks().await?;
        at.actions(&names).await?;
        at.activity().await?;
        // Last: as long as they are there, the request is taken again.
        at.seats(members).await?;
    }
    for id in &erasure.ids {
        table.forget_user(workspace, id).await?;
    }
    Ok(())
}

/// One company at which a person is forgotten.
struct Desk<'a> {
    table: &'a Table,
    workspace: &'a WorkspaceId,
    company: &'a CompanyId,
    erasure: &'a Erasure,
    settings: &'a Settings,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    fn is_theirs(&self, id: &UserId) -> bool {
        self.erasure.ids.contains(id)
    }

    async fn members(&self) -> Result<Vec<Member>, StoreError> {
        let mut members = self.table.members(self.workspace, self.company).await?;
        members.retain(|member| self.is_theirs(&member.user_id));
        Ok(members)
    }

    /// What they are called: names, addresses and ids.
    async fn names(&self, members: &[Member]) -> Result<Vec<String>, StoreError> {
        let mut names = BTreeSet::new();
        for member in members {
            names.extend([member.email.clone(), member.name.clone()].into_iter().flatten());
        }
        for id in &self.erasure.ids {
            names.insert(id.to_string());
            let person = self.table.user(self.workspace, id).await?.unwrap_or_default();
            names.extend([person.email, person.name].into_iter().flatten());
        }
        let mut names: Vec<String> =
            names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        // The longest first: a name may be a part of an address.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Ok(names)
    }

    async fn answers_and_asks(&self) -> Result<(), StoreError> {
        let (table, workspace, company, alias) =
            (self.table, self.workspace, self.company, &self.erasure.alias);
        let mut asks = table.asks(workspace, company).await?;
        asks.retain(|ask| self.is_theirs(&ask.user_id));
        // Follows from the alias, so that doing it again gives the same.
        let renamed: BTreeMap<String, SendId> = asks
            .iter()
            .map(|ask| {
                let new = SendId::derive(workspace, company, alias, ask.user_id.as_str(), ask.cycle);
                (ask.send_id.to_string(), new)
            })
            .collect();
        let until = self.now + TimeDelta::days(36_500);
        for old in table.answers(workspace, company, DateTime::UNIX_EPOCH, until).await? {
            if !self.is_theirs(&old.user_id) {
                continue;
            }
            let origin = renamed.get(&old.origin).map_or_else(|| old.origin.clone(), ToString::to_string);
            let mut void = old.void.clone();
            if let Some(void) = &mut void {
                ERASED.clone_into(&mut void.reason);
            }
            let new = Answer { user_id: alias.clone(), comment: None, origin, void, ..old.clone() };
            table.replace_answer(workspace, company, &old, &new).await?;
        }
        for old in asks {
            let mut new = old.clone();
            if old.state == AskState::Planned {
                (new.state, new.reason) = (AskState::Skipped, Some(ERASED.to_owned()));
            }
            new.user_id = alias.clone();
            new.message_id = None;
            new.expires = self.now.min(old.expires);
            if let Some(send_id) = renamed.get(&old.send_id.to_string()) {
                new.send_id = *send_id;
                table.replace_ask(&old, &new).await?;
            }
        }
        Ok(())
    }

    async fn tasks(&self) -> Result<(), StoreError> {
        for case in self.table.cases_of::<Task>(self.workspace, self.company).await? {
            let Subject::FollowUp { user_id } = &case.content.subject else { continue };
            if !self.is_theirs(user_id) {
                continue;
            }
            let subject = Subject::FollowUp { user_id: self.erasure.alias.clone() };
            let series = series_of_subject(&subject);
            let title = follow_up::unnamed(&case.content.title);
            let content = Task { subject, title, note: None, ..case.content.clone() };
            self.table.move_case(self.workspace, &case, &series, content).await?;
        }
        Ok(())
    }

    async fn actions(&self, names: &[String]) -> Result<(), StoreError> {
        let all = self.table.actions_since(self.workspace, self.company, DateTime::UNIX_EPOCH).await?;
        for action in all {
            let send = action.send_id(self.workspace);
            let mails =
                matches!(&action.wanted, Wanted::Email { user_id: Some(id), .. } if self.is_theirs(id));
            if let Some(changed) = self.unsaid(action, names) {
                self.table.write_action(self.workspace, &changed).await?;
            }
            if mails {
                self.table.forget_mail(send).await?;
            }
        }
        Ok(())
    }

    /// An action without the person; nothing when it doesn't name them.
    fn unsaid(&self, action: Action, names: &[String]) -> Option<Action> {
        let mut changed = action.clone();
        let mut ends = false;
        match &mut changed.wanted {
            Wanted::Email { user_id, subject, text, .. } => {
                if user_id.as_ref().is_some_and(|id| self.is_theirs(id)) {
                    (*user_id, ends) = (None, true);
                    subject.clear();
                    text.clear();
                }
            }
            Wanted::Task { title: text, .. } | Wanted::Chat { text, .. } => *text = unsaid(text, names),
            Wanted::Webhook { .. } | Wanted::Tag { .. } => {}
        }
        // An event's text names them by their id.
        if action.body.as_ref().is_some_and(|body| unsaid(body, names) != *body) {
            (changed.body, ends) = (None, true);
        }
        let waits = matches!(action.state, ActionState::Planned | ActionState::AwaitingApproval);
        if ends && waits {
            changed.end(ActionState::Cancelled, Some(ERASED.to_owned()), self.now);
        }
        (changed != action).then_some(changed)
    }

    async fn activity(&self) -> Result<(), StoreError> {
        let Some(first) = self.table.first_heard(self.workspace, self.company).await? else { return Ok(()) };
        // Clocks of clients may run fast.
        let last = IsoWeek::at(self.now, self.settings.time_zone).next();
        let mut moves = Vec::new();
        for ahead in 0..=last.since(first) {
            for id in &self.erasure.ids {
                let ids = [id, &self.erasure.alias];
                moves.push(self.table.move_activity(self.workspace, self.company, first.plus(ahead), ids));
            }
        }
        stream::iter(moves).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        Ok(())
    }

    async fn seats(&self, members: Vec<Member>) -> Result<(), StoreError> {
        let today = self.settings.time_zone.date(self.now);
        for member in members {
            let alias = Member {
                user_id: self.erasure.alias.clone(),
                left: member.left.or(Some(today)),
                email: None,
                name: None,
                time_zone: None,
                language: None,
                contact: None,
                primary_contact: None,
                due_at: None,
                ..member
            };
            self.table.keep_member_as(self.workspace, self.company, &alias).await?;
        }
        for id in &self.erasure.ids {
            self.table.forget_member(self.workspace, self.company, id).await?;
        }
        Ok(())
    }
}

/// A text in which nobody of these names is named.
fn unsaid(text: &str, names: &[String]) -> String {
    names.iter().fold(text.to_owned(), |text, name| replaced(&text, name))
}

/// Replaces a name where it stands by itself: `ada` isn't a part of `Canada`.
fn replaced(text: &str, name: &str) -> String {
    let (mut unsaid, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(name) {
        let (before, behind) =
            (rest.get(..at).unwrap_or_default(), rest.get(at + name.len()..).unwrap_or_default());
        let joins = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let inside = joins(before.chars().next_back().or_else(|| unsaid.chars().next_back()))
            || joins(behind.chars().next());
        unsaid.push_str(before);
        unsaid.push_str(if inside { name } else { "somebody" });
        rest = behind;
    }
    unsaid + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_where_it_stands_by_itself() {
        let names = ["ada@acme.example".to_owned(), "ada".to_owned()];
        assert_eq!(unsaid("ada wrote; mail ada@acme.example", &names), "somebody wrote; mail somebody");
        assert_eq!(unsaid(r#"{"user_id":"ada"}"#, &names), r#"{"user_id":"somebody"}"#);
        assert_eq!(unsaid("Canada, adamant, nada", &names), "Canada, adamant, nada");
    }
}
