//! How a list goes through the sheets of an order: as it is kept, or turned over.

use crate::{
    listing::{Position, Sort},
    table::arranged::{Row, SHEET},
};

/// Consecutive rows of a sheet, gone through upwards or downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// The sheet.
    pub sheet: usize,
    /// Its first row that counts.
    from: usize,
    /// The row behind its last one that counts.
    to: usize,
    downwards: bool,
}

/// The whole order of so many companies, of which the first `known` have a value: those of unknown value stay last when the
/// rest is turned over.
pub(super) fn segments(companies: usize, known: usize, turned: bool) -> Vec<Segment> {
    let part = |from: usize, to: usize, downwards: bool| {
        (from / SHEET..to.div_ceil(SHEET)).map(move |sheet| {
            let begin = sheet * SHEET;
            Segment {
                sheet,
                from: from.saturating_sub(begin),
                to: to.saturating_sub(begin).min(SHEET),
                downwards,
            }
        })
    };
    if turned {
        part(0, known, true).rev().chain(part(known, companies, false)).collect()
    } else {
        part(0, companies, false).collect()
    }
}

impl Segment {
    /// Its rows of the sheet's.
    pub fn of(self, rows: Vec<Row>) -> Vec<Row> {
        let mut rows: Vec<Row> =
            rows.into_iter().skip(self.from).take(self.to.saturating_sub(self.from)).collect();
        if self.downwards {
            rows.reverse();
        }
        rows
    }

    /// Whether some of its rows come behind a position; `first` are the first positions of all sheets.
    pub fn reaches_behind(self, after: &Position, sort: Sort, first: &[Position]) -> bool {
        // The last that it shows isn't behind what is given here.
        let last = if self.downwards { first.get(self.sheet) } else { first.get(self.sheet + 1) };
        match last {
            Some(last) => sort.compare(last, after).is_gt(),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordinals(companies: usize, known: usize, turned: bool) -> Vec<usize> {
        let of = |segment: Segment| {
            let mut rows: Vec<usize> =
                (segment.from..segment.to).map(|row| segment.sheet * SHEET + row).collect();
            if segment.downwards {
                rows.reverse();
            }
            rows
        };
        segments(companies, known, turned).into_iter().flat_map(of).collect()
    }

    #[test]
    fn every_row_is_gone_through_once_and_the_unknown_last() {
        for companies in [0, 1, 63, 64, 65, 128, 200] {
            for known in [0, 1, 63, 64, 65, 128, 200].into_iter().filter(|known| *known <= companies) {
                assert_eq!(ordinals(companies, known, false), (0..companies).collect::<Vec<_>>());
                let turned: Vec<usize> = (0..known).rev().chain(known..companies).collect();
                assert_eq!(ordinals(companies, known, true), turned, "{known} of {companies}");
            }
        }
    }
}
