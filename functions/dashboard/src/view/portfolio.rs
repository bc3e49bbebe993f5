//! The portfolio: where to look first, how all stand, and every company in a row.

use std::collections::BTreeSet;

use askama::Template;
use barometer_cloud::{
    listing::churned,
    table::companies::Company,
    views::{self, EngagementView},
};
use barometer_domain::IsoWeek;
use chrono::Days;

use super::{
    Scene,
    chrome::Chrome,
    concern::{CALLING, TELLING, concerns},
    quadrant::Picture,
    query::{
        Choice, ENGAGEMENTS, FLAGS, Placed, QUADRANTS, Query, SORTS, STATUSES, by_attention, engagement_of,
    },
    row::{Row, row},
};

/// Companies to look at first.
const FIRST: usize = 8;
/// Reasons told for each.
const REASONS: usize = 3;
/// Companies of a page.
const ROWS: usize = 50;
/// Owners to choose from.
const OWNERS: usize = 100;
/// Length of the bar over the bands.
const BAR: usize = 1_000;

/// The latest scored week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `2026-W36`.
    pub week: String,
    /// `31 Aug – 6 Sep`.
    pub days: String,
    /// When late events stop counting, while they still do.
    pub provisional_until: Option<String>,
}

/// How many companies are in a band.
#[derive(Debug, Clone)]
pub struct BandCount {
    /// The style's class.
    pub class: &'static str,
    /// The band.
    pub label: &'static str,
    /// Companies.
    pub count: usize,
    /// The portfolio with these companies.
    pub href: String,
    /// Whether the page shows only these.
    pub here: bool,
    /// Where its part of the bar begins and how long it is, in thousandths.
    pub bar: (usize, usize),
}

/// A company to look at first.
#[derive(Debug, Clone)]
pub struct First {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub reasons: Vec<String>,
}

/// A list to choose from.
#[derive(Debug, Clone)]
pub struct Select {
    /// Name of the field.
    pub name: &'static str,
    /// Label.
    pub label: &'static str,
    /// What the empty value says; nothing when there is no empty value.
    pub any: Option<&'static str>,
    /// The values.
    pub choices: &'static [Choice],
    /// The chosen one.
    pub chosen: Option<&'static str>,
}

impl Select {
    fn is(&self, value: &str) -> bool {
        self.chosen == Some(value)
    }
}

/// The page of the portfolio.
#[derive(Debug, Template)]
#[template(path = "portfolio.html")]
pub struct PortfolioPage {
    chrome: Chrome,
    origin: String,
    period: Option<Period>,
    next_score: String,
    bands: Vec<BandCount>,
    first: Vec<First>,
    more: bool,
    picture: Picture,
    query: Query,
    selects: [Select; 5],
    /// The owners to choose from, with the chosen one marked.
    owners: Vec<(String, bool)>,
    rows: Vec<Row>,
    /// Companies that the filter finds.
    matching: usize,
    /// Pages of them.
    pages: usize,
    /// Companies that weren't lost.
    total: usize,
    /// Companies, lost ones among them.
    known: usize,
}

impl PortfolioPage {
    /// Builds the page. `origin` is the address that the example of an empty workspace posts to.
    pub fn build(
        chrome: Chrome,
        companies: &[Company],
        query: Query,
        scene: Scene<'_>,
        origin: String,
    ) -> Self {
        let mut all: Vec<Placed> = companies
            .iter()
            .map(|company| {
                let view = views::company(company, scene.settings, scene.now);
                let change = view.engagement.as_ref().and_then(EngagementView::change);
                Placed { concerns: concerns(&view, scene), view, change }
            })
            .collect();
        let latest =
            all.iter().filter_map(|placed| placed.view.engagement.as_ref()).map(|score| score.week).max();
        by_attention(&mut all);
        let first = first(&all);
        let live = || all.iter().map(|placed| &placed.view).filter(|view| !churned(view, scene.today()));
        let picture =
            Picture::draw(live().map(|view| (view.quadrant, view.company_id.as_str(), view.name.as_str())));
        let bands = bands(live().map(engagement_of).collect(), &query);
        let (total, owners) =
            (live().count(), owners(live().filter_map(|view| view.owner.as_deref()), &query));
        let known = all.len();
        let more = all.iter().filter(|placed| calls(placed)).count() > first.len();
        query.apply(&mut all, scene.today());
        let matching = all.len();
        let pages = matching.div_ceil(ROWS).max(1);
        let query = Query { page: query.page.min(pages - 1), ..query };
        let shown = all.iter().skip(query.page * ROWS).take(ROWS);
        Self {
            chrome,
            origin,
            period: latest.map(|week| period(week, scene)),
            next_score: next_score(scene),
            bands,
            first,
            more,
            picture,
            selects: selects(&query),
            rows: shown.map(|placed| row(placed, latest, scene)).collect(),
            owners,
            matching,
            pages,
            known,
            query,
            total,
        }
    }

