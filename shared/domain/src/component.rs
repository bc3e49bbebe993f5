//! The three components of the weekly score: login activity, product adoption, feedback.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Percent, Settings, UserId, Zone,
    activity::{Sighting, UserWeek},
    answer::{self, Answer},
    calendar::IsoWeek,
    percent,
    settings::{FeedbackMethod, MissingPolicy},
    telemetry::Telemetry,
};

/// Why a component has no value. Missing is never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// No user of the company counts in the week.
    NoEligibleUsers,
    /// Nobody has answered within the answers' age.
    NoAnswers,
    /// The company has never sent an event.
    NoTelemetry,
    /// The whole workspace was silent in the week.
    WorkspaceSilent,
    /// The week is a data gap, excluded for all companies.
    DataGap,
}

/// A component before weights: its value or why there is none, and the counts behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<C> {
    /// The value, or why it is missing.
    pub value: Result<Percent, Missing>,
    /// What was counted.
    pub counts: C,
}

/// What login activity counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LoginCounts {
    /// Users that count in the week.
    pub users: u32,
    /// Of those, users with at least one active day.
    pub active_users: u32,
    /// Active days, at most the target per user.
    pub active_days: u32,
}

/// What product adoption counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AdoptionCounts {
    /// Entitled features used in the four weeks; nothing without a catalogue.
    pub features_used: Option<u32>,
    /// Entitled features; nothing without a catalogue.
    pub features_entitled: Option<u32>,
    /// Engaged minutes of all users that count.
    pub minutes: u32,
}

/// What feedback counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FeedbackCounts {
    /// Users whose latest answer counted.
    pub answers: u32,
}

/// Days of a week as bits: bit 0 = Monday … bit 6 = Sunday.
pub type DayBits = u8;

/// What eligible users used in one week: per name the days. Kept in the week's snapshot, because breadth looks
/// back four weeks and scoring reads only one.
pub type UsesOfWeek = BTreeMap<Sighting, DayBits>;

/// What the eligible users of a week used.
pub fn uses_of_week<'a>(activity: impl IntoIterator<Item = &'a UserWeek>) -> UsesOfWeek {
    let mut uses = UsesOfWeek::new();
    for used in activity.into_iter().flat_map(|user| &user.uses) {
        let day = 1 << (used.day - 1);
        match uses.get_mut(&used.sighting) {
            Some(days) => *days |= day,
            None => {
                uses.insert(used.sighting.clone(), day);
            }
        }
    }
    uses
}

/// Most names of a week that are kept. Events with names of their own each, such as one per document, have no end.
pub const MAX_USES: usize = 2_000;

/// The uses that are kept with a week: those of the catalogue's features first, then those of most days.
pub fn kept_uses(settings: &Settings, uses: UsesOfWeek) -> UsesOfWeek {
    if uses.len() <= MAX_USES {
        return uses;
    }
    let catalogue = settings.catalogue.as_deref().unwrap_or_default();
    let in_catalogue = |sighting: &Sighting| catalogue.iter().any(|feature| feature.means(sighting));
    let mut ranked: Vec<(Sighting, DayBits)> = uses.into_iter().collect();
    ranked.sort_by_cached_key(|(sighting, days)| {
        (std::cmp::Reverse((in_catalogue(sighting), days.count_ones())), sighting.clone())
    });
    ranked.truncate(MAX_USES);
    ranked.into_iter().collect()
}

fn silence(telemetry: Telemetry) -> Option<Missing> {
    match telemetry {
        Telemetry::Normal => None,
        Telemetry::NeverSent => Some(Missing::NoTelemetry),
        Telemetry::WorkspaceSilent => Some(Missing::WorkspaceSilent),
        Telemetry::DataGap => Some(Missing::DataGap),
    }
}

/// Rule: login activity = Σ min(active days, T) / (T × eligible users).
///
/// `users` are the eligible ones; `users_by_days` those of them with 1, 2, … 7 active days.
pub fn login(
    settings: &Settings,
    users: u32,
    users_by_days: &[u32; 7],
    telemetry: Telemetry,
) -> Reading<LoginCounts> {
    let target = u32::from(settings.login_days.get());
    let counted: u32 = (1..).zip(users_by_days).map(|(days, users): (u32, _)| days.min(target) * users).sum();
    let counts = LoginCounts { users, active_users: users_by_days.iter().sum(), active_days: counted };
    let value = match silence(telemetry) {
        Some(missing) => Err(missing),
        None => Percent::ratio(u128::from(counted), u128::from(target) * u128::from(users))
            .ok_or(Missing::NoEligibleUsers),
    };
    Reading { value, counts }
}

