//! Invents what waits for CSMs: tasks, alerts, disagreements, actions of rules, and the weekly overviews.

use barometer_cloud::{
    Table,
    table::{
        actions::{Action, ActionState, Fired, Firing, FiringOutcome},
        cases::{Case, Content, Place, series_of, series_of_subject},
        companies::Patch,
        credentials::{Credential, Kind, Scope},
        runs::{Pass, RunKey},
    },
    workspaces::Created,
};
use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId,
    alert::{Alert, Finding, Rule},
    automation::{Happened, RuleId, Wanted},
    band::Band,
    disagreement::{Disagreement, Readings},
    follow_up::{self, Priority},
    language::Language,
    status::Status,
    task::{Subject, Task},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    browser::Browser,
    invented::{self, Story, last_week},
};

fn id(company: &str) -> CompanyId {
    CompanyId::new(company).unwrap()
}

async fn open<T: Content>(table: &Table, workspace: &WorkspaceId, company: &str, series: String, content: T) {
    let place = Place { company: Some(id(company)), series, number: 1 };
    table.write_case(workspace, &Case { place, version: 0, content }, false, &[]).await.unwrap();
}

/// A task about a user, due so many days from now; whose it is.
pub async fn task(
    table: &Table,
    workspace: &WorkspaceId,
    (company, user): (&str, &str),
    title: &str,
    (due_in, assignee): (i64, Option<&str>),
    now: DateTime<Utc>,
) {
    let wanted = follow_up::Wanted {
        kind: follow_up::Kind::Detractor,
        priority: Priority::High,
        due_at: now + TimeDelta::days(due_in),
        title: title.to_owned(),
        at: now - TimeDelta::days(9) + TimeDelta::days(due_in),
    };
    let subject = Subject::FollowUp { user_id: UserId::new(user).unwrap() };
    let series = series_of_subject(&subject);
    open(table, workspace, company, series, Task::open(subject, wanted, assignee.map(str::to_owned))).await;
}

/// An alert that opened yesterday.
pub async fn alert(table: &Table, workspace: &WorkspaceId, company: &str, now: DateTime<Utc>) {
    let finding = Finding {
        rule: Rule::EngagementSuddenDrop,
        period: last_week(now),
        at: now - TimeDelta::days(1),
        severity: barometer_domain::Percent::whole(31),
        baseline: None,
        sentence: "Engagement fell to 34 from a usual 65 within one week".to_owned(),
    };
    let series = series_of(finding.rule).unwrap();
    open(table, workspace, company, series, Alert::open(finding)).await;
}

/// A disagreement that opened two days ago.
pub async fn disagreement(table: &Table, workspace: &WorkspaceId, company: &str, now: DateTime<Utc>) {
    let readings = Readings { status: Status::Thriving, engagement: Band::AtRisk };
    let content = Disagreement::open(readings, now - TimeDelta::days(2));
    open(table, workspace, company, "disagreement".to_owned(), content).await;
}

/// A mail to a user that waits for approval, or a webhook that failed.
pub async fn action(
    table: &Table,
    workspace: &WorkspaceId,
    (company, user): (&str, &str),
    failed: bool,
    now: DateTime<Utc>,
) {
    let rule = RuleId::new("struggling").unwrap();
    let happened = Happened::Status { from: Some(Status::Steady), to: Status::Struggling };
    let wanted = if failed {
        Wanted::Webhook { endpoint: "endpoint".to_owned() }
    } else {
        Wanted::Email {
            user_id: Some(UserId::new(user).unwrap()),
            subject: "How can we help?".to_owned(),
            text: "Hello,\n\nwe have noticed that things are hard at the moment.".to_owned(),
            language: Language::English,
            csm: None,
        }
    };
    let key = format!("{company}-{failed}");
    let action = Action {
        company_id: id(company),
        rule: rule.clone(),
        settings_version: 1,
        firing: key.clone(),
        number: 0,
        happened: happened.clone(),
        occurred_at: now,
        wanted,
        body: None,
        state: if failed { ActionState::Failed } else { ActionState::AwaitingApproval },
        reason: failed.then(|| "the endpoint answered 500".to_owned()),
        due_at: None,
        attempts: 0,
        planned_at: now,
        ended_at: failed.then_some(now),
        by: None,
        message_id: None,
        mail: None,
        version: 0,
    };
    let firing = Firing {
        rule,
        settings_version: 1,
        company_id: id(company),
        happened,
        period: "1".to_owned(),
        occurred_at: now,
        at: now,
        outcome: FiringOutcome::Acted,
        actions: Vec::new(),
        key,
    };
    let fired = table.fire(workspace, &firing, &[action], TimeDelta::zero(), &[]).await.unwrap();
    assert_eq!(fired, Fired::Now);
}

/// The contract renews in so many days.
pub async fn renewal(
    table: &Table,
    workspace: &WorkspaceId,
    company: &str,
    in_days: i64,
    now: DateTime<Utc>,
) {
    let on = (now + TimeDelta::days(in_days)).date_naive();
    let patch = Patch { renewal_on: Some(Some(on)), ..Patch::default() };
    table.patch_company(workspace, &id(company), &patch).await.unwrap();
}

/// Publishes the overviews of so many weeks up to the last, and leaves the companies' rows as of the last.
pub async fn overviews(
    table: &Table,
    workspace: &WorkspaceId,
    stories: &[(String, Story)],
    weeks: usize,
    now: DateTime<Utc>,
) {
    for back in (0..weeks).rev() {
        let then = now - TimeDelta::weeks(i64::try_from(back).unwrap());
        for (id, story) in stories {
            let scores = story.scores[..story.scores.len().saturating_sub(back)].to_vec();
            let status = story.status.filter(|_| back == 0);
            invented::company(table, workspace, id, &Story { scores, status, ..story.clone() }, then).await;
        }
        let key = RunKey::Week(last_week(then), Pass::First);
        table.publish_overview(workspace, key, Settings::default().bands, 1, then).await.unwrap();
    }
}

/// The browser of somebody who may do so much.
pub async fn signed_in(table: &Table, made: &Created, author: &str, scope: Scope) -> Browser {
    let now = crate::browser::now();
    let token = Credential {
        id: author.to_owned(),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(scope),
        label: author.to_owned(),
        author: author.to_owned(),
        created_at: now,
        expires_at: None,
    };
    let secret = format!("bat_{}_{}", made.workspace_id, author.replace('@', "_"));
    table.add_credential(&secret, &token).await.unwrap();
    let mut browser = Browser::at(table, now);
    browser.sign_in(&secret).await;
    browser
}
