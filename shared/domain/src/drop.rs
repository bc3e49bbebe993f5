//! A company's engagement falls: suddenly, or for two weeks. Read from weekly snapshots alone, so that
//! nothing but they need be kept and looking again finds the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Percent, Zone,
    alert::{Alert, Finding, Rule},
    calendar::IsoWeek,
    percent::round_half_up,
    telemetry::Telemetry,
    week::WeekSnapshot,
};

/// A sudden drop: this far below the baseline, in basis points.
pub const SUDDEN_DROP: u16 = 2_500;
/// A sudden drop counts from this many users: of four, one on holiday is 25 points of login activity.
pub const SUDDEN_USERS: u32 = 5;
/// A sustained drop: this far below the baseline in two weeks in a row, in basis points.
pub const SUSTAINED_DROP: u16 = 1_500;
/// Recovered: at most this far below the baseline, in basis points.
pub const RECOVERED_WITHIN: u16 = 500;
/// Valid weeks that a baseline is the median of, at most …
pub const BASELINE_WEEKS: usize = 4;
/// … and at least.
pub const BASELINE_MIN_WEEKS: usize = 3;
/// Weeks that a baseline looks back: what was before isn't the usual any more.
pub const BASELINE_REACH: i64 = 8;
/// Weeks that the second week of a sustained drop looks back for the first.
pub const PREVIOUS_REACH: i64 = 4;
/// Weeks before the judged one that are ever read.
pub const REACH: i64 = PREVIOUS_REACH + BASELINE_REACH;

/// What a drop is measured against: the median score of the weeks before it, kept exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Baseline {
    /// Twice the median in basis points: the median of an even number of weeks is the mean of two scores.
    doubled: u32,
    /// The weeks it is the median of: three or four.
    weeks: u8,
    /// The version of the settings under which all of them were scored.
    settings_version: u32,
}

impl Baseline {
    /// The median of scores; nothing for fewer than three.
    fn of(mut scores: Vec<Percent>, settings_version: u32) -> Option<Self> {
        if scores.len() < BASELINE_MIN_WEEKS {
            return None;
        }
        scores.sort_unstable();
        let lower = scores.get((scores.len() - 1) / 2)?.basis_points();
        let upper = scores.get(scores.len() / 2)?.basis_points();
        let weeks = u8::try_from(scores.len()).ok()?;
        Some(Self { doubled: u32::from(lower) + u32::from(upper), weeks, settings_version })
    }

    /// The whole percent that is shown.
    pub fn shown(self) -> u8 {
        u8::try_from(round_half_up(u128::from(self.doubled), 200)).unwrap_or(100)
    }

    /// Twice the basis points that a score lies below; negative when it is above.
    fn doubled_drop(self, score: Percent) -> i64 {
        i64::from(self.doubled) - 2 * i64::from(score.basis_points())
    }

    /// Whether a score lies at least `basis_points` below.
    fn exceeds(self, score: Percent, basis_points: u16) -> bool {
        self.doubled_drop(score) >= 2 * i64::from(basis_points)
    }

    /// How far a score lies below, rounded half up to the basis point; 0 when it doesn't.
    fn drop_to(self, score: Percent) -> Percent {
        let doubled = u128::try_from(self.doubled_drop(score)).unwrap_or(0);
        Percent::ratio(doubled, 20_000).unwrap_or(Percent::ZERO)
    }
}

/// The score of a week that drops are measured on: completed, past onboarding, with a band, not a data gap
/// and not one in which the whole workspace was silent.
fn valid_score(week: &WeekSnapshot) -> Option<Percent> {
    let told = !matches!(week.telemetry, Telemetry::DataGap | Telemetry::WorkspaceSilent);
    week.score.filter(|_| told && week.band.band().is_some())
}

