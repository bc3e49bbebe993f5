//! Sessions: signed-in browsers, each held by a member or by an API token.
//!
//! A session's cookie names its item and carries a secret, of which the item has the SHA-256. So one item is all there
//! is: a request reads it by key, a holder's sessions are one query, and a renewal is one small write. A session ends
//! [`IDLE`] after its last use and [`LONGEST`] after its beginning, whatever comes first; its last use is noted once in
//! [`RENEWAL`] at most, so it may end that much earlier than its idle time. What a session may do isn't kept here: every
//! request asks its holder, so another role, a removal and a revoked token count at once.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, credentials::hash, item, or_done, sign_ins, team};

/// How long a session lasts without being used.
pub const IDLE: TimeDelta = TimeDelta::hours(8);

/// How long a session lasts, however much it is used.
pub const LONGEST: TimeDelta = TimeDelta::days(7);

/// How long after its last noted use another one is noted.
pub const RENEWAL: TimeDelta = TimeDelta::minutes(15);

/// Most writes of a transaction of ours: DynamoDB takes 100, and one may be an entry of the audit.
const AT_ONCE: usize = 99;

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A member, by id.
    Member(String),
    /// An API token, by id: its session is no longer than the token and ends with it.
    ApiToken(String),
}

impl Holder {
    fn prefix(&self) -> String {
        match self {
            Self::Member(id) => format!("member:{id}"),
            Self::ApiToken(id) => format!("token:{id}"),
        }
    }
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id, which isn't secret.
    pub id: String,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Whose it is.
    pub holder: Holder,
    /// Who acts in it.
    pub author: String,
    /// The browser, as it calls itself, for people.
    pub browser: String,
    /// Whether its cookie has the prefix `__Host-`. One that came under another name isn't this session's.
    pub host_only: bool,
    /// When it began.
    pub begun_at: DateTime<Utc>,
    /// When it was last used, as far as that was noted.
    pub used_at: DateTime<Utc>,
    /// When it ends however much it is used.
    pub ends_at: DateTime<Utc>,
    /// When it ends unless it is used before; also the table's TTL.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub expires_at: DateTime<Utc>,
}

/// A session as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    session: Session,
    hash: String,
}

impl Session {
    /// A session that begins now, and ends no later than `until`.
    pub fn begin(
        id: String,
        workspace_id: WorkspaceId,
        holder: Holder,
        author: String,
        now: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> Self {
        let now = now.trunc_subsecs(0);
        let longest = now + LONGEST;
        let ends_at = until.map_or(longest, |until| until.min(longest)).trunc_subsecs(0);
        Self {
            id,
            workspace_id,
            holder,
            author,
            browser: String::new(),
            host_only: false,
            begun_at: now,
            used_at: now,
            ends_at,
            expires_at: (now + IDLE).min(ends_at),
        }
    }

    /// The text of its cookie.
    pub fn cookie(&self, secret: &str) -> String {
        format!("{}~{}~{}~{secret}", self.workspace_id, self.holder.prefix(), self.id)
    }

    /// Whether another use is to be noted.
    pub fn is_to_be_renewed(&self, now: DateTime<Utc>) -> bool {
        now - self.used_at >= RENEWAL
    }

    fn key(&self) -> (String, String) {
        (pk(&self.workspace_id), sk(&self.holder.prefix(), &self.id))
    }
}

fn pk(workspace: &WorkspaceId) -> String {
    format!("{workspace}#sessions")
}

fn sk(holder: &str, id: &str) -> String {
    format!("{holder}#{id}")
}

/// Workspace, holder, id and secret of a cookie's text.
fn parts(cookie: &str) -> Option<(WorkspaceId, &str, &str, &str)> {
    let mut parts = cookie.rsplitn(4, '~');
    let (secret, id, holder) = (parts.next()?, parts.next()?, parts.next()?);
    // Nothing is looked for that couldn't be there: a key has its limits.
    let all = [secret, id, holder];
    let fits = all.iter().all(|part| !part.is_empty() && part.len() <= 100 && !part.contains('#'));
    let workspace = WorkspaceId::new(parts.next()?).ok()?;
    (fits && !workspace.as_str().contains('#')).then_some((workspace, holder, id, secret))
}

impl Table {
    /// Begins a session. With the code of a link the link is used up in the same transaction, and a member's last sign-in
    /// is noted in it. Errors: [`StoreError::Conflict`] when the link was used before, or the member is gone.
    pub async fn add_session(
        &self,
        secret: &str,
        session: &Session,
        code: Option<&str>,
    ) -> Result<(), StoreError> {
        let (pk, sk) = session.key();
        let stored = Stored { session: session.clone(), hash: hash(secret) };
        let mut writes = vec![self.transact_put(item::write(pk, sk, &stored)?, true)?];
        if let Some(code) = code {
            writes.push(self.transact_delete(
                sign_ins::pk(code),
                sign_ins::SK.to_owned(),
                Some("attribute_exists(pk)"),
            )?);
        }
        if let Holder::Member(id) = &session.holder {
            let update = Update::builder()
                .table_name(&self.name)
                .set_key(Some(item::key(team::pk(&session.workspace_id), id.clone())))
                .update_expression("SET last_sign_in = :now")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":now", item::value(&session.begun_at)?)
                .build()?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        self.transact(writes).await
    }

