//! What SES tells about a mail, in the form in which EventBridge passes it on, and what becomes of mails to the
//! addresses of SES's mailbox simulator.

use chrono::{DateTime, SecondsFormat, Utc};
use mailparse::MailHeader;
use serde_json::{Map, Value, json};

const SIMULATOR: &str = "@simulator.amazonses.com";

/// What becomes of a mail that SES took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It arrives.
    Arrives,
    /// It comes back: nobody has the address.
    Bounces,
    /// It comes back: SES doesn't even try, the address bounced before.
    Suppressed,
    /// It arrives, and an out-of-office reply comes back.
    Replied,
    /// It arrives and is called spam.
    Complained,
    /// Nothing is heard of it again.
    Vanishes,
    /// It goes on to a mail server; what becomes of it is told when that is known.
    Leaves,
}

impl Course {
    /// Whether an address is one of the simulator, where no mail really goes.
    #[must_use]
    pub fn is_simulated(address: &str) -> bool {
        address.trim().to_ascii_lowercase().ends_with(SIMULATOR)
    }

    /// What becomes of a mail to an address, of the simulator (with or without a `+label`) or any other.
    #[must_use]
    pub fn of(address: &str) -> Self {
        let address = address.trim().to_ascii_lowercase();
        let Some(name) = address.strip_suffix(SIMULATOR) else { return Self::Arrives };
        match name.split('+').next().unwrap_or_default() {
            "bounce" => Self::Bounces,
            "suppressionlist" => Self::Suppressed,
            "ooto" => Self::Replied,
            "complaint" => Self::Complained,
            _ => Self::Arrives,
        }
    }
}

/// How a mail came back, in SES's words.
#[derive(Debug, Clone, Copy)]
pub struct Return {
    /// `Permanent` or `Transient`.
    pub kind: &'static str,
    /// Why.
    pub sub_kind: &'static str,
    /// The enhanced status code (RFC 3463).
    pub status: &'static str,
}

/// A mail that SES took.
#[derive(Debug)]
pub struct Taken<'a> {
    /// SES's id of it.
    pub message_id: &'a str,
    /// The sender.
    pub from: &'a str,
    /// Every recipient.
    pub to: &'a [String],
    /// The whole message.
    pub raw: &'a [u8],
    /// Its tags.
    pub tags: &'a [(String, String)],
    /// The configuration set it was sent with.
    pub configuration_set: &'a str,
    /// When it was taken.
    pub at: DateTime<Utc>,
}

