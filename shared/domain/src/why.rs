//! Why did a score change? An exact decomposition between two snapshots, and a sentence that says it.
//!
//! The older side is first scored again under the settings of the newer one: what that changes is the effect of the
//! settings. What remains is compared under one set of weights, component by component; what comes from components
//! being known on one side only is the effect of coverage. The five effects sum to the score's change to the basis
//! point, always.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    Percent, Settings, UserId,
    answer::{self, Answer},
    band::Standing,
    calendar::IsoWeek,
    component::{self, Components, WeightAndValue},
    month::{self, MonthSnapshot},
    percent::{self, Points},
    week::WeekSnapshot,
};

pub(crate) mod words;

/// What changed between two snapshots, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Why {
    /// The week or month that is compared with.
    pub from: String,
    /// The week or month that is explained.
    pub to: String,
    /// The score of `from`; null when insufficient.
    pub from_score: Option<Percent>,
    /// The score of `to`; null when insufficient.
    pub to_score: Option<Percent>,
    /// `to_score` − `from_score`; null when either is.
    pub change: Option<Points>,
    /// What the change is made of: five effects that sum exactly to it; null when it is.
    pub parts: Option<Parts>,
    /// The band of `from`, or why there is none.
    pub band_from: Standing,
    /// The band of `to`, or why there is none.
    pub band_to: Standing,
    /// The change and its reasons for people, in whole points that add up to the difference of the shown scores.
    pub sentence: String,
}

/// The effects that sum to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Parts {
    /// Login activity.
    pub login: Part,
    /// Product adoption.
    pub adoption: Part,
    /// Feedback.
    pub feedback: Part,
    /// Components that are known on one side only.
    pub coverage: Part,
    /// Other settings.
    pub settings: Part,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Part {
    /// Its part of the change.
    pub change: Points,
    /// The counts behind it; null where there is nothing to compare.
    pub text: Option<String>,
}

/// Explains the change from one week's score to another's.
///
/// `from_under_new` is `from` scored again under the settings of `to`, or `from` itself when both have one version.
/// `settings` are those of `to`. `moves` are told when they agree with the counts of both snapshots.
pub fn weeks(
    from: &WeekSnapshot,
    from_under_new: &WeekSnapshot,
    to: &WeekSnapshot,
    settings: &Settings,
    moves: Option<AnswerMoves>,
) -> Why {
    let age = settings.answer_age_days.get();
    let (before, after) = (Seen::of([from_under_new]), Seen::of([to]));
    let texts = Texts {
        components: words::compared(&from_under_new.components, &to.components, moves),
        coverage: words::coverage(&before, &after, &words::counted(&to.components), age),
    };
    let end = |week: &WeekSnapshot| End {
        period: week.period.to_string(),
        score: week.score,
        band: week.band,
        version: week.settings_version,
        // How old a counted answer may be is only known of the settings of `to`.
        lack: words::lack_of_week(week, (week.settings_version == to.settings_version).then_some(age)),
    };
    explain(end(from), &before, end(to), &after, texts)
}

/// Explains the change from one month's score to another's.
///
/// `from_weeks` and `to_weeks` are the weeks that went into the months, each scored again under the settings of `to`
/// unless it was scored under their version: settings may change in the middle of a month. Weeks of other months
/// are ignored. `settings` are those of `to`.
pub fn months(
    from: &MonthSnapshot,
    from_weeks: &[WeekSnapshot],
    to: &MonthSnapshot,
    to_weeks: &[WeekSnapshot],
    settings: &Settings,
) -> Why {
    let before = Seen::of(from_weeks.iter().filter(|week| week.period.month() == from.period));
    let after = Seen::of(to_weeks.iter().filter(|week| week.period.month() == to.period));
    let texts = Texts {
        components: zip(before.means(), after.means()).map(words::averages),
        coverage: words::coverage(&before, &after, &[const { None }; 3], settings.answer_age_days.get()),
    };
    let end = |month: &MonthSnapshot| End {
        period: month.period.to_string(),
        score: month.score,
        band: month.band,
        version: month.settings_version,
        lack: words::lack_of_month(month),
    };
    explain(end(from), &before, end(to), &after, texts)
}

/// One end of a comparison as it was published.
struct End {
    period: String,
    score: Option<Percent>,
    band: Standing,
    version: u32,
    /// What a score would have needed.
    lack: String,
}

/// The counts behind the effects of the components and of coverage.
struct Texts {
    components: [Option<String>; 3],
    coverage: Option<String>,
}

