//! Users across companies: what is known of a person, which companies they named, who they turned out to be, and
//! what of theirs waits for a company. All of it lies side by side, so that one query brings it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem};
use barometer_domain::{CompanyId, IsoWeek, UserId, WorkspaceId, Zone, groups::Groups, loose::Loose};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Item, Range, StoreError, Table,
    activity::{loose_sets, read_loose},
    answers::Answer,
    item, keys,
    members::Person,
    or_done,
};
use crate::bus::hex;

/// Sort key of a person; what else lies with them begins with it.
const WHO: &str = "who";

/// Slots of one item of group memory: four weeks of five minutes. A user who names a company in every slot of forty
/// hours a week stays below 10 KB.
const SLOTS_AN_ITEM: i64 = 4 * 2_016;

/// A person, apart from any company.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Zone.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Language, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// Whether the product says that mails to their company go to them first.
    #[serde(default)]
    pub primary_contact: Option<bool>,
    /// Who this user turned out to be.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// When they unsubscribed from everything automated.
    #[serde(default)]
    pub unsubscribed_at: Option<DateTime<Utc>>,
    /// When they were last asked, for any company.
    #[serde(default)]
    pub last_ask_at: Option<DateTime<Utc>>,
    /// When they last answered a survey that wasn't ours.
    #[serde(default)]
    pub last_surveyed_at: Option<DateTime<Utc>>,
    /// Addresses of theirs that mails came back from for good, as [`address_hash`].
    #[serde(default)]
    pub unreachable: BTreeSet<String>,
    /// Why the latest of them came back, in SES's words.
    #[serde(default)]
    pub unreachable_reason: Option<String>,
}

/// An address as it is remembered when no mail gets there: a new address is another one, and no address is kept.
pub fn address_hash(address: &str) -> String {
    hex(Sha256::digest(address.trim().to_lowercase().as_bytes()).iter().take(16))
}

impl User {
    /// Whether mails to an address came back for good.
    pub fn is_unreachable_at(&self, address: &str) -> bool {
        !self.unreachable.is_empty() && self.unreachable.contains(&address_hash(address))
    }

    /// What is known of the person.
    pub fn person(&self) -> Person {
        Person {
            email: self.email.clone(),
            name: self.name.clone(),
            time_zone: self.time_zone,
            language: self.language.clone(),
            primary_contact: self.primary_contact,
        }
    }
}

/// That an id is another user's. The earliest claim counts: two people at one device are told apart by who came first.
/// As text, instant and user, so that the store can compare claims.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claim {
    /// When it was said.
    pub at: DateTime<Utc>,
    /// The user.
    pub user: UserId,
}

impl From<Claim> for String {
    fn from(claim: Claim) -> Self {
        format!("{}#{}", keys::instant(claim.at), claim.user)
    }
}

impl TryFrom<String> for Claim {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (at, user) = text.split_once('#')?;
            Some(Self { at: at.parse().ok()?, user: UserId::new(user).ok()? })
        };
        parse().ok_or_else(|| format!("{text:?} is no claim"))
    }
}

/// Everything that lies with a user's id.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Who {
    /// The person.
    pub user: User,
    /// The companies they named and left.
    pub groups: Groups,
    /// Ids that were claimed to be theirs; one of them may have gone to an earlier claim since.
    pub joined: BTreeSet<UserId>,
    /// Companies at which this id was active or named, since when. Whoever finds one needn't seat the person again.
    pub seats: BTreeMap<CompanyId, DateTime<Utc>>,
    /// Activity that waits for a company.
    pub waiting: BTreeMap<IsoWeek, Loose>,
    /// Answers that wait for a company.
    pub answers: Vec<Answer>,
}

fn slots(found: &Item, name: &str) -> Result<Vec<i64>, StoreError> {
    let corrupt = |number: &str| StoreError::Corrupt(format!("{name}: {number}").into());
    match found.get(name) {
        Some(AttributeValue::Ns(slots)) => {
            slots.iter().map(|slot| slot.parse().map_err(|_| corrupt(slot))).collect()
        }
        _ => Ok(Vec::new()),
    }
}

fn id<T, E: std::error::Error + Send + Sync + 'static>(id: Result<T, E>) -> Result<T, StoreError> {
    id.map_err(|error| StoreError::Corrupt(error.into()))
}

