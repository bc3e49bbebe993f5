//! The pages behind a session: read, build, render.

use axum::{
    extract::{FromRequestParts, Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use barometer_cloud::{
    http::auth::{self, SignedIn},
    lambda::Chain,
    listing::Sort,
    portfolio::{Begin, Portfolio, Wanted},
    table::{
        cases::{Case, Content},
        companies::Company,
        credentials::Scope,
        sessions::Session,
        settings::SettingsVersion,
        snapshots::Published,
        team::Member,
    },
    why::{self, WhyError},
};
use barometer_domain::{
    CompanyId, IsoWeek, Month, Settings, UserId, WorkspaceId, alert::Alert, disagreement::Disagreement,
    quadrant::Cell, task::Task, week::WeekSnapshot, why::Why,
};
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode, header, request::Parts};

use crate::{
    Deps,
    address::parameter,
    api::{Api, segment},
    html::{self, Failure},
    notice::Notice,
    sign_in,
    view::{
        Scene,
        chrome::Chrome,
        company::{CompanyPage, Known},
        names::Names,
        people::People,
        portfolio::{self, PortfolioPage},
        quadrant::{NAMES, QuadrantPage},
        query::Query,
        timeline::{Timeline, TimelinePage},
    },
};

/// Weeks of the company page's trend.
const TREND_WEEKS: i64 = 26;
/// Months of the company page's table.
const MONTHS: u32 = 12;
/// How far back the company page shows what rules did.
const MOTION: TimeDelta = TimeDelta::days(14);
/// Users that the company page lists at most.
const USERS: usize = 100;

/// Who looks, and under which settings.
pub(crate) struct Visit {
    pub workspace: WorkspaceId,
    pub author: String,
    pub scope: Scope,
    pub settings: Settings,
    /// The session of this browser.
    pub session: Session,
    /// Who it is; nothing for who signed in with an API token.
    pub member: Option<Member>,
}

impl Visit {
    pub fn chrome(&self) -> Chrome {
        Chrome {
            workspace: self.settings.name.clone(),
            author: self.author.clone(),
            writes: self.scope >= Scope::Write,
            admin: self.scope >= Scope::Admin,
        }
    }
}

/// The visit behind a request's session; nothing without one.
pub(crate) async fn visit(deps: &Deps, headers: &HeaderMap) -> Result<Option<Visit>, Failure> {
    let signed_in = auth::session(&deps.table, headers, deps.clock.now()).await?;
    let Some(SignedIn { session, scope, member }) = signed_in else { return Ok(None) };
    let workspace = session.workspace_id.clone();
    let settings = deps.table.settings(&workspace).await?;
    let settings = settings.map(|SettingsVersion { settings, .. }| settings).unwrap_or_default();
    let author = session.author.clone();
    Ok(Some(Visit { workspace, author, scope, settings, session, member }))
}

/// A page behind a session has its visit as an argument: who has none comes to the sign-in instead.
impl FromRequestParts<Deps> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, Response> {
        match visit(deps, &parts.headers).await {
            Ok(Some(visit)) => Ok(visit),
            Ok(None) => Err(please_sign_in()),
            Err(failure) => Err(failure.into_response()),
        }
    }
}

pub(crate) fn please_sign_in() -> Response {
    sign_in::go("/sign-in", &[])
}

/// `GET /`
pub async fn portfolio(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let portfolio = Portfolio::open(&deps.table, &visit.workspace, &visit.settings, scene.now).await?;
    let known = portfolio::Known::read(&portfolio, Query::parse(&query.unwrap_or_default())).await?;
    let origin = origin(&headers, deps.secure_cookies);
    let page = PortfolioPage::build(visit.chrome(), known, scene, origin);
    Ok(html::page(StatusCode::OK, &page))
}

