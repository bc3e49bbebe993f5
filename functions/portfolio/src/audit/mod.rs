//! Who changed what in the workspace.

pub mod export;
pub mod list;

use barometer_cloud::{
    http::Problem,
    table::audit::{Action, Entry, Span, Subject},
};
use barometer_domain::CompanyId;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::params::{Params, wrong};

/// How far back is looked when the caller says nothing.
const LOOKED_BACK: TimeDelta = TimeDelta::days(90);

/// The longest span of one request: every month of it is a read.
const LONGEST: TimeDelta = TimeDelta::days(5 * 366);

/// The parameters that choose entries.
const PARAMETERS: [&str; 5] = ["from", "to", "by", "action", "subject"];

/// An entry as it is shown.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct EntryView {
    id: String,
    at: DateTime<Utc>,
    by: String,
    action: Action,
    subject: Subject,
    company_id: Option<CompanyId>,
    from: Value,
    to: Value,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let Entry { id, at, by, action, subject, company_id, from, to } = entry;
        Self { id, at, by, action, subject, company_id, from, to }
    }
}

/// Which entries are wanted.
#[derive(Clone)]
struct Filter {
    span: Span,
    by: Option<String>,
    action: Option<Action>,
    subject: Option<Subject>,
}

impl Filter {
    /// Reads [`PARAMETERS`]. A `subject` is `kind:id`.
    fn read(params: &Params, now: DateTime<Utc>) -> Result<Self, Problem> {
        // What is written in this very instant belongs to it.
        let to = params.instant("to", true)?.unwrap_or(now + TimeDelta::seconds(1));
        let from = params.instant("from", false)?.unwrap_or(to - LOOKED_BACK);
        if from > to {
            return Err(wrong("from", "lies after `to`".to_owned()));
        }
        if to - from > LONGEST {
            return Err(wrong("from", "at most five years before `to`".to_owned()));
        }
        let subject = params.text("subject").map(|text| match text.split_once(':') {
            Some((kind, id)) => Ok(Subject { kind: kind.to_owned(), id: id.to_owned() }),
            None => Err(wrong("subject", "a kind and an id, such as company:acme".to_owned())),
        });
        Ok(Self {
            span: Span { from, to },
            by: params.text("by").map(str::to_owned),
            action: params.one_of("action")?,
            subject: subject.transpose()?,
        })
    }

    fn fits(&self, entry: &Entry) -> bool {
        self.by.as_ref().is_none_or(|by| *by == entry.by)
            && self.action.is_none_or(|action| action == entry.action)
            && self.subject.as_ref().is_none_or(|subject| *subject == entry.subject)
    }
}

/// The parameters that are known: those that choose entries, and others.
fn known(others: &[&'static str]) -> Vec<&'static str> {
    PARAMETERS.iter().chain(others).copied().collect()
}