impl Who {
    /// Adds what one item says, unless it has ended at `now`.
    fn read(&mut self, found: Item, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sk = item::get_text(&found, "sk")?.to_owned();
        let ended = match found.get("expires_at") {
            Some(AttributeValue::N(end)) => end.parse::<i64>().is_ok_and(|end| end <= now.timestamp()),
            _ => false,
        };
        let mut parts = sk.splitn(3, '#').skip(1);
        match (parts.next(), parts.next()) {
            (None, _) => {
                for slot in slots(&found, "left")? {
                    self.groups.leave(slot, None);
                }
                self.user = item::read(found)?;
            }
            (Some("group"), Some(rest)) => {
                let company = id(CompanyId::new(rest.split_once('#').unwrap_or_default().1))?;
                for slot in slots(&found, "named")? {
                    self.groups.name(slot, company.clone());
                }
                for slot in slots(&found, "left")? {
                    self.groups.leave(slot, Some(company.clone()));
                }
            }
            (Some("joined"), Some(joined)) => {
                self.joined.insert(id(UserId::new(joined))?);
            }
            (Some("seat"), Some(company)) => {
                let since = item::get_text(&found, "since")?.parse();
                self.seats.insert(id(CompanyId::new(company))?, id(since)?);
            }
            (Some("loose"), Some(week)) if !ended => {
                let loose = read_loose(&found)?;
                if !loose.is_empty() {
                    self.waiting.insert(id(week.parse())?, loose);
                }
            }
            (Some("answer"), Some(_)) if !ended => self.answers.push(item::read(found)?),
            _ => {}
        }
        Ok(())
    }
}

impl Table {
    /// What lies with a user's id, read consistently: one query. What waited until `now` is gone.
    pub async fn who(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        now: DateTime<Utc>,
    ) -> Result<Who, StoreError> {
        let mut who = Who::default();
        for found in self.query(keys::user(workspace, user), Range::Prefix(WHO.to_owned()), true).await? {
            who.read(found, now)?;
        }
        Ok(who)
    }

    /// One user.
    pub async fn user(&self, workspace: &WorkspaceId, user: &UserId) -> Result<Option<User>, StoreError> {
        self.get(keys::user(workspace, user), WHO.to_owned()).await
    }

    /// Adds what is known of a person.
    pub async fn describe_user(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        person: &Person,
    ) -> Result<(), StoreError> {
        self.describe(item::key(keys::user(workspace, user), WHO.to_owned()), person, false).await
    }

    /// Remembers companies that a user named and left; saying it again changes nothing.
    pub async fn note_groups(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        groups: &Groups,
    ) -> Result<(), StoreError> {
        let mut sets = BTreeMap::<String, BTreeMap<&str, Vec<String>>>::new();
        let sk = |slot: i64, company: &CompanyId| {
            format!("{WHO}#group#{:06}#{company}", slot.div_euclid(SLOTS_AN_ITEM))
        };
        for (slot, company) in groups.named() {
            sets.entry(sk(slot, company)).or_default().entry("named").or_default().push(slot.to_string());
        }
        for (slot, company) in groups.left() {
            let sk = company.map_or_else(|| WHO.to_owned(), |company| sk(slot, company));
            sets.entry(sk).or_default().entry("left").or_default().push(slot.to_string());
        }
        for (sk, sets) in sets {
            let sets = sets.into_iter().map(|(name, slots)| (name.to_owned(), AttributeValue::Ns(slots)));
            let key = item::key(keys::user(workspace, user), sk);
            self.change_sets(&key, "ADD", sets.collect(), None).await?;
        }
        Ok(())
    }

    /// Remembers that an id is another user's; the earliest claim stays.
    pub async fn claim(
        &self,
        workspace: &WorkspaceId,
        claimed: &UserId,
        claim: &Claim,
    ) -> Result<(), StoreError> {
        // The way down first: who finds the claim must find everything that goes with it.
        let joined = item::key(keys::user(workspace, &claim.user), format!("{WHO}#joined#{claimed}"));
        self.put(joined, false).await?;
        let noted = self
            .update(keys::user(workspace, claimed), WHO.to_owned())
            .update_expression("SET claim = :claim")
            .condition_expression("attribute_not_exists(claim) OR claim > :claim")
            .expression_attribute_values(":claim", item::text(String::from(claim.clone())))
            .send()
            .await;
        or_done(noted)
    }

