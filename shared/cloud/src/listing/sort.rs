//! The order of the portfolio: a total one, so that pages neither repeat nor skip a company.

use std::cmp::Ordering;

use barometer_domain::{CompanyId, quadrant::Cell, status::Status};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::concern::{Concern, concerns};
use crate::views::{CompanyView, EngagementView};

/// More than all weights of a company's reasons together.
const ATTENTION: u16 = 10_000;

/// What companies are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Id,
    Name,
    Owner,
    Status,
    Score,
    Change,
    Happiness,
    Quadrant,
    Attention,
    Tasks,
    LastSeen,
    Created,
    Renewal,
}

/// An order: by what, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sort {
    by: By,
    descending: bool,
}

/// What is compared of a company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// A count, a rank or basis points.
    Number(u16),
    /// Points up or down.
    Points(i16),
    /// A name, in lower case.
    Text(String),
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

/// Where a company stands in an order: its value (nothing when unknown), then its name where the order asks for
/// it, then its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    value: Option<Value>,
    name: Option<String>,
    id: CompanyId,
}

impl Default for Sort {
    /// Who needs somebody most comes first.
    fn default() -> Self {
        Self { by: By::Attention, descending: true }
    }
}

/// The worst first.
fn rank(status: Status) -> u16 {
    match status {
        Status::Struggling => 0,
        Status::Steady => 1,
        Status::Healthy => 2,
        Status::Thriving => 3,
    }
}

/// The most urgent first; nothing where a company's place isn't known.
fn cell_rank(cell: Cell) -> Option<u16> {
    match cell {
        Cell::Urgent => Some(0),
        Cell::ProductProblem => Some(1),
        Cell::BusinessProblem => Some(2),
        Cell::Advocate => Some(3),
        Cell::Unknown => None,
    }
}

impl Sort {
    const NAMES: [(&'static str, By); 13] = [
        ("id", By::Id),
        ("name", By::Name),
        ("owner", By::Owner),
        ("status", By::Status),
        ("score", By::Score),
        ("change", By::Change),
        ("happiness", By::Happiness),
        ("quadrant", By::Quadrant),
        ("attention", By::Attention),
        ("tasks", By::Tasks),
        ("last_seen", By::LastSeen),
        ("created", By::Created),
        ("renewal", By::Renewal),
    ];

    /// The names of all orders.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, _)| *name)
    }

    /// An order by its name, with - before it for descending. Errors: what there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        match Self::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, by)) => Ok(Self { by: *by, descending }),
            None => {
                let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                Err(format!("one of {}, with - before it for descending", names.join(", ")))
            }
        }
    }

    /// The order's name, as [`Self::parse`] reads it.
    pub fn name(self) -> String {
        let name = Self::NAMES.iter().find(|(_, by)| *by == self.by).map_or("", |(name, _)| *name);
        format!("{}{name}", if self.descending { "-" } else { "" })
    }

    /// The order of the companies' ids.
    pub const BY_ID: Self = Self { by: By::Id, descending: false };

    /// The order of the companies' names.
    pub const BY_NAME: Self = Self { by: By::Name, descending: false };
    /// The order of the cells of the quadrant.
    pub const BY_CELL: Self = Self { by: By::Quadrant, descending: false };

    /// Each order the way round in which it is kept.
    pub fn kept() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(_, by)| Self { by: *by, descending: by.begins_with_the_greatest() })
    }

    /// This order the way round in which it is kept.
    pub fn as_kept(self) -> Self {
        Self { descending: self.by.begins_with_the_greatest(), ..self }
    }

    /// Whether this is the order that is kept, turned over.
    pub fn is_turned(self) -> bool {
        self.descending != self.by.begins_with_the_greatest()
    }

    /// Where companies begin that need an attention, in the default order.
    pub fn attention_begins(attention: u8) -> Option<Position> {
        let id = CompanyId::new("0").ok()?;
        let value = u16::from(attention).checked_add(1)?.checked_mul(ATTENTION)?;
        Some(Position { value: Some(Value::Number(value)), name: None, id })
    }

    /// Where the companies of a cell begin, in the order of the cells.
    pub fn cell_begins(cell: Cell) -> Option<Position> {
        let id = CompanyId::new("0").ok()?;
        Some(Position { value: cell_rank(cell).map(Value::Number), name: None, id })
    }

    /// Where a company stands on a day.
    pub fn position(self, company: &CompanyView, today: NaiveDate) -> Position {
        let basis_points = |percent: barometer_domain::Percent| Value::Number(percent.basis_points());
        let value = match self.by {
            By::Name => Some(Value::Text(company.name.to_lowercase())),
            By::Owner => company.owner.as_ref().map(|owner| Value::Text(owner.to_lowercase())),
            By::Status => company.business_status.as_ref().map(|set| Value::Number(rank(set.status.value))),
            By::Change => company.engagement.as_ref().and_then(EngagementView::change).map(Value::Points),
            By::Quadrant => cell_rank(company.quadrant).map(Value::Number),
            By::Tasks => Some(Value::Number(u16::try_from(company.open_tasks).unwrap_or(u16::MAX))),
            By::Score => company.engagement.as_ref().and_then(|week| week.score).map(basis_points),
            By::Happiness => company.happiness.score.map(basis_points),
            By::Attention => Some(Value::Number(urgency(company, today))),
            // The id decides.
            By::Id => Some(Value::Number(0)),
            By::LastSeen => company.last_seen_at.map(Value::Instant),
            By::Created => Some(Value::Instant(company.created_at)),
            By::Renewal => company.renewal_on.map(Value::Day),
        };
        // Few values: within each the names make the list readable.
        let few = matches!(self.by, By::Attention | By::Owner | By::Status | By::Quadrant | By::Tasks);
        let name = few.then(|| company.name.to_lowercase());
        Position { value, name, id: company.company_id.clone() }
    }

    /// Which of two positions comes first. What is unknown comes last, whichever way the rest is sorted. Ties go upwards in
    /// the way round in which the order is kept; the other way round is exactly its reverse.
    pub fn compare(self, a: &Position, b: &Position) -> Ordering {
        let ties = || a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id));
        match (&a.value, &b.value) {
            (Some(x), Some(y)) => {
                let values = if self.by.begins_with_the_greatest() { y.cmp(x) } else { x.cmp(y) };
                let kept = values.then_with(ties);
                if self.is_turned() { kept.reverse() } else { kept }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => ties(),
        }
    }
}

impl By {
    /// Whether the order that is kept begins with the greatest value: what is urgent, and what is much to do.
    fn begins_with_the_greatest(self) -> bool {
        matches!(self, Self::Attention | Self::Tasks)
    }
}

impl Position {
    /// The company.
    pub fn id(&self) -> &CompanyId {
        &self.id
    }

    /// Whether the company's value in the order is known.
    pub fn is_known(&self) -> bool {
        self.value.is_some()
    }
}

/// Rule: attention sorts: the worst fresh reading first, then the most and gravest reasons.
fn urgency(company: &CompanyView, today: NaiveDate) -> u16 {
    let weights: u16 = concerns(company, today).iter().map(Concern::weight).sum();
    u16::from(company.attention) * ATTENTION + weights.min(ATTENTION - 1)
}
