//! The inbox: what users answered, the newest first.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use barometer_cloud::table::{cases::Case, companies::Company};
use barometer_domain::{CompanyId, UserId, Zone, task::Task};
use chrono::{NaiveDate, SecondsFormat};

use crate::notice::Notice;

use super::{
    Scene,
    answer::{self, AnswerRow, Given},
    cases::Whose,
    chrome::Chrome,
    names::Names,
};

/// Answers of a page.
const PAGE: usize = 20;
/// How many days back the inbox looks for whom to thank.
pub const THANKS_DAYS: i64 = 30;
/// Answers to thank for.
const THANKS: usize = 5;
/// Companies offered when a name fits several.
const OFFERED: usize = 10;
/// The ratings that a filter offers.
const RATINGS: [u8; 11] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// Which answers are shown, read from the address. What it says wrong counts as not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// On the scale from 0 to 10.
    pub min_rating: Option<u8>,
    /// On the scale from 0 to 10.
    pub max_rating: Option<u8>,
    /// A company's id, or a part of its name.
    pub company: String,
    /// From this local day on.
    pub from: Option<NaiveDate>,
    /// Only those with a comment.
    pub with_comment: bool,
    /// Where the page begins.
    pub cursor: String,
}

impl Query {
    /// Reads an address's query.
    pub fn parse(query: &str) -> Self {
        let mut read = Self::default();
        let rating = |value: &str| value.parse().ok().filter(|rating| *rating <= 10);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "min_rating" => read.min_rating = rating(&value),
                "max_rating" => read.max_rating = rating(&value),
                "company" => read.company = value.trim().to_owned(),
                "from" => read.from = value.parse().ok(),
                "with_comment" => read.with_comment = value == "true",
                "cursor" => read.cursor = value.into_owned(),
                _ => {}
            }
        }
        read
    }

    /// Whether anything is filtered.
    pub fn filters(&self) -> bool {
        Self { cursor: String::new(), ..self.clone() } != Self::default()
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let rating = |rating: Option<u8>| rating.map(|rating| rating.to_string());
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        [
            ("min_rating", rating(self.min_rating)),
            ("max_rating", rating(self.max_rating)),
            ("company", said(&self.company)),
            ("from", self.from.map(|from| from.to_string())),
            ("with_comment", self.with_comment.then(|| "true".to_owned())),
            ("cursor", said(&self.cursor)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// The address of this view.
    pub fn href(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return "/inbox".to_owned();
        }
        format!("/inbox?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }

    /// The API's address of this view, of the company that it names.
    pub fn api(&self, company: Option<&CompanyId>, zone: Zone) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &PAGE.to_string());
        for (name, value) in self.pairs() {
            match (name, self.from) {
                ("company", _) => {}
                ("from", Some(day)) => {
                    query.append_pair(name, &zone.start_of(day).to_rfc3339_opts(SecondsFormat::Secs, true));
                }
                _ => {
                    query.append_pair(name, &value);
                }
            }
        }
        if let Some(company) = company {
            query.append_pair("company_id", company.as_str());
        }
        format!("/v1/feedback?{}", query.finish())
    }

    /// The API's address of the answers to thank for.
    pub fn api_of_thanks(scene: Scene<'_>) -> String {
        let from = scene.now - chrono::TimeDelta::days(THANKS_DAYS);
        let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("/v1/feedback?min_rating=9&limit={}&from={from}", 2 * THANKS)
    }
}

/// Which company a filter names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Named {
    /// None is asked for.
    #[default]
    Any,
    /// This one.
    One(CompanyId),
    /// None has this id or this in its name.
    Nobody,
    /// The name fits several.
    Several(Vec<Whose>),
}

/// The company that a text names: by id, by its whole name, or by the one name that contains it.
pub fn named(text: &str, companies: &[Company]) -> Named {
    let wanted = text.to_lowercase();
    if wanted.is_empty() {
        return Named::Any;
    }
    let is =
        |company: &&Company| company.company_id.as_str() == text || company.name.to_lowercase() == wanted;
    let has = |company: &&Company| company.name.to_lowercase().contains(&wanted);
    let mut found: Vec<&Company> = companies.iter().filter(is).collect();
    if found.is_empty() {
        found = companies.iter().filter(has).collect();
    }
    match found.as_slice() {
        [] => Named::Nobody,
        [one] => Named::One(one.company_id.clone()),
        _ => {
            found.sort_by_cached_key(|company| (company.name.to_lowercase(), company.company_id.clone()));
            let whose =
                |company: &&Company| Whose { id: company.company_id.to_string(), name: company.name.clone() };
            Named::Several(found.iter().take(OFFERED).map(whose).collect())
        }
    }
}

/// What is stored.
#[derive(Debug, Default)]
pub struct Known {
    /// The answers of the page.
    pub given: Given,
    /// Answers to thank for.
    pub thanks: Vec<answer::Answer>,
    /// Names of those who gave them and of their companies.
    pub names: Names,
    /// The latest task about a company's user.
    pub tasks: BTreeMap<(CompanyId, UserId), Case<Task>>,
    /// The company that the filter names.
    pub named: Named,
    /// Whether the address led behind a page that isn't there any more.
    pub lost: bool,
}