fn explain(from: End, before: &Seen<'_>, to: End, after: &Seen<'_>, texts: Texts) -> Why {
    let scores = from.score.zip(to.score);
    let parts = scores.map(|(from_score, to_score)| {
        let Effects { components, coverage, settings } = effects(from_score, before, to_score, after);
        let part = |(change, text)| Part { change: Points::from_basis_points(change), text };
        let [login, adoption, feedback] = zip(components, texts.components).map(part);
        Parts {
            login,
            adoption,
            feedback,
            coverage: part((coverage, texts.coverage)),
            settings: part((settings, words::versions(from.version, to.version, settings))),
        }
    });
    let sentence = match (scores, &parts) {
        (Some((from, to)), Some(parts)) => words::sentence(from.shown(), to.shown(), parts),
        _ => words::not_scored([&from, &to]),
    };
    Why {
        from: from.period,
        to: to.period,
        from_score: from.score,
        to_score: to.score,
        change: scores.map(|(from, to)| Points::between(from, to)),
        parts,
        band_from: from.band,
        band_to: to.band,
        sentence,
    }
}

/// What a change is made of, in basis points.
struct Effects {
    components: [i32; 3],
    coverage: i32,
    settings: i32,
}

/// Rule: why did it change. `before` and `after` are seen under the same settings. A side of which these settings
/// count nothing can't be compared: then all of the change is coverage.
fn effects(from: Percent, before: &Seen<'_>, to: Percent, after: &Seen<'_>) -> Effects {
    let change = Points::between(from, to).basis_points();
    let (Some(was), Some(is)) = (before.score(), after.score()) else {
        return Effects { components: [0; 3], coverage: change, settings: 0 };
    };
    let settings = Points::between(from, was).basis_points() - Points::between(to, is).basis_points();
    let components = component_effects(before, after);
    let coverage = change - settings - components.iter().sum::<i32>();
    Effects { components, coverage, settings }
}

/// Differences of contributions. Where the two sides don't know the same components, both are weighed again with
/// those that both know, and the others have no effect of their own.
fn component_effects(before: &Seen<'_>, after: &Seen<'_>) -> [i32; 3] {
    if before.knows_the_same_as(after) {
        return differences(before.contributions(), after.contributions());
    }
    let Some(week) = after.weeks.first() else { return [0; 3] };
    let both = zip(before.means(), after.means()).map(|(was, is)| was.zip(is));
    let weigh = |values| {
        let weights = weighted(&week.components).map(|(weight, _)| weight);
        component::contributions(zip(weights, values), week.missing_policy)
    };
    let was = weigh(both.map(|values| values.map(|(was, _)| was)));
    let is = weigh(both.map(|values| values.map(|(_, is)| is)));
    zip(both, differences(was, is)).map(|(values, effect)| values.map_or(0, |_| effect))
}

fn differences(from: [Option<Percent>; 3], to: [Option<Percent>; 3]) -> [i32; 3] {
    zip(from, to)
        .map(|(from, to)| Points::between(from.unwrap_or_default(), to.unwrap_or_default()).basis_points())
}

fn zip<A, B>([a, b, c]: [A; 3], [x, y, z]: [B; 3]) -> [(A, B); 3] {
    [(a, x), (b, y), (c, z)]
}

/// One side under the settings of `to`: its scored weeks, or all that know anything where these settings publish none
/// of them. A week is one, a month up to five.
struct Seen<'a> {
    weeks: Vec<&'a WeekSnapshot>,
}

impl<'a> Seen<'a> {
    fn of(weeks: impl IntoIterator<Item = &'a WeekSnapshot>) -> Self {
        let mut weeks: Vec<_> =
            weeks.into_iter().filter(|week| values(&week.components).iter().any(Option::is_some)).collect();
        if weeks.iter().any(|week| week.score.is_some()) {
            weeks.retain(|week| week.score.is_some());
        }
        weeks.sort_by_key(|week| week.period);
        Self { weeks }
    }

    /// Whether every week of both sides knows the same components.
    fn knows_the_same_as(&self, other: &Self) -> bool {
        let mut known = self
            .weeks
            .iter()
            .chain(&other.weeks)
            .map(|week| values(&week.components).map(|value| value.is_some()));
        let first = known.next();
        known.all(|known| Some(known) == first)
    }

    /// In how many weeks each component is known.
    fn known(&self) -> [usize; 3] {
        self.weeks.iter().fold([0; 3], |known, week| {
            zip(known, values(&week.components)).map(|(known, value)| known + usize::from(value.is_some()))
        })
    }

