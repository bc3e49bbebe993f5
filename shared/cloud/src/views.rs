//! A company as people and programs see it: the row of the portfolio with what follows from it at an instant.
//! The API writes it as JSON, the page as HTML.

use std::collections::BTreeSet;

use barometer_domain::{
    CompanyId, IsoWeek, Month, Percent, Settings, Zone,
    band::Standing,
    component::Components,
    happiness::{Happiness, Level},
    language::Language,
    quadrant::{self, Cell, HealthAxis},
    status::{BusinessStatus, Stale},
    week::Confidence,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::table::companies::{Company, TrendPoint};

/// A company at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct CompanyView {
    /// The workspace's own id for it.
    pub company_id: CompanyId,
    /// Its name.
    pub name: String,
    /// The CSM who looks after it.
    pub owner: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// Its own zone.
    pub time_zone: Option<Zone>,
    /// Its own language.
    pub language: Option<Language>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its contract renews.
    pub renewal_on: Option<NaiveDate>,
    /// The day it gave notice.
    pub notice_on: Option<NaiveDate>,
    /// The day it was lost.
    pub churned_on: Option<NaiveDate>,
    /// First reading: set by hand. Null until somebody sets it.
    pub business_status: Option<StatusView>,
    /// Second reading: computed. Null until a week was scored.
    pub engagement: Option<EngagementView>,
    /// Third reading: asked.
    pub happiness: Happiness,
    /// The cell of the quadrant.
    pub quadrant: Cell,
    /// Which reading stands for health in it; null when neither is known.
    pub health_axis: Option<HealthAxis>,
    /// How much it needs somebody, 0 (all well) to 3: the worst fresh reading. For sorting only.
    pub attention: u8,
    /// Business status and engagement are two or more bands apart.
    pub disagreement: bool,
    /// Tasks that are neither done nor cancelled.
    pub open_tasks: u32,
    /// Alerts that aren't resolved.
    pub open_alerts: u32,
    /// Disagreements of status and engagement that wait for the CSM.
    pub open_disagreements: u32,
    /// Whether its users are asked for feedback.
    pub request_feedback: bool,
    /// The latest activity that a score has seen.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Tags that rules and CSMs gave it.
    pub tags: BTreeSet<String>,
}

/// The business status at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StatusView {
    /// The status with note, author and review-by.
    #[serde(flatten)]
    pub status: BusinessStatus,
    /// It doesn't count at present.
    pub stale: bool,
    /// Why it doesn't; null while it is fresh.
    pub stale_because: Option<Stale>,
    /// When the company last got another owner while it had a status.
    pub handed_over_at: Option<DateTime<Utc>>,
}

/// The engagement at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct EngagementView {
    /// The latest week's score.
    pub score: Option<Percent>,
    /// The whole percent that is shown.
    pub shown: Option<u8>,
    /// The latest week's band, or why there is none.
    pub band: Standing,
    /// The week.
    pub week: IsoWeek,
    /// The month that the week belongs to.
    pub month: Month,
    /// That month's score so far.
    pub month_score: Option<Percent>,
    /// That month's band so far.
    pub month_band: Option<Standing>,
    /// Late events still count: the grace of the week isn't over.
    pub provisional: bool,
    /// Present weight / total weight.
    pub coverage: Percent,
    /// How far to rely on it.
    pub confidence: Confidence,
    /// The last weeks, oldest first.
    pub trend: Vec<TrendPoint>,
    /// What the score is made of.
    pub components: Components,
}

impl EngagementView {
    /// The change of the shown score against the week before; nothing unless both weeks have one.
    pub fn change(&self) -> Option<i16> {
        let shown = |of: IsoWeek| self.trend.iter().find(|point| point.week == of)?.score.map(Percent::shown);
        Some(i16::from(shown(self.week)?) - i16::from(shown(self.week.previous())?))
    }
}

/// The happiness of a company that nobody has answered for.
pub fn no_happiness() -> Happiness {
    Happiness {
        score: None,
        level: Level::NoData,
        answers: 0,
        response_rate: None,
        provisional: true,
        silent: false,
        oldest_answer_at: None,
        nps: None,
    }
}

