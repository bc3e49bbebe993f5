//! What of the portfolio is shown, and in which order: read from the address, written back into links.

use barometer_cloud::views::CompanyView;
use barometer_domain::{CompanyId, band::Standing, quadrant::Cell, status::Status};

use super::concern::Concern;

/// A value of a filter as it stands in the address, and its label.
pub type Choice = (&'static str, &'static str);

/// Values of the filter `status`.
pub const STATUSES: [Choice; 6] = [
    ("struggling", "Struggling"),
    ("steady", "Steady"),
    ("healthy", "Healthy"),
    ("thriving", "Thriving"),
    ("stale", "To be reviewed"),
    ("not_set", "Not set"),
];

/// Values of the filter `engagement`.
pub const ENGAGEMENTS: [Choice; 7] = [
    ("at_risk", "At Risk"),
    ("steady", "Steady"),
    ("healthy", "Healthy"),
    ("thriving", "Thriving"),
    ("onboarding", "Onboarding"),
    ("insufficient", "Insufficient"),
    ("none", "Not scored yet"),
];

/// Values of the filter `quadrant`.
pub const QUADRANTS: [Choice; 5] = [
    ("urgent", "Urgent"),
    ("product_problem", "Product problem"),
    ("business_problem", "Business problem"),
    ("advocate", "Advocate"),
    ("unknown", "Unknown"),
];

/// Values of `sort`; the first is the default.
pub const SORTS: [Choice; 6] = [
    ("attention", "Attention"),
    ("name", "Name"),
    ("score", "Lowest engagement"),
    ("change", "Largest fall"),
    ("happiness", "Least happy"),
    ("last_seen", "Longest not seen"),
];

/// A company with what its place in a list depends on.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The company.
    pub view: CompanyView,
    /// Why to look at it.
    pub concerns: Vec<Concern>,
    /// Change of the shown score against the week before.
    pub change: Option<i16>,
}

/// The value of the filter `engagement` that finds a company.
pub fn engagement_of(company: &CompanyView) -> &'static str {
    match company.engagement.as_ref().map(|engagement| engagement.band) {
        Some(Standing::AtRisk) => "at_risk",
        Some(Standing::Steady) => "steady",
        Some(Standing::Healthy) => "healthy",
        Some(Standing::Thriving) => "thriving",
        Some(Standing::Onboarding) => "onboarding",
        Some(Standing::Insufficient) => "insufficient",
        None => "none",
    }
}

/// The value of the filter `quadrant` for a cell.
pub fn wire_cell(cell: Cell) -> &'static str {
    match cell {
        Cell::Urgent => "urgent",
        Cell::ProductProblem => "product_problem",
        Cell::BusinessProblem => "business_problem",
        Cell::Advocate => "advocate",
        Cell::Unknown => "unknown",
    }
}

/// A search with filters and an order. What the address says wrong counts as not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Words that name, id, owner or plan contain.
    pub q: String,
    /// One of [`STATUSES`].
    pub status: Option<&'static str>,
    /// One of [`ENGAGEMENTS`].
    pub engagement: Option<&'static str>,
    /// One of [`QUADRANTS`].
    pub quadrant: Option<&'static str>,
    /// One of [`SORTS`]; attention when absent.
    pub sort: Option<&'static str>,
}

