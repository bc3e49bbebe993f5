//! A row of the portfolio.

use barometer_cloud::{
    listing::concerns,
    views::{CompanyView, EngagementView},
};
use barometer_domain::{IsoWeek, Percent, component::Components};

use super::{
    Scene,
    concern::reason,
    spark::{self, Spark},
    words::{self, Mark},
};

/// A company in the portfolio's table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Plan, owner, and what became of it.
    pub about: String,
    /// The gravest reason to look at it, if one is worth telling.
    pub reason: Option<String>,
    /// Its business status.
    pub status: Option<Mark>,
    /// The status's age and whether it is stale.
    pub status_age: String,
    /// Whether the status is past its review.
    pub stale: bool,
    /// The shown score.
    pub score: Option<u8>,
    /// The band, or why there is none.
    pub band: Mark,
    /// How far to rely on it: the share of the weight that is known, unless it is all, and the confidence.
    pub reliance: String,
    /// The change against the week before.
    pub change: Option<String>,
    /// `up`, `dn` or nothing.
    pub direction: &'static str,
    /// The last twelve weeks.
    pub spark: Option<Spark>,
    /// Its happiness as a whole percent.
    pub happy: Option<u8>,
    /// What its users say.
    pub happiness: Mark,
    /// What stands behind it.
    pub answers: String,
    /// The cell of the quadrant.
    pub cell: &'static str,
    /// Open tasks and alerts.
    pub to_do: Vec<String>,
    /// The component that pulls the score down most.
    pub lowest: Option<String>,
    /// The day of the latest activity.
    pub seen: Option<String>,
}

/// Builds a row; `latest` is the newest week that any company was scored for.
pub fn row(company: &CompanyView, latest: Option<IsoWeek>, scene: Scene<'_>) -> Row {
    let engagement = company.engagement.as_ref();
    let owner = company.owner.as_deref().map(|owner| words::owner(Some(owner)));
    let mut about: Vec<String> =
        [company.plan.as_deref(), owner].into_iter().flatten().map(str::to_owned).collect();
    if let Some(on) = company.churned_on {
        about.push(format!("lost {}", words::day(on, scene.today())));
    }
    let status = company.business_status.as_ref();
    let change = engagement.and_then(EngagementView::change);
    Row {
        id: company.company_id.to_string(),
        name: company.name.clone(),
        about: about.join(" · "),
        reason: concerns(company, scene.today())
            .first()
            .filter(|concern| concern.tells())
            .map(|concern| reason(concern, scene)),
        status: status.map(|status| words::status(status.status.value)),
        status_age: status.map(|it| words::ago(scene.days_since(it.status.set_at))).unwrap_or_default(),
        stale: status.is_some_and(|status| status.stale),
        score: engagement.and_then(|engagement| engagement.shown),
        band: engagement.map_or(Mark { class: "lx", label: "Not scored yet" }, |engagement| {
            words::standing(engagement.band)
        }),
        reliance: engagement
            .map(|engagement| {
                let week = (Some(engagement.week) != latest).then(|| spark::short(engagement.week));
                let covered = (engagement.coverage < Percent::FULL)
                    .then(|| format!("{} % known", engagement.coverage.shown()));
                let sure = format!("{} confidence", words::confidence(engagement.confidence));
                [week, covered, Some(sure)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            })
            .unwrap_or_default(),
        change: change.map(words::change),
        direction: match change {
            Some(change) if change > 0 => "up",
            Some(change) if change < 0 => "dn",
            _ => "",
        },
        spark: engagement.and_then(|engagement| spark::spark(&engagement.trend, engagement.week)),
        happy: company.happiness.score.map(Percent::shown),
        happiness: words::level(company.happiness.level),
        answers: words::behind_happiness(&company.happiness),
        cell: company.quadrant.label(),
        to_do: [(company.open_tasks, "task"), (company.open_alerts, "alert")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, one)| words::count(count, one))
            .collect(),
        lowest: engagement.filter(|it| it.shown.is_some()).and_then(|it| lowest(&it.components)),
        seen: company.last_seen_at.map(|at| scene.day(at)),
    }
}

/// The lowest of the components that are known, unless they are all the same: `login 12`.
fn lowest(parts: &Components) -> Option<String> {
    let known = [
        ("login", parts.login.value),
        ("adoption", parts.adoption.value),
        ("feedback", parts.feedback.value),
    ];
    let known: Vec<(Percent, &str)> =
        known.into_iter().filter_map(|(name, value)| Some((value?, name))).collect();
    let (low, name) = known.iter().min()?;
    let (high, _) = known.iter().max()?;
    (low < high).then(|| format!("lowest: {name} {}", low.shown()))
}