    /// The mean of each component over the weeks in which it is known.
    fn means(&self) -> [Option<Percent>; 3] {
        let values: Vec<_> = self.weeks.iter().map(|week| values(&week.components)).collect();
        let mean =
            |pick: fn(&[Option<Percent>; 3]) -> Option<Percent>| month::mean(values.iter().filter_map(pick));
        [mean(|[login, _, _]| *login), mean(|[_, adoption, _]| *adoption), mean(|[_, _, feedback]| *feedback)]
    }

    /// The mean contributions over the weeks, cut as those of a month; in sum the score.
    fn contributions(&self) -> [Option<Percent>; 3] {
        let sums = self.weeks.iter().fold([None; 3], |sums, week| {
            let contributions = component::contributions(weighted(&week.components), week.missing_policy);
            zip(sums, contributions).map(|(sum, part): (Option<u128>, _)| match part {
                Some(part) => Some(sum.unwrap_or(0) + u128::from(part.basis_points())),
                None => sum,
            })
        });
        percent::cut(sums, self.weeks.len() as u128)
    }

    /// The mean of the weekly scores; nothing when the settings count nothing that is known.
    fn score(&self) -> Option<Percent> {
        let score = self
            .contributions()
            .into_iter()
            .flatten()
            .map(Percent::basis_points)
            .reduce(|sum, part| sum + part);
        score.and_then(|score| Percent::from_basis_points(score).ok())
    }
}

fn weighted(components: &Components) -> [WeightAndValue; 3] {
    let Components { login, adoption, feedback } = components;
    [(login.weight, login.value), (adoption.weight, adoption.value), (feedback.weight, feedback.value)]
}

/// The values of the components that are switched on.
fn values(components: &Components) -> [Option<Percent>; 3] {
    weighted(components).map(|(weight, value)| value.filter(|_| weight > Percent::ZERO))
}

/// What happened to the counted answers between the ends of two weeks. `before` + `new` − `expired` − `withdrawn`
/// count now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerMoves {
    /// Users whose answer counted.
    pub before: u32,
    /// Users whose answer counts and of whom none counted.
    pub new: u32,
    /// Users whose counted answer has another value now: they answered again.
    pub changed: u32,
    /// Users whose answer is too old now.
    pub expired: u32,
    /// Users whose answer is void now, who have left or are excluded.
    pub withdrawn: u32,
}

/// The answers that count at the end of a week.
#[derive(Debug, Clone, Copy)]
pub struct AnswersOfWeek<'a> {
    /// The week.
    pub week: IsoWeek,
    /// The settings under which it was scored.
    pub settings: &'a Settings,
    /// Answers that weren't void, of people who count: [`crate::week::counted_answers`].
    pub answers: &'a [Answer],
}

impl<'a> AnswersOfWeek<'a> {
    fn end(&self) -> DateTime<Utc> {
        self.week.end(self.settings.time_zone)
    }

    fn latest(&self) -> BTreeMap<&'a UserId, &'a Answer> {
        answer::latest_per_user(self.answers, self.end(), self.settings.answer_age())
    }
}

impl AnswerMoves {
    /// Compares the answers that counted in a week with those that count in a later one.
    pub fn between(from: AnswersOfWeek<'_>, to: AnswersOfWeek<'_>) -> Self {
        let (before, after) = (from.latest(), to.latest());
        let oldest = to.end() - to.settings.answer_age();
        let count = |answers: usize| u32::try_from(answers).unwrap_or(u32::MAX);
        let (expired, withdrawn): (Vec<&Answer>, Vec<&Answer>) = before
            .iter()
            .filter(|(user, _)| !after.contains_key(*user))
            .map(|(_, answer)| *answer)
            .partition(|answer| answer.at < oldest);
        let changed = |(user, answer): &(&&UserId, &&Answer)| {
            after.get(*user).is_some_and(|again| again.rating.value() != answer.rating.value())
        };
        Self {
            before: count(before.len()),
            new: count(after.keys().filter(|user| !before.contains_key(*user)).count()),
            changed: count(before.iter().filter(changed).count()),
            expired: count(expired.len()),
            withdrawn: count(withdrawn.len()),
        }
    }

    /// Whether so many answers counted before and so many count now.
    fn lead(self, before: u32, after: u32) -> bool {
        self.before == before && self.before + self.new == after + self.expired + self.withdrawn
    }
}
