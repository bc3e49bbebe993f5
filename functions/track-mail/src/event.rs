//! SES's events as EventBridge passes them on: which mail, and what became of it.
//!
//! Form: "Contents of event data that Amazon SES publishes" in the SES Developer Guide, as the `detail` of an EventBridge
//! event of source `aws.ses`. Only what is needed is read; other fields may come and go.

use std::collections::BTreeMap;

use barometer_cloud::table::mailing::{Bounce, Fate, Word};
use barometer_domain::SendId;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Something about a mail of ours.
    Word {
        /// The mail.
        send: SendId,
        /// What became of it.
        word: Word,
        /// Where it went.
        address: String,
    },
    /// Nothing that changes anything: a delay, or that a mail isn't spam.
    Nothing,
    /// Something about a mail that isn't ours.
    Foreign,
}

/// Why a message isn't an event of SES.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    /// No JSON, or of another form. The parser's own words may hold what stands in the event, so they are left out.
    #[error("{0:?} at {1}:{2}")]
    Form(serde_json::error::Category, usize, usize),
    /// From elsewhere.
    #[error("another source than aws.ses")]
    Source,
    /// It names a kind and doesn't bring what belongs to it.
    #[error("{0} is missing")]
    Missing(&'static str),
}

#[derive(Deserialize)]
struct Envelope {
    source: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: Mail,
    bounce: Option<BounceRecord>,
    complaint: Option<ComplaintRecord>,
    delivery: Option<DeliveryRecord>,
    reject: Option<RejectRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    timestamp: DateTime<Utc>,
    message_id: String,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BounceRecord {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    timestamp: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ComplaintRecord {
    complaint_feedback_type: Option<String>,
    complaint_sub_type: Option<String>,
    timestamp: DateTime<Utc>,
}

#[derive(Deserialize)]
struct DeliveryRecord {
    timestamp: DateTime<Utc>,
}

#[derive(Deserialize)]
struct RejectRecord {
    reason: String,
}

/// Reads the body of a message.
pub(crate) fn read(body: &str) -> Result<Heard, EventError> {
    let Envelope { source, detail } = serde_json::from_str(body)
        .map_err(|error| EventError::Form(error.classify(), error.line(), error.column()))?;
    if source != "aws.ses" {
        return Err(EventError::Source);
    }
    let tag = detail.mail.tags.get("send_id").and_then(|values| values.first());
    let Some(send) = tag.and_then(|tag| SendId::try_from(tag.clone()).ok()) else {
        return Ok(Heard::Foreign);
    };
    let Some((fate, at)) = fate(&detail)? else { return Ok(Heard::Nothing) };
    // The recipient that a bounce names may be where the mail was forwarded to; this is where we sent it.
    let address =
        detail.mail.destination.into_iter().next().ok_or(EventError::Missing("mail.destination"))?;
    let word = Word { fate, message_id: detail.mail.message_id, accepted_at: detail.mail.timestamp, at };
    Ok(Heard::Word { send, word, address })
}

fn fate(detail: &Detail) -> Result<Option<(Fate, DateTime<Utc>)>, EventError> {
    let sent_at = detail.mail.timestamp;
    Ok(Some(match detail.event_type.as_str() {
        "Send" => (Fate::Accepted, sent_at),
        "Delivery" => {
            let delivery = detail.delivery.as_ref().ok_or(EventError::Missing("delivery"))?;
            (Fate::Delivered, delivery.timestamp)
        }
        "Bounce" => {
            let bounce = detail.bounce.as_ref().ok_or(EventError::Missing("bounce"))?;
            (Fate::Bounced(kind(bounce), bounce.bounce_sub_type.clone()), bounce.timestamp)
        }
        "Complaint" => {
            let complaint = detail.complaint.as_ref().ok_or(EventError::Missing("complaint"))?;
            let said = complaint.complaint_feedback_type.as_ref().or(complaint.complaint_sub_type.as_ref());
            // Somebody took the mail out of the spam folder, which is the contrary.
            if said.is_some_and(|said| said == "not-spam") {
                return Ok(None);
            }
            (Fate::Complained(said.cloned().unwrap_or_else(|| "unspecified".to_owned())), complaint.timestamp)
        }
        "Reject" => {
            let reject = detail.reject.as_ref().ok_or(EventError::Missing("reject"))?;
            (Fate::Rejected(reject.reason.clone()), sent_at)
        }
        "RenderingFailure" => (Fate::Rejected("RenderingFailure".to_owned()), sent_at),
        _ => return Ok(None),
    }))
}

/// An out-of-office reply comes as a transient or undetermined bounce without a particular reason.
fn kind(bounce: &BounceRecord) -> Bounce {
    match (bounce.bounce_type.as_str(), bounce.bounce_sub_type.as_str()) {
        ("Permanent", _) => Bounce::Permanent,
        ("Transient", "General") | ("Undetermined", _) => Bounce::Unclear,
        _ => Bounce::Transient,
    }
}