/// Users by their active days, 1 to 7; those with none are left out.
pub fn users_by_days(active_days: &[u32]) -> [u32; 7] {
    let mut users = [0; 7];
    for days in active_days {
        let place = usize::try_from(*days).unwrap_or(7).min(7).checked_sub(1);
        if let Some(counted) = place.and_then(|place| users.get_mut(place)) {
            *counted += 1;
        }
    }
    users
}

/// What product adoption is computed from.
pub struct Adoption<'a> {
    /// Users that count in the week.
    pub users: u32,
    /// Engaged minutes of those users in the week.
    pub minutes: u32,
    /// What eligible users used in each of the four weeks that end with this one.
    pub uses: [&'a UsesOfWeek; 4],
    /// The company's plan, which decides the entitled features.
    pub plan: Option<&'a str>,
}

/// On which days of four weeks each name was used, seven bits of a byte a week. Merged, because the same names come
/// week after week and comparing them with a catalogue costs most.
fn days_of_names(weeks: [&UsesOfWeek; 4]) -> BTreeMap<&Sighting, u32> {
    let mut days_of_names = BTreeMap::new();
    for (place, uses) in (0..).zip(weeks) {
        for (sighting, days) in uses {
            *days_of_names.entry(sighting).or_default() |= u32::from(*days) << (8 * place);
        }
    }
    days_of_names
}

/// Rule: product adoption = (60 × breadth + 40 × depth) / 100, each part alone when the other is missing.
/// Breadth and depth are exact fractions; the component is rounded once.
pub fn adoption(settings: &Settings, input: &Adoption<'_>, telemetry: Telemetry) -> Reading<AdoptionCounts> {
    let mut counts = AdoptionCounts { minutes: input.minutes, ..AdoptionCounts::default() };
    let mut breadth = None;
    if let Some(catalogue) = &settings.catalogue {
        let days_of_names = days_of_names(input.uses);
        let (mut used, mut entitled) = ((0, 0), (0, 0));
        for feature in catalogue.iter().filter(|feature| feature.entitled(input.plan)) {
            entitled = (entitled.0 + 1, entitled.1 + u128::from(feature.weight));
            let names = days_of_names.iter().filter(|(sighting, _)| feature.means(sighting));
            let days = names.fold(0, |bits, (_, days)| bits | days).count_ones();
            if days >= u32::from(settings.feature_days.get()) {
                used = (used.0 + 1, used.1 + u128::from(feature.weight));
            }
        }
        counts.features_used = Some(used.0);
        counts.features_entitled = Some(entitled.0);
        breadth = (entitled.1 > 0).then_some((used.1, entitled.1));
    }
    let target = u128::from(settings.minutes_per_user_week.get()) * u128::from(input.users);
    let depth = (target > 0).then(|| (u128::from(input.minutes).min(target), target));

    let (b, d) = (u128::from(settings.adoption_split.breadth()), u128::from(settings.adoption_split.depth()));
    let value = match silence(telemetry) {
        Some(missing) => Err(missing),
        None if input.users == 0 => Err(Missing::NoEligibleUsers),
        None => match (breadth, depth) {
            (Some((bn, bd)), Some((dn, dd))) => {
                Percent::ratio(b * bn * dd + d * dn * bd, 100 * bd * dd).ok_or(Missing::NoEligibleUsers)
            }
            (Some((n, d)), None) | (None, Some((n, d))) => {
                Percent::ratio(n, d).ok_or(Missing::NoEligibleUsers)
            }
            (None, None) => Err(Missing::NoEligibleUsers),
        },
    };
    Reading { value, counts }
}

/// What the answers of a week say, by either method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voices {
    /// Users whose latest answer counts.
    pub answers: u32,
    /// The mean of those answers.
    pub mean: Option<Percent>,
    /// (NPS + 100) / 2 of those answers.
    pub nps: Option<Percent>,
}

/// Each user's latest answer not older than 90 days (a setting) at the end of the week, read by both methods.
pub fn voices(settings: &Settings, answers: &[Answer], week: IsoWeek, zone: Zone) -> Voices {
    let latest = answer::latest_per_user(answers, week.end(zone), settings.answer_age());
    let ratings = || latest.values().map(|answer| answer.rating);
    Voices {
        answers: u32::try_from(latest.len()).unwrap_or(u32::MAX),
        mean: answer::mean(ratings()),
        nps: answer::nps_value(ratings()),
    }
}

/// Rule: feedback = mean over users of each one's latest valid answer; with `feedback_method = nps`,
/// (NPS + 100) / 2. A data gap excludes the week, answers too.
pub fn feedback(settings: &Settings, voices: Voices, telemetry: Telemetry) -> Reading<FeedbackCounts> {
    let value = match settings.feedback_method {
        FeedbackMethod::Mean => voices.mean,
        FeedbackMethod::Nps => voices.nps,
    };
    let value = match telemetry {
        Telemetry::DataGap => Err(Missing::DataGap),
        _ => value.ok_or(Missing::NoAnswers),
    };
    Reading { value, counts: FeedbackCounts { answers: voices.answers } }
}

