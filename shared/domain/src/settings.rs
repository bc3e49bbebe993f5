//! The settings of a workspace: data with versions, never constants in code.

use std::{collections::BTreeSet, num::NonZeroU8, num::NonZeroU16};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    Percent, UserId, Zone,
    automation::{self, AutomationRule},
    band::Bands,
    catalogue::Feature,
    happiness::Levels,
    mail::MailSettings,
    status::ReviewDays,
};

/// How far the sum of the weights may be from 100 %: 0.05 %, so that 33.33 × 3 is legal.
pub const WEIGHT_TOLERANCE: u16 = 5;

/// The weights of the three components, kept as given. Every use divides by their actual sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RawWeights", into = "RawWeights")]
pub struct Weights {
    login: Percent,
    adoption: Percent,
    feedback: Percent,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawWeights {
    login: Percent,
    adoption: Percent,
    feedback: Percent,
}

/// The weights don't add up to 100 %. Holds their sum in basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the weights sum to {} %; they must sum to 100 %", decimals(*.0))]
pub struct WeightsError(u16);

/// Basis points as percents with as many decimals as they have: `95`, `99.9`, `99.93`.
fn decimals(basis_points: u16) -> String {
    let text = format!("{}.{:02}", basis_points / 100, basis_points % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Weights {
    /// Checks and wraps weights. A weight of 0 switches the component off.
    pub fn new(login: Percent, adoption: Percent, feedback: Percent) -> Result<Self, WeightsError> {
        let sum = login.basis_points() + adoption.basis_points() + feedback.basis_points();
        if sum.abs_diff(10_000) <= WEIGHT_TOLERANCE {
            Ok(Self { login, adoption, feedback })
        } else {
            Err(WeightsError(sum))
        }
    }

    /// Weight of login activity.
    pub fn login(self) -> Percent {
        self.login
    }

    /// Weight of product adoption.
    pub fn adoption(self) -> Percent {
        self.adoption
    }

    /// Weight of feedback.
    pub fn feedback(self) -> Percent {
        self.feedback
    }
}

impl Default for Weights {
    /// One third each.
    fn default() -> Self {
        let third = Percent::from_basis_points(3_333).unwrap_or(Percent::ZERO);
        Self { login: third, adoption: third, feedback: third }
    }
}

impl TryFrom<RawWeights> for Weights {
    type Error = WeightsError;
    fn try_from(raw: RawWeights) -> Result<Self, WeightsError> {
        Self::new(raw.login, raw.adoption, raw.feedback)
    }
}

impl From<Weights> for RawWeights {
    fn from(weights: Weights) -> Self {
        Self { login: weights.login, adoption: weights.adoption, feedback: weights.feedback }
    }
}

/// How product adoption is split, in whole percents that add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "RawSplit", into = "RawSplit")]
pub struct Split {
    breadth: u8,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawSplit {
    breadth: u8,
    depth: u8,
}

/// The split doesn't add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("breadth and depth must add up to 100")]
pub struct SplitError;

impl Split {
    /// Part of breadth, 0 to 100.
    pub fn breadth(self) -> u8 {
        self.breadth
    }

    /// Part of depth, 0 to 100.
    pub fn depth(self) -> u8 {
        100 - self.breadth
    }
}

impl Default for Split {
    /// 60/40.
    fn default() -> Self {
        Self { breadth: 60 }
    }
}

impl TryFrom<RawSplit> for Split {
    type Error = SplitError;
    fn try_from(raw: RawSplit) -> Result<Self, SplitError> {
        if u16::from(raw.breadth) + u16::from(raw.depth) == 100 {
            Ok(Self { breadth: raw.breadth })
        } else {
            Err(SplitError)
        }
    }
}

impl From<Split> for RawSplit {
    fn from(split: Split) -> Self {
        Self { breadth: split.breadth(), depth: split.depth() }
    }
}

/// What a missing component counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// Its weight goes to the others.
    #[default]
    Redistribute,
    /// 0.
    Zero,
    /// 50.
    Neutral,
}

impl MissingPolicy {
    /// What stands in for a missing value; nothing when its weight is redistributed.
    pub fn substitute(self) -> Option<Percent> {
        match self {
            Self::Redistribute => None,
            Self::Zero => Some(Percent::ZERO),
            Self::Neutral => Some(Percent::HALF),
        }
    }
}

/// How the feedback component reads ratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackMethod {
    /// The mean rating.
    #[default]
    Mean,
    /// (NPS + 100) / 2.
    Nps,
}

/// Target days of login a week, 1 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct DaysAWeek(NonZeroU8);

/// Not 1 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("days a week are a whole number from 1 to 7")]
pub struct DaysAWeekError;

impl DaysAWeek {
    /// The number, 1 to 7.
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl Default for DaysAWeek {
    fn default() -> Self {
        Self(NonZeroU8::MIN)
    }
}

impl TryFrom<u8> for DaysAWeek {
    type Error = DaysAWeekError;
    fn try_from(days: u8) -> Result<Self, DaysAWeekError> {
        NonZeroU8::new(days).filter(|days| days.get() <= 7).map(Self).ok_or(DaysAWeekError)
    }
}

impl From<DaysAWeek> for u8 {
    fn from(days: DaysAWeek) -> Self {
        days.get()
    }
}

/// How often a user may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "u16", into = "u16")]
pub struct Cadence(u16);

/// Not one of the four cadences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cadence is 30, 60, 90 or 180 days")]
pub struct CadenceError;

impl Cadence {
    /// The time between two asks: whole days of 24 hours.
    pub fn duration(self) -> TimeDelta {
        TimeDelta::days(i64::from(self.0))
    }
}

impl Default for Cadence {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u16> for Cadence {
    type Error = CadenceError;
    fn try_from(days: u16) -> Result<Self, CadenceError> {
        if matches!(days, 30 | 60 | 90 | 180) { Ok(Self(days)) } else { Err(CadenceError) }
    }
}

impl From<Cadence> for u16 {
    fn from(cadence: Cadence) -> Self {
        cadence.0
    }
}

/// Users that never count: internal, agency, impersonated, service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Exclusions {
    /// By id.
    pub user_ids: BTreeSet<UserId>,
    /// By the domain of the e-mail address, such as `initech.example`.
    pub email_domains: BTreeSet<String>,
}

impl Exclusions {
    /// Whether an address lies in an excluded domain. Domains are compared without case.
    pub fn excludes_email(&self, email: &str) -> bool {
        email.rsplit_once('@').is_some_and(|(_, domain)| {
            self.email_domains.iter().any(|excluded| excluded.eq_ignore_ascii_case(domain))
        })
    }
}

/// A workspace's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The workspace's name.
    pub name: String,
    /// The zone in which weeks and days are cut.
    pub time_zone: Zone,
    /// The weights of the components.
    pub weights: Weights,
    /// Expected login days a week.
    pub login_days: DaysAWeek,
    /// Expected engaged minutes of a user and week.
    pub minutes_per_user_week: NonZeroU16,
    /// Breadth and depth of adoption.
    pub adoption_split: Split,
    /// Distinct days of use in four weeks from which a feature counts as used.
    pub feature_days: NonZeroU8,
    /// The features; null until a catalogue is accepted, and breadth is missing until then.
    pub catalogue: Option<Vec<Feature>>,
    /// Where the bands begin.
    pub bands: Bands,
    /// What a missing component counts.
    pub missing_policy: MissingPolicy,
    /// How ratings are read.
    pub feedback_method: FeedbackMethod,
    /// How old a counted answer may be, in days.
    pub answer_age_days: NonZeroU16,
    /// Where the happiness levels begin.
    pub happiness_levels: Levels,
    /// Days between two asks of one user.
    pub cadence_days: Cadence,
    /// After how many days a business status is to be reviewed.
    pub review_days: ReviewDays,
    /// Who never counts.
    pub exclusions: Exclusions,
    /// Names of events that are answers.
    pub feedback_events: BTreeSet<String>,
    /// How long the raw log is kept, in days; older events are refused.
    pub retention_days: NonZeroU16,
    /// Mails.
    pub mail: MailSettings,
    /// What happens by itself.
    pub rules: Vec<AutomationRule>,
}

fn non_zero_u16(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: String::new(),
            time_zone: Zone::UTC,
            weights: Weights::default(),
            login_days: DaysAWeek::default(),
            minutes_per_user_week: non_zero_u16(60),
            adoption_split: Split::default(),
            feature_days: NonZeroU8::MIN,
            catalogue: None,
            bands: Bands::default(),
            missing_policy: MissingPolicy::default(),
            feedback_method: FeedbackMethod::default(),
            answer_age_days: non_zero_u16(90),
            happiness_levels: Levels::default(),
            cadence_days: Cadence::default(),
            review_days: ReviewDays::default(),
            exclusions: Exclusions::default(),
            feedback_events: ["NPS Submitted", "Survey Submitted", "Feedback Submitted"]
                .map(str::to_owned)
                .into(),
            retention_days: non_zero_u16(90),
            mail: MailSettings::default(),
            rules: automation::defaults(),
        }
    }
}

