//! The overview for those who decide: where all companies stand, what moved, and what needs a decision, on one page.

use std::collections::BTreeMap;

use askama::Template;
use barometer_cloud::{table::overviews::Published, views::CompanyView};
use barometer_domain::{
    CompanyId, IsoWeek, Percent,
    answer::Nps,
    happiness::Level,
    overview::Overview,
    quadrant::{Cell, HealthAxis},
    status::Status,
    tally::{Change, Distribution, Scored, Standings, Tally},
    why::{Parts, Why},
};

use super::{
    Scene,
    cases::Whose,
    chrome::Chrome,
    concern::to_be_reviewed,
    portfolio::{Period, period},
    query::wire_cell,
    spark,
    stack::{self, Stack},
    words::{self, Mark},
};

/// Weeks of the picture.
pub const WEEKS: i64 = 12;
/// Companies told that rose, and that fell.
pub const TOLD: usize = 5;
/// Companies told that need a decision.
const DECISIONS: usize = 8;
/// Owners told by name.
const OWNERS: usize = 6;
/// A renewal this many days ahead makes a status that is to be reviewed a matter of decision.
const RENEWAL_DAYS: i64 = 90;

/// What is stored.
#[derive(Debug, Default)]
pub struct Known {
    /// The workspace's companies.
    pub companies: Vec<CompanyView>,
    /// The published overviews up to the latest, oldest first; nothing for a week without.
    pub weeks: Vec<(IsoWeek, Option<Published>)>,
    /// Why the scores of those that moved the most aren't what they were.
    pub whys: BTreeMap<CompanyId, Why>,
}

/// Those that moved the most in a week.
pub fn moved(overview: &Overview) -> impl Iterator<Item = &Change> {
    overview.up.iter().take(TOLD).chain(overview.down.iter().take(TOLD))
}

/// A number in large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it is.
    pub label: &'static str,
    /// The number.
    pub value: String,
    /// What goes with it.
    pub note: String,
}

/// How many companies are somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Where.
    pub mark: Mark,
    /// How many.
    pub count: usize,
    /// The portfolio with these.
    pub href: Option<String>,
}

/// A week in the table beside the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekRow {
    /// Its year, `2026-`, which narrow screens leave out.
    pub year: String,
    /// The week, `W36`.
    pub week: String,
    /// Companies per part, from At Risk up; nothing when the week wasn't scored.
    pub counts: Option<[u32; 5]>,
    /// The mean score.
    pub mean: Option<u8>,
}

/// A company that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRow {
    /// The company.
    pub whose: Whose,
    /// `60 → 18`.
    pub scores: String,
    /// Its change with direction.
    pub change: String,
    /// Where it stands now.
    pub band: Mark,
    /// What moved it the most.
    pub reason: Option<String>,
}

/// A company that needs a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The company.
    pub whose: Whose,
    /// Why.
    pub reasons: Vec<String>,
    /// Who looks after it.
    pub owner: String,
}

/// The companies of an owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerRow {
    /// The owner.
    pub name: String,
    /// Their companies.
    pub companies: u32,
    /// The mean score of those with a band.
    pub mean: Option<u8>,
    /// Companies that are At Risk.
    pub at_risk: u32,
    /// Companies set to Struggling, freshly.
    pub struggling: u32,
    /// Companies in the cell Urgent.
    pub urgent: u32,
    /// Statuses to be reviewed.
    pub overdue: u32,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    chrome: Chrome,
    printed: String,
    period: Option<Period>,
    no_company: bool,
    figures: Vec<Figure>,
    picture: Option<Stack>,
    weeks: Vec<WeekRow>,
    statuses: Vec<Count>,
    levels: Vec<Count>,
    cells: Vec<Count>,
    rose: String,
    fell: String,
    up: Vec<MoveRow>,
    down: Vec<MoveRow>,
    decisions: Vec<Decision>,
    decisions_more: usize,
    owners: Vec<OwnerRow>,
}