/// A component in a snapshot: value or why it is missing, weight, contribution, counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "{C}Component")]
pub struct Component<C> {
    /// The value; null when missing, which is never 0.
    pub value: Option<Percent>,
    /// The weight as set.
    pub weight: Percent,
    /// Its part of the score; the contributions of a snapshot sum exactly to its score.
    pub contribution: Option<Percent>,
    /// Why there is no value.
    pub missing: Option<Missing>,
    /// What was counted.
    pub counts: C,
}

/// The three components of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Components {
    /// Login activity.
    pub login: Component<LoginCounts>,
    /// Product adoption.
    pub adoption: Component<AdoptionCounts>,
    /// Feedback.
    pub feedback: Component<FeedbackCounts>,
}

/// A score with what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighed {
    /// The components with weights and contributions.
    pub components: Components,
    /// Present weight / total weight.
    pub coverage: Percent,
    /// The score; nothing when less than half of the total weight is present.
    pub score: Option<Percent>,
}

/// Rule: weekly score = Σ W·C / Σ W over the components that count under the missing policy, published when at
/// least half of the total weight is present. Contributions are cut so that they sum exactly to the score.
pub fn weigh(
    settings: &Settings,
    login: Reading<LoginCounts>,
    adoption: Reading<AdoptionCounts>,
    feedback: Reading<FeedbackCounts>,
) -> Weighed {
    let weights = settings.weights;
    let parts = [
        (weights.login(), login.value.ok()),
        (weights.adoption(), adoption.value.ok()),
        (weights.feedback(), feedback.value.ok()),
    ];
    let total = weight_of(&parts, |_| true);
    let present = weight_of(&parts, |value| value.is_some());
    let published = present > 0 && 2 * present >= total;
    let contributions = if published { contributions(parts, settings.missing_policy) } else { [None; 3] };
    let score = contributions.into_iter().flatten().map(Percent::basis_points).sum();

    let [of_login, of_adoption, of_feedback] = contributions;
    Weighed {
        components: Components {
            login: component(login, weights.login(), of_login),
            adoption: component(adoption, weights.adoption(), of_adoption),
            feedback: component(feedback, weights.feedback(), of_feedback),
        },
        coverage: Percent::ratio(present, total).unwrap_or(Percent::ZERO),
        score: published.then(|| Percent::from_basis_points(score).ok()).flatten(),
    }
}

/// A weight and the value that it weighs; nothing when missing.
pub(crate) type WeightAndValue = (Percent, Option<Percent>);

/// What each component contributes to Σ W·C / Σ W under the policy, however little of the weight is present.
pub(crate) fn contributions(parts: [WeightAndValue; 3], policy: MissingPolicy) -> [Option<Percent>; 3] {
    let substitute = policy.substitute();
    let divisor = weight_of(&parts, |value| value.or(substitute).is_some());
    let product = |(weight, value): WeightAndValue| {
        let value = value.or(substitute)?;
        Some(u128::from(weight.basis_points()) * u128::from(value.basis_points()))
    };
    percent::cut(parts.map(product), divisor)
}

fn weight_of(parts: &[WeightAndValue], counts: impl Fn(Option<Percent>) -> bool) -> u128 {
    let counted = parts.iter().filter(|(_, value)| counts(*value));
    counted.map(|(weight, _)| u128::from(weight.basis_points())).sum()
}

fn component<C>(reading: Reading<C>, weight: Percent, contribution: Option<Percent>) -> Component<C> {
    Component {
        value: reading.value.ok(),
        weight,
        contribution,
        missing: reading.value.err(),
        counts: reading.counts,
    }
}

/// Active days and minutes of the users that count, in one pass.
pub fn presence<'a>(
    eligible: &BTreeSet<&UserId>,
    activity: &'a BTreeMap<UserId, UserWeek>,
    week: IsoWeek,
    zone: Zone,
) -> (Vec<u32>, u32, Vec<&'a UserWeek>) {
    let of_user = |user: &&UserId| activity.get(*user);
    let days = eligible
        .iter()
        .map(|user| of_user(user).map_or(0, |done| u32::try_from(done.days.len()).unwrap_or(7)))
        .collect();
    let done: Vec<&UserWeek> = eligible.iter().filter_map(of_user).collect();
    let day_starts = week.day_starts(zone);
    let minutes = done.iter().map(|done| done.minutes_of_days(&day_starts)).sum();
    (days, minutes, done)
}