/// Rule: engagement drop, judged for one week.
///
/// - `weeks` are the company's snapshots in any order, the latest revision of each week. The judged one and
///   the [`REACH`] before it are read; weeks that aren't valid or have another settings version are passed
///   over.
/// - *Sudden*: 25 points or more below the median of the previous four valid weeks, with five users or more.
/// - *Sustained*: 15 points or more below in this week and in the valid week before, both against the
///   baseline of that first week, which the fall itself hasn't moved. The week before is the last valid one
///   of the [`PREVIOUS_REACH`] before, so a data gap in between hides nothing. A sudden drop is also the
///   first week of a sustained one.
pub fn engagement_drops(weeks: &[WeekSnapshot], week: IsoWeek, zone: Zone) -> Vec<Finding> {
    let judged = weeks.iter().find(|snapshot| snapshot.period == week);
    let Some((judged, score)) = judged.and_then(|judged| Some((judged, valid_score(judged)?))) else {
        return Vec::new();
    };
    let comparable = weeks.iter().filter(|earlier| earlier.settings_version == judged.settings_version);
    let judged = Judged {
        week,
        zone,
        score,
        users: judged.components.login.counts.users,
        settings_version: judged.settings_version,
        scores: comparable.filter_map(|earlier| Some((earlier.period, valid_score(earlier)?))).collect(),
    };
    judged.sudden().into_iter().chain(judged.sustained()).collect()
}

/// The week that is judged, among the valid weeks of the same settings version.
struct Judged {
    week: IsoWeek,
    zone: Zone,
    score: Percent,
    users: u32,
    settings_version: u32,
    scores: BTreeMap<IsoWeek, Percent>,
}

impl Judged {
    fn sudden(&self) -> Option<Finding> {
        let baseline = self.baseline(self.week)?;
        if self.users < SUDDEN_USERS || !baseline.exceeds(self.score, SUDDEN_DROP) {
            return None;
        }
        let (usual, weeks) = (baseline.shown(), baseline.weeks);
        let (now, week) = (self.score.shown(), self.week);
        let sentence =
            format!("Engagement fell from a usual {usual} to {now} in {week} (median of {weeks} weeks)");
        Some(self.finding(Rule::EngagementSuddenDrop, baseline, sentence))
    }

    fn sustained(&self) -> Option<Finding> {
        let (first, before) = self.scores.range(self.week.plus(-PREVIOUS_REACH)..self.week).next_back()?;
        let baseline = self.baseline(*first)?;
        if !baseline.exceeds(*before, SUSTAINED_DROP) || !baseline.exceeds(self.score, SUSTAINED_DROP) {
            return None;
        }
        let (usual, weeks) = (baseline.shown(), baseline.weeks);
        let (then, now, week) = (before.shown(), self.score.shown(), self.week);
        let sentence = format!(
            "Engagement fell from a usual {usual} to {then} in {first} and is still down at {now} in {week} \
             (median of {weeks} weeks)"
        );
        Some(self.finding(Rule::EngagementSustainedDrop, baseline, sentence))
    }

    /// The baseline of a week: of the last four valid scores before it, within reach.
    fn baseline(&self, week: IsoWeek) -> Option<Baseline> {
        let before = self.scores.range(week.plus(-BASELINE_REACH)..week).rev();
        let scores = before.map(|(_, score)| *score).take(BASELINE_WEEKS).collect();
        Baseline::of(scores, self.settings_version)
    }

    fn finding(&self, rule: Rule, baseline: Baseline, sentence: String) -> Finding {
        Finding {
            rule,
            period: self.week,
            at: self.week.end(self.zone),
            severity: baseline.drop_to(self.score),
            baseline: Some(baseline),
            sentence,
        }
    }
}

/// How a live alert of an engagement drop recovered: one valid week not more than 5 points below the alert's
/// frozen baseline, in the alert's own week or later (its own when late events raised it). Under other
/// settings a score can't be compared with the baseline, so such an alert waits for a person.
pub fn recovery(alert: &Alert, week: &WeekSnapshot) -> Option<String> {
    let (baseline, score) = (alert.finding.baseline?, valid_score(week)?);
    let comparable =
        week.settings_version == baseline.settings_version && week.period >= alert.finding.period;
    let back = baseline.doubled_drop(score) <= 2 * i64::from(RECOVERED_WITHIN);
    (alert.is_live() && comparable && back).then(|| {
        let (now, period, usual) = (score.shown(), week.period, baseline.shown());
        format!("Engagement is back at {now} in {period}, from a usual {usual}")
    })
}