impl OverviewPage {
    /// Builds the page.
    pub fn build(chrome: Chrome, known: &Known, scene: Scene<'_>) -> Self {
        let views: Vec<&CompanyView> =
            known.companies.iter().filter(|company| company.churned_on.is_none()).collect();
        let latest = known.weeks.last().and_then(|(week, found)| Some((*week, &found.as_ref()?.overview)));
        let standings: Vec<(IsoWeek, Option<Standings>)> = known
            .weeks
            .iter()
            .map(|(week, found)| (*week, found.as_ref().map(all).map(|it| it.standings)))
            .collect();
        let mut decisions = decisions(&views, scene);
        let decisions_more = decisions.len().saturating_sub(DECISIONS);
        decisions.truncate(DECISIONS);
        let (rose, fell) = latest.map(|(_, overview)| bands_moved(overview)).unwrap_or_default();
        let told = |count: u32, where_to: &str| match count {
            0 => String::new(),
            count => format!("{count} in {where_to}"),
        };
        let rows = |changes: &[Change]| changes.iter().take(TOLD).map(|it| move_row(it, known)).collect();
        Self {
            chrome,
            printed: scene.day(scene.now),
            period: latest.map(|(week, _)| period(week, scene)),
            no_company: known.companies.is_empty(),
            figures: figures(&views, known),
            picture: stack::stack(&standings),
            weeks: known.weeks.iter().rev().map(week_row).collect(),
            statuses: statuses(&views),
            levels: levels(&views),
            cells: cells(&views),
            rose: told(rose, "a higher band"),
            fell: told(fell, "a lower band"),
            up: latest.map(|(_, overview)| rows(&overview.up)).unwrap_or_default(),
            down: latest.map(|(_, overview)| rows(&overview.down)).unwrap_or_default(),
            decisions,
            decisions_more,
            owners: owners(&views),
        }
    }
}

fn all(published: &Published) -> Distribution {
    published.overview.all
}

fn week_row((week, found): &(IsoWeek, Option<Published>)) -> WeekRow {
    let (of, short) = (found.as_ref().map(all), spark::short(*week));
    WeekRow {
        year: week.to_string().trim_end_matches(short.as_str()).to_owned(),
        week: short,
        counts: of.map(|of| stack::parts(&of.standings).map(|(.., count)| count)),
        mean: of.and_then(|of| of.mean).map(Percent::shown),
    }
}

fn figures(views: &[&CompanyView], known: &Known) -> Vec<Figure> {
    let at = |back: usize| known.weeks.iter().rev().nth(back).and_then(|(_, found)| found.as_ref()).map(all);
    let (now, before) = (at(0), at(1));
    let first = known.weeks.iter().find_map(|(week, found)| Some((*week, all(found.as_ref()?).mean?)));
    let mean = now.and_then(|it| it.mean);
    let against = |then: Percent| mean.map(|mean| i16::from(mean.shown()) - i16::from(then.shown()));
    let week = before.and_then(|it| against(it.mean?)).map(|it| format!("{} in a week", words::change(it)));
    let long = first
        .filter(|_| known.weeks.len() > 2)
        .and_then(|(since, then)| Some(format!("{} since {since}", words::change(against(then)?))));
    let told = |notes: [Option<String>; 2]| notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let at_risk = |of: Distribution| of.standings.at_risk;
    let scored = now.map_or(0, |it| it.standings.companies());
    vec![
        Figure {
            label: "Companies",
            value: views.len().to_string(),
            note: format!("{scored} in the week’s score"),
        },
        Figure {
            label: "Mean engagement",
            value: mean.map_or_else(|| "–".to_owned(), |mean| mean.shown().to_string()),
            note: told([week, long]),
        },
        Figure {
            label: "At Risk",
            value: now.map_or_else(|| "–".to_owned(), |it| at_risk(it).to_string()),
            note: before.map(|it| format!("was {} the week before", at_risk(it))).unwrap_or_default(),
        },
        response_rate(views),
        nps(views),
    ]
}

/// The mean of the companies' rates: each company counts alike, however many users it has.
fn response_rate(views: &[&CompanyView]) -> Figure {
    let rates: Vec<u128> = views
        .iter()
        .filter_map(|view| view.happiness.response_rate)
        .map(|rate| u128::from(rate.basis_points()))
        .collect();
    let count = rates.len() as u128;
    let mean = Percent::ratio(rates.iter().sum(), count * 10_000);
    let asked = words::many(rates.len() as u64, "company").replace("companys", "companies");
    Figure {
        label: "Response rate",
        value: mean.map_or_else(|| "–".to_owned(), |mean| format!("{} %", mean.shown())),
        note: if rates.is_empty() {
            "nobody was asked in the last 90 days".to_owned()
        } else {
            format!("mean of the {asked} asked")
        },
    }
}