    fn aria_sort(&self, sort: &str) -> &'static str {
        match self.query.sorted_by().strip_prefix('-') {
            Some(by) if by == sort => "descending",
            None if self.query.sorted_by() == sort => "ascending",
            _ => "none",
        }
    }

    /// The first and the last row of this page, as people count.
    fn range(&self) -> (usize, usize) {
        let before = self.query.page * ROWS;
        (before + 1, before + self.rows.len())
    }
}

fn calls(placed: &Placed) -> bool {
    placed.concerns.first().is_some_and(|concern| concern.weight >= CALLING)
}

fn first(all: &[Placed]) -> Vec<First> {
    let calling = all.iter().filter(|placed| calls(placed)).take(FIRST);
    calling
        .map(|placed| First {
            id: placed.view.company_id.to_string(),
            name: placed.view.name.clone(),
            reasons: placed
                .concerns
                .iter()
                .filter(|concern| concern.weight >= TELLING)
                .take(REASONS)
                .map(|concern| concern.text.clone())
                .collect(),
        })
        .collect()
}

fn bands(found: Vec<&'static str>, query: &Query) -> Vec<BandCount> {
    let total = found.len().max(1);
    let mut before = 0;
    let mut all: Vec<BandCount> = Vec::new();
    for (wire, label) in ENGAGEMENTS {
        let count = found.iter().filter(|of| **of == wire).count();
        let class = match wire {
            "at_risk" => "l0",
            "steady" => "l1",
            "healthy" => "l2",
            "thriving" => "l3",
            _ => "lx",
        };
        // Ends are rounded, not lengths, so that the parts fill the bar.
        let (from, to) = (before * BAR / total, (before + count) * BAR / total);
        before += count;
        let here = query.engagement == Some(wire);
        let href = Query { engagement: Some(wire).filter(|_| !here), ..Query::default() }.href();
        all.push(BandCount { class, label, count, href, here, bar: (from, to - from) });
    }
    all
}

fn selects(query: &Query) -> [Select; 5] {
    let select = |name, label, any, choices, chosen| Select { name, label, any, choices, chosen };
    let sort = SORTS.iter().map(|(wire, _)| *wire).find(|wire| *wire == query.sorted_by());
    [
        select("status", "Business status", Some("Any status"), &STATUSES, query.status),
        select("engagement", "Engagement", Some("Any engagement"), &ENGAGEMENTS, query.engagement),
        select("quadrant", "Quadrant", Some("Any cell"), &QUADRANTS, query.quadrant),
        select("flag", "Marked", Some("Any"), &FLAGS, query.flag),
        select("sort", "Sort by", None, &SORTS, sort),
    ]
}

/// The owners, each once; and the one who is asked for, even when nothing is theirs.
fn owners<'a>(of: impl Iterator<Item = &'a str>, query: &Query) -> Vec<(String, bool)> {
    let mut owners: BTreeSet<String> = of.map(str::to_lowercase).collect();
    let chosen = query.owner.to_lowercase();
    while owners.len() > OWNERS {
        owners.pop_last();
    }
    if !chosen.is_empty() {
        owners.insert(chosen.clone());
    }
    owners.into_iter().map(|owner| (owner.clone(), owner == chosen)).collect()
}