/// `GET /quadrant`
pub async fn quadrant(State(deps): State<Deps>, visit: Visit) -> Result<Response, Failure> {
    let portfolio = Portfolio::open(&deps.table, &visit.workspace, &visit.settings, deps.clock.now()).await?;
    let mut named = Vec::new();
    for cell in Cell::ALL {
        let begin = Sort::cell_begins(cell).map_or(Begin::First, Begin::Behind);
        let found = portfolio.list(&Wanted { begin, limit: NAMES, ..Wanted::all(Sort::BY_CELL) }).await?;
        let companies = found.companies.into_iter().map(|placed| placed.company);
        named.extend(companies.filter(|company| company.quadrant == cell));
    }
    let counts = portfolio.summary().cells;
    Ok(html::page(StatusCode::OK, &QuadrantPage::build(visit.chrome(), &counts, &named)))
}

/// `GET /companies/{company_id}`
pub async fn company(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let notice = Notice::of(&query.unwrap_or_default());
    show_company(&deps, &headers, &visit, id, notice, StatusCode::OK).await
}

/// The page of a company, which says something first.
pub(crate) async fn show_company(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    id: String,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response, Failure> {
    let Ok(id) = CompanyId::new(id) else { return Ok(no_company()) };
    let Some(company) = deps.table.company(&visit.workspace, &id).await? else { return Ok(no_company()) };
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let known = known(deps, headers, visit, company, scene).await?;
    Ok(html::page(status, &CompanyPage::build(visit.chrome(), &known, notice, scene)))
}

/// `GET /companies/{company_id}/timeline`
pub async fn timeline(
    State(deps): State<Deps>,
    visit: Visit,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Ok(id) = CompanyId::new(id) else { return Ok(no_company()) };
    let Some(company) = deps.table.company(&visit.workspace, &id).await? else { return Ok(no_company()) };
    let query = query.unwrap_or_default();
    let (kind, cursor) = (parameter(&query, "kind"), parameter(&query, "cursor"));
    let path = {
        let mut wanted = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("kind", &kind), ("cursor", &cursor)] {
            wanted.extend_pairs(value.as_ref().map(|value| (name, value)));
        }
        format!("/v1/companies/{}/timeline?{}", segment(id.as_str()), wanted.finish())
    };
    let found = Api::new(&deps.api, &headers).ask::<Timeline>(&path).await?;
    let Ok(timeline) = found else { return Ok(no_such_part()) };
    let members = deps.table.members(&visit.workspace, &id).await?;
    let name = |user: &UserId| {
        let member = members.iter().find(|member| member.user_id == *user);
        member.and_then(|member| member.name.clone()).unwrap_or_else(|| user.to_string())
    };
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let company = (id.as_str(), company.name.as_str());
    let kind = kind.unwrap_or_default();
    let page = TimelinePage::build(visit.chrome(), company, &kind, &timeline, name, scene);
    Ok(html::page(StatusCode::OK, &page))
}