fn nps(views: &[&CompanyView]) -> Figure {
    let score = Nps::together(views.iter().filter_map(|view| view.happiness.nps.as_ref()));
    let minus = |text: String| text.replace('-', "−");
    Figure {
        label: "NPS",
        value: score.map_or_else(|| "–".to_owned(), |nps| minus(format!("{:.0}", nps.value))),
        note: score.map_or_else(
            || "nobody has answered".to_owned(),
            |nps| {
                let answers = words::many(nps.answers.into(), "answer");
                minus(format!("95 %: {:.0} to {:.0}, {answers}", nps.low, nps.high))
            },
        ),
    }
}

fn statuses(views: &[&CompanyView]) -> Vec<Count> {
    let fresh = |view: &CompanyView| {
        view.business_status.as_ref().filter(|it| !it.stale).map(|status| status.status.value)
    };
    let known = [
        (Status::Thriving, "thriving"),
        (Status::Healthy, "healthy"),
        (Status::Steady, "steady"),
        (Status::Struggling, "struggling"),
    ];
    let mut counts: Vec<Count> = known
        .into_iter()
        .map(|(status, wire)| {
            let count = views.iter().filter(|view| fresh(view) == Some(status)).count();
            Count { mark: words::status(status), count, href: Some(format!("/?status={wire}")) }
        })
        .collect();
    let stale = views.iter().filter(|view| view.business_status.as_ref().is_some_and(|it| it.stale)).count();
    let unset = views.iter().filter(|view| view.business_status.is_none()).count();
    for (label, count, wire) in [("To be reviewed", stale, "stale"), ("Not set", unset, "not_set")] {
        counts.push(Count {
            mark: Mark { class: "lx", label },
            count,
            href: Some(format!("/?status={wire}")),
        });
    }
    counts
}

fn levels(views: &[&CompanyView]) -> Vec<Count> {
    [Level::VeryHappy, Level::Happy, Level::Neutral, Level::NotHappy, Level::NoData]
        .into_iter()
        .map(|level| {
            let count = views.iter().filter(|view| view.happiness.level == level).count();
            Count { mark: words::level(level), count, href: None }
        })
        .collect()
}

fn cells(views: &[&CompanyView]) -> Vec<Count> {
    let class = |cell: Cell| match cell {
        Cell::Urgent => "l0",
        Cell::ProductProblem | Cell::BusinessProblem => "l1",
        Cell::Advocate => "l3",
        Cell::Unknown => "lx",
    };
    Cell::ALL
        .into_iter()
        .map(|cell| Count {
            mark: Mark { class: class(cell), label: cell.label() },
            count: views.iter().filter(|view| view.quadrant == cell).count(),
            href: Some(format!("/?quadrant={}", wire_cell(cell))),
        })
        .collect()
}

/// Companies that rose a band or more, and that fell.
fn bands_moved(overview: &Overview) -> (u32, u32) {
    overview.moves.iter().fold((0, 0), |(rose, fell), moved| match (moved.from.band(), moved.to.band()) {
        (Some(from), Some(to)) if to > from => (rose + moved.companies, fell),
        (Some(from), Some(to)) if to < from => (rose, fell + moved.companies),
        _ => (rose, fell),
    })
}

fn move_row(change: &Change, known: &Known) -> MoveRow {
    let company = known.companies.iter().find(|company| company.company_id == change.company_id);
    let name = company.map_or_else(|| change.company_id.to_string(), |company| company.name.clone());
    let shown = |scored: Scored| scored.score.map(Percent::shown).unwrap_or_default();
    let (from, to) = (shown(change.from), shown(change.to));
    MoveRow {
        whose: Whose { id: change.company_id.to_string(), name },
        scores: format!("{from} → {to}"),
        change: words::change(i16::from(to) - i16::from(from)),
        band: words::standing(change.to.band),
        reason: known.whys.get(&change.company_id).and_then(reason),
    }
}

