//! The picture of how many companies are in which band, week by week.

use barometer_domain::{IsoWeek, tally::Standings};

use super::spark;

/// The drawing: 640 × 280, the columns between these edges.
const LEFT: u32 = 34;
const RIGHT: u32 = 500;
const TOP: u32 = 8;
const BOTTOM: u32 = 250;
/// Share of a column's width that is bar, in percent.
const BAR: u32 = 74;
/// Least distance between two labels.
const LINE: u32 = 21;

/// A part of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The style's class.
    pub class: &'static str,
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A name beside the last bar, with a line to its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The style's class.
    pub class: &'static str,
    /// Height of its text.
    pub y: u32,
    /// From the middle of the part to the text, as path data.
    pub line: String,
    /// `12 Healthy`.
    pub text: String,
}

/// A week along the floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Middle of its bar.
    pub x: u32,
    /// `W36`.
    pub text: String,
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The parts of all bars.
    pub segments: Vec<Segment>,
    /// What the parts of the last bar are.
    pub labels: Vec<Label>,
    /// The weeks.
    pub weeks: Vec<Tick>,
    /// The most companies of a week.
    pub most: u32,
    /// The picture in words.
    pub title: String,
}

/// The parts of a bar, from the floor up: what calls for somebody has one floor in all weeks.
pub fn parts(standings: &Standings) -> [(&'static str, &'static str, u32); 5] {
    [
        ("l0", "At Risk", standings.at_risk),
        ("l1", "Steady", standings.steady),
        ("l2", "Healthy", standings.healthy),
        ("l3", "Thriving", standings.thriving),
        ("lx", "no band", standings.onboarding + standings.insufficient),
    ]
}

/// Draws weeks, oldest first; one that wasn't scored leaves a gap. Nothing when none was.
pub fn stack(weeks: &[(IsoWeek, Option<Standings>)]) -> Option<Stack> {
    let most = weeks.iter().filter_map(|(_, found)| found.as_ref()).map(Standings::companies).max()?;
    let (last_week, last) = weeks.iter().rev().find_map(|(week, found)| Some((week, found.as_ref()?)))?;
    let count = u32::try_from(weeks.len()).unwrap_or(u32::MAX).max(1);
    let column = (RIGHT - LEFT) / count;
    let width = column * BAR / 100;
    // Ends are rounded, not heights, so that the parts fill the bar.
    let height = |companies: u32| BOTTOM - (BOTTOM - TOP) * companies / most.max(1);
    let mut picture =
        Stack { segments: Vec::new(), labels: Vec::new(), weeks: Vec::new(), most, title: String::new() };
    for (place, (week, standings)) in (0..count).zip(weeks) {
        let x = LEFT + place * column;
        if place % 2 == (count - 1) % 2 {
            picture.weeks.push(Tick { x: x + width / 2, text: spark::short(*week) });
        }
        let mut below = 0;
        for (class, _, companies) in standings.iter().flat_map(parts) {
            let (floor, top) = (height(below), height(below + companies));
            below += companies;
            if floor > top {
                picture.segments.push(Segment { class, x, y: top, width, height: floor - top });
            }
        }
    }
    picture.labels = labels(last, RIGHT - column + width, height);
    let told: Vec<String> =
        parts(last).into_iter().rev().map(|(_, label, count)| format!("{count} {label}")).collect();
    picture.title = format!("Companies per band and week; in {last_week}: {}.", told.join(", "));
    Some(picture)
}

/// Labels from the top down, none over another.
fn labels(last: &Standings, edge: u32, height: impl Fn(u32) -> u32) -> Vec<Label> {
    let mut below = 0;
    let mut wanted: Vec<(&'static str, u32, String)> = Vec::new();
    for (class, label, companies) in parts(last) {
        let middle = (height(below) + height(below + companies)) / 2;
        below += companies;
        if companies > 0 {
            wanted.push((class, middle, format!("{companies} {label}")));
        }
    }
    wanted.reverse();
    let mut room = u32::try_from(wanted.len()).unwrap_or(u32::MAX) * LINE;
    let mut free = TOP;
    let place = |(class, middle, text): (&'static str, u32, String)| {
        // Those that follow need their lines above the floor.
        room -= LINE;
        let y = middle.max(free).min(BOTTOM.saturating_sub(room));
        free = y + LINE;
        Label { class, y: y + 4, line: format!("M{} {middle}L{} {y}", edge + 3, RIGHT + 8), text }
    };
    wanted.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(name: &str) -> IsoWeek {
        name.parse().unwrap()
    }

    #[test]
    fn the_parts_fill_the_bar_and_a_week_without_a_score_is_a_gap() {
        let full =
            Standings { at_risk: 1, steady: 2, healthy: 3, thriving: 1, onboarding: 1, insufficient: 1 };
        let half = Standings { healthy: 4, ..Standings::default() };
        let weeks =
            [(week("2026-W34"), Some(half)), (week("2026-W35"), None), (week("2026-W36"), Some(full))];
        let picture = stack(&weeks).unwrap();
        let of = |x: u32| picture.segments.iter().filter(|it| it.x == x).collect::<Vec<_>>();
        let column = (RIGHT - LEFT) / 3;
        assert_eq!(of(LEFT + 2 * column).iter().map(|it| it.height).sum::<u32>(), BOTTOM - TOP);
        assert_eq!(of(LEFT + column).len(), 0);
        let [only] = of(LEFT)[..] else { panic!("one part") };
        assert_eq!((only.class, only.height), ("l2", BOTTOM - (BOTTOM - (BOTTOM - TOP) * 4 / 9)));
        assert_eq!(picture.title, {
            "Companies per band and week; in 2026-W36: 2 no band, 1 Thriving, 3 Healthy, 2 Steady, 1 At Risk."
        });
    }

    #[test]
    fn labels_never_lie_over_one_another_and_stay_in_the_picture() {
        for last in [
            Standings { at_risk: 1, steady: 1, healthy: 1, thriving: 1, onboarding: 96, insufficient: 0 },
            Standings { at_risk: 96, steady: 1, healthy: 1, thriving: 1, onboarding: 1, insufficient: 0 },
        ] {
            let labels = stack(&[(week("2026-W36"), Some(last))]).unwrap().labels;
            assert_eq!(labels.len(), 5);
            assert!(labels.windows(2).all(|pair| pair[1].y >= pair[0].y + LINE), "{labels:?}");
            assert!(labels.iter().all(|label| label.y >= TOP && label.y <= BOTTOM + 4), "{labels:?}");
        }
    }

    #[test]
    fn nothing_scored_is_no_picture() {
        assert_eq!(stack(&[]), None);
        assert_eq!(stack(&[(week("2026-W36"), None)]), None);
    }
}
