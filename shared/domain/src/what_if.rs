//! What if the settings were others? History scored again under a draft, before anything is saved.
//!
//! Weights, bands, login days, minutes, the split of adoption, feature days, catalogue, missing policy and
//! feedback method take effect exactly: a week's snapshot holds what it was computed from. What a snapshot
//! can't show stays as it was: see [`not_applied`].

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    CompanyId, IsoWeek, Settings,
    component::UsesOfWeek,
    tally::{Change, Distribution, Move, Moves, Scored, Tally},
    week::{Measured, WeekSnapshot},
};

/// A stored week under other settings. `before` are what was used in the three weeks before it, the nearest
/// first; empty where there is no snapshot.
///
/// Equal to what [`week::score`](crate::week::score) gives under `draft` for the week's events, unless `draft`
/// differs in what is [not applied](not_applied). Weeks before it count as they were published: whether one of
/// them would have had a score under the draft changes neither `valid_weeks` nor, through it, confidence and
/// onboarding. A week stored without what it was computed from comes out as it was.
pub fn rescore(
    snapshot: &WeekSnapshot,
    before: [&UsesOfWeek; 3],
    draft: &Settings,
    draft_version: u32,
) -> WeekSnapshot {
    if !has_basis(snapshot) {
        return snapshot.clone();
    }
    let counts = snapshot.components;
    let measured = Measured {
        week: snapshot.period,
        telemetry: snapshot.telemetry,
        heard: snapshot.heard,
        users: counts.login.counts.users,
        minutes: counts.adoption.counts.minutes,
        answers: counts.feedback.counts.answers,
        valid_weeks_before: snapshot.valid_weeks.saturating_sub(u32::from(snapshot.score.is_some())),
        uses: snapshot.uses.clone(),
        uses_before: before,
        basis: snapshot.basis.clone(),
    };
    measured.score(draft, draft_version)
}

/// Whether the week was stored with what it was computed from, as weeks are since that is kept.
fn has_basis(snapshot: &WeekSnapshot) -> bool {
    let users: u32 = snapshot.basis.users_by_days.iter().sum();
    let answered = snapshot.components.feedback.counts.answers > 0;
    users == snapshot.components.login.counts.active_users
        && snapshot.basis.answers_mean.is_some() == answered
}

/// The fields that differ between `current` and `draft`, decide scores to come, and can't be applied to history,
/// because a snapshot doesn't show what it would have been with them. By name, in alphabetical order.
///
/// Fields that decide no score at all, such as the cadence of asks, are not among them.
pub fn not_applied(current: &Settings, draft: &Settings) -> Vec<&'static str> {
    // Every field is named, so that a new one can't be forgotten here.
    let Settings {
        answer_age_days,
        exclusions,
        feedback_events,
        time_zone,
        weights: _,
        login_days: _,
        minutes_per_user_week: _,
        adoption_split: _,
        feature_days: _,
        catalogue: _,
        bands: _,
        missing_policy: _,
        feedback_method: _,
        name: _,
        happiness_levels: _,
        cadence_days: _,
        review_days: _,
        retention_days: _,
        mail: _,
        rules: _,
    } = current;
    [
        ("answer_age_days", *answer_age_days != draft.answer_age_days),
        ("exclusions", *exclusions != draft.exclusions),
        ("feedback_events", *feedback_events != draft.feedback_events),
        ("time_zone", *time_zone != draft.time_zone),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

/// Re-scores companies one after the other and keeps only counts, and the companies that change.
pub struct WhatIf<'a> {
    draft: &'a Settings,
    draft_version: u32,
    from: IsoWeek,
    not_applied: Vec<&'static str>,
    weeks: BTreeMap<IsoWeek, OneWeek>,
    changed: Vec<(IsoWeek, Change)>,
    companies: u32,
    changed_in_any_week: u32,
    weeks_left_as_stored: u32,
}

/// One week of all companies.
#[derive(Default)]
struct OneWeek {
    before: Tally,
    after: Tally,
    moves: Moves,
}

