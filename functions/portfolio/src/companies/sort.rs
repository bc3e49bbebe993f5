//! The order of the portfolio: a total one, so that pages neither repeat nor skip a company.

use std::cmp::Ordering;

use barometer_cloud::{http::Problem, views::CompanyView};
use barometer_domain::CompanyId;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::params::{Params, wrong};

/// What companies are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Name,
    Score,
    Happiness,
    Attention,
    LastSeen,
    Created,
    Renewal,
}

/// An order: by what, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    by: By,
    descending: bool,
}

/// What is compared of a company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Value {
    /// A count or basis points.
    Number(u16),
    /// A name, in lower case.
    Text(String),
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// Where a company stands in an order: its value (nothing when unknown), then its name where the order asks for
/// it, then its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    value: Option<Value>,
    name: Option<String>,
    id: CompanyId,
}

/// The names of all orders.
pub fn names() -> impl Iterator<Item = &'static str> {
    Sort::NAMES.iter().map(|(name, _)| *name)
}

impl Sort {
    const NAMES: [(&'static str, By); 7] = [
        ("name", By::Name),
        ("score", By::Score),
        ("happiness", By::Happiness),
        ("attention", By::Attention),
        ("last_seen", By::LastSeen),
        ("created", By::Created),
        ("renewal", By::Renewal),
    ];

    /// Reads the parameter `sort`, by default who needs attention most. Errors: 400 for an order there isn't.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let text = params.text("sort").unwrap_or("-attention");
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        match Self::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, by)) => Ok(Self { by: *by, descending }),
            None => {
                let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                Err(wrong("sort", format!("one of {}, with - before it for descending", names.join(", "))))
            }
        }
    }

    /// The order's name, for cursors.
    pub fn name(self) -> String {
        let name = Self::NAMES.iter().find(|(_, by)| *by == self.by).map_or("", |(name, _)| *name);
        format!("{}{name}", if self.descending { "-" } else { "" })
    }

    /// Where a company stands.
    pub fn position(self, company: &CompanyView) -> Position {
        let basis_points = |percent: barometer_domain::Percent| Value::Number(percent.basis_points());
        let value = match self.by {
            By::Name => Some(Value::Text(company.name.to_lowercase())),
            By::Score => company.engagement.as_ref().and_then(|week| week.score).map(basis_points),
            By::Happiness => company.happiness.score.map(basis_points),
            By::Attention => Some(Value::Number(company.attention.into())),
            By::LastSeen => company.last_seen_at.map(Value::Instant),
            By::Created => Some(Value::Instant(company.created_at)),
            By::Renewal => company.renewal_on.map(Value::Day),
        };
        // Attention has four values: within each the names make the list readable.
        let name = (self.by == By::Attention).then(|| company.name.to_lowercase());
        Position { value, name, id: company.company_id.clone() }
    }

    /// Which of two positions comes first. What is unknown comes last, whichever way the rest is sorted; ties go
    /// upwards.
    pub fn compare(self, a: &Position, b: &Position) -> Ordering {
        let values = match (&a.value, &b.value) {
            (Some(a), Some(b)) if self.descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        values.then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
    }
}