impl Query {
    /// Reads an address's query.
    pub fn parse(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let known =
                |choices: &[Choice]| choices.iter().map(|(wire, _)| *wire).find(|wire| *wire == value);
            match name.as_ref() {
                "q" => read.q = value.trim().to_owned(),
                "status" => read.status = known(&STATUSES),
                "engagement" => read.engagement = known(&ENGAGEMENTS),
                "quadrant" => read.quadrant = known(&QUADRANTS),
                "sort" => read.sort = known(&SORTS),
                _ => {}
            }
        }
        read
    }

    /// Whether anything is filtered.
    pub fn filters(&self) -> bool {
        !self.q.is_empty() || self.status.or(self.engagement).or(self.quadrant).is_some()
    }

    /// The order's value.
    pub fn sorted_by(&self) -> &'static str {
        self.sort.unwrap_or("attention")
    }

    /// The address of this view in another order.
    pub fn sorted(&self, sort: &'static str) -> String {
        Self { sort: Some(sort), ..self.clone() }.href()
    }

    /// The address of this view.
    pub fn href(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.q.is_empty() {
            query.append_pair("q", &self.q);
        }
        let sort = self.sort.filter(|sort| *sort != "attention");
        let pairs = [
            ("status", self.status),
            ("engagement", self.engagement),
            ("quadrant", self.quadrant),
            ("sort", sort),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
    }

    /// Whether a company is shown.
    pub fn matches(&self, company: &CompanyView) -> bool {
        let status = match &company.business_status {
            None => self.status == Some("not_set"),
            Some(found) if self.status == Some("stale") => found.stale,
            Some(found) => self.status == Some(wire_status(found.status.value)),
        };
        (self.status.is_none() || status)
            && self.engagement.is_none_or(|wanted| wanted == engagement_of(company))
            && self.quadrant.is_none_or(|wanted| wanted == wire_cell(company.quadrant))
            && self.finds(company)
    }

    fn finds(&self, company: &CompanyView) -> bool {
        let text = [
            Some(company.name.as_str()),
            Some(company.company_id.as_str()),
            company.owner.as_deref(),
            company.plan.as_deref(),
        ];
        let text = text.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase();
        self.q.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// Puts companies in order. What is unknown comes last, and so do companies that were lost.
    pub fn sort(&self, companies: &mut [Placed]) {
        let last = i32::MAX;
        companies.sort_by_cached_key(|placed| {
            let company = &placed.view;
            let engagement = company.engagement.as_ref();
            let rank = match self.sorted_by() {
                "name" => 0,
                "score" => {
                    engagement.and_then(|it| it.score).map_or(last, |score| score.basis_points().into())
                }
                "change" => placed.change.map_or(last, i32::from),
                "happiness" => company.happiness.score.map_or(last, |score| score.basis_points().into()),
                "last_seen" => company
                    .last_seen_at
                    .map_or(last, |at| i32::try_from(at.timestamp() / 3_600).unwrap_or(last)),
                _ => -attention(placed),
            };
            (company.churned_on.is_some(), rank, by_name(company))
        });
    }
}

/// Rule: attention sorts. Companies that need the same attention are told apart by their reasons.
fn attention(placed: &Placed) -> i32 {
    let weight: u16 = placed.concerns.iter().map(|concern| concern.weight).sum();
    i32::from(placed.view.attention) * 10_000 + i32::from(weight)
}

fn by_name(company: &CompanyView) -> (String, CompanyId) {
    (company.name.to_lowercase(), company.company_id.clone())
}

fn wire_status(status: Status) -> &'static str {
    match status {
        Status::Struggling => "struggling",
        Status::Steady => "steady",
        Status::Healthy => "healthy",
        Status::Thriving => "thriving",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{concern::concerns, samples, spark};
    use super::*;

    fn placed(view: CompanyView) -> Placed {
        let settings = samples::settings();
        let concerns = concerns(&view, samples::scene(&settings));
        let change = view.engagement.as_ref().and_then(|it| spark::change(&it.trend, it.week));
        Placed { view, concerns, change }
    }

    fn order(query: &str, views: Vec<CompanyView>) -> Vec<String> {
        let mut all: Vec<Placed> = views.into_iter().map(placed).collect();
        Query::parse(query).sort(&mut all);
        all.into_iter().map(|placed| placed.view.company_id.to_string()).collect()
    }

    #[test]
    fn an_address_survives_the_round_trip_and_nonsense_is_dropped() {
        let query = Query::parse("q=a%26b+c&status=not_set&engagement=at_risk&quadrant=urgent&sort=score");
        assert_eq!(query.href(), "/?q=a%26b+c&status=not_set&engagement=at_risk&quadrant=urgent&sort=score");
        assert_eq!(Query::parse("status=great&sort=%00&x=y&quadrant="), Query::default());
        assert_eq!(Query::default().href(), "/");
        assert!(!Query::parse("sort=name").filters());
    }

    #[test]
    fn attention_puts_the_most_and_gravest_reasons_first_and_lost_companies_last() {
        let mut double = samples::view("double");
        samples::engage(&mut double, &[20, 20]);
        samples::feel(&mut double, 20, 4);
        let mut single = samples::view("single");
        samples::engage(&mut single, &[20, 20]);
        let mut fine = samples::view("fine");
        samples::engage(&mut fine, &[90, 90]);
        let mut lost = double.clone();
        lost.company_id = CompanyId::new("lost").unwrap();
        lost.churned_on = Some(samples::now().date_naive());
        let all = vec![lost, fine, samples::view("blank"), single, double];
        assert_eq!(order("", all), ["double", "single", "blank", "fine", "lost"]);
    }

    #[test]
    fn the_unknown_comes_last_in_every_order() {
        let mut low = samples::view("low");
        samples::engage(&mut low, &[30, 20]);
        samples::feel(&mut low, 20, 4);
        let mut high = samples::view("high");
        samples::engage(&mut high, &[60, 90]);
        samples::feel(&mut high, 90, 4);
        for sort in ["score", "change", "happiness"] {
            let all = vec![samples::view("blank"), high.clone(), low.clone()];
            assert_eq!(order(&format!("sort={sort}"), all), ["low", "high", "blank"], "{sort}");
        }
    }

    #[test]
    fn filters_find_by_status_band_cell_and_words() {
        let mut company = samples::view("acme");
        company.owner = Some("Anna@example.com".to_owned());
        samples::judge(&mut company, Status::Struggling, 40);
        company.name = "Acme Ltd".to_owned();
        let finds = |query: &str| Query::parse(query).matches(&company);
        assert!(finds("status=stale"));
        assert!(finds("status=struggling"));
        assert!(!finds("status=not_set"));
        assert!(finds("engagement=none&quadrant=unknown"));
        assert!(!finds("engagement=at_risk"));
        assert!(finds("q=LTD+acme"));
        assert!(!finds("q=ltd+beta"));
        assert!(Query::parse("status=not_set").matches(&samples::view("beta")));
    }
}
