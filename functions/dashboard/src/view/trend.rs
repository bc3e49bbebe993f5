//! The large picture of a company's weeks.

use barometer_cloud::table::snapshots::Published;
use barometer_domain::{
    IsoWeek, Percent,
    band::{Band, Bands},
    week::WeekSnapshot,
};

use super::{
    marks::{LANES, Marks},
    spark, words,
};

/// The drawing: 640 wide, the scores between these edges, the weeks' names under them, then the lanes.
const LEFT: i64 = 40;
const RIGHT: i64 = 560;
const TOP: i64 = 10;
const BOTTOM: i64 = 190;
/// Where the lanes' texts stand: the first, and how far below it each other.
const LANE: i64 = 234;
const LANE_HEIGHT: usize = 22;
/// Height of the drawing without lanes.
const HEIGHT: i64 = 220;
/// Weeks that the picture spans at least.
const MIN_WEEKS: i64 = 12;

/// A line where a band begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandLine {
    /// Height in the drawing.
    pub y: i64,
    /// The lowest whole percent of the band.
    pub from: u8,
    /// The band.
    pub label: &'static str,
    /// Where the label stands: the middle of the band.
    pub label_y: i64,
}

/// A mark at a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Place in the drawing.
    pub x: i64,
    /// What stands there.
    pub label: String,
}

/// What happened, under the weeks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Height of its texts in the drawing.
    pub y: i64,
    /// What it is called, and what a narrow picture leaves out of that.
    pub label: (&'static str, &'static str),
    /// What stands in it.
    pub signs: Vec<Tick>,
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The scores as path data; a week without a score leaves a gap.
    pub line: String,
    /// A dot per score, as lines without length.
    pub dots: String,
    /// The band's lines, best first; At Risk has no line of its own and ends at the floor.
    pub bands: Vec<BandLine>,
    /// Weeks along the floor.
    pub weeks: Vec<Tick>,
    /// Weeks from which on other settings applied.
    pub versions: Vec<Tick>,
    /// What happened; nothing when nothing did.
    pub lanes: Vec<Lane>,
    /// Height of the drawing.
    pub height: i64,
    /// The last score.
    pub last: Option<(i64, i64, u8)>,
    /// The picture in words.
    pub title: String,
}

/// Draws weeks, oldest first, and what happened since the first of them that has a score, up to this week; nothing when
/// none has a score.
pub fn chart(weeks: &[Published<WeekSnapshot>], bands: Bands, marks: &Marks) -> Option<Chart> {
    let first = weeks.iter().find(|week| week.snapshot.score.is_some())?.snapshot.period;
    let last = weeks.last()?.snapshot.period;
    // What happens now has no score yet.
    let end = marks.weeks(first).next_back().map_or(last, |week| week.max(last));
    let span = end.since(first).max(MIN_WEEKS - 1);
    let x = |week: IsoWeek| RIGHT - end.since(week) * (RIGHT - LEFT) / span;
    let lanes = lanes(marks, first, x);
    let mut picture = Chart {
        line: String::new(),
        dots: String::new(),
        bands: band_lines(bands),
        weeks: Vec::new(),
        versions: Vec::new(),
        height: if lanes.is_empty() { HEIGHT } else { LANE + 52 },
        lanes,
        last: None,
        title: String::new(),
    };
    let mut before: Option<IsoWeek> = None;
    let mut version = None;
    let mut low_high: Option<(u8, u8)> = None;
    for snapshot in weeks.iter().map(|week| &week.snapshot).filter(|week| week.period >= first) {
        let week = snapshot.period;
        if version.is_some_and(|version| version != snapshot.settings_version) {
            picture.versions.push(Tick { x: x(week), label: format!("v{}", snapshot.settings_version) });
        }
        version = Some(snapshot.settings_version);
        let Some(score) = snapshot.score else { continue };
        let (x, y, shown) = (x(week), height(score), score.shown());
        let joined = before.is_some_and(|before| before.next() == week);
        picture.line.push_str(&format!("{}{x} {y}", if joined { 'L' } else { 'M' }));
        picture.dots.push_str(&format!("M{x} {y}h0"));
        picture.last = Some((x, y, shown));
        low_high = Some(low_high.map_or((shown, shown), |(low, high)| (low.min(shown), high.max(shown))));
        before = Some(week);
    }
    let every = if span > 13 { 4 } else { 2 };
    picture.weeks = (0..=span)
        .filter(|back| back % every == 0)
        .map(|back| end.plus(-back))
        .map(|week| Tick { x: x(week), label: spark::short(week) })
        .collect();
    let (low, high) = low_high?;
    let (.., shown) = picture.last?;
    picture.title =
        format!("Engagement by week from {first} to {last}: {shown} at the end, between {low} and {high}.");
    Some(picture)
}

