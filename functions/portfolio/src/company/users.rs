//! `GET /v1/companies/{company_id}/users`: the people at a company, and how asking them stands.

use std::collections::BTreeMap;

use axum::extract::State;
use barometer_cloud::{
    StoreError, Table,
    contacts::{self, last_seen},
    http::{Json, Problem},
    table::{companies::Company, members::Member, users::User},
};
use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId,
    answer::{self, Rating},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use http::Uri;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    Deps,
    caller::Reader,
    paging::{self, Page},
    params::{CompanyPath, Params},
};

/// Reads of persons at the same time.
const AT_ONCE: usize = 16;

/// Longer than any answer is kept.
const EVER: TimeDelta = TimeDelta::days(36_500);

/// A person at a company.
#[derive(Serialize, schemars::JsonSchema)]
pub struct UserView {
    user_id: UserId,
    name: Option<String>,
    email: Option<String>,
    first_seen_at: DateTime<Utc>,
    /// Null when not seen in the four weeks up to the company's latest activity.
    last_seen_at: Option<DateTime<Utc>>,
    left: Option<NaiveDate>,
    /// Whether a mail may go to them: an address that mails reach, not unsubscribed, not gone, not excluded.
    reachable: bool,
    /// Whether mails to the company go to them first.
    primary_contact: bool,
    unsubscribed_at: Option<DateTime<Utc>>,
    asks: u32,
    last_ask_at: Option<DateTime<Utc>>,
    /// Null when they won't be asked, or the company's switch is off.
    next_ask_at: Option<DateTime<Utc>>,
    last_answer: Option<LastAnswer>,
    /// Whether the last answer was 9 or 10 of 10.
    advocate: bool,
}

#[derive(Clone, Serialize, schemars::JsonSchema)]
struct LastAnswer {
    #[serde(flatten)]
    rating: Rating,
    at: DateTime<Utc>,
}

impl UserView {
    /// The user's id.
    pub fn id(&self) -> &UserId {
        &self.user_id
    }
}

/// The users of a company by id, those who left among them.
pub async fn users(
    State(deps): State<Deps>,
    Reader(caller): Reader,
    CompanyPath(id): CompanyPath,
    uri: Uri,
) -> Result<Json<Page<UserView>>, Problem> {
    let params = Params::read(&uri, &["limit", "cursor"])?;
    let (table, workspace, now) = (&deps.table, &caller.workspace, deps.clock.now());
    let (company, settings) = super::read(table, workspace, &id).await?;
    let members = table.members(workspace, &id).await?;
    let Page { items, next_cursor } =
        paging::by_key(members, &params, "users", false, |member: &Member| member.user_id.to_string())?;
    let items = views(table, workspace, items, &company, &settings, now).await?;
    Ok(Json(Page { items, next_cursor }))
}

/// Members of a company as the API shows them.
pub async fn views(
    table: &Table,
    workspace: &WorkspaceId,
    members: Vec<Member>,
    company: &Company,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<UserView>, StoreError> {
    let id = &company.company_id;
    let (persons, seen, answers) = tokio::join!(
        persons(table, workspace, &members),
        last_seen(table, workspace, id, settings.time_zone),
        last_answers(table, workspace, id, now)
    );
    let (mut persons, seen, answers) = (persons?, seen?, answers?);
    let views = members.into_iter().map(|member| {
        let person = persons.remove(&member.user_id).unwrap_or_default();
        let (seen, answer) = (seen.get(&member.user_id).copied(), answers.get(&member.user_id).cloned());
        view(member, person, seen, answer, company, settings, now)
    });
    Ok(views.collect())
}

fn view(
    member: Member,
    person: User,
    last_seen_at: Option<DateTime<Utc>>,
    last_answer: Option<LastAnswer>,
    company: &Company,
    settings: &Settings,
    now: DateTime<Utc>,
) -> UserView {
    let reachable = contacts::address(&member, &person, settings, now).is_some();
    let primary_contact = member.is_primary_contact();
    let email = member.email.or(person.email);
    UserView {
        user_id: member.user_id,
        name: member.name.or(person.name),
        email,
        first_seen_at: member.first_seen_at,
        last_seen_at,
        left: member.left,
        reachable,
        primary_contact,
        unsubscribed_at: person.unsubscribed_at,
        asks: member.asks,
        last_ask_at: member.last_ask_at,
        next_ask_at: member.due_at.filter(|_| company.request_feedback && reachable),
        advocate: last_answer.as_ref().is_some_and(|answer| answer.rating.is_promoter()),
        last_answer,
    }
}

/// What is known of the persons behind members, a few at a time.
async fn persons(
    table: &Table,
    workspace: &WorkspaceId,
    members: &[Member],
) -> Result<BTreeMap<UserId, User>, StoreError> {
    let mut persons = BTreeMap::new();
    for some in members.chunks(AT_ONCE) {
        let mut reads = JoinSet::new();
        for member in some {
            let (table, workspace, id) = (table.clone(), workspace.clone(), member.user_id.clone());
            reads.spawn(async move { table.user(&workspace, &id).await.map(|user| (id, user)) });
        }
        for read in reads.join_all().await {
            let (id, user) = read?;
            persons.extend(user.map(|user| (id, user)));
        }
    }
    Ok(persons)
}

/// Every user's latest answer that isn't void, however old.
async fn last_answers(
    table: &Table,
    workspace: &WorkspaceId,
    company: &CompanyId,
    now: DateTime<Utc>,
) -> Result<BTreeMap<UserId, LastAnswer>, StoreError> {
    let stored = table.answers(workspace, company, DateTime::UNIX_EPOCH, now).await?;
    let answers: Vec<answer::Answer> = stored.iter().filter_map(|answer| answer.counted()).collect();
    let latest = answer::latest_per_user(&answers, now + TimeDelta::nanoseconds(1), EVER);
    Ok(latest
        .into_iter()
        .map(|(user, answer)| (user.clone(), LastAnswer { rating: answer.rating, at: answer.at }))
        .collect())
}