/// A setting that can't be, with the JSON pointer of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct SettingsError {
    /// The field, as a JSON pointer.
    pub pointer: String,
    /// What is wrong with it, for people.
    pub detail: String,
}

/// Most features a catalogue may have.
pub const MAX_FEATURES: usize = 500;

impl Settings {
    /// How old a counted answer may be.
    pub fn answer_age(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.answer_age_days.get()))
    }

    /// The product's name as it stands in mails and on pages.
    pub fn product(&self) -> &str {
        if self.mail.product.is_empty() { &self.name } else { &self.mail.product }
    }

    /// Whether weeks and happiness come out under these settings just as under others: what none of that depends on, such as
    /// mails and rules, may differ.
    pub fn score_like(&self, others: &Self) -> bool {
        // Every field is named, so that a new one can't be forgotten here.
        let Self {
            time_zone,
            weights,
            login_days,
            minutes_per_user_week,
            adoption_split,
            feature_days,
            catalogue,
            bands,
            missing_policy,
            feedback_method,
            answer_age_days,
            exclusions,
            feedback_events,
            happiness_levels,
            cadence_days,
            name: _,
            review_days: _,
            retention_days: _,
            mail: _,
            rules: _,
        } = self;
        *time_zone == others.time_zone
            && *weights == others.weights
            && *login_days == others.login_days
            && *minutes_per_user_week == others.minutes_per_user_week
            && *adoption_split == others.adoption_split
            && *feature_days == others.feature_days
            && *catalogue == others.catalogue
            && *bands == others.bands
            && *missing_policy == others.missing_policy
            && *feedback_method == others.feedback_method
            && *answer_age_days == others.answer_age_days
            && *exclusions == others.exclusions
            && *feedback_events == others.feedback_events
            && *happiness_levels == others.happiness_levels
            && *cadence_days == others.cadence_days
    }

    /// Rules that no single field's type can hold. Errors: every field that breaks one.
    pub fn check(&self) -> Result<(), Vec<SettingsError>> {
        let mut errors = Vec::new();
        let mut error = |pointer: String, detail: &str| {
            errors.push(SettingsError { pointer, detail: detail.to_owned() });
        };
        if self.name.trim().is_empty() {
            error("/name".to_owned(), "a workspace has a name");
        }
        let mut keys = BTreeSet::new();
        for (index, feature) in self.catalogue.iter().flatten().enumerate() {
            if feature.key.trim().is_empty() || feature.key.len() > crate::activity::MAX_FEATURE_BYTES {
                error(format!("/catalogue/{index}/key"), "a feature's key has 1 to 64 bytes");
            }
            if !keys.insert(&feature.key) {
                error(format!("/catalogue/{index}/key"), "another feature has this key");
            }
            if !(1..=1_000).contains(&feature.weight) {
                error(format!("/catalogue/{index}/weight"), "a feature's weight is 1 to 1,000");
            }
        }
        if keys.len() > MAX_FEATURES {
            error("/catalogue".to_owned(), "a catalogue has at most 500 features");
        }
        if self.feature_days.get() > 28 {
            error("/feature_days".to_owned(), "there are 28 days in four weeks");
        }
        for (field, detail) in self.mail.check() {
            error(format!("/mail/{field}"), &detail);
        }
        errors.append(&mut automation::check(&self.rules));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