/// The effect that did the most in the direction of the change, the first of equals: `login −14 (1 of 8 users active, was 4)`.
fn reason(why: &Why) -> Option<String> {
    let Parts { login, adoption, feedback, coverage, settings } = why.parts.as_ref()?;
    let up = why.change?.basis_points() > 0;
    let effects = [
        ("login", login),
        ("adoption", adoption),
        ("feedback", feedback),
        ("what is known", coverage),
        ("settings", settings),
    ];
    let size = |points: i32| if up { points } else { -points };
    let (name, effect) =
        effects.into_iter().rev().max_by_key(|(_, effect)| size(effect.change.basis_points()))?;
    let points = effect.change.basis_points();
    let whole = i16::try_from((points + 50 * points.signum()) / 100).ok()?;
    let behind = effect.text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    Some(format!("{name} {}{behind}", words::signed(whole)))
}

/// Companies that need a decision, those with the most and gravest reasons first, then those that renew next.
fn decisions(live: &[&CompanyView], scene: Scene<'_>) -> Vec<Decision> {
    let mut found: Vec<_> = live
        .iter()
        .filter_map(|view| {
            let (weight, reasons) = reasons(view, scene);
            let row = Decision {
                whose: Whose { id: view.company_id.to_string(), name: view.name.clone() },
                reasons,
                owner: words::owner(view.owner.as_deref()).to_owned(),
            };
            let order = (std::cmp::Reverse(weight), view.renewal_on.is_none(), view.renewal_on);
            (weight > 0).then(|| (order, view.name.to_lowercase(), row))
        })
        .collect();
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    found.into_iter().map(|(.., row)| row).collect()
}

fn reasons(view: &CompanyView, scene: Scene<'_>) -> (u8, Vec<String>) {
    let today = scene.today();
    let mut reasons = Vec::new();
    let mut weight = 0;
    let mut add = |more: u8, text: String| {
        weight += more;
        reasons.push(text);
    };
    if view.quadrant == Cell::Urgent {
        let health = match view.health_axis {
            Some(HealthAxis::BusinessStatus) => {
                view.business_status.as_ref().map(|it| it.status.value.label())
            }
            _ => view.engagement.as_ref().map(|it| it.band.label()),
        };
        add(8, format!("Urgent: {} and {}", health.unwrap_or("low"), view.happiness.level.label()));
    }
    if let Some(on) = view.notice_on {
        add(4, format!("gave notice {}", words::day(on, today)));
    }
    let renewal = view.renewal_on.filter(|on| (0..=RENEWAL_DAYS).contains(&(*on - today).num_days()));
    let review = view.business_status.as_ref().and_then(|status| to_be_reviewed(status, scene));
    if let Some(why) = review.filter(|_| renewal.is_some()) {
        add(2, why);
    }
    if view.open_disagreements > 0 {
        let text = match (&view.business_status, &view.engagement) {
            (Some(status), Some(score)) if view.disagreement => {
                format!("status {}, yet engagement {}", status.status.value.label(), score.band.label())
            }
            _ => "status and engagement disagree, unanswered".to_owned(),
        };
        add(1, text);
    }
    if let Some(on) = renewal.filter(|_| weight > 0) {
        reasons.push(format!("renews {}", words::day(on, today)));
    }
    (weight, reasons)
}

/// Owners with the most companies, then all others together, then those of nobody.
fn owners(views: &[&CompanyView]) -> Vec<OwnerRow> {
    let mut by: BTreeMap<Option<&str>, Vec<&CompanyView>> = BTreeMap::new();
    views.iter().for_each(|view| by.entry(view.owner.as_deref()).or_default().push(view));
    let nobody = by.remove(&None);
    let mut owners: Vec<(&str, Vec<&CompanyView>)> =
        by.into_iter().filter_map(|(owner, of)| Some((owner?, of))).collect();
    owners.sort_by_key(|(owner, of)| (std::cmp::Reverse(of.len()), *owner));
    let others = owners.split_off(owners.len().min(OWNERS));
    let mut rows: Vec<OwnerRow> =
        owners.iter().map(|(owner, of)| owner_row((*owner).to_owned(), of)).collect();
    if !others.is_empty() {
        let of: Vec<&CompanyView> = others.iter().flat_map(|(_, of)| of.iter().copied()).collect();
        rows.push(owner_row(format!("{} others", others.len()), &of));
    }
    rows.extend(nobody.map(|of| owner_row("no owner".to_owned(), &of)));
    rows
}

