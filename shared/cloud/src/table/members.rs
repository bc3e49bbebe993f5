//! Members: the users of a company, with when each may be asked next.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use barometer_domain::{CompanyId, UserId, WorkspaceId, Zone, ask, member};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Range, StoreError, Table, item, keys, or_done};

/// Says of an id's seat whose it is, when the id turned out to be another person. Such an item is no member.
const OWNER: &str = "owner";

#[derive(Deserialize)]
struct Retired {
    #[serde(default)]
    owner: Option<UserId>,
}

/// Shards of the list of users whose turn it is, over all workspaces.
pub const DUE_SHARDS: u8 = 4;

/// A user as a member of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The workspace's own id for the person.
    pub user_id: UserId,
    /// The local day of the first event that named them, or of the invitation.
    pub first_seen: NaiveDate,
    /// The instant of it.
    pub first_seen_at: DateTime<Utc>,
    /// The day from which they no longer belong to the company.
    #[serde(default)]
    pub left: Option<NaiveDate>,
    /// Their address, when known.
    #[serde(default)]
    pub email: Option<String>,
    /// Their name, when known.
    #[serde(default)]
    pub name: Option<String>,
    /// Their zone, when known.
    #[serde(default)]
    pub time_zone: Option<Zone>,
    /// Their language, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// Whether the CSM made them a primary contact; nothing when the CSM said nothing.
    #[serde(default)]
    pub contact: Option<bool>,
    /// Whether the product says that they are one.
    #[serde(default)]
    pub primary_contact: Option<bool>,
    /// When they were last asked for this company.
    #[serde(default)]
    pub last_ask_at: Option<DateTime<Utc>>,
    /// How often they were asked.
    #[serde(default)]
    pub asks: u32,
    /// How many of the latest asks they left unanswered.
    #[serde(default)]
    pub unanswered: u32,
    /// When the sweep looks at them next; absent: not before something changes.
    #[serde(default, rename = "work_sk")]
    pub due_at: Option<DateTime<Utc>>,
}

impl Member {
    /// Whether mails to the company go to them first: what the CSM said, else what the product says.
    pub fn is_primary_contact(&self) -> bool {
        self.contact.or(self.primary_contact).unwrap_or(false)
    }

    /// The member as the rules see it; `excluded` by the settings.
    pub fn seat(&self, excluded: bool) -> member::Member {
        member::Member { first_seen: self.first_seen, left: self.left, excluded }
    }
}

/// What is known of a person; absent fields are left as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
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
    /// Whether mails to their company go to them first.
    #[serde(default)]
    pub primary_contact: Option<bool>,
}

impl Person {
    /// Name and value of every field that is known.
    pub(super) fn known(&self) -> Vec<(&'static str, AttributeValue)> {
        let texts = [
            ("email", self.email.clone()),
            ("name", self.name.clone()),
            ("time_zone", self.time_zone.map(|zone| zone.to_string())),
            ("language", self.language.clone()),
        ];
        let texts = texts.into_iter().filter_map(|(name, value)| Some((name, item::text(value?))));
        let contact = self.primary_contact.map(|is| ("primary_contact", AttributeValue::Bool(is)));
        texts.chain(contact).collect()
    }
}

/// A member whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Due {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The company.
    pub company: CompanyId,
    /// The user.
    pub user: UserId,
}

