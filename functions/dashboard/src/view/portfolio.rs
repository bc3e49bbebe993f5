//! The portfolio: where to look first, how all stand, and every company in a row.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use barometer_cloud::{
    StoreError,
    listing::{Sort, Summary, WantedEngagement, concerns},
    portfolio::{Begin, Portfolio, Wanted},
    views::CompanyView,
};
use barometer_domain::IsoWeek;
use chrono::Days;

use super::{
    Scene,
    chrome::Chrome,
    concern::reason,
    quadrant::Picture,
    query::{Choice, ENGAGEMENTS, FLAGS, QUADRANTS, Query, SORTS, STATUSES, wire_engagement},
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
/// The worst that a company's attention can be.
const WORST: u8 = 3;
/// Companies of an attention that are looked through for those that call for somebody: they come first among them.
const LOOKED_THROUGH: usize = 64;
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

/// What the page says, as it was read.
#[derive(Debug)]
pub struct Known {
    /// How many companies stand where.
    pub summary: Summary,
    /// Companies to look at first.
    pub first: Vec<CompanyView>,
    /// The companies of the page.
    pub rows: Vec<CompanyView>,
    /// Companies that the filter finds.
    pub matching: usize,
    /// What was asked for, with a page that there is.
    pub query: Query,
}

impl Known {
    /// Reads what a page asks for. What it costs doesn't grow with the number of companies, unless some are to be searched
    /// for among all.
    pub async fn read(portfolio: &Portfolio<'_>, query: Query) -> Result<Self, StoreError> {
        let summary = portfolio.summary();
        let first = first(portfolio, &summary).await?;
        let filters = query.filters();
        let last = |matching: usize| matching.div_ceil(ROWS).max(1) - 1;
        let mut page = if filters { query.page } else { query.page.min(last(summary.live)) };
        let mut wanted = Wanted {
            filter: query.filter(),
            sort: query.order(),
            begin: Begin::Skipping(page * ROWS),
            limit: ROWS,
            count: filters,
        };
        let mut found = portfolio.list(&wanted).await?;
        let matching = found.matching.unwrap_or(summary.live);
        if page > last(matching) {
            page = last(matching);
            wanted.begin = Begin::Skipping(page * ROWS);
            found = portfolio.list(&wanted).await?;
        }
        let rows = found.companies.into_iter().map(|placed| placed.company).collect();
        Ok(Self { summary, first, rows, matching, query: Query { page, ..query } })
    }
}

/// Those with a reason that calls for somebody, who needs it most first. Within an attention they lie before the others.
async fn first(portfolio: &Portfolio<'_>, summary: &Summary) -> Result<Vec<CompanyView>, StoreError> {
    let mut first: Vec<CompanyView> = Vec::new();
    for attention in (0..=WORST).rev() {
        if first.len() >= FIRST.min(summary.calling) {
            break;
        }
        let begin = Sort::attention_begins(attention).filter(|_| attention < WORST);
        let wanted = Wanted {
            limit: LOOKED_THROUGH,
            begin: begin.map_or(Begin::First, Begin::Behind),
            ..Wanted::all(Sort::default())
        };
        let found = portfolio.list(&wanted).await?.companies.into_iter().map(|placed| placed.company);
        let calling = found.filter(|company| company.attention == attention && portfolio.calls(company));
        first.extend(calling.take(FIRST.saturating_sub(first.len())));
    }
    Ok(first)
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
    pub fn build(chrome: Chrome, known: Known, scene: Scene<'_>, origin: String) -> Self {
        let Known { summary, first, rows, matching, query } = known;
        let latest = summary.latest;
        Self {
            chrome,
            origin,
            period: latest.map(|week| period(week, scene)),
            next_score: next_score(scene),
            bands: bands(&summary.engagement, &query),
            more: summary.calling > first.len(),
            first: first.iter().map(|company| to_look_at(company, scene)).collect(),
            picture: Picture::draw(&summary.cells, &[]),
            selects: selects(&query),
            rows: rows.iter().map(|company| row(company, latest, scene)).collect(),
            owners: owners(summary.owners.into_keys(), &query),
            matching,
            pages: matching.div_ceil(ROWS).max(1),
            known: summary.known,
            query,
            total: summary.live,
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

fn to_look_at(company: &CompanyView, scene: Scene<'_>) -> First {
    let reasons = concerns(company, scene.today());
    let telling = reasons.iter().filter(|concern| concern.tells());
    First {
        id: company.company_id.to_string(),
        name: company.name.clone(),
        reasons: telling.take(REASONS).map(|concern| reason(concern, scene)).collect(),
    }
}

fn bands(found: &BTreeMap<WantedEngagement, usize>, query: &Query) -> Vec<BandCount> {
    let found: BTreeMap<&str, usize> =
        found.iter().map(|(of, count)| (wire_engagement(*of), *count)).collect();
    let total = found.values().sum::<usize>().max(1);
    let mut before = 0;
    let mut all: Vec<BandCount> = Vec::new();
    for (wire, label) in ENGAGEMENTS {
        let count = found.get(wire).copied().unwrap_or_default();
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
fn owners(of: impl Iterator<Item = String>, query: &Query) -> Vec<(String, bool)> {
    let mut owners: BTreeSet<String> = of.collect();
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
    use barometer_cloud::table::companies::Company;
    use futures_util::FutureExt;

    use super::super::samples;
    use super::*;

    fn build(companies: &[Company], query: &str) -> PortfolioPage {
        let settings = samples::settings();
        let scene = samples::scene(&settings);
        let portfolio = Portfolio::of(companies.to_vec(), &settings, scene.now);
        let known = Known::read(&portfolio, Query::parse(query)).now_or_never().unwrap().unwrap();
        PortfolioPage::build(samples::chrome(&settings), known, scene, "http://localhost".to_owned())
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
        let reasons: Vec<_> = page.rows.iter().map(|row| row.reason.as_deref()).collect();
        assert_eq!(reasons, [Some("At Risk 18 (−22)"), None, None]);
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