    /// The session of a cookie's text, unless it has ended at `now`. `host_only`: whether it came under the name with
    /// the prefix.
    pub async fn session(
        &self,
        cookie: &str,
        host_only: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Session>, StoreError> {
        let Some((workspace, holder, id, secret)) = parts(cookie) else { return Ok(None) };
        let found: Option<Stored> = self.get(pk(&workspace), sk(holder, id)).await?;
        // Hashes are compared and not secrets, so how long that takes tells nothing that helps to guess one.
        Ok(found
            .filter(|found| found.hash == hash(secret) && found.session.host_only == host_only)
            .map(|found| found.session)
            .filter(|session| now < session.expires_at && now < session.ends_at))
    }

    /// Notes that a session is used. One that has ended meanwhile stays so, and of two who note it one does.
    pub async fn renew_session(&self, session: &Session, now: DateTime<Utc>) -> Result<(), StoreError> {
        let now = now.trunc_subsecs(0);
        let (pk, sk) = session.key();
        let renewed = self
            .update(pk, sk)
            .update_expression("SET used_at = :now, expires_at = :expires")
            .condition_expression("used_at = :before")
            .expression_attribute_values(":now", item::value(&now)?)
            .expression_attribute_values(":expires", item::expiry((now + IDLE).min(session.ends_at)))
            .expression_attribute_values(":before", item::value(&session.used_at)?)
            .send()
            .await;
        or_done(renewed)
    }

    /// A holder's sessions that haven't ended, the latest begun first.
    pub async fn sessions_of(
        &self,
        workspace: &WorkspaceId,
        holder: &Holder,
        now: DateTime<Utc>,
    ) -> Result<Vec<Session>, StoreError> {
        let all: Vec<Stored> = self.query_as(pk(workspace), Range::Prefix(sk(&holder.prefix(), ""))).await?;
        let mut live: Vec<Session> =
            all.into_iter().map(|stored| stored.session).filter(|session| now < session.expires_at).collect();
        live.sort_by(|a, b| (b.begun_at, &b.id).cmp(&(a.begun_at, &a.id)));
        Ok(live)
    }

    /// Ends a session. Errors: [`StoreError::Conflict`] when it has ended before.
    pub async fn end_session(&self, session: &Session) -> Result<(), StoreError> {
        let (pk, sk) = session.key();
        self.transact(vec![self.transact_delete(pk, sk, Some("attribute_exists(pk)"))?]).await
    }

    /// Ends several sessions of a workspace; those that have ended before stay so.
    pub async fn end_sessions(&self, sessions: &[Session]) -> Result<(), StoreError> {
        let mut table = self.clone();
        for some in sessions.chunks(AT_ONCE) {
            let deletes = some.iter().map(|session| {
                let (pk, sk) = session.key();
                self.transact_delete(pk, sk, None)
            });
            table.transact(deletes.collect::<Result<_, _>>()?).await?;
            // What is to be recorded went with the first of them.
            table.record = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_never_longer_than_a_week_or_than_what_it_came_from() {
        let now: DateTime<Utc> = "2026-09-01T10:00:00.7Z".parse().unwrap();
        let begin = |until| {
            let workspace = WorkspaceId::new("ws_1").unwrap();
            Session::begin("1".into(), workspace, Holder::Member("m".into()), "a".into(), now, until)
        };
        let free = begin(None);
        assert_eq!((free.ends_at - free.begun_at, free.expires_at - free.begun_at), (LONGEST, IDLE));
        let short = begin(Some(now + TimeDelta::minutes(5)));
        assert_eq!(short.expires_at, short.begun_at + TimeDelta::minutes(5));
        assert_eq!(begin(Some(now + TimeDelta::days(30))).ends_at, free.ends_at);
    }

    #[test]
    fn only_what_could_be_a_cookie_of_ours_is_looked_for() {
        let (workspace, holder, id, secret) = parts("ws_1~member:mem_2~3~bse_x").unwrap();
        assert_eq!((workspace.as_str(), holder, id, secret), ("ws_1", "member:mem_2", "3", "bse_x"));
        for text in ["", "~~~", "a~b~c", "ws#x~m~i~s", "ws~m#x~i~s", "ws~~i~s"] {
            assert!(parts(text).is_none(), "{text}");
        }
        assert!(parts(&format!("ws~m~i~{}", "s".repeat(101))).is_none());
    }
}