impl Taken<'_> {
    /// Everything that SES tells about it, in order.
    #[must_use]
    pub fn events(&self, course: Course) -> Vec<Value> {
        let send = || self.event("Sent", "Send", json!({ "send": {} }));
        let delivery = || self.delivery(self.at, "250 2.6.0 Message received");
        let permanent = |sub_kind| {
            let back = Return { kind: "Permanent", sub_kind, status: "5.1.1" };
            self.bounce(self.at, back, Some("550 5.1.1 user unknown"))
        };
        match course {
            Course::Arrives => vec![send(), delivery()],
            Course::Bounces => vec![send(), permanent("General")],
            Course::Suppressed => vec![send(), permanent("Suppressed")],
            Course::Replied => {
                let reply = Return { kind: "Transient", sub_kind: "General", status: "" };
                vec![send(), delivery(), self.bounce(self.at, reply, None)]
            }
            Course::Complained => vec![send(), delivery(), self.complaint()],
            Course::Vanishes | Course::Leaves => vec![send()],
        }
    }

    /// It arrived; with the server's words.
    #[must_use]
    pub fn delivery(&self, now: DateTime<Utc>, words: &str) -> Value {
        let took = (now - self.at).num_milliseconds().max(1);
        let record = json!({
            "timestamp": time(now), "processingTimeMillis": took, "recipients": self.to,
            "smtpResponse": words, "reportingMTA": "home.amazonses.com",
        });
        self.event("Delivered", "Delivery", json!({ "delivery": record }))
    }

    /// It isn't taken for now: the how-manieth attempt that failed, until when it is tried, and the server's words.
    #[must_use]
    pub fn delay(&self, now: DateTime<Utc>, attempt: u32, until: DateTime<Utc>, words: &str) -> Value {
        let recipient = |address: &String| json!({ "emailAddress": address, "status": "4.4.1", "diagnosticCode": format!("smtp; {words}") });
        let record = json!({
            "timestamp": time(now),
            "delayType": "TransientCommunicationFailure",
            "expirationTime": time(until),
            "delayedRecipients": self.to.iter().map(recipient).collect::<Vec<_>>(),
        });
        let mut event = self.event("Delivery Delayed", "DeliveryDelay", json!({ "deliveryDelay": record }));
        if let Some(event) = event.as_object_mut() {
            event.insert("id".to_owned(), json!(format!("{}-deliverydelay-{attempt}", self.message_id)));
        }
        event
    }

    /// It came back; with the server's words, unless it is a reply.
    #[must_use]
    pub fn bounce(&self, now: DateTime<Utc>, back: Return, words: Option<&str>) -> Value {
        let recipient = |address: &String| match words {
            Some(words) => json!({
                "emailAddress": address, "action": "failed", "status": back.status,
                "diagnosticCode": format!("smtp; {words}"),
            }),
            None => json!({ "emailAddress": address }),
        };
        let record = json!({
            "feedbackId": format!("{}-feedback", self.message_id),
            "bounceType": back.kind,
            "bounceSubType": back.sub_kind,
            "bouncedRecipients": self.to.iter().map(recipient).collect::<Vec<_>>(),
            "timestamp": time(now),
            "reportingMTA": "dns; home.amazonses.com",
        });
        self.event("Bounced", "Bounce", json!({ "bounce": record }))
    }

    fn complaint(&self) -> Value {
        let recipients: Vec<Value> = self.to.iter().map(|to| json!({ "emailAddress": to })).collect();
        let record = json!({
            "feedbackId": format!("{}-feedback", self.message_id),
            "complaintSubType": null,
            "complainedRecipients": recipients,
            "timestamp": time(self.at),
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": "abuse",
            "arrivalDate": time(self.at),
        });
        self.event("Complaint Received", "Complaint", json!({ "complaint": record }))
    }

    fn event(&self, title: &str, kind: &str, record: Value) -> Value {
        let mut detail = json!({ "eventType": kind, "mail": self.mail() });
        if let (Some(detail), Value::Object(record)) = (detail.as_object_mut(), record) {
            detail.extend(record);
        }
        json!({
            "version": "0",
            "id": format!("{}-{}", self.message_id, kind.to_lowercase()),
            "detail-type": format!("Email {title}"),
            "source": "aws.ses",
            "account": "000000000000",
            "time": self.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            "region": "home",
            "resources": [format!("arn:aws:ses:home:000000000000:configuration-set/{}", self.configuration_set)],
            "detail": detail,
        })
    }

    fn mail(&self) -> Value {
        let mut tags = Map::new();
        tags.insert("ses:operation".to_owned(), json!(["SendEmail"]));
        tags.insert("ses:configuration-set".to_owned(), json!([self.configuration_set]));
        for (name, value) in self.tags {
            tags.insert(name.clone(), json!([value]));
        }
        json!({
            "timestamp": time(self.at),
            "source": self.from,
            "sendingAccountId": "000000000000",
            "messageId": self.message_id,
            "destination": self.to,
            "headersTruncated": false,
            "headers": self.headers(),
            "tags": tags,
        })
    }

    fn headers(&self) -> Vec<Value> {
        // SES tells of a message whose headers can't be read, too.
        let headers = mailparse::parse_headers(self.raw).map(|(headers, _)| headers).unwrap_or_default();
        let shown =
            |header: &MailHeader<'_>| json!({ "name": header.get_key(), "value": header.get_value() });
        headers.iter().map(shown).collect()
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(address: &str) -> Vec<(String, String)> {
        let to = [address.to_owned()];
        let taken = Taken {
            message_id: "home-1",
            from: "a@example.com",
            to: &to,
            raw: b"Subject: Hi\r\n\r\n",
            tags: &[("send_id".to_owned(), "s-1".to_owned())],
            configuration_set: "set",
            at: DateTime::UNIX_EPOCH,
        };
        let events = taken.events(Course::of(address));
        for event in &events {
            let mail = &event["detail"]["mail"];
            assert_eq!(mail["tags"]["send_id"], json!(["s-1"]));
            assert_eq!(mail["destination"], json!([address]));
            assert_eq!(mail["headers"], json!([{ "name": "Subject", "value": "Hi" }]));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .iter()
            .map(|event| {
                (text(&event["detail"]["eventType"]), text(&event["detail"]["bounce"]["bounceSubType"]))
            })
            .collect()
    }

    #[test]
    fn the_simulators_addresses_behave_as_those_of_ses() {
        for (address, expected) in [
            ("ann@example.com", "Send Delivery"),
            ("success@simulator.amazonses.com", "Send Delivery"),
            ("bounce@simulator.amazonses.com", "Send Bounce/General"),
            ("Bounce+ann@simulator.amazonses.com", "Send Bounce/General"),
            ("suppressionlist@simulator.amazonses.com", "Send Bounce/Suppressed"),
            ("ooto@simulator.amazonses.com", "Send Delivery Bounce/General"),
            ("complaint+1@simulator.amazonses.com", "Send Delivery Complaint"),
            ("bounce@example.com", "Send Delivery"),
        ] {
            let found: Vec<String> = told(address)
                .into_iter()
                .map(|(kind, sub)| if sub.is_empty() { kind } else { format!("{kind}/{sub}") })
                .collect();
            assert_eq!(found.join(" "), expected, "{address}");
        }
    }
}