/// What a draft of the settings would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct WhatIfResult {
    /// Companies with a week that was scored again.
    pub companies: u32,
    /// Companies that would stand elsewhere in the latest week.
    pub changed: u32,
    /// Companies that would have stood elsewhere in at least one week.
    pub changed_in_any_week: u32,
    /// Weeks of companies that were stored without what they were computed from, and count as they were.
    pub weeks_left_as_stored: u32,
    /// Fields of the draft that would change scores to come, and that history can't show: [`not_applied`].
    pub not_applied: Vec<&'static str>,
    /// Every week, oldest first.
    pub weeks: Vec<WeekOfWhatIf>,
    /// Moves in the latest week, in the order of standings.
    pub moves: Vec<Move>,
    /// The companies that would stand elsewhere in the latest week, by id.
    pub changes: Vec<Change>,
}

/// One week as published and under the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct WeekOfWhatIf {
    /// The week.
    pub week: IsoWeek,
    /// As published.
    pub before: Distribution,
    /// Under the draft.
    pub after: Distribution,
}

impl<'a> WhatIf<'a> {
    /// Begins with no company. Weeks from `from` on are scored again; breadth looks back, so the three weeks before
    /// it are needed too.
    pub fn new(current: &Settings, draft: &'a Settings, draft_version: u32, from: IsoWeek) -> Self {
        Self {
            draft,
            draft_version,
            from,
            not_applied: not_applied(current, draft),
            weeks: BTreeMap::new(),
            changed: Vec::new(),
            companies: 0,
            changed_in_any_week: 0,
            weeks_left_as_stored: 0,
        }
    }

    /// Adds a company: the latest revisions of its weeks, in any order.
    pub fn add(&mut self, company: &CompanyId, weeks: &[WeekSnapshot]) {
        let none = UsesOfWeek::new();
        let by_week: BTreeMap<IsoWeek, &WeekSnapshot> =
            weeks.iter().map(|snapshot| (snapshot.period, snapshot)).collect();
        let mut latest = None;
        let mut moved = false;
        for (week, snapshot) in by_week.range(self.from..) {
            let before =
                [-1, -2, -3].map(|back| by_week.get(&week.plus(back)).map_or(&none, |found| &found.uses));
            let after = rescore(snapshot, before, self.draft, self.draft_version);
            self.weeks_left_as_stored += u32::from(!has_basis(snapshot));
            let (from, to) = (scored(snapshot), scored(&after));
            self.weeks.entry(*week).or_default().add(from, to);
            moved |= from.band != to.band;
            latest = Some((*week, from, to));
        }
        self.companies += u32::from(latest.is_some());
        self.changed_in_any_week += u32::from(moved);
        if let Some((week, from, to)) = latest.filter(|(_, from, to)| from.band != to.band) {
            self.changed.push((week, Change { company_id: company.clone(), from, to }));
        }
    }

    /// What the draft would change. The order in which companies were added makes no difference.
    pub fn finish(self) -> WhatIfResult {
        let latest = self.weeks.last_key_value();
        let moves = latest.map(|(_, of_week)| of_week.moves.iter().collect()).unwrap_or_default();
        let mut changes: Vec<Change> = self
            .changed
            .into_iter()
            .filter(|(week, _)| latest.is_some_and(|(latest, _)| week == latest))
            .map(|(_, change)| change)
            .collect();
        changes.sort_by(|a, b| a.company_id.cmp(&b.company_id));
        WhatIfResult {
            companies: self.companies,
            changed: u32::try_from(changes.len()).unwrap_or(u32::MAX),
            changed_in_any_week: self.changed_in_any_week,
            weeks_left_as_stored: self.weeks_left_as_stored,
            not_applied: self.not_applied,
            moves,
            changes,
            weeks: self
                .weeks
                .iter()
                .map(|(week, of_week)| WeekOfWhatIf {
                    week: *week,
                    before: of_week.before.distribution(),
                    after: of_week.after.distribution(),
                })
                .collect(),
        }
    }
}

fn scored(snapshot: &WeekSnapshot) -> Scored {
    Scored { band: snapshot.band, score: snapshot.score }
}

impl OneWeek {
    fn add(&mut self, from: Scored, to: Scored) {
        self.before.add(from);
        self.after.add(to);
        self.moves.add(from.band, to.band, 1);
    }
}