/// A week as a page's heading tells it.
pub fn period(week: IsoWeek, scene: Scene<'_>) -> Period {
    let sunday = week.monday().checked_add_days(Days::new(6)).unwrap_or_else(|| week.monday());
    let end = week.grace_end(scene.zone());
    Period {
        week: week.to_string(),
        days: format!(
            "{} – {}",
            super::words::day(week.monday(), scene.today()),
            super::words::day(sunday, scene.today())
        ),
        provisional_until: (scene.now < end).then(|| moment(end, scene)),
    }
}

fn next_score(scene: Scene<'_>) -> String {
    moment(IsoWeek::at(scene.now, scene.zone()).end(scene.zone()), scene)
}

fn moment(at: chrono::DateTime<chrono::Utc>, scene: Scene<'_>) -> String {
    format!("{} ({})", scene.zone().local(at).format("%a %-d %b, %H:%M"), scene.zone())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn build(companies: &[Company], query: &str) -> PortfolioPage {
        let settings = samples::settings();
        let scene = samples::scene(&settings);
        PortfolioPage::build(
            samples::chrome(&settings),
            companies,
            Query::parse(query),
            scene,
            "http://localhost".to_owned(),
        )
    }

    fn scored(id: &str, scores: &[u8]) -> Company {
        Company { engagement: Some(samples::engagement(scores)), ..samples::stored(id) }
    }

    #[test]
    fn the_newest_week_is_provisional_until_its_grace_ends() {
        let page = build(&[scored("a", &[50, 50])], "");
        let period = page.period.unwrap();
        assert_eq!(period.week, "2026-W36");
        assert_eq!(period.days, "31 Aug – 6 Sep");
        assert_eq!(period.provisional_until.as_deref(), Some("Wed 9 Sep, 00:00 (UTC)"));
        let later = Scene {
            now: samples::now() + chrono::TimeDelta::days(2),
            ..samples::scene(&samples::settings())
        }
        .now;
        let settings = samples::settings();
        let scene = Scene { settings: &settings, now: later };
        assert_eq!(super::period("2026-W36".parse().unwrap(), scene).provisional_until, None);
    }

    #[test]
    fn the_bar_is_filled_by_its_parts() {
        let companies = [scored("a", &[10, 10]), scored("b", &[60, 60]), samples::stored("c")];
        let page = build(&companies, "engagement=healthy");
        let counts: Vec<_> = page.bands.iter().map(|band| band.count).collect();
        assert_eq!(counts, [1, 0, 1, 0, 0, 0, 1]);
        assert_eq!(page.bands.iter().map(|band| band.bar.1).sum::<usize>(), BAR);
        // The chosen band's link takes the choice back.
        assert_eq!(page.bands[2].href, "/");
        assert_eq!(page.bands[0].href, "/?engagement=at_risk");
        assert_eq!((page.rows.len(), page.total), (1, 3));
    }

    #[test]
    fn first_come_those_that_call_for_somebody() {
        let companies = [scored("fine", &[90, 90]), scored("bad", &[40, 18]), scored("meh", &[45, 45])];
        let page = build(&companies, "");
        assert_eq!(page.first.len(), 1);
        assert_eq!(page.first[0].name, "bad");
        assert_eq!(page.first[0].reasons, ["At Risk 18 (−22)"]);
        let order: Vec<_> = page.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(order, ["bad", "meh", "fine"]);
    }

    #[test]
    fn the_unknown_is_never_zero() {
        let page = build(&[samples::stored("new")], "");
        let row = &page.rows[0];
        assert_eq!((row.score, row.change.as_deref(), row.band.label), (None, None, "Not scored yet"));
        assert_eq!(row.happiness.label, "No Data");
        let html = page.render().unwrap();
        assert!(html.contains("Not set"));
        let row = html.split_once("<tbody>").unwrap().1;
        assert!(row.contains("<b>–</b>") && !row.contains('0'), "{row}");
    }
}
