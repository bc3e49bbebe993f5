//! What automations do: one item a firing, in the log of its rule, and one item an action, with its company.
//!
//! A firing, its actions, the rule's cool-down at the company and the events that tell of planned mails are one
//! transaction. The firing's key is made of company, rule, from, to and period, so a change that is told twice, or again
//! after a year, is acted on once. An action that has a time lies in the list `due` until it has ended.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use barometer_domain::{
    CompanyId, SendId, UserId, WorkspaceId,
    automation::{Happened, RuleId, Wanted},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{Item, Range, StoreError, Table, asks::AskState, item, keys, or_done};
use crate::{bus::Event, subscription::Addressee};

/// How long firings and ended actions are kept.
const KEPT: TimeDelta = TimeDelta::days(400);

/// Actions of a list that are read at the same time.
const AT_ONCE: usize = 16;

/// How far an action is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// It waits for its time, or for its next attempt.
    Planned,
    /// It waits until somebody approves it.
    AwaitingApproval,
    /// The mail is about to be handed to SES, or was and its end isn't recorded: never sent again.
    Submitting,
    /// It is done.
    Done,
    /// It was undone, refused, or what asked for it was taken back.
    Cancelled,
    /// There was nobody to do it to.
    Skipped,
    /// It failed for good: a dead letter, which somebody may have tried again.
    Failed,
    /// It can't be known whether SES took the mail, unless an event of SES tells.
    Unknown,
    /// The mail came back, or SES took it and then didn't send it: see [`MailStands`]. It is never sent again.
    Undelivered,
}

impl ActionState {
    /// The list that holds actions in this state.
    fn list(self) -> &'static str {
        match self {
            Self::Planned | Self::Submitting => "due",
            Self::AwaitingApproval => "approval",
            Self::Done
            | Self::Cancelled
            | Self::Skipped
            | Self::Failed
            | Self::Unknown
            | Self::Undelivered => "closed",
        }
    }
}

/// Where an action lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPlace {
    /// The company.
    pub company: CompanyId,
    sk: String,
}

impl ActionPlace {
    /// A name for the outside: says nothing, and finds the action.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}#{}", self.sk, self.company))
    }

    /// The place that an id names; nothing for what is no id.
    pub fn of(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        // `action#<instant>#<firing>#<number>#<company>`, and a company's id may hold anything.
        let (cut, _) = text.match_indices('#').nth(3)?;
        let (sk, company) = text.split_at_checked(cut)?;
        let company = CompanyId::new(company.get(1..)?).ok()?;
        sk.starts_with("action#").then(|| Self { company, sk: sk.to_owned() })
    }
}

/// What SES says became of an action's mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MailStands {
    /// How far it got.
    pub state: AskState,
    /// SES's word for why it got no further.
    #[serde(default)]
    pub reason: Option<String>,
}

/// One thing that a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The company.
    pub company_id: CompanyId,
    /// The rule.
    pub rule: RuleId,
    /// The version of the settings in which the rule stood so.
    pub settings_version: u32,
    /// The firing's key.
    pub firing: String,
    /// Which action of the firing, from 0.
    pub number: u8,
    /// What happened.
    pub happened: Happened,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// What is to be done.
    pub wanted: Wanted,
    /// What an endpoint is told: the same bytes at every attempt.
    #[serde(default)]
    pub body: Option<String>,
    /// How far it is.
    pub state: ActionState,
    /// Why it got no further, or was tried again.
    #[serde(default)]
    pub reason: Option<String>,
    /// When it is to be done or tried again, or looked after.
    #[serde(default)]
    pub due_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<DateTime<Utc>>,
    /// Who approved, undid or repeated it.
    #[serde(default)]
    pub by: Option<String>,
    /// SES's id of the mail.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What SES says of the mail; nothing before it said anything.
    #[serde(default)]
    pub mail: Option<MailStands>,
    /// How often it was changed; a change names the version that it was made upon.
    #[serde(default)]
    pub version: u32,
}

impl Action {
    /// Where it lies.
    pub fn place(&self) -> ActionPlace {
        let at = keys::instant(self.occurred_at);
        let sk = format!("action#{at}#{}#{:02}", self.firing, self.number);
        ActionPlace { company: self.company_id.clone(), sk }
    }

