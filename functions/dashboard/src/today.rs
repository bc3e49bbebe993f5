//! `GET /today`: what a CSM has to do.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use barometer_cloud::{
    listing::{Filter, Sort},
    portfolio::Portfolio,
    table::actions::{Action, ActionState},
};
use barometer_domain::{alert::Alert, disagreement::Disagreement, task::Task};
use chrono::{SecondsFormat, TimeDelta};
use http::{HeaderMap, StatusCode};

use crate::{
    Deps,
    api::Api,
    html::{self, Failure},
    naming,
    notice::Notice,
    pages::Visit,
    view::{
        Scene,
        answer::Given,
        names::Names,
        today::{Known, Of, Query, TodayPage},
    },
};

/// Open cases of a kind that are looked through, the latest first.
const CASES: i32 = 400;
/// Actions in a state that are looked through, the latest first.
const ACTIONS: i32 = 100;
/// How long a low answer is new.
const NEW: TimeDelta = TimeDelta::days(7);
/// Low answers that are looked through.
const ANSWERS: usize = 100;
/// Users whose names are read, of answers and of mails each.
const NAMES: usize = 25;

/// `GET /today`
pub async fn show(
    State(deps): State<Deps>,
    visit: Visit,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let address = query.unwrap_or_default();
    let (query, notice) = (Query::parse(&address), Notice::of(&address));
    let scene = Scene { settings: &visit.settings, now: deps.clock.now() };
    let known = read(&deps, &headers, &visit, scene).await?;
    let of = known.whose_day(query, &visit.author);
    let chrome = visit.chrome();
    let known = if of == Of::Mine { known.concerning(&visit.author, chrome.admin) } else { known };
    let mut names = Names::default();
    for company in &known.companies {
        names.add_company(company.company_id.clone(), company.name.clone());
    }
    naming::users(&deps.table, &visit.workspace, known.users(NAMES), &mut names).await?;
    let page = TodayPage::build(chrome, &known, &names, (query, of), notice, scene);
    Ok(html::page(StatusCode::OK, &page))
}

/// Everybody's day. The number of reads doesn't grow with the number of companies.
async fn read(deps: &Deps, headers: &HeaderMap, visit: &Visit, scene: Scene<'_>) -> Result<Known, Failure> {
    let (table, workspace) = (&deps.table, &visit.workspace);
    let (portfolio, tasks, alerts, disagreements, waiting, ended) = tokio::try_join!(
        Portfolio::open(table, workspace, &visit.settings, scene.now),
        table.cases::<Task>(workspace, true, None, CASES),
        table.cases::<Alert>(workspace, true, None, CASES),
        table.cases::<Disagreement>(workspace, true, None, CASES),
        table.actions(workspace, ActionState::AwaitingApproval, None, ACTIONS),
        table.actions(workspace, ActionState::Failed, None, ACTIONS),
    )?;
    let companies = portfolio.all(Filter::everything(), Sort::BY_ID).await?;
    let since = (scene.now - NEW).to_rfc3339_opts(SecondsFormat::Secs, true);
    let low = format!("/v1/feedback?max_rating=6&limit={ANSWERS}&from={since}");
    let mut answers = Api::new(&deps.api, headers).get::<Given>(&low).await?.items;
    answers.retain(|answer| answer.counts());
    let most = usize::try_from(CASES).unwrap_or(usize::MAX);
    let more = [tasks.len(), alerts.len(), disagreements.len()].into_iter().any(|found| found >= most);
    let failed = ended.into_iter().filter(|(_, action)| action.state == ActionState::Failed);
    let actions: Vec<Action> = waiting.into_iter().chain(failed).map(|(_, action)| action).collect();
    Ok(Known {
        companies,
        tasks: contents(tasks),
        alerts: contents(alerts),
        disagreements: contents(disagreements),
        answers,
        actions,
        more,
    })
}

fn contents<T>(listed: Vec<(String, T)>) -> Vec<T> {
    listed.into_iter().map(|(_, content)| content).collect()
}
