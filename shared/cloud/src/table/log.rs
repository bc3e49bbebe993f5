//! The packed log: the events of one request, compressed into one item (more only above the item limit), enough
//! to rebuild every aggregate. The key follows from the request's content, so that a retry writes it again
//! instead of beside.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use barometer_domain::WorkspaceId;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Range, StoreError, Table, item, keys, packing};
use crate::bus::hex;

/// Bytes of a part: below DynamoDB's item limit of 400 KB, keys and names included.
const PART: usize = 380_000;

/// Shards of a day's log, by the first digit of the hash.
const SHARDS: &str = "0123456789abcdef";

/// One request's events as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// When the request came.
    pub received_at: DateTime<Utc>,
    /// The events, as the ingesting function wrote them.
    pub content: Vec<u8>,
}

/// A pack with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// The pack.
    pub pack: Pack,
    hash: String,
    parts: usize,
    expires_at: AttributeValue,
}

impl Table {
    /// Writes a request's events to the log of the day it came, kept for `keep`. `identity` is what the request
    /// is recognised by when it comes again.
    pub async fn append_log(
        &self,
        workspace: &WorkspaceId,
        identity: &[u8],
        pack: &Pack,
        keep: TimeDelta,
    ) -> Result<(), StoreError> {
        let hash = hex(Sha256::digest(identity).iter().take(16));
        self.put_pack(workspace, &hash, pack, item::expiry(pack.received_at + keep)).await?;
        Ok(())
    }

    /// Writes the parts of a pack. Returns how many.
    async fn put_pack(
        &self,
        workspace: &WorkspaceId,
        hash: &str,
        pack: &Pack,
        expires_at: AttributeValue,
    ) -> Result<usize, StoreError> {
        let packed = packing::pack(&pack.content)?;
        let pk = keys::log(workspace, pack.received_at.date_naive(), hash);
        let parts = packed.len().div_ceil(PART).max(1);
        for (index, part) in packed.chunks(PART).enumerate() {
            let mut written = item::key(pk.clone(), format!("{hash}#{index:03}"));
            written.insert("body".to_owned(), AttributeValue::B(Blob::new(part)));
            written.insert("parts".to_owned(), item::number(parts));
            written.insert("received_at".to_owned(), item::text(keys::instant(pack.received_at)));
            written.insert("expires_at".to_owned(), expires_at.clone());
            self.put(written, false).await?;
        }
        Ok(parts)
    }

    /// Puts other content into the place of a pack, for as long as that one was to be kept. What a shorter pack leaves of
    /// a longer one goes.
    pub async fn rewrite_log(
        &self,
        workspace: &WorkspaceId,
        logged: &Logged,
        content: Vec<u8>,
    ) -> Result<(), StoreError> {
        let pack = Pack { received_at: logged.pack.received_at, content };
        let parts = self.put_pack(workspace, &logged.hash, &pack, logged.expires_at.clone()).await?;
        let pk = keys::log(workspace, pack.received_at.date_naive(), &logged.hash);
        for index in parts..logged.parts {
            self.delete(pk.clone(), format!("{}#{index:03}", logged.hash)).await?;
        }
        Ok(())
    }

    /// The packs of one day.
    pub async fn log_of_day(&self, workspace: &WorkspaceId, day: NaiveDate) -> Result<Vec<Pack>, StoreError> {
        Ok(self.logged_on(workspace, day).await?.into_iter().map(|logged| logged.pack).collect())
    }

    /// The packs of one day, with their places.
    pub async fn logged_on(
        &self,
        workspace: &WorkspaceId,
        day: NaiveDate,
    ) -> Result<Vec<Logged>, StoreError> {
        let mut packs = Vec::new();
        for shard in SHARDS.split("").filter(|shard| !shard.is_empty()) {
            let found = self.query(keys::log(workspace, day, shard), Range::All, true).await?;
            let mut body: Vec<u8> = Vec::new();
            let mut seen = 0;
            for part in &found {
                // Parts come in order of hash and index; the first part of a hash begins a pack.
                let index =
                    item::get_text(part, "sk")?.rsplit('#').next().and_then(|index| index.parse().ok());
                if index == Some(0) {
                    body.clear();
                    seen = 0;
                } else if index != Some(seen) || seen == 0 {
                    // Left by a longer version of the same request, or the part before it is missing.
                    continue;
                }
                if let Some(AttributeValue::B(bytes)) = part.get("body") {
                    body.extend_from_slice(bytes.as_ref());
                    seen += 1;
                }
                let parts = match part.get("parts") {
                    Some(AttributeValue::N(parts)) => parts.parse().unwrap_or(1),
                    _ => 1,
                };
                if seen == parts {
                    let received_at = item::get_text(part, "received_at")?
                        .parse()
                        .map_err(|error: chrono::ParseError| StoreError::Corrupt(error.into()))?;
                    let hash = item::get_text(part, "sk")?.split('#').next().unwrap_or_default().to_owned();
                    let expires_at = part.get("expires_at").cloned();
                    packs.push(Logged {
                        pack: Pack { received_at, content: packing::unpack(&body)? },
                        hash,
                        parts,
                        expires_at: expires_at.unwrap_or_else(|| item::expiry(received_at)),
                    });
                    seen = 0;
                }
            }
        }
        Ok(packs)
    }
}
