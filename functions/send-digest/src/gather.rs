//! Reads what the digests of a workspace may tell, and hands each company's part to its owner.

use std::collections::BTreeMap;

use barometer_cloud::{
    StoreError, Table,
    table::{
        actions::{Action, ActionState},
        answers::Answer,
        cases::Case,
        companies::Company,
    },
};
use barometer_domain::{
    CompanyId, Settings, UserId, WorkspaceId,
    alert::Alert,
    digest::{self, Automated, Fate, Of, Raised, Said},
    task::Task,
};
use chrono::{DateTime, NaiveDate, Utc};

use crate::ByOwner;

/// Entries of a list that are read at a time.
const STEP: i32 = 200;

/// Everything of a workspace that a digest may tell.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Companies that somebody owns.
    companies: BTreeMap<CompanyId, Company>,
    tasks: Vec<Case<Task>>,
    alerts: Vec<Case<Alert>>,
    answers: Vec<(CompanyId, Answer)>,
    /// What rules do that waits for approval, and what failed since the digest before.
    actions: Vec<Action>,
    /// Names of those who answered.
    names: BTreeMap<(CompanyId, UserId), String>,
}

impl Gathered {
    /// Reads it for the digests of a day.
    pub async fn read(
        table: &Table,
        workspace: &WorkspaceId,
        settings: &Settings,
        day: NaiveDate,
    ) -> Result<Self, StoreError> {
        let mut companies = BTreeMap::new();
        for company in table.companies(workspace).await? {
            if company.owner.is_some() {
                companies.insert(company.company_id.clone(), company);
            }
        }
        if companies.is_empty() {
            return Ok(Self::default());
        }
        let mut gathered = Self { companies, ..Self::default() };
        let (since, _) = digest::covers(day, settings.time_zone);
        let mut after: Option<String> = None;
        'answers: loop {
            let page = table.inbox(workspace, after.as_deref(), STEP).await?;
            let Some((last, ..)) = page.last() else { break };
            after = Some(last.clone());
            for (_, company, answer) in page {
                if answer.at <= since {
                    break 'answers;
                }
                if answer.void.is_none() && gathered.companies.contains_key(&company) {
                    gathered.answers.push((company, answer));
                }
            }
        }
        for (company, answer) in &gathered.answers {
            let member = table.member(workspace, company, &answer.user_id).await?;
            if let Some(name) = member.and_then(|member| member.name) {
                gathered.names.insert((company.clone(), answer.user_id.clone()), name);
            }
        }
        gathered.actions = to_approve(table, workspace).await?;
        gathered.actions.extend(failed(table, workspace, since).await?);
        gathered.tasks = live(table, workspace).await?;
        gathered.alerts = live(table, workspace).await?;
        Ok(gathered)
    }

    /// What belongs to whom.
    pub fn by_owner(&self) -> ByOwner<'_> {
        let mut owners: ByOwner<'_> = self
            .companies
            .values()
            .filter_map(|company| Some((company.owner.as_deref()?, digest::Known::default())))
            .collect();
        for case in &self.tasks {
            // Whose task it is may be another than who owns the company by now; the company's owner does it then.
            if let Some((owner, company)) = self.owner(case.place.company.as_ref()) {
                let of = Of { company: &company.company_id, name: &company.name, item: &case.content };
                owners.entry(owner).or_default().tasks.push(of);
            }
        }
        for case in &self.alerts {
            if let Some((owner, company)) = self.owner(case.place.company.as_ref()) {
                let raised = Raised { alert: &case.content, at: case.content.changed_at };
                let of = Of { company: &company.company_id, name: &company.name, item: raised };
                owners.entry(owner).or_default().alerts.push(of);
            }
        }
        for action in &self.actions {
            if let Some((owner, company)) = self.owner(Some(&action.company_id)) {
                let waits = action.state == ActionState::AwaitingApproval;
                let automated = Automated {
                    wanted: &action.wanted,
                    fate: if waits { Fate::ToApprove } else { Fate::Failed },
                    reason: action.reason.as_deref(),
                    at: action.ended_at.unwrap_or(action.planned_at),
                };
                let of = Of { company: &company.company_id, name: &company.name, item: automated };
                owners.entry(owner).or_default().actions.push(of);
            }
        }
        for (company, answer) in &self.answers {
            if let Some((owner, company)) = self.owner(Some(company)) {
                let name = self.names.get(&(company.company_id.clone(), answer.user_id.clone()));
                let said = Said {
                    person: name.map_or(answer.user_id.as_str(), String::as_str),
                    rating: answer.rating,
                    comment: answer.comment.as_deref(),
                    received_at: answer.at,
                };
                let of = Of { company: &company.company_id, name: &company.name, item: said };
                owners.entry(owner).or_default().answers.push(of);
            }
        }
        owners
    }

    fn owner(&self, company: Option<&CompanyId>) -> Option<(&str, &Company)> {
        let company = self.companies.get(company?)?;
        Some((company.owner.as_deref()?, company))
    }
}

/// All actions that wait for approval.
async fn to_approve(table: &Table, workspace: &WorkspaceId) -> Result<Vec<Action>, StoreError> {
    let (mut actions, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = table.actions(workspace, ActionState::AwaitingApproval, after.as_deref(), STEP).await?;
        let Some((last, _)) = page.last() else { return Ok(actions) };
        after = Some(last.clone());
        actions.extend(page.into_iter().map(|(_, action)| action));
    }
}

/// The dead letters since an instant, mails among them that didn't arrive or of which nobody knows.
async fn failed(
    table: &Table,
    workspace: &WorkspaceId,
    since: DateTime<Utc>,
) -> Result<Vec<Action>, StoreError> {
    let (mut actions, mut after) = (Vec::new(), None::<String>);
    loop {
        // The list holds everything that ended, the latest first.
        let page = table.actions(workspace, ActionState::Failed, after.as_deref(), STEP).await?;
        let Some((last, _)) = page.last() else { return Ok(actions) };
        after = Some(last.clone());
        for (_, action) in page {
            if action.ended_at.is_some_and(|at| at <= since) {
                return Ok(actions);
            }
            if matches!(action.state, ActionState::Failed | ActionState::Undelivered | ActionState::Unknown) {
                actions.push(action);
            }
        }
    }
}

/// All live cases of a kind.
async fn live<T: barometer_cloud::table::cases::Content>(
    table: &Table,
    workspace: &WorkspaceId,
) -> Result<Vec<Case<T>>, StoreError> {
    let mut cases = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = table.cases::<T>(workspace, true, after.as_deref(), STEP).await?;
        let Some((last, _)) = page.last() else { return Ok(cases) };
        after = Some(last.clone());
        cases.extend(page.into_iter().map(|(_, case)| case));
    }
}