/// The lanes, all or none.
fn lanes(marks: &Marks, first: IsoWeek, x: impl Fn(IsoWeek) -> i64) -> Vec<Lane> {
    if marks.weeks(first).next().is_none() {
        return Vec::new();
    }
    (LANE..)
        .step_by(LANE_HEIGHT)
        .zip(LANES.into_iter().enumerate())
        .map(|(y, (place, label))| {
            let signs = marks.weeks(first).filter_map(|week| {
                let label = marks.signs(week).into_iter().nth(place).flatten()?;
                Some(Tick { x: x(week), label })
            });
            Lane { y, label, signs: signs.collect() }
        })
        .collect()
}

fn height(score: Percent) -> i64 {
    BOTTOM - i64::from(score.basis_points()) * (BOTTOM - TOP) / 10_000
}

fn band_lines(bands: Bands) -> Vec<BandLine> {
    let start = |band: Band| (0..=100).find(|shown| bands.band(Percent::whole(*shown)) == band);
    let mut top = TOP;
    [Band::Thriving, Band::Healthy, Band::Steady, Band::AtRisk]
        .into_iter()
        .filter_map(|band| {
            let from = start(band)?;
            let y = height(Percent::whole(from));
            let label_y = (top + y) / 2 + 4;
            top = y;
            Some(BandLine { y, from, label: band.label(), label_y })
        })
        .collect()
}

/// A week in the table beside the picture.
#[derive(Debug, Clone)]
pub struct WeekRow {
    /// The week.
    pub week: String,
    /// The shown score.
    pub score: Option<u8>,
    /// The band.
    pub band: words::Mark,
    /// The three components, in the order of the breakdown.
    pub parts: [Option<String>; 3],
    /// Present weight.
    pub coverage: String,
    /// How far to rely on it.
    pub confidence: &'static str,
    /// The revision, when it isn't the first.
    pub revision: Option<u32>,
    /// What happened, one text each.
    pub told: Vec<String>,
}

