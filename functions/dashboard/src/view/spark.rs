//! The small line in a row of the portfolio.

use barometer_cloud::table::companies::TrendPoint;
use barometer_domain::IsoWeek;

/// Weeks in the drawing.
const WEEKS: i64 = 12;
/// Pixels between two weeks.
const STEP: i64 = 7;
/// Left edge of the drawing, so that a stroke's round end isn't cut.
const LEFT: i64 = 1;
/// Height of the drawing.
const HEIGHT: i64 = 24;

/// A line over twelve weeks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spark {
    /// The line as path data, in whole pixels of an 80 × 24 drawing; a week without a score leaves a gap.
    pub path: String,
    /// The same in words.
    pub title: String,
}

/// The line up to `last`; nothing when no week has a score.
pub fn spark(trend: &[TrendPoint], last: IsoWeek) -> Option<Spark> {
    let mut path = String::new();
    let mut before: Option<(IsoWeek, i64, i64)> = None;
    let mut joined = false;
    let mut first = None;
    let mut latest = None;
    for point in trend {
        let Some(score) = point.score else { continue };
        let place = WEEKS - 1 - last.since(point.week);
        let x = LEFT + place * STEP;
        if !(0..WEEKS).contains(&place) {
            continue;
        }
        let shown = score.shown();
        // Two pixels of air above and below keep the stroke inside.
        let y = HEIGHT - 2 - i64::from(shown) * (HEIGHT - 4) / 100;
        let next_to_it = before.filter(|(week, ..)| week.next() == point.week);
        match next_to_it {
            // Every page has a hundred of these: one command for a run, and a sign parts numbers as a blank does.
            Some((_, x0, y0)) => {
                let start = if joined { " " } else { "l" };
                let blank = if y < y0 { "" } else { " " };
                path.push_str(&format!("{start}{}{blank}{}", x - x0, y - y0));
            }
            // A move and a line of no length: a lone week shows as a dot.
            None => path.push_str(&format!("M{x} {y}h0")),
        }
        joined = next_to_it.is_some();
        before = Some((point.week, x, y));
        first = first.or(Some((point.week, shown)));
        latest = Some((point.week, shown));
    }
    let ((from, start), (to, end)) = first.zip(latest)?;
    let title = if from == to {
        format!("{end} in {}", short(to))
    } else {
        let since =
            if last.since(from) < WEEKS - 1 { format!(" since {}", short(from)) } else { String::new() };
        format!("{start} to {end}{since}")
    };
    Some(Spark { path, title })
}

/// A week's number without its year, `W36`.
pub fn short(week: IsoWeek) -> String {
    let text = week.to_string();
    text.split_once('-').map_or(text.clone(), |(_, week)| week.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barometer_domain::Percent;

    fn point(week: &str, score: Option<u8>) -> TrendPoint {
        TrendPoint { week: week.parse().unwrap(), score: score.map(Percent::whole) }
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let trend = [point("2026-W34", Some(0)), point("2026-W35", None), point("2026-W36", Some(100))];
        let spark = spark(&trend, "2026-W36".parse().unwrap()).unwrap();
        assert_eq!(spark.path, "M64 22h0M78 2h0");
        assert_eq!(spark.title, "0 to 100 since W34");
    }

    #[test]
    fn neighbours_are_joined() {
        let trend = [point("2026-W34", Some(50)), point("2026-W35", Some(60)), point("2026-W36", Some(40))];
        let spark = spark(&trend, "2026-W36".parse().unwrap()).unwrap();
        assert_eq!(spark.path, "M64 12h0l7-2 7 4");
    }

    #[test]
    fn weeks_beyond_the_drawing_and_missing_ones_draw_nothing() {
        let last = "2026-W36".parse().unwrap();
        assert_eq!(spark(&[], last), None);
        assert_eq!(spark(&[point("2026-W36", None)], last), None);
        assert_eq!(spark(&[point("2026-W20", Some(50))], last), None);
        let one = spark(&[point("2026-W36", Some(50))], last).unwrap();
        assert_eq!(one.title, "50 in W36");
    }
}
