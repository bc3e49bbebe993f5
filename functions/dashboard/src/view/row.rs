//! A row of the portfolio.

use barometer_domain::{IsoWeek, Percent};

use super::{
    Scene,
    query::Placed,
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
    /// The day of the latest activity.
    pub seen: Option<String>,
}

/// Builds a row; `latest` is the newest week that any company was scored for.
pub fn row(placed: &Placed, latest: Option<IsoWeek>, scene: Scene<'_>) -> Row {
    let company = &placed.view;
    let engagement = company.engagement.as_ref();
    let owner = company.owner.as_deref().map(|owner| words::owner(Some(owner)));
    let mut about: Vec<String> =
        [company.plan.as_deref(), owner].into_iter().flatten().map(str::to_owned).collect();
    if let Some(on) = company.churned_on {
        about.push(format!("lost {}", words::day(on, scene.today())));
    }
    let status = company.business_status.as_ref();
    Row {
        id: company.company_id.to_string(),
        name: company.name.clone(),
        about: about.join(" · "),
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
                // The style adds the word "confidence" to each.
                let sure = words::confidence(engagement.confidence).to_owned();
                [week, covered, Some(sure)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            })
            .unwrap_or_default(),
        change: placed.change.map(words::change),
        direction: match placed.change {
            Some(change) if change > 0 => "up",
            Some(change) if change < 0 => "dn",
            _ => "",
        },
        spark: engagement.and_then(|engagement| spark::spark(&engagement.trend, engagement.week)),
        happy: company.happiness.score.map(Percent::shown),
        happiness: words::level(company.happiness.level),
        answers: words::behind_happiness(&company.happiness),
        cell: company.quadrant.label(),
        seen: company.last_seen_at.map(|at| scene.day(at)),
    }
}
