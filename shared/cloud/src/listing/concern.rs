//! Why a company needs somebody, and how much each reason weighs: for the order of companies that need the same
//! attention, and of the reasons themselves. How they are said is the page's.

use barometer_domain::{
    band::Standing,
    happiness::Level,
    status::{Stale, Status},
};
use chrono::{DateTime, NaiveDate, Utc};

use crate::views::{CompanyView, StatusView};

/// From this many points down within a week on, a drop is told even where the band still looks fine.
const DROP: i16 = -15;
/// A renewal this many days ahead is told beside another reason.
pub const RENEWAL_DAYS: i64 = 60;
/// Reasons below this weight only say where a company stands, and are left out where companies are compared.
const TELLING: u16 = 12;
/// Reasons below this weight say where a company stands and don't call for anybody.
const CALLING: u16 = 15;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// It gave notice.
    GaveNotice(NaiveDate),
    /// Its status is to be set or confirmed again.
    Review(Review),
    /// It is set to Struggling since an instant.
    Struggling(DateTime<Utc>),
    /// It is set to Steady.
    StatusSteady,
    /// Its engagement is At Risk, with the shown score and its change.
    AtRisk(u8, Option<i16>),
    /// Its shown score fell a lot: by how much, and to what.
    Fell(i16, u8),
    /// Its engagement is Steady, with the shown score.
    EngagementSteady(u8),
    /// Its users aren't happy.
    NotHappy {
        /// Answers behind it.
        answers: u32,
        /// Too few for certainty.
        provisional: bool,
    },
    /// Its users are neutral, from so many answers.
    Neutral(u32),
    /// Its users were asked, and nobody answers.
    NobodyAnswers,
    /// Business status and engagement are two or more bands apart.
    Disagreement(Status, Standing),
    /// Alerts are open.
    Alerts(u32),
    /// Tasks are open.
    Tasks(u32),
    /// Its contract renews soon.
    Renews(NaiveDate),
}

/// Why a status is to be set or confirmed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// The company got another owner.
    HandedOver(DateTime<Utc>),
    /// Its review-by has passed.
    Overdue(DateTime<Utc>),
}

impl Review {
    /// Why this status is to be reviewed; nothing while it is fresh.
    pub fn of(status: &StatusView) -> Option<Self> {
        Some(match (status.stale_because?, status.handed_over_at) {
            (Stale::HandedOver, Some(at)) => Self::HandedOver(at),
            _ => Self::Overdue(status.status.review_by),
        })
    }
}

impl Concern {
    /// How much it matters.
    pub fn weight(&self) -> u16 {
        match self {
            Self::GaveNotice(_) => 60,
            Self::AtRisk(_, Some(change)) if *change <= DROP => 55,
            Self::Struggling(_) => 50,
            Self::AtRisk(..) => 48,
            Self::NotHappy { provisional: false, .. } => 46,
            Self::NotHappy { provisional: true, .. } => 40,
            Self::Fell(..) => 35,
            Self::Disagreement(..) => 30,
            Self::Alerts(_) => 28,
            Self::Review(_) | Self::Tasks(_) => 20,
            Self::NobodyAnswers => 15,
            Self::Renews(_) => 12,
            Self::Neutral(_) => 6,
            Self::EngagementSteady(_) => 5,
            Self::StatusSteady => 4,
        }
    }

    /// Whether it is told where companies are compared.
    pub fn tells(&self) -> bool {
        self.weight() >= TELLING
    }

    /// Whether it calls for somebody.
    pub fn calls(&self) -> bool {
        self.weight() >= CALLING
    }
}

/// The reasons to look at a company on a day, the gravest first. A lost company has none.
pub fn concerns(company: &CompanyView, today: NaiveDate) -> Vec<Concern> {
    if company.churned_on.is_some() {
        return Vec::new();
    }
    let status = company.business_status.as_ref();
    let renews = company.renewal_on.filter(|on| (0..=RENEWAL_DAYS).contains(&(*on - today).num_days()));
    let disagreement = status
        .zip(company.engagement.as_ref())
        .filter(|_| company.disagreement)
        .map(|(status, engagement)| Concern::Disagreement(status.status.value, engagement.band));
    let found = [
        company.notice_on.map(Concern::GaveNotice),
        status.and_then(of_status),
        of_engagement(company),
        of_happiness(company),
        disagreement,
        (company.open_alerts > 0).then_some(Concern::Alerts(company.open_alerts)),
        (company.open_tasks > 0).then_some(Concern::Tasks(company.open_tasks)),
        renews.map(Concern::Renews),
    ];
    let mut found: Vec<Concern> = found.into_iter().flatten().collect();
    found.sort_by_key(|concern| std::cmp::Reverse(concern.weight()));
    found
}

/// Whether a company has a reason that calls for somebody.
pub fn calls(company: &CompanyView, today: NaiveDate) -> bool {
    concerns(company, today).first().is_some_and(Concern::calls)
}

fn of_status(status: &StatusView) -> Option<Concern> {
    if let Some(review) = Review::of(status) {
        return Some(Concern::Review(review));
    }
    match status.status.value {
        Status::Struggling => Some(Concern::Struggling(status.status.set_at)),
        Status::Steady => Some(Concern::StatusSteady),
        Status::Healthy | Status::Thriving => None,
    }
}

fn of_engagement(company: &CompanyView) -> Option<Concern> {
    let engagement = company.engagement.as_ref()?;
    let shown = engagement.shown?;
    let change = engagement.change();
    match engagement.band {
        Standing::AtRisk => Some(Concern::AtRisk(shown, change.filter(|change| *change != 0))),
        Standing::Steady | Standing::Healthy | Standing::Thriving => match change {
            Some(change) if change <= DROP => Some(Concern::Fell(change, shown)),
            _ => (engagement.band == Standing::Steady).then_some(Concern::EngagementSteady(shown)),
        },
        Standing::Onboarding | Standing::Insufficient => None,
    }
}

fn of_happiness(company: &CompanyView) -> Option<Concern> {
    let happiness = &company.happiness;
    match happiness.level {
        Level::NotHappy => {
            Some(Concern::NotHappy { answers: happiness.answers, provisional: happiness.provisional })
        }
        Level::Neutral => Some(Concern::Neutral(happiness.answers)),
        Level::NoData => happiness.silent.then_some(Concern::NobodyAnswers),
        Level::Happy | Level::VeryHappy => None,
    }
}