async fn known(
    deps: &Deps,
    headers: &HeaderMap,
    visit: &Visit,
    company: Company,
    scene: Scene<'_>,
) -> Result<Known, Failure> {
    let (table, workspace, id) = (&deps.table, &visit.workspace, &company.company_id);
    let now = scene.now;
    let zone = scene.settings.time_zone;
    let last_week = company.engagement.as_ref().map_or_else(|| IsoWeek::at(now, zone), |score| score.week);
    let this_month = Month::of(zone.date(now));
    let first_month = (1..MONTHS).fold(this_month, |month, _| month.previous());
    let first_week = last_week.plus(1 - TREND_WEEKS);
    let colleagues =
        async { if visit.scope >= Scope::Write { table.team(workspace).await } else { Ok(Vec::new()) } };
    let (weeks, months, answers, changes, alerts, actions, team) = tokio::try_join!(
        table.weeks(workspace, id, first_week, last_week),
        table.months(workspace, id, first_month, this_month),
        table.answers(workspace, id, first_week.start(zone), now),
        table.status_changes(workspace, id),
        table.cases_of::<Alert>(workspace, id),
        table.actions_since(workspace, id, now - MOTION),
        colleagues,
    )?;
    let why = why(deps, visit, id, &weeks).await?;
    let tasks = live::<Task>(deps, visit, id, company.open_tasks).await?;
    let disagreements = live::<Disagreement>(deps, visit, id, company.open_disagreements).await?;
    let path = format!("/v1/companies/{}/users?limit={USERS}", segment(id.as_str()));
    let People { items: users, next_cursor } = Api::new(&deps.api, headers).get(&path).await?;
    let (mut names, mut users_total) = (Names::default(), users.len());
    for user in &users {
        names.add_user(id.clone(), user.id().clone(), user.title().to_owned());
    }
    // Only where there are more of them are they read once more, for all of their names.
    if next_cursor.is_some() {
        let members = table.members(workspace, id).await?;
        users_total = members.len();
        for member in members {
            if let Some(name) = member.name {
                names.add_user(id.clone(), member.user_id, name);
            }
        }
    }
    Ok(Known {
        company,
        weeks,
        why,
        months,
        names,
        answers,
        changes,
        alerts,
        tasks,
        disagreements,
        actions,
        users,
        users_total,
        team,
    })
}

/// The live cases of a company, of which its row counts so many.
async fn live<T: Content>(
    deps: &Deps,
    visit: &Visit,
    company: &CompanyId,
    count: u32,
) -> Result<Vec<Case<T>>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let cases = deps.table.cases_of::<T>(&visit.workspace, company).await?;
    Ok(cases.into_iter().filter(|case| case.content.is_live()).collect())
}

/// Why the score of the latest week isn't that of the one before it; nothing until there are two.
async fn why(
    deps: &Deps,
    visit: &Visit,
    company: &CompanyId,
    weeks: &[Published<WeekSnapshot>],
) -> Result<Option<Why>, Failure> {
    let [.., before, latest] = weeks else { return Ok(None) };
    let (from, to) = (before.snapshot.period, latest.snapshot.period);
    match why::weeks(&deps.table, &visit.workspace, company, from, to).await {
        Ok(explained) => Ok(Some(explained.why)),
        Err(WhyError::Store(error)) => Err(error.into()),
        Err(error) => {
            // The page has more to say than this.
            tracing::error!(%company, error = %Chain(&error), "a change can't be explained");
            Ok(None)
        }
    }
}

/// Every path that isn't ours.
pub async fn not_found() -> Response {
    html::message(StatusCode::NOT_FOUND, "Nothing here", "There is no page at this address.")
}

fn no_company() -> Response {
    let text = "No company with this id is known in your workspace. It appears with its first event.";
    html::message(StatusCode::NOT_FOUND, "No such company", text)
}

fn no_such_part() -> Response {
    let text = "This address leads to no part of the list. Go back to its beginning.";
    html::message(StatusCode::BAD_REQUEST, "Nothing here", text)
}

/// The address that the browser used: it is the one that clients need, too.
pub(crate) fn origin(headers: &HeaderMap, secure: bool) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("{}://{host}", if secure { "https" } else { "http" })
}

/// The address that links in mails lead to: the configured one, because a request could name any. Where there is none the
/// API gateway answers for its own name only.
pub(crate) fn own_origin(deps: &Deps, headers: &HeaderMap) -> String {
    deps.origin.clone().unwrap_or_else(|| origin(headers, deps.secure_cookies))
}

/// Our own address, for a browser on this machine that uses another name of it: cookies of `localhost` aren't sent to
/// `127.0.0.1`.
pub(crate) fn elsewhere(deps: &Deps, headers: &HeaderMap) -> Option<String> {
    let own = deps.origin.as_deref()?;
    let (_, place) = own.split_once("://")?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let is_loopback = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    };
    (place != host && is_loopback(place) && is_loopback(host)).then(|| own.to_owned())
}
