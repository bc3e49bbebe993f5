//! The people at a company, and what asking them comes to.

use barometer_cloud::views::CompanyView;
use barometer_domain::UserId;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::{Scene, words};

/// A page of the API's list of users.
#[derive(Debug, Deserialize)]
pub struct People {
    /// The users.
    pub items: Vec<Person>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// A user of a company, as far as the page reads the API's.
#[derive(Debug, Clone, Deserialize)]
pub struct Person {
    user_id: UserId,
    name: Option<String>,
    email: Option<String>,
    first_seen_at: DateTime<Utc>,
    last_seen_at: Option<DateTime<Utc>>,
    left: Option<NaiveDate>,
    reachable: bool,
    primary_contact: bool,
    unsubscribed_at: Option<DateTime<Utc>>,
    last_ask_at: Option<DateTime<Utc>>,
    next_ask_at: Option<DateTime<Utc>>,
    last_answer: Option<LastAnswer>,
}

#[derive(Debug, Clone, Deserialize)]
struct LastAnswer {
    at: DateTime<Utc>,
}

impl Person {
    /// Who it is.
    pub fn id(&self) -> &UserId {
        &self.user_id
    }

    /// Name or id.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(self.user_id.as_str())
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct UserRow {
    /// Name or id.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// When they were seen last.
    pub seen: String,
    /// When they left.
    pub left: Option<String>,
    /// Whether mails reach them, or why not.
    pub reach: &'static str,
    /// When they were last asked, and what came of it.
    pub asked: String,
    /// When they are asked next.
    pub next: Option<String>,
}

/// Rows by name, those who left last.
pub fn rows(people: &[Person], scene: Scene<'_>) -> Vec<UserRow> {
    let mut people: Vec<&Person> = people.iter().collect();
    people.sort_by_cached_key(|person| (person.left.is_some(), person.title().to_lowercase()));
    people.into_iter().map(|person| row(person, scene)).collect()
}

fn row(person: &Person, scene: Scene<'_>) -> UserRow {
    let asked = match (person.last_ask_at, &person.last_answer) {
        (None, Some(answer)) => format!("not asked, answered {}", scene.day(answer.at)),
        (None, None) => "not asked yet".to_owned(),
        (Some(at), Some(answer)) if answer.at >= at => format!("{}, answered", scene.day(at)),
        (Some(at), _) => format!("{}, no answer", scene.day(at)),
    };
    let reach = if person.reachable {
        if person.primary_contact { "yes, primary contact" } else { "yes" }
    } else if person.left.is_some() {
        "no: left"
    } else if person.unsubscribed_at.is_some() {
        "no: unsubscribed"
    } else if person.email.is_none() {
        "no address known"
    } else {
        "no: mail doesn’t arrive, or excluded"
    };
    UserRow {
        name: person.title().to_owned(),
        email: person.email.clone(),
        seen: match person.last_seen_at {
            Some(at) => scene.day(at),
            None => format!("not lately, first {}", scene.day(person.first_seen_at)),
        },
        left: person.left.map(|on| words::day(on, scene.today())),
        reach,
        asked,
        next: person.next_ask_at.map(|at| scene.day(at)),
    }
}

/// A company's switch of feedback requests, with what will happen.
#[derive(Debug, Clone)]
pub struct Requests {
    /// Whether they are on.
    pub on: bool,
    /// What will happen next.
    pub next: String,
}

/// What the switch does as it stands, and what it would do.
pub fn requests(company: &CompanyView, people: &[Person], scene: Scene<'_>) -> Requests {
    let reachable =
        u32::try_from(people.iter().filter(|person| person.reachable).count()).unwrap_or(u32::MAX);
    let cadence = scene.settings.cadence_days.duration().num_days();
    let on = company.request_feedback;
    let next = match (on, reachable) {
        (true, 0) => "On, yet mail reaches nobody here: no user has an address that works.".to_owned(),
        (true, _) => {
            let first = people.iter().filter_map(|person| Some((person.next_ask_at?, person.title()))).min();
            match first {
                Some((at, who)) => format!(
                    "On. {who} is asked next, on {}. Mail reaches {}, each asked every {cadence} days.",
                    scene.day(at),
                    words::count(reachable, "user")
                ),
                None => format!(
                    "On. Nobody’s turn is known yet; mail reaches {}.",
                    words::count(reachable, "user")
                ),
            }
        }
        (false, 0) => "Off. Switched on, nobody would be asked yet: mail reaches no user here.".to_owned(),
        (false, _) => format!(
            "Off: nobody is asked. Switched on, mail reaches {}: spread over up to 30 days at first, then each every \
             {cadence} days.",
            words::count(reachable, "user")
        ),
    };
    Requests { on, next }
}