fn owner_row(name: String, of: &[&CompanyView]) -> OwnerRow {
    let mut tally = Tally::default();
    let scores = of.iter().filter_map(|view| view.engagement.as_ref());
    scores.for_each(|it| tally.add(Scored { band: it.band, score: it.score }));
    let count = |is: &dyn Fn(&CompanyView) -> bool| {
        u32::try_from(of.iter().filter(|view| is(view)).count()).unwrap_or(u32::MAX)
    };
    let status =
        |view: &CompanyView| view.business_status.as_ref().map(|status| (status.status.value, status.stale));
    let Distribution { standings, mean } = tally.distribution();
    OwnerRow {
        name,
        companies: count(&|_| true),
        mean: mean.map(Percent::shown),
        at_risk: standings.at_risk,
        struggling: count(&|view| status(view) == Some((Status::Struggling, false))),
        urgent: count(&|view| view.quadrant == Cell::Urgent),
        overdue: count(&|view| status(view).is_some_and(|(_, stale)| stale)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use barometer_cloud::{table::companies::Company, views};
    use barometer_domain::{band::Standing, overview, percent::Points, why::Part};
    use chrono::TimeDelta;

    fn build(companies: Vec<Company>) -> OverviewPage {
        let settings = samples::settings();
        let view = |company| views::company(company, &settings, samples::now());
        let known = Known { companies: companies.iter().map(view).collect(), ..Known::default() };
        OverviewPage::build(samples::chrome(&settings), &known, samples::scene(&settings))
    }

    fn company(id: &str, score: u8, status: Option<(Status, i64)>, happy: u8) -> Company {
        Company {
            engagement: Some(samples::engagement(&[score])),
            status: status.map(|(status, days)| samples::business_status(status, days)),
            happiness: Some(samples::happiness(happy, 4)),
            ..samples::stored(id)
        }
    }

    #[test]
    fn what_needs_a_decision_is_told_by_weight_and_then_by_the_next_renewal() {
        let today = samples::now().date_naive();
        let on = |days: i64| Some(today + TimeDelta::days(days));
        let urgent = company("urgent", 20, Some((Status::Struggling, 2)), 20);
        let later = Company { renewal_on: on(60), ..company("later", 20, None, 20) };
        let stale = Company { renewal_on: on(20), ..company("stale", 80, Some((Status::Healthy, 200)), 90) };
        let far = Company { renewal_on: on(120), ..company("far", 80, Some((Status::Healthy, 200)), 90) };
        let split =
            Company { open_disagreements: 1, ..company("split", 20, Some((Status::Thriving, 2)), 90) };
        let lost = Company { churned_on: on(-3), ..urgent.clone() };
        let page = build(vec![far, split, stale, urgent, later, lost]);
        let told: Vec<_> = page.decisions.iter().map(|row| row.whose.id.as_str()).collect();
        assert_eq!(told, ["later", "urgent", "stale", "split"]);
        let reasons: Vec<_> = page.decisions.iter().map(|row| row.reasons.join("; ")).collect();
        assert_eq!(reasons[0], "Urgent: At Risk and Not Happy; renews 7 Nov");
        assert_eq!(reasons[1], "Urgent: Struggling and Not Happy");
        assert!(reasons[2].starts_with("review overdue since ") && reasons[2].ends_with("; renews 28 Sep"));
        assert_eq!(reasons[3], "status Thriving, yet engagement At Risk");
    }

    #[test]
    fn a_status_to_be_reviewed_is_counted_as_such_only() {
        let page = build(vec![
            company("a", 80, Some((Status::Healthy, 2)), 90),
            company("b", 80, Some((Status::Healthy, 200)), 90),
            company("c", 80, None, 20),
        ]);
        let counts = |counts: &[Count]| counts.iter().map(|it| it.count).collect::<Vec<_>>();
        assert_eq!(counts(&page.statuses), [0, 1, 0, 0, 1, 1]);
        assert_eq!(counts(&page.levels), [2, 0, 0, 1, 0]);
        assert_eq!(counts(&page.cells).iter().sum::<usize>(), 3);
    }

    #[test]
    fn the_rate_is_the_mean_of_those_asked_and_nps_that_of_all_answers() {
        let asked = |id: &str, rate: Option<u8>, ratings: &[u8]| {
            let mut company = company(id, 50, None, 50);
            let happiness = company.happiness.as_mut().unwrap();
            happiness.response_rate = rate.map(Percent::whole);
            let ratings = ratings.iter().map(|it| barometer_domain::answer::Rating::nps(*it).unwrap());
            happiness.nps = Nps::of(ratings);
            company
        };
        let page =
            build(vec![asked("a", Some(20), &[10, 9, 8]), asked("b", Some(61), &[0]), asked("c", None, &[])]);
        let [.., rate, nps] = page.figures.as_slice() else { panic!("figures") };
        assert_eq!((rate.value.as_str(), rate.note.as_str()), ("41 %", "mean of the 2 companies asked"));
        // Two promoters and a detractor of four.
        assert_eq!(nps.value, "25");
        assert!(nps.note.starts_with("95 %: −") && nps.note.ends_with(", 4 answers"), "{}", nps.note);
        let page = build(vec![asked("c", None, &[])]);
        let [.., rate, nps] = page.figures.as_slice() else { panic!("figures") };
        assert_eq!((rate.value.as_str(), nps.value.as_str()), ("–", "–"));
    }

    #[test]
    fn owners_beyond_the_first_stand_together_and_nobodys_companies_last() {
        let companies = (0..9).map(|number| Company {
            owner: (number > 0).then(|| format!("owner{number}")),
            ..company(&format!("c{number}"), 20, None, 20)
        });
        let page = build(companies.collect());
        let names: Vec<_> = page.owners.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names[6..], ["2 others", "no owner"]);
        assert_eq!((page.owners[6].companies, page.owners[6].at_risk, page.owners[6].urgent), (2, 2, 2));
        assert_eq!(page.owners[0].mean, Some(20));
    }

    #[test]
    fn the_reason_of_a_move_is_its_greatest_effect_in_its_direction() {
        let part = |points: i32, text: &str| Part {
            change: Points::from_basis_points(points),
            text: (!text.is_empty()).then(|| text.to_owned()),
        };
        let parts = Parts {
            login: part(-500, "3 of 8 users active, was 6"),
            adoption: part(-960, "1 of 12 features used, was 4"),
            feedback: part(1_200, ""),
            coverage: part(0, ""),
            settings: part(0, ""),
        };
        let why = |change: i32| Why {
            from: "2026-W35".to_owned(),
            to: "2026-W36".to_owned(),
            from_score: None,
            to_score: None,
            change: Some(Points::from_basis_points(change)),
            parts: Some(parts.clone()),
            band_from: Standing::Steady,
            band_to: Standing::AtRisk,
            sentence: String::new(),
        };
        assert_eq!(reason(&why(-260)).unwrap(), "adoption −10 (1 of 12 features used, was 4)");
        assert_eq!(reason(&why(260)).unwrap(), "feedback +12");
        assert_eq!(reason(&Why { parts: None, ..why(1) }), None);
    }

    #[test]
    fn only_moves_between_bands_are_rises_and_falls() {
        let mut shard = overview::Shard::default();
        let scored = |band, score| Scored { band, score: Some(Percent::whole(score)) };
        for (id, previous, current) in [
            ("a", scored(Standing::Steady, 50), scored(Standing::Healthy, 60)),
            ("b", scored(Standing::Healthy, 60), scored(Standing::AtRisk, 10)),
            ("c", scored(Standing::Onboarding, 60), scored(Standing::AtRisk, 10)),
        ] {
            shard.add(&overview::Company {
                company_id: CompanyId::new(id).unwrap(),
                owner: None,
                plan: None,
                traits: BTreeMap::new(),
                parent: None,
                current,
                revision: 1,
                previous: Some(previous),
            });
        }
        assert_eq!(bands_moved(&shard.overview(Default::default())), (1, 1));
    }
}