impl Table {
    /// Makes a user known as a member of a company. The earliest instant wins, whatever the order of arrival;
    /// a new member is put on the list of those to be asked.
    pub async fn note_member(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        seen_at: DateTime<Utc>,
        seen_on: NaiveDate,
    ) -> Result<(), StoreError> {
        let due = ask::due(seen_at, None, chrono::TimeDelta::zero());
        let noted = self
            .update(keys::company(workspace, company), keys::member(user))
            .update_expression(
                "SET user_id = :user, first_seen = :on, first_seen_at = :at, \
                 work_pk = if_not_exists(work_pk, :shard), work_sk = if_not_exists(work_sk, :due)",
            )
            .condition_expression(
                "(attribute_not_exists(first_seen_at) OR first_seen_at > :at) AND attribute_not_exists(#owner)",
            )
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":user", item::text(user.as_str()))
            .expression_attribute_values(":on", item::value(&seen_on)?)
            .expression_attribute_values(":at", item::text(keys::instant(seen_at)))
            .expression_attribute_values(":shard", item::text(due_shard(user)))
            .expression_attribute_values(":due", item::text(keys::instant(due)))
            .return_values(ReturnValue::UpdatedOld)
            .send()
            .await;
        let before = match noted.map_err(StoreError::from) {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(StoreError::Conflict) => return Ok(()),
            Err(error) => return Err(error),
        };
        if before.contains_key("work_sk") {
            self.move_turn(workspace, company, user, due).await
        } else {
            Ok(())
        }
    }

    /// The first turn follows from the first instant, so it moves with it; the turn of who was asked stays.
    async fn move_turn(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        to: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let moved = self
            .update(keys::company(workspace, company), keys::member(user))
            .update_expression("SET work_sk = :to")
            .condition_expression("work_sk > :to AND attribute_not_exists(last_ask_at)")
            .expression_attribute_values(":to", item::text(keys::instant(to)))
            .send()
            .await;
        or_done(moved)
    }

    /// Adds what is known of a person to a membership. Errors: [`StoreError::Conflict`] when there is none.
    pub async fn describe_member(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        person: &Person,
    ) -> Result<(), StoreError> {
        let key = item::key(keys::company(workspace, company), keys::member(user));
        self.describe(key, person, true).await
    }

    pub(super) async fn describe(
        &self,
        key: super::Item,
        person: &Person,
        existing: bool,
    ) -> Result<(), StoreError> {
        let known = person.known();
        if known.is_empty() {
            return Ok(());
        }
        let set: Vec<String> = known.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut request = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key))
            .update_expression(format!("SET {}", set.join(", ")));
        if existing {
            request = request.condition_expression("attribute_exists(pk)");
        }
        for (name, value) in known {
            request = request
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        request.send().await?;
        Ok(())
    }

    /// Makes somebody a primary contact of a company or none, whatever the product says; with nothing the product's word
    /// counts again. Returns the member as it is then; nothing when there is none.
    pub async fn set_primary_contact(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        contact: Option<bool>,
    ) -> Result<Option<Member>, StoreError> {
        let mut request = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::company(workspace, company), keys::member(user))))
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(#owner)")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#contact", "contact");
        request = match contact {
            Some(contact) => request
                .update_expression("SET #contact = :contact")
                .expression_attribute_values(":contact", AttributeValue::Bool(contact)),
            None => request.update_expression("REMOVE #contact"),
        };
        match self.apply(request.build()?).await {
            Ok(()) => self.member(workspace, company, user).await,
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a membership from a local day on, or, with nothing, revives it.
    pub async fn end_membership(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        left: Option<NaiveDate>,
    ) -> Result<(), StoreError> {
        let mut request = self
            .update(keys::company(workspace, company), keys::member(user))
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#left", "left");
        request = match left {
            Some(left) => request
                .update_expression("SET #left = :left")
                .expression_attribute_values(":left", item::value(&left)?),
            None => request.update_expression("REMOVE #left"),
        };
        or_done(request.send().await)
    }

    /// All members of a company, by person.
    pub async fn members(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
    ) -> Result<Vec<Member>, StoreError> {
        let found = self.query(keys::company(workspace, company), Range::Prefix("user#".to_owned()), false);
        found.await?.into_iter().filter(|found| !found.contains_key(OWNER)).map(item::read).collect()
    }

    /// One member.
    pub async fn member(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
    ) -> Result<Option<Member>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(item::key(keys::company(workspace, company), keys::member(user))))
            .consistent_read(true)
            .send()
            .await?;
        answer.item.filter(|found| !found.contains_key(OWNER)).map(item::read).transpose()
    }

    /// Takes the seat of an id that turned out to be another person's off every list, for good.
    pub async fn retire_member(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        owner: &UserId,
    ) -> Result<(), StoreError> {
        self.update(keys::company(workspace, company), keys::member(user))
            .update_expression("SET #owner = :owner REMOVE work_pk, work_sk")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_values(":owner", item::text(owner.as_str()))
            .send()
            .await?;
        Ok(())
    }

    /// The person that has an id's seat at a company, if it was taken from it.
    pub async fn seat_owner(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
    ) -> Result<Option<UserId>, StoreError> {
        let found: Option<Retired> = self.get(keys::company(workspace, company), keys::member(user)).await?;
        Ok(found.and_then(|found| found.owner))
    }

    /// Puts a member on the list of those to be asked at `at`, or takes them off it.
    pub async fn schedule_ask(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let request = self
            .update(keys::company(workspace, company), keys::member(user))
            .condition_expression("attribute_exists(pk)");
        let request = match at {
            Some(at) => request
                .update_expression("SET work_pk = :shard, work_sk = :at")
                .expression_attribute_values(":shard", item::text(due_shard(user)))
                .expression_attribute_values(":at", item::text(keys::instant(at))),
            None => request.update_expression("REMOVE work_pk, work_sk"),
        };
        or_done(request.send().await)
    }

    /// Puts a member who is on no list of those to be asked back on it, at `at`: their address became known. The
    /// sweep decides whether and when.
    pub async fn wake_ask(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let woken = self
            .update(keys::company(workspace, company), keys::member(user))
            .update_expression("SET work_pk = :shard, work_sk = :at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(work_pk)")
            .expression_attribute_values(":shard", item::text(due_shard(user)))
            .expression_attribute_values(":at", item::text(keys::instant(at)))
            .send()
            .await;
        or_done(woken)
    }

    /// Records that a member was asked: number of asks, unanswered ones, and when to look again.
    pub async fn record_ask(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
        asked_at: DateTime<Utc>,
        asks: u32,
        next: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let recorded = self
            .update(keys::company(workspace, company), keys::member(user))
            .update_expression(
                "SET last_ask_at = :at, asks = :asks, work_pk = :shard, work_sk = :next ADD unanswered :one",
            )
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(asks) OR asks < :asks)")
            .expression_attribute_values(":at", item::text(keys::instant(asked_at)))
            .expression_attribute_values(":asks", item::number(asks))
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":shard", item::text(due_shard(user)))
            .expression_attribute_values(":next", item::text(keys::instant(next)))
            .send()
            .await;
        or_done(recorded)
    }

    /// Records that a member answered: the back-off ends.
    pub async fn record_answered(
        &self,
        workspace: &WorkspaceId,
        company: &CompanyId,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let recorded = self
            .update(keys::company(workspace, company), keys::member(user))
            .update_expression("SET unanswered = :zero")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":zero", item::number(0))
            .send()
            .await;
        or_done(recorded)
    }

    /// Members whose turn it is at `now`, of one shard: what is read follows what is due.
    pub async fn due(&self, shard: u8, now: DateTime<Utc>, limit: i32) -> Result<Vec<Due>, StoreError> {
        let until = Some(("<=", keys::instant(now)));
        self.work_list(format!("due#{shard}"), until, true, limit)
            .await?
            .iter()
            .map(|found| {
                let pk = item::get_text(found, "pk")?;
                let sk = item::get_text(found, "sk")?;
                let parse = || {
                    let (workspace, rest) = pk.split_once('#')?;
                    Some(Due {
                        workspace: WorkspaceId::new(workspace).ok()?,
                        company: CompanyId::new(rest.strip_prefix("company#")?).ok()?,
                        user: UserId::new(sk.strip_prefix("user#")?).ok()?,
                    })
                };
                parse().ok_or_else(|| StoreError::Corrupt(format!("{pk:?} {sk:?} is no member").into()))
            })
            .collect()
    }
}

fn due_shard(user: &UserId) -> String {
    format!("due#{}", keys::shard(user.as_str(), DUE_SHARDS))
}