/// The rows of the table, newest first: the weeks that were scored, and those after the first of them in which something
/// happened.
pub fn week_rows(weeks: &[Published<WeekSnapshot>], marks: &Marks) -> Vec<WeekRow> {
    let Some(first) = weeks.first().map(|week| week.snapshot.period) else { return Vec::new() };
    let known = |week: IsoWeek| weeks.iter().any(|known| known.snapshot.period == week);
    let unscored = marks.weeks(first).filter(|week| !known(*week));
    let mut rows = scored_rows(weeks, marks);
    let row = |week: IsoWeek| WeekRow {
        week: week.to_string(),
        score: None,
        band: words::Mark { class: "lx", label: "Not scored" },
        parts: [const { None }; 3],
        coverage: "–".to_owned(),
        confidence: "–",
        revision: None,
        told: marks.told(week),
    };
    rows.extend(unscored.map(|week| (week, row(week))));
    rows.sort_by_key(|(week, _)| std::cmp::Reverse(*week));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn scored_rows(weeks: &[Published<WeekSnapshot>], marks: &Marks) -> Vec<(IsoWeek, WeekRow)> {
    let mut version = None;
    weeks
        .iter()
        .map(|week| {
            let snapshot = &week.snapshot;
            let before = version.replace(snapshot.settings_version);
            let other = before.is_some_and(|before| before != snapshot.settings_version);
            let other = other.then(|| {
                format!("scored with version {} of the settings from here on", snapshot.settings_version)
            });
            let told = other.into_iter().chain(marks.told(snapshot.period)).collect();
            let parts = &snapshot.components;
            let shown = |value: Option<Percent>| value.map(|value| value.shown().to_string());
            let row = WeekRow {
                told,
                week: snapshot.period.to_string(),
                score: snapshot.shown,
                band: words::standing(snapshot.band),
                parts: [shown(parts.login.value), shown(parts.adoption.value), shown(parts.feedback.value)],
                coverage: format!("{} %", snapshot.coverage.shown()),
                confidence: words::confidence(snapshot.confidence),
                revision: Some(week.revision).filter(|revision| *revision > 1),
            };
            (snapshot.period, row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use barometer_cloud::table::statuses::StatusChange;
    use barometer_domain::{
        settings::MissingPolicy,
        status::{ChangeKind, Status},
        telemetry::Telemetry,
    };

    fn week(period: &str, score: Option<u8>, settings_version: u32) -> Published<WeekSnapshot> {
        let engagement = samples::engagement(&[score.unwrap_or_default()]);
        Published {
            revision: 1,
            published_at: samples::now(),
            snapshot: WeekSnapshot {
                period: period.parse().unwrap(),
                settings_version,
                missing_policy: MissingPolicy::Redistribute,
                components: engagement.components,
                coverage: engagement.coverage,
                score: score.map(Percent::whole),
                shown: score,
                band: engagement.band,
                confidence: engagement.confidence,
                telemetry: Telemetry::Normal,
                heard: true,
                valid_weeks: 5,
                uses: Default::default(),
                basis: Default::default(),
            },
        }
    }

    #[test]
    fn bands_stand_at_their_thresholds() {
        let lines = band_lines(Bands::default());
        let from: Vec<_> = lines.iter().map(|line| (line.from, line.label)).collect();
        assert_eq!(from, [(76, "Thriving"), (51, "Healthy"), (26, "Steady"), (0, "At Risk")]);
        assert_eq!(lines[3].y, BOTTOM);
        let lines = band_lines(Bands::GOCSM_2026);
        assert_eq!(lines.iter().map(|line| line.from).collect::<Vec<_>>(), [80, 60, 40, 0]);
    }

    #[test]
    fn gaps_stay_and_a_change_of_settings_is_marked() {
        let weeks = [
            week("2026-W33", None, 1),
            week("2026-W34", Some(50), 1),
            week("2026-W35", None, 1),
            week("2026-W36", Some(100), 2),
        ];
        let chart = chart(&weeks, Bands::default(), &Marks::default()).unwrap();
        assert_eq!(chart.line.matches('M').count(), 2);
        assert_eq!(chart.line.matches('L').count(), 0);
        assert_eq!(chart.last, Some((RIGHT, TOP, 100)));
        assert_eq!(chart.versions, [Tick { x: RIGHT, label: "v2".to_owned() }]);
        assert_eq!(
            chart.title,
            "Engagement by week from 2026-W34 to 2026-W36: 100 at the end, between 50 and 100."
        );
    }

    #[test]
    fn no_score_is_no_picture() {
        assert_eq!(chart(&[], Bands::default(), &Marks::default()), None);
        assert_eq!(chart(&[week("2026-W36", None, 1)], Bands::default(), &Marks::default()), None);
    }

    fn status_set(days_ago: i64) -> Marks {
        let (from, to) = (Some(Status::Healthy), Status::Struggling);
        let (id, kind) = ("1".to_owned(), ChangeKind::of(from, to));
        let change = StatusChange { id, kind, from, status: samples::business_status(to, days_ago) };
        Marks::gather(&[change], &[], std::iter::empty(), samples::settings().time_zone)
    }

    #[test]
    fn what_happens_in_a_week_without_a_score_has_its_place_behind_the_last_one() {
        let weeks = [week("2026-W35", Some(50), 1), week("2026-W36", Some(60), 1)];
        let marks = status_set(0);
        let chart = chart(&weeks, Bands::default(), &marks).unwrap();
        assert_eq!(chart.lanes.len(), LANES.len());
        assert_eq!(chart.lanes[0].signs, [Tick { x: RIGHT, label: "▼".to_owned() }]);
        assert!(chart.last.unwrap().0 < RIGHT && chart.height > HEIGHT);
        let rows = week_rows(&weeks, &marks);
        assert_eq!((rows[0].week.as_str(), rows[0].score), ("2026-W37", None));
        assert_eq!(rows[0].told, ["status Healthy → Struggling"]);
        assert_eq!(rows[1].week, "2026-W36");
    }

    #[test]
    fn what_happened_before_the_first_score_is_left_out() {
        let weeks = [week("2026-W36", Some(60), 1)];
        let marks = status_set(60);
        assert!(chart(&weeks, Bands::default(), &marks).unwrap().lanes.is_empty());
        assert_eq!(week_rows(&weeks, &marks).len(), 1);
    }

    #[test]
    fn the_table_says_from_which_week_on_other_settings_applied() {
        let weeks = [week("2026-W35", Some(50), 1), week("2026-W36", Some(60), 2)];
        let rows = week_rows(&weeks, &Marks::default());
        assert_eq!(rows[0].told, ["scored with version 2 of the settings from here on"]);
        assert!(rows[1].told.is_empty());
    }
}