    /// The id of its mail.
    pub fn send_id(&self, workspace: &WorkspaceId) -> SendId {
        SendId::derive_action(workspace, &self.company_id, &self.firing, self.number)
    }

    /// It ended so.
    pub fn end(&mut self, state: ActionState, reason: Option<String>, at: DateTime<Utc>) {
        (self.state, self.reason, self.due_at, self.ended_at) = (state, reason, None, Some(at));
    }

    /// Its place in the lists of the workspace.
    fn listed_at(&self) -> String {
        let at = self.due_at.or(self.ended_at).unwrap_or(self.planned_at);
        format!("{}#{}", keys::instant(at), self.place().id())
    }

    fn item(&self, workspace: &WorkspaceId) -> Result<Item, StoreError> {
        let mut item = item::write(keys::company(workspace, &self.company_id), self.place().sk, self)?;
        item.insert("work_pk".to_owned(), item::text(list(workspace, self.state)));
        item.insert("work_sk".to_owned(), item::text(self.listed_at()));
        if let Some(ended) = self.ended_at {
            item.insert("expires_at".to_owned(), item::expiry(ended + KEPT));
        }
        Ok(item)
    }
}

fn list(workspace: &WorkspaceId, state: ActionState) -> String {
    format!("{workspace}#action#{}", state.list())
}

/// What came of a rule's firing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum FiringOutcome {
    /// Its actions were planned.
    Acted,
    /// The rule was quiet at the company.
    CoolingDown {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// What happened was taken back before.
    SetBack,
}

/// An entry of a rule's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// The rule.
    pub rule: RuleId,
    /// The version of the settings in which the rule stood so.
    pub settings_version: u32,
    /// The company.
    pub company_id: CompanyId,
    /// What happened.
    pub happened: Happened,
    /// Which one of its kind.
    pub period: String,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// When it was acted on.
    pub at: DateTime<Utc>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: FiringOutcome,
    /// Ids of the actions.
    pub actions: Vec<String>,
    /// The key of company, rule, from, to and period.
    pub key: String,
}

impl Firing {
    fn sk(&self) -> String {
        format!("{}#{}", keys::instant(self.occurred_at), self.key)
    }
}

/// A rule's silence at a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Until then.
    pub until: DateTime<Utc>,
    /// The firing that it follows.
    pub firing: String,
}

/// What an attempt to fire came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fired {
    /// It was written.
    Now,
    /// It had been before.
    Before,
    /// The rule is quiet there.
    CoolingDown(Quiet),
}

/// What `send#<send id>` says of an action's mail.
#[derive(Serialize, Deserialize)]
struct Sent {
    workspace_id: WorkspaceId,
    company_id: CompanyId,
    /// Stays when the action is long gone: an unsubscribe link never ends.
    user_id: UserId,
    action: String,
}

fn log(workspace: &WorkspaceId, rule: &RuleId) -> String {
    format!("{workspace}#rule#{rule}")
}

fn quiet(rule: &RuleId) -> String {
    format!("rule#{rule}")
}

impl Table {
    /// Writes a firing with its actions, the rule's silence at the company and the events that tell of it, all or nothing,
    /// unless it was written before or the rule is quiet there.
    pub async fn fire(
        &self,
        workspace: &WorkspaceId,
        firing: &Firing,
        actions: &[Action],
        cool_down: TimeDelta,
        events: &[Event],
    ) -> Result<Fired, StoreError> {
        let mut writes = vec![self.firing_put(workspace, firing)?];
        if cool_down > TimeDelta::zero() && firing.outcome == FiringOutcome::Acted {
            writes.push(self.quiet_update(workspace, firing, cool_down)?);
        }
        for action in actions {
            writes.push(self.transact_put(action.item(workspace)?, true)?);
            if let Wanted::Email { user_id: Some(user_id), .. } = &action.wanted {
                let sent = Sent {
                    workspace_id: workspace.clone(),
                    company_id: action.company_id.clone(),
                    user_id: user_id.clone(),
                    action: action.place().sk,
                };
                let pointer =
                    item::write(format!("send#{}", action.send_id(workspace)), "send".to_owned(), &sent)?;
                writes.push(self.transact_put(pointer, false)?);
            }
        }
        for event in events {
            writes.push(self.outbox_put(workspace, event)?);
        }
        match self.transact(writes).await {
            Ok(()) => Ok(Fired::Now),
            Err(StoreError::Conflict) => self.not_fired(workspace, firing).await,
            Err(error) => Err(error),
        }
    }