/// A company at `now`, under the workspace's settings.
pub fn company(company: &Company, settings: &Settings, now: DateTime<Utc>) -> CompanyView {
    let fresh = company.fresh_status(now);
    let engagement = company.engagement.as_ref();
    let standing = engagement.map(|engagement| engagement.band);
    let happiness = company.happiness.clone().unwrap_or_else(no_happiness);
    let place = quadrant::place(fresh, standing, happiness.level);
    let band = standing.and_then(Standing::band);
    CompanyView {
        company_id: company.company_id.clone(),
        name: company.name.clone(),
        owner: company.owner.clone(),
        plan: company.plan.clone(),
        time_zone: company.time_zone,
        language: company.language,
        created_at: company.created_at,
        renewal_on: company.renewal_on,
        notice_on: company.notice_on,
        churned_on: company.churned_on,
        business_status: company.status.as_ref().map(|status| {
            let stale_because = status.stale(company.handed_over_at, now);
            StatusView {
                status: status.clone(),
                stale: stale_because.is_some(),
                stale_because,
                handed_over_at: company.handed_over_at,
            }
        }),
        engagement: engagement.map(|engagement| {
            let month = engagement.week.month();
            let of_month = company.month.filter(|score| score.month == month);
            EngagementView {
                score: engagement.score,
                shown: engagement.shown,
                band: engagement.band,
                week: engagement.week,
                month,
                month_score: of_month.and_then(|score| score.score),
                month_band: of_month.map(|score| score.band),
                provisional: now < engagement.week.grace_end(settings.time_zone),
                coverage: engagement.coverage,
                confidence: engagement.confidence,
                trend: engagement.trend.clone(),
                components: engagement.components,
            }
        }),
        quadrant: place.cell,
        health_axis: place.health_axis,
        attention: quadrant::attention(fresh, standing, happiness.level),
        happiness,
        disagreement: fresh.zip(band).is_some_and(|(status, band)| quadrant::disagree(status, band)),
        open_tasks: company.open_tasks,
        open_alerts: company.open_alerts,
        open_disagreements: company.open_disagreements,
        request_feedback: company.request_feedback,
        last_seen_at: company.last_seen_at,
        tags: company.tags.clone(),
    }
}

#[cfg(test)]
mod tests {
    use barometer_domain::component::{self, AdoptionCounts, FeedbackCounts, LoginCounts, Reading};

    use super::*;

    #[test]
    fn a_change_needs_both_weeks() {
        let reading = || Ok(Percent::HALF);
        let components = component::weigh(
            &Settings::default(),
            Reading { value: reading(), counts: LoginCounts { users: 1, active_users: 1, active_days: 1 } },
            Reading { value: reading(), counts: AdoptionCounts::default() },
            Reading { value: reading(), counts: FeedbackCounts::default() },
        )
        .components;
        let change = |week: &str, trend: &[(&str, u8)]| {
            let point = |(week, score): &(&str, u8)| TrendPoint {
                week: week.parse().unwrap(),
                score: Some(Percent::whole(*score)),
            };
            let week: IsoWeek = week.parse().unwrap();
            let view = EngagementView {
                score: None,
                shown: None,
                band: Standing::Steady,
                week,
                month: week.month(),
                month_score: None,
                month_band: None,
                provisional: false,
                coverage: Percent::FULL,
                confidence: Confidence::Low,
                trend: trend.iter().map(point).collect(),
                components,
            };
            view.change()
        };
        let two = [("2026-W35", 40), ("2026-W36", 18)];
        assert_eq!(change("2026-W36", &two), Some(-22));
        assert_eq!(change("2026-W35", &two), None);
        assert_eq!(change("2026-W36", &[("2026-W34", 40), ("2026-W36", 18)]), None);
        // A year's turn is no gap.
        assert_eq!(change("2027-W01", &[("2026-W53", 40), ("2027-W01", 41)]), Some(1));
    }
}
