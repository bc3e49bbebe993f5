//! Health and happiness together: the picture and its table.

use askama::Template;
use std::collections::BTreeMap;

use barometer_cloud::views::CompanyView;
use barometer_domain::quadrant::Cell;

use super::{
    chrome::Chrome,
    query::{Query, wire_cell},
};

/// Size of a cell's drawing.
const WIDTH: usize = 120;
const HEIGHT: usize = 40;
/// Distances between dots that are tried, the widest first.
const PITCHES: [usize; 4] = [10, 8, 6, 4];
/// Names that stand in a row of the table.
pub const NAMES: usize = 12;

/// A cell with its companies.
#[derive(Debug, Clone)]
pub struct CellPicture {
    /// The style's class and the filter's value.
    pub wire: &'static str,
    /// Its name.
    pub label: &'static str,
    /// What it means for the CSM.
    pub meaning: &'static str,
    /// What the CSM does next.
    pub next_step: &'static str,
    /// Health and happiness in words.
    pub sides: &'static str,
    /// Companies in it.
    pub count: usize,
    /// The portfolio with this cell's companies.
    pub href: String,
    /// A dot per company, as path data of lines without length.
    pub dots: String,
    /// Diameter of a dot.
    pub size: usize,
    /// Companies that one dot stands for.
    pub per_dot: usize,
    /// Id and name of the first companies, by name.
    pub names: Vec<(String, String)>,
    /// Companies beyond those.
    pub more: usize,
}

/// The four cells as they lie, and the fifth.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Health high: product problem, advocate; health low: urgent, business problem; then unknown.
    pub cells: Vec<CellPicture>,
}

impl Picture {
    /// Draws so many companies in each cell, and names those that are given, in their order. Lost companies are left out by
    /// the caller.
    pub fn draw(counts: &BTreeMap<Cell, usize>, named: &[CompanyView]) -> Self {
        let order =
            [Cell::ProductProblem, Cell::Advocate, Cell::Urgent, Cell::BusinessProblem, Cell::Unknown];
        let cells = order
            .into_iter()
            .map(|cell| {
                let count = counts.get(&cell).copied().unwrap_or_default();
                let (dots, pitch, per_dot) = dots(count);
                let names: Vec<(String, String)> = named
                    .iter()
                    .filter(|company| company.quadrant == cell)
                    .map(|company| (company.company_id.to_string(), company.name.clone()))
                    .collect();
                CellPicture {
                    wire: wire_cell(cell),
                    label: cell.label(),
                    meaning: cell.meaning(),
                    next_step: cell.next_step(),
                    sides: sides(cell),
                    count,
                    href: Query { quadrant: Some(wire_cell(cell)), ..Query::default() }.href(),
                    dots,
                    size: pitch - pitch / 3,
                    per_dot,
                    more: count.saturating_sub(names.len()),
                    names,
                }
            })
            .collect();
        Self { cells }
    }
}

fn sides(cell: Cell) -> &'static str {
    match cell {
        Cell::Urgent => "health low, happiness low",
        Cell::ProductProblem => "health high, happiness low",
        Cell::BusinessProblem => "health low, happiness high",
        Cell::Advocate => "health high, happiness high",
        Cell::Unknown => "one side or both unknown, or still onboarding",
    }
}

/// Path data with a dot per company, the distance between dots, and the companies per dot.
fn dots(count: usize) -> (String, usize, usize) {
    let room = |pitch: usize| (WIDTH / pitch) * (HEIGHT / pitch);
    let pitch = PITCHES.into_iter().find(|pitch| room(*pitch) >= count).unwrap_or(4);
    let per_dot = count.div_ceil(room(pitch)).max(1);
    let columns = WIDTH / pitch;
    let mut path = String::new();
    for dot in 0..count.div_ceil(per_dot) {
        if dot % columns == 0 {
            path.push_str(&format!("M{} {}h0", pitch / 2, dot / columns * pitch + pitch / 2));
        } else {
            path.push_str(&format!("m{pitch} 0h0"));
        }
    }
    (path, pitch, per_dot)
}

/// The page of the quadrant.
#[derive(Debug, Template)]
#[template(path = "quadrant.html")]
pub struct QuadrantPage {
    chrome: Chrome,
    picture: Picture,
    total: usize,
}

impl QuadrantPage {
    /// Builds the page.
    pub fn build(chrome: Chrome, counts: &BTreeMap<Cell, usize>, named: &[CompanyView]) -> Self {
        Self { chrome, picture: Picture::draw(counts, named), total: counts.values().sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_per_company_until_there_is_no_room() {
        assert_eq!(dots(0), (String::new(), 10, 1));
        assert_eq!(dots(2).0, "M5 5h0m10 0h0");
        assert_eq!(dots(13).0.matches('M').count(), 2);
        let (path, pitch, per_dot) = dots(300);
        assert_eq!((path.matches("h0").count(), pitch, per_dot), (300, 4, 1));
        let (path, _, per_dot) = dots(1_000);
        assert_eq!((path.matches("h0").count(), per_dot), (250, 4));
    }

    #[test]
    fn cells_lie_as_the_axes_say() {
        let mut named = super::super::samples::view("alpha");
        named.quadrant = Cell::Urgent;
        let picture = Picture::draw(&BTreeMap::from([(Cell::Urgent, 2)]), &[named]);
        let labels: Vec<_> = picture.cells.iter().map(|cell| cell.label).collect();
        assert_eq!(labels, ["Product problem", "Advocate", "Urgent", "Business problem", "Unknown"]);
        assert_eq!((picture.cells[2].count, picture.cells[2].more), (2, 1));
        assert_eq!(picture.cells[2].names[0].1, "alpha");
        assert_eq!(picture.cells[2].href, "/?quadrant=urgent");
    }
}