    /// Whether a firing is in its rule's log.
    pub async fn has_fired(&self, workspace: &WorkspaceId, firing: &Firing) -> Result<bool, StoreError> {
        let known: Option<Firing> = self.get(log(workspace, &firing.rule), firing.sk()).await?;
        Ok(known.is_some())
    }

    /// Why a firing couldn't be written. Errors: [`StoreError::Conflict`] when somebody else is at it just now.
    async fn not_fired(&self, workspace: &WorkspaceId, firing: &Firing) -> Result<Fired, StoreError> {
        if self.has_fired(workspace, firing).await? {
            return Ok(Fired::Before);
        }
        let quiet = self.quiet(workspace, &firing.company_id, &firing.rule).await?;
        quiet
            .filter(|quiet| quiet.until > firing.occurred_at)
            .map(Fired::CoolingDown)
            .ok_or(StoreError::Conflict)
    }

    fn firing_put(&self, workspace: &WorkspaceId, firing: &Firing) -> Result<TransactWriteItem, StoreError> {
        let mut put = item::write(log(workspace, &firing.rule), firing.sk(), firing)?;
        put.insert("expires_at".to_owned(), item::expiry(firing.at + KEPT));
        self.transact_put(put, true)
    }

    fn quiet_update(
        &self,
        workspace: &WorkspaceId,
        firing: &Firing,
        cool_down: TimeDelta,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::company(workspace, &firing.company_id), quiet(&firing.rule))))
            .update_expression("SET #until = :until, firing = :firing")
            .condition_expression("attribute_not_exists(pk) OR #until <= :at")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", item::text(keys::instant(firing.occurred_at + cool_down)))
            .expression_attribute_values(":at", item::text(keys::instant(firing.occurred_at)))
            .expression_attribute_values(":firing", item::text(firing.key.as_str()))
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Until when a rule is quiet at a company.
    pub async fn quiet(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        rule: &RuleId,
    ) -> Result<Option<Quiet>, StoreError> {
        self.get(keys::company(workspace, company), quiet(rule)).await
    }

    /// Ends a rule's silence at a company when it follows this firing, which was taken back.
    pub async fn end_quiet(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        rule: &RuleId,
        firing: &str,
    ) -> Result<(), StoreError> {
        let ended = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::company(workspace, company), quiet(rule))))
            .condition_expression("firing = :firing")
            .expression_attribute_values(":firing", item::text(firing))
            .send()
            .await;
        or_done(ended)
    }

    /// The log of a rule, the latest first: up to `limit` entries behind `after`, each with its place in the log.
    pub async fn firings(
        &self,
        workspace: &WorkspaceId,
        rule: &RuleId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Firing)>, StoreError> {
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", item::text(log(workspace, rule)))
            .scan_index_forward(false)
            .limit(limit);
        if let Some(after) = after {
            request = request
                .key_condition_expression("pk = :pk AND sk < :after")
                .expression_attribute_values(":after", item::text(after));
        }
        let found = request.send().await?.items.unwrap_or_default();
        found
            .into_iter()
            .map(|found| Ok((item::get_text(&found, "sk")?.to_owned(), item::read(found)?)))
            .collect()
    }

    /// One action.
    pub async fn action(
        &self,
        workspace: &WorkspaceId,
        place: &ActionPlace,
    ) -> Result<Option<Action>, StoreError> {
        self.get(keys::company(workspace, &place.company), place.sk.clone()).await
    }

    async fn sent(&self, send: SendId) -> Result<Option<Sent>, StoreError> {
        let pointer: Option<serde_json::Value> = self.get(format!("send#{send}"), "send".to_owned()).await?;
        // An ask's mail has such an item too.
        Ok(pointer.and_then(|pointer| serde_json::from_value(pointer).ok()))
    }

    /// Whom a mail of an action went to, by its send id; also when the action itself isn't kept any more.
    pub async fn addressee_of_action(&self, send: SendId) -> Result<Option<Addressee>, StoreError> {
        Ok(self.sent(send).await?.map(|Sent { workspace_id, company_id, user_id, .. }| Addressee {
            workspace_id,
            company_id,
            user_id,
        }))
    }

    /// The workspace and the action whose mail a send id names.
    pub async fn action_of_mail(&self, send: SendId) -> Result<Option<(WorkspaceId, Action)>, StoreError> {
        let Some(sent) = self.sent(send).await? else { return Ok(None) };
        let place = ActionPlace { company: sent.company_id, sk: sent.action };
        let action = self.action(&sent.workspace_id, &place).await?;
        Ok(action.map(|action| (sent.workspace_id, action)))
    }

    /// The actions of a company that follow from what happened since an instant, oldest first.
    pub async fn actions_since(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        since: DateTime<Utc>,
    ) -> Result<Vec<Action>, StoreError> {
        let range = Range::Between(format!("action#{}", keys::instant(since)), "action#~".to_owned());
        self.query(keys::company(workspace, company), range, true)
            .await?
            .into_iter()
            .map(item::read)
            .collect()
    }

    /// The actions of a company that follow from what happened from one instant to before another, oldest first.
    pub async fn actions_between(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        [from, to]: [DateTime<Utc>; 2],
    ) -> Result<Vec<Action>, StoreError> {
        // A key goes on behind its instant, so it comes behind the bare instant at which the range ends.
        let range = [from, to].map(|at| format!("action#{}", keys::instant(at)));
        let [from, to] = range;
        let found = self.query(keys::company(workspace, company), Range::Between(from, to), false).await?;
        found.into_iter().map(item::read).collect()
    }

    /// Actions whose time has come, the earliest first: up to `limit`.
    pub async fn due_actions(
        &self,
        workspace: &WorkspaceId,
        now: DateTime<Utc>,
        limit: i32,
    ) -> Result<Vec<Action>, StoreError> {
        // `#` stands before every other character that may follow an instant.
        let until = format!("{}~", keys::instant(now));
        let due = list(workspace, ActionState::Planned);
        let mut actions = Vec::new();
        for entry in self.work_list(due, Some(("<", until)), true, limit).await? {
            actions.extend(self.listed_action(entry).await?.map(|(_, action)| action));
        }
        Ok(actions)
    }

    /// Actions in one of the lists that hold a state: those with a time, those that wait for approval, or those that have
    /// ended, the latest first. Up to `limit` behind `after`, each with its place in the list.
    pub async fn actions(
        &self,
        workspace: &WorkspaceId,
        state: ActionState,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<(String, Action)>, StoreError> {
        let behind = after.map(|after| ("<", after.to_owned()));
        let found = self.work_list(list(workspace, state), behind, false, limit).await?;
        let reads: Vec<_> = found.into_iter().map(|entry| self.listed_action(entry)).collect();
        let actions: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        Ok(actions.into_iter().flatten().collect())
    }

    async fn listed_action(&self, entry: Item) -> Result<Option<(String, Action)>, StoreError> {
        let key = |name| item::get_text(&entry, name).map(str::to_owned);
        let action: Option<Action> = self.get(key("pk")?, key("sk")?).await?;
        Ok(action.map(|action| (key("work_sk"), action)).and_then(|(at, action)| Some((at.ok()?, action))))
    }

    /// Writes an action as it is now, upon the version that it was read with. Returns it with its new version. Errors:
    /// [`StoreError::Conflict`] when somebody else was faster.
    pub async fn write_action(&self, workspace: &WorkspaceId, action: &Action) -> Result<Action, StoreError> {
        let (next, put) = self.action_put(workspace, action)?;
        self.transact(vec![put]).await?;
        Ok(next)
    }

    /// Takes an action's mail on to be sent: nobody else does from here. Returns nothing when somebody else was faster or
    /// mails no longer reach the user there.
    pub async fn begin_mail(
        &self,
        workspace: &WorkspaceId,
        action: &Action,
        to: (&UserId, &str),
    ) -> Result<Option<Action>, StoreError> {
        let (user, address) = to;
        let (next, put) = self.action_put(workspace, action)?;
        match self.transact(vec![put, self.reachable_check(workspace, user, address)?]).await {
            Ok(()) => Ok(Some(next)),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn action_put(
        &self,
        workspace: &WorkspaceId,
        action: &Action,
    ) -> Result<(Action, TransactWriteItem), StoreError> {
        let next = Action { version: action.version + 1, ..action.clone() };
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(next.item(workspace)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", item::number(action.version))
            .build()?;
        Ok((next, TransactWriteItem::builder().put(put).build()))
    }
}