    /// Remembers that a user's id was active or named at a company; the earliest instant stays.
    pub async fn note_seat(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        company: &CompanyId,
        since: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let noted = self
            .update(keys::user(workspace, user), format!("{WHO}#seat#{company}"))
            .update_expression("SET since = :since")
            .condition_expression("attribute_not_exists(since) OR since > :since")
            .expression_attribute_values(":since", item::text(keys::instant(since)))
            .send()
            .await;
        or_done(noted)
    }

    /// Keeps activity of a user whose company isn't known yet, until `expires_at`.
    pub async fn add_waiting(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        loose: &Loose,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::user(workspace, user), format!("{WHO}#loose#{week}"));
        let expires = Some(("expires_at", item::expiry(expires_at)));
        self.change_sets(&key, "ADD", loose_sets(loose), expires).await
    }

    /// Forgets activity that waited. What is added meanwhile stays.
    pub async fn remove_waiting(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        week: IsoWeek,
        loose: &Loose,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::user(workspace, user), format!("{WHO}#loose#{week}"));
        self.change_sets(&key, "DELETE", loose_sets(loose), None).await
    }

    /// Keeps an answer of a user whose company isn't known yet, until `expires_at`.
    pub async fn add_waiting_answer(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        answer: &Answer,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut written = item::write(keys::user(workspace, user), waiting_answer(answer), answer)?;
        written.insert("expires_at".to_owned(), item::expiry(expires_at));
        self.put(written, false).await
    }

    /// Forgets an answer that waited.
    pub async fn remove_waiting_answer(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        answer: &Answer,
    ) -> Result<(), StoreError> {
        self.delete(keys::user(workspace, user), waiting_answer(answer)).await
    }

    /// Unsubscribes a user from everything automated. Saying it again changes nothing.
    pub async fn unsubscribe(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), WHO.to_owned())
            .update_expression("SET unsubscribed_at = if_not_exists(unsubscribed_at, :at)")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await?;
        Ok(())
    }

    /// Takes an unsubscribe back. Errors: [`StoreError::Conflict`] when the user isn't unsubscribed, or was subscribed
    /// again within `pause`: who presses the buttons in turn, man or machine, writes no more often than that.
    pub async fn resubscribe(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
        pause: TimeDelta,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), WHO.to_owned())
            .update_expression("SET resubscribed_at = :at REMOVE unsubscribed_at")
            .condition_expression(
                "attribute_exists(unsubscribed_at) AND (attribute_not_exists(resubscribed_at) OR resubscribed_at <= :before)",
            )
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .expression_attribute_values(":before", item::text(keys::instant(at - pause)))
            .send()
            .await?;
        Ok(())
    }

    /// Remembers that mails to an address of a user come back for good. Saying it again changes nothing.
    pub async fn note_unreachable(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        address: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), WHO.to_owned())
            .update_expression("ADD unreachable :address SET unreachable_reason = :reason")
            .expression_attribute_values(":address", AttributeValue::Ss(vec![address_hash(address)]))
            .expression_attribute_values(":reason", item::text(reason))
            .send()
            .await?;
        Ok(())
    }

    /// That mails may go to an address of a user, as a part of a transaction: they haven't unsubscribed, and none
    /// came back from it for good.
    pub(super) fn reachable_check(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        address: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::user(workspace, user), WHO.to_owned())))
            .condition_expression(
                "attribute_not_exists(unsubscribed_at) AND \
                 (attribute_not_exists(unreachable) OR NOT contains(unreachable, :address))",
            )
            .expression_attribute_values(":address", item::text(address_hash(address)))
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Records when a user was last asked, for any company.
    pub async fn note_asked(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.set_user(workspace, user, "last_ask_at", item::text(keys::instant(at))).await
    }

    /// Records that a user answered a survey that wasn't ours; the latest stays.
    pub async fn note_surveyed(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let noted = self
            .update(keys::user(workspace, user), WHO.to_owned())
            .update_expression("SET last_surveyed_at = :at")
            .condition_expression("attribute_not_exists(last_surveyed_at) OR last_surveyed_at < :at")
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(noted)
    }

    async fn set_user(
        &self,
        workspace: &WorkspaceId,
        user: &UserId,
        name: &str,
        value: AttributeValue,
    ) -> Result<(), StoreError> {
        self.update(keys::user(workspace, user), WHO.to_owned())
            .update_expression(format!("SET {name} = :value"))
            .expression_attribute_values(":value", value)
            .send()
            .await?;
        Ok(())
    }
}

fn waiting_answer(answer: &Answer) -> String {
    format!("{WHO}#answer#{}", hex(Sha256::digest(answer.origin.as_bytes()).iter().take(12)))
}
