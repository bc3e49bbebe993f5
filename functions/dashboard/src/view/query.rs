//! What of the portfolio is shown, and in which order: read from the address, written back into links. The words are those
//! of the API's list of companies, so that an address of the page is one of its CSV, too.

use barometer_cloud::listing::{Filter, Sort, WantedEngagement};
use barometer_domain::quadrant::Cell;

/// A value of a filter as it stands in the address, and its label.
pub type Choice = (&'static str, &'static str);

/// Values of the filter `status`.
pub const STATUSES: [Choice; 5] = [
    ("struggling", "Struggling"),
    ("steady", "Steady"),
    ("healthy", "Healthy"),
    ("thriving", "Thriving"),
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

/// Values of the filter `flag`.
pub const FLAGS: [Choice; 7] = [
    ("tasks", "Something to do"),
    ("alerts", "Open alert"),
    ("stale", "Status to be reviewed"),
    ("disagreement", "Readings disagree"),
    ("silent", "Asked, nobody answers"),
    ("renewal", "Renews within 60 days"),
    ("churned", "Lost"),
];

/// Values of `sort` that the page offers; the first is the default.
pub const SORTS: [Choice; 11] = [
    ("attention", "Attention"),
    ("name", "Name"),
    ("owner", "Owner"),
    ("status", "Worst status"),
    ("score", "Lowest engagement"),
    ("-score", "Highest engagement"),
    ("change", "Largest fall"),
    ("-change", "Largest rise"),
    ("happiness", "Least happy"),
    ("-tasks", "Most to do"),
    ("last_seen", "Longest not seen"),
];

/// The value of the filter `engagement` for where a company stands.
pub fn wire_engagement(engagement: WantedEngagement) -> &'static str {
    match engagement {
        WantedEngagement::AtRisk => "at_risk",
        WantedEngagement::Steady => "steady",
        WantedEngagement::Healthy => "healthy",
        WantedEngagement::Thriving => "thriving",
        WantedEngagement::Onboarding => "onboarding",
        WantedEngagement::Insufficient => "insufficient",
        WantedEngagement::None => "none",
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
    /// The owner.
    pub owner: String,
    /// One of [`STATUSES`].
    pub status: Option<&'static str>,
    /// One of [`ENGAGEMENTS`].
    pub engagement: Option<&'static str>,
    /// One of [`QUADRANTS`].
    pub quadrant: Option<&'static str>,
    /// One of [`FLAGS`].
    pub flag: Option<&'static str>,
    /// An order as the API has it; attention when empty.
    pub sort: String,
    /// Which page, from 0.
    pub page: usize,
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
                "owner" => read.owner = value.trim().to_owned(),
                "status" => read.status = known(&STATUSES),
                "engagement" => read.engagement = known(&ENGAGEMENTS),
                "quadrant" => read.quadrant = known(&QUADRANTS),
                "flag" => read.flag = known(&FLAGS),
                "sort" if Sort::parse(&value).is_ok() && value != "attention" => {
                    read.sort = value.into_owned()
                }
                // As people count: the first page is 1.
                "page" => read.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        read
    }

    /// Whether anything is filtered.
    pub fn filters(&self) -> bool {
        !self.q.is_empty()
            || !self.owner.is_empty()
            || self.status.or(self.engagement).or(self.quadrant).or(self.flag).is_some()
    }

    /// The order's value.
    pub fn sorted_by(&self) -> &str {
        if self.sort.is_empty() { "attention" } else { &self.sort }
    }

    /// The address of this view in another order; in the order's reverse when it has that order.
    pub fn sorted(&self, sort: &str) -> String {
        let (name, reverse) = (sort.trim_start_matches('-'), self.sort == sort);
        let sort = match (reverse, sort.starts_with('-')) {
            (false, _) => sort.to_owned(),
            (true, true) => name.to_owned(),
            (true, false) => format!("-{name}"),
        };
        Self { sort, page: 0, ..self.clone() }.href()
    }

    /// The address of another page of this view.
    pub fn at_page(&self, page: usize) -> String {
        Self { page, ..self.clone() }.href()
    }

    /// The address of this view.
    pub fn href(&self) -> String {
        let mut query = self.wire();
        if self.page > 0 {
            query.append_pair("page", &(self.page + 1).to_string());
        }
        let query = query.finish();
        if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
    }

    /// The address of this view as CSV, all pages of it.
    pub fn csv(&self) -> String {
        let query = self.wire().finish();
        if query.is_empty() { "/v1/companies.csv".to_owned() } else { format!("/v1/companies.csv?{query}") }
    }

    fn wire(&self) -> form_urlencoded::Serializer<'static, String> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(name, value);
        }
        if !self.sort.is_empty() {
            query.append_pair("sort", &self.sort);
        }
        query
    }

    /// What is filtered by.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = [
            ("q", self.q.as_str()),
            ("owner", self.owner.as_str()),
            ("status", self.status.unwrap_or_default()),
            ("engagement", self.engagement.unwrap_or_default()),
            ("quadrant", self.quadrant.unwrap_or_default()),
            ("flag", self.flag.unwrap_or_default()),
        ];
        pairs.into_iter().filter(|(_, value)| !value.is_empty())
    }

    /// What the address filters by.
    pub fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        for (name, value) in self.pairs() {
            // Every value was looked up among those that there are.
            drop(filter.narrow(name, value));
        }
        filter
    }

    /// The order.
    pub fn order(&self) -> Sort {
        Sort::parse(&self.sort).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use barometer_cloud::{listing::Position, views::CompanyView};
    use barometer_domain::status::Status;

    use super::super::samples;
    use super::*;

    fn order(query: &str, views: Vec<CompanyView>) -> Vec<String> {
        let (query, today) = (Query::parse(query), samples::now().date_naive());
        let (filter, sort) = (query.filter(), query.order());
        let mut all: Vec<Position> = views
            .iter()
            .filter(|view| filter.fits(view, today))
            .map(|view| sort.position(view, today))
            .collect();
        all.sort_by(|a, b| sort.compare(a, b));
        all.into_iter().map(|position| position.id().to_string()).collect()
    }

    #[test]
    fn an_address_survives_the_round_trip_and_nonsense_is_dropped() {
        let text =
            "q=a%26b+c&owner=anna&status=not_set&engagement=at_risk&quadrant=urgent&flag=tasks&sort=-score";
        let query = Query::parse(&format!("{text}&page=3"));
        assert_eq!(query.href(), format!("/?{text}&page=3"));
        assert_eq!(query.csv(), format!("/v1/companies.csv?{text}"));
        assert_eq!(Query::parse("status=great&sort=%00&x=y&quadrant=&page=-1&flag=x"), Query::default());
        assert_eq!(
            (Query::default().href(), Query::default().csv()),
            ("/".into(), "/v1/companies.csv".into())
        );
        assert!(!Query::parse("sort=name").filters());
    }

    #[test]
    fn a_column_sorts_and_sorts_back_from_the_first_page() {
        let query = Query::parse("q=a&page=2");
        assert_eq!(query.sorted("score"), "/?q=a&sort=score");
        assert_eq!(Query::parse("sort=score").sorted("score"), "/?sort=-score");
        assert_eq!(Query::parse("sort=-score").sorted("score"), "/?sort=score");
        assert_eq!(Query::parse("sort=-tasks").sorted("-tasks"), "/?sort=tasks");
    }

    #[test]
    fn every_order_that_is_offered_is_one() {
        for (sort, _) in &SORTS[1..] {
            assert_eq!(Query::parse(&format!("sort={sort}")).sorted_by(), *sort);
        }
    }

    #[test]
    fn attention_puts_the_most_and_gravest_reasons_first() {
        let mut double = samples::view("double");
        samples::engage(&mut double, &[20, 20]);
        samples::feel(&mut double, 20, 4);
        let mut single = samples::view("single");
        samples::engage(&mut single, &[20, 20]);
        let mut fine = samples::view("fine");
        samples::engage(&mut fine, &[90, 90]);
        let all = vec![fine, samples::view("blank"), single, double];
        assert_eq!(order("", all), ["double", "single", "blank", "fine"]);
    }

    #[test]
    fn lost_companies_are_shown_to_who_asks_for_them() {
        let mut lost = samples::view("lost");
        lost.churned_on = Some(samples::now().date_naive());
        let all = vec![lost, samples::view("here")];
        assert_eq!(order("", all.clone()), ["here"]);
        assert_eq!(order("flag=churned", all), ["lost"]);
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
            assert_eq!(order(&format!("sort={sort}"), all.clone()), ["low", "high", "blank"], "{sort}");
            assert_eq!(order(&format!("sort=-{sort}"), all), ["high", "low", "blank"], "-{sort}");
        }
    }

    #[test]
    fn filters_find_by_status_band_cell_and_words() {
        let mut company = samples::view("acme");
        samples::judge(&mut company, Status::Struggling, 40);
        company.owner = Some("Anna@example.com".to_owned());
        company.name = "Acme Ltd".to_owned();
        let finds = |query: &str| !order(query, vec![company.clone()]).is_empty();
        assert!(finds("flag=stale"));
        assert!(finds("status=struggling"));
        assert!(!finds("status=not_set"));
        assert!(finds("engagement=none&quadrant=unknown"));
        assert!(!finds("engagement=at_risk"));
        assert!(finds("q=LTD+acme"));
        assert!(!finds("q=ltd+beta"));
        assert!(finds("owner=anna%40example.com") && !finds("owner=ann"));
        assert!(!order("status=not_set", vec![samples::view("beta")]).is_empty());
    }
}