impl Known {
    fn answers(&self) -> impl Iterator<Item = &answer::Answer> {
        self.given.items.iter().chain(&self.thanks)
    }

    /// Those who answered.
    pub fn users(&self) -> BTreeSet<(CompanyId, UserId)> {
        self.answers().map(|answer| (answer.company_id.clone(), answer.user_id.clone())).collect()
    }

    /// Their companies.
    pub fn companies(&self) -> BTreeSet<CompanyId> {
        self.answers().map(|answer| answer.company_id.clone()).collect()
    }

    /// Those whose answers asked for a task.
    pub fn followed_up(&self) -> BTreeSet<(CompanyId, UserId)> {
        let asking = self.given.items.iter().filter(|answer| answer.asks_for_somebody());
        asking.map(|answer| (answer.company_id.clone(), answer.user_id.clone())).collect()
    }
}

/// The inbox.
#[derive(Debug, Template)]
#[template(path = "inbox.html")]
pub struct InboxPage {
    chrome: Chrome,
    notice: Option<Notice>,
    back: String,
    query: Query,
    from: String,
    rows: Vec<AnswerRow>,
    thanks: Vec<AnswerRow>,
    older: Option<String>,
    newest: Option<String>,
    named: Named,
    company: Option<Whose>,
    lost: bool,
}

impl InboxPage {
    /// Builds the page.
    pub fn build(
        chrome: Chrome,
        known: Known,
        query: Query,
        notice: Option<Notice>,
        scene: Scene<'_>,
    ) -> Self {
        let row = |given: &answer::Answer, with_task: bool| {
            let (company, user) = (&given.company_id, &given.user_id);
            let task = known.tasks.get(&(company.clone(), user.clone()));
            let task = task.filter(|_| with_task && given.asks_for_somebody());
            answer::row(given, known.names.whose(company), &known.names.user(company, user), task, scene)
        };
        let thankful = known.thanks.iter().filter(|answer| answer.counts()).take(THANKS);
        let page = |cursor: &str| Query { cursor: cursor.to_owned(), ..query.clone() }.href();
        Self {
            rows: known.given.items.iter().map(|given| row(given, true)).collect(),
            thanks: thankful.map(|given| row(given, false)).collect(),
            older: known.given.next_cursor.as_deref().map(page),
            newest: (!query.cursor.is_empty()).then(|| page("")),
            back: query.href(),
            from: query.from.map(|from| from.to_string()).unwrap_or_default(),
            company: match &known.named {
                Named::One(id) => Some(known.names.whose(id)),
                _ => None,
            },
            named: known.named,
            lost: known.lost,
            chrome,
            notice,
            query,
        }
    }

    /// The address of the inbox of one company, with the other filters.
    fn of_company(&self, id: &str) -> String {
        Query { company: id.to_owned(), cursor: String::new(), ..self.query.clone() }.href()
    }

    fn several(&self) -> &[Whose] {
        match &self.named {
            Named::Several(companies) => companies,
            _ => &[],
        }
    }

    fn is_first(&self) -> bool {
        self.query.cursor.is_empty() && !self.query.filters()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn companies() -> Vec<Company> {
        let called = |id: &str, name: &str| Company { name: name.to_owned(), ..samples::stored(id) };
        vec![
            called("c-1", "Acme"),
            called("c-2", "Acme Foods"),
            called("c-3", "Beta"),
            called("beta", "Other"),
        ]
    }

    #[test]
    fn an_address_survives_the_round_trip_and_nonsense_is_dropped() {
        let address = "min_rating=0&max_rating=6&company=a%26b&from=2026-09-01&with_comment=true&cursor=abc";
        assert_eq!(Query::parse(address).href(), format!("/inbox?{address}"));
        assert_eq!(
            Query::parse("max_rating=11&min_rating=-1&from=soon&with_comment=1&x=y"),
            Query::default()
        );
        assert_eq!(Query::default().href(), "/inbox");
        assert!(!Query::parse("cursor=abc").filters() && Query::parse("company=x").filters());
    }

    #[test]
    fn the_day_of_the_filter_is_the_workspaces() {
        let query = Query::parse("from=2026-09-01&company=Acme&max_rating=6");
        let company = CompanyId::new("a&b").unwrap();
        assert_eq!(query.api(Some(&company), "Europe/Berlin".parse().unwrap()), {
            "/v1/feedback?limit=20&max_rating=6&from=2026-08-31T22%3A00%3A00Z&company_id=a%26b"
        });
    }

    #[test]
    fn a_company_is_named_by_its_id_its_name_or_the_one_name_that_has_it() {
        let companies = companies();
        let one = |id: &str| Named::One(CompanyId::new(id).unwrap());
        assert_eq!(named("", &companies), Named::Any);
        assert_eq!(named("c-3", &companies), one("c-3"));
        assert_eq!(named("acme", &companies), one("c-1"), "a whole name comes before a part of one");
        assert_eq!(named("FOODS", &companies), one("c-2"));
        assert_eq!(named("nobody", &companies), Named::Nobody);
        let Named::Several(found) = named("e", &companies) else { panic!("several") };
        assert_eq!(
            found.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            ["Acme", "Acme Foods", "Beta", "Other"]
        );
    }
}
