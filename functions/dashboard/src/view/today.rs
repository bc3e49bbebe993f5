//! The day of a CSM: everything that waits for them, the most pressing first.

use std::collections::BTreeSet;

use askama::Template;
use barometer_cloud::{
    table::{actions::Action, cases::Case, companies::Company},
    views::{self, CompanyView},
};
use barometer_domain::{
    CompanyId, UserId, alert::Alert, automation::Wanted, disagreement::Disagreement, task::Task,
};

use crate::notice::Notice;

use super::{
    Scene,
    answer::{self, Answer, AnswerRow},
    cases::{self, AlertRow, DisagreementRow, MotionRow, TaskRow, Whose},
    chrome::Chrome,
    concern::to_be_reviewed,
    names::Names,
    room::{bytes, excerpt, fitting},
    words::{self, Mark},
};

/// A renewal is told this many days ahead.
const RENEWAL_DAYS: i64 = 30;
/// Rows of a part that stands alone.
const ALONE: usize = 25;
/// Bytes of a part that stands alone.
const ALONE_ROOM: usize = 38_000;
/// Bytes of a mail's or a note's text.
const TEXT: usize = 1_200;

/// Whose day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The visitor's.
    Mine,
    /// Everybody's.
    All,
}

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Tasks.
    Tasks,
    /// Alerts.
    Alerts,
    /// Low answers.
    Answers,
    /// Actions that wait for approval or failed.
    Motion,
    /// Status and engagement that contradict each other.
    Disagreements,
    /// Statuses to be reviewed.
    Reviews,
    /// Contracts that renew soon.
    Renewals,
}

impl Part {
    const ALL: [Self; 7] = [
        Self::Tasks,
        Self::Alerts,
        Self::Answers,
        Self::Motion,
        Self::Disagreements,
        Self::Reviews,
        Self::Renewals,
    ];

    fn wire(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Alerts => "alerts",
            Self::Answers => "answers",
            Self::Motion => "actions",
            Self::Disagreements => "disagreements",
            Self::Reviews => "reviews",
            Self::Renewals => "renewals",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Tasks => "Tasks",
            Self::Alerts => "Alerts",
            Self::Answers => "Low answers",
            Self::Motion => "Approvals and failures",
            Self::Disagreements => "Disagreements",
            Self::Reviews => "Reviews overdue",
            Self::Renewals => "Renewals",
        }
    }

    /// Rows and bytes on the page of all parts.
    fn share(self) -> (usize, usize) {
        match self {
            Self::Tasks => (10, 17_500),
            Self::Alerts => (6, 6_500),
            Self::Answers => (6, 5_000),
            Self::Motion => (5, 6_000),
            Self::Disagreements => (4, 5_000),
            Self::Reviews | Self::Renewals => (8, 3_600),
        }
    }
}

/// What of the day is shown, read from the address. What it says wrong counts as not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Query {
    /// Whose day; nothing said means the visitor's, unless nothing is theirs.
    pub of: Option<Of>,
    /// One part alone.
    pub only: Option<Part>,
    /// Rows of it that come before.
    pub skip: usize,
}

impl Query {
    /// Reads an address's query.
    pub fn parse(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("of", "mine") => read.of = Some(Of::Mine),
                ("of", "all") => read.of = Some(Of::All),
                ("only", part) => read.only = Part::ALL.into_iter().find(|known| known.wire() == part),
                ("skip", number) => read.skip = number.parse().unwrap_or_default(),
                _ => {}
            }
        }
        read
    }

    /// The address of this view.
    pub fn href(self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(of) = self.of {
            query.append_pair("of", if of == Of::Mine { "mine" } else { "all" });
        }
        if let Some(only) = self.only {
            query.append_pair("only", only.wire());
            if self.skip > 0 {
                query.append_pair("skip", &self.skip.to_string());
            }
        }
        let query = query.finish();
        if query.is_empty() { "/today".to_owned() } else { format!("/today?{query}") }
    }
}

/// What is stored.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The workspace's companies.
    pub companies: Vec<Company>,
    /// Open tasks.
    pub tasks: Vec<Case<Task>>,
    /// Alerts that aren't resolved.
    pub alerts: Vec<Case<Alert>>,
    /// Open disagreements.
    pub disagreements: Vec<Case<Disagreement>>,
    /// Low answers of the last days, the newest first.
    pub answers: Vec<Answer>,
    /// Actions that wait for approval, then those that failed.
    pub actions: Vec<Action>,
    /// Whether more is open than was read.
    pub more: bool,
}

impl Known {
    fn owned_by(&self, author: &str) -> BTreeSet<CompanyId> {
        let owns = |company: &&Company| is(company.owner.as_deref(), author);
        self.companies.iter().filter(owns).map(|company| company.company_id.clone()).collect()
    }

    /// Whose day is shown when the address doesn't say: the visitor's when any company or task is theirs.
    pub fn whose_day(&self, query: Query, author: &str) -> Of {
        query.of.unwrap_or_else(|| {
            let tasks = self.tasks.iter().any(|case| is(case.content.assignee.as_deref(), author));
            let companies = self.companies.iter().any(|company| is(company.owner.as_deref(), author));
            if tasks || companies { Of::Mine } else { Of::All }
        })
    }

    /// What concerns a CSM: their tasks and what is of their companies. What is of no company concerns the admins.
    pub fn concerning(mut self, author: &str, admin: bool) -> Self {
        let owned = self.owned_by(author);
        let mine = |company: Option<&CompanyId>| company.map_or(admin, |company| owned.contains(company));
        self.tasks.retain(|case| match &case.content.assignee {
            Some(assignee) => is(Some(assignee), author),
            None => mine(case.place.company.as_ref()),
        });
        self.alerts.retain(|case| mine(case.place.company.as_ref()));
        self.disagreements.retain(|case| mine(case.place.company.as_ref()));
        self.answers.retain(|answer| owned.contains(&answer.company_id));
        self.actions.retain(|action| owned.contains(&action.company_id));
        self
    }

    /// The users whose names the rows say, at most so many.
    pub fn users(&self, most: usize) -> BTreeSet<(CompanyId, UserId)> {
        let answered = self.answers.iter().map(|answer| (answer.company_id.clone(), answer.user_id.clone()));
        let mailed = self.actions.iter().filter_map(|action| match &action.wanted {
            Wanted::Email { user_id, .. } => Some((action.company_id.clone(), user_id.clone()?)),
            _ => None,
        });
        answered.take(most).chain(mailed.take(most)).collect()
    }
}

/// People write their own address in upper and lower case.
fn is(owner: Option<&str>, author: &str) -> bool {
    owner.is_some_and(|owner| owner.eq_ignore_ascii_case(author))
}

/// A part's heading and what it leads to.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its place in the page.
    pub wire: &'static str,
    /// Its title.
    pub title: &'static str,
    /// All that there are.
    pub total: usize,
    /// Whether the page shows it.
    pub shown: bool,
    /// Something to add to the number.
    pub note: Option<String>,
    /// Address and text of what comes before these rows.
    pub before: Option<String>,
    /// Address of what comes behind them, and how much that is.
    pub behind: Option<(String, usize)>,
}

/// A company to look at, with the reason.
#[derive(Debug, Clone)]
pub struct CompanyRow {
    /// The company.
    pub whose: Whose,
    /// Why.
    pub text: String,
    /// Who looks after it, where the page is everybody's.
    pub owner: Option<String>,
    /// Where it stands.
    pub marks: Vec<Mark>,
}

/// The page of the day.
#[derive(Debug, Template)]
#[template(path = "today.html")]
pub struct TodayPage {
    chrome: Chrome,
    notice: Option<Notice>,
    back: String,
    day: String,
    of: Of,
    mine: String,
    all: String,
    whole: Option<String>,
    no_company: bool,
    /// Whether the visitor is to be told how a company becomes theirs: none is yet, and they have an address.
    owns_none: bool,
    more_open: bool,
    heads: [Head; 7],
    tasks: Vec<TaskRow>,
    alerts: Vec<AlertRow>,
    answers: Vec<AnswerRow>,
    motion: Vec<MotionRow>,
    disagreements: Vec<DisagreementRow>,
    reviews: Vec<CompanyRow>,
    renewals: Vec<CompanyRow>,
}

impl TodayPage {
    /// Builds the page of what is `known` and concerns whom it is for. `of` is whose day it is, `names` those of users.
    pub fn build(
        chrome: Chrome,
        known: &Known,
        names: &Names,
        (query, of): (Query, Of),
        notice: Option<Notice>,
        scene: Scene<'_>,
    ) -> Self {
        let whose = |company: Option<&CompanyId>| company.map(|company| names.whose(company));
        let tasks: Vec<TaskRow> = cases::in_sight(&known.tasks, scene)
            .into_iter()
            .map(|case| cases::task(case, whose(case.place.company.as_ref()), scene))
            .collect();
        let alerts = known.alerts.iter();
        let alerts = alerts.map(|case| cases::alert(case, whose(case.place.company.as_ref()), scene));
        let disagreements = known.disagreements.iter();
        let disagreements =
            disagreements.map(|case| cases::disagreement(case, whose(case.place.company.as_ref()), scene));
        let answers = known.answers.iter().map(|given| {
            let who = names.user(&given.company_id, &given.user_id);
            answer::row(given, names.whose(&given.company_id), &who, None, scene)
        });
        let live: Vec<CompanyView> = known
            .companies
            .iter()
            .filter(|company| company.churned_on.is_none())
            .filter(|company| of == Of::All || is(company.owner.as_deref(), &chrome.author))
            .map(|company| views::company(company, scene.settings, scene.now))
            .collect();
        let overdue = u32::try_from(tasks.iter().filter(|task| task.overdue).count()).unwrap_or(u32::MAX);
        let (tasks, mut of_tasks) = part(Part::Tasks, query, tasks, |row| {
            1_500 + 2 * bytes(&row.note) + 5 * bytes(&row.title) + of_whose(row.whose.as_ref())
        });
        of_tasks.note = (overdue > 0).then(|| format!("{overdue} overdue"));
        let (alerts, of_alerts) = part(Part::Alerts, query, alerts.collect(), |row| {
            850 + bytes(&row.sentence) + of_whose(row.whose.as_ref())
        });
        let (answers, of_answers) = part(Part::Answers, query, answers.collect(), |row| {
            350 + row.comment.as_ref().map_or(0, |comment| bytes(&comment.text)) + of_whose(Some(&row.whose))
        });
        let (motion, of_motion) = part(Part::Motion, query, motion(known, names, scene), |row| {
            900 + 4 * bytes(&row.what) + row.text.as_deref().map_or(0, bytes) + bytes(&row.state)
        });
        let (disagreements, of_disagreements) =
            part(Part::Disagreements, query, disagreements.collect(), |row| {
                1_050 + of_whose(row.whose.as_ref())
            });
        let of_company = |row: &CompanyRow| 250 + bytes(&row.text) + of_whose(Some(&row.whose));
        let (reviews, of_reviews) = part(Part::Reviews, query, reviews(&live, of, scene), of_company);
        let (renewals, of_renewals) = part(Part::Renewals, query, renewals(&live, of, scene), of_company);
        let whole = Query { only: None, skip: 0, ..query };
        Self {
            notice,
            back: query.href(),
            day: scene.today().format("%A, %-d %B").to_string(),
            of,
            mine: Query { of: Some(Of::Mine), ..whole }.href(),
            all: Query { of: Some(Of::All), ..whole }.href(),
            whole: query.only.map(|_| whole.href()),
            no_company: known.companies.is_empty(),
            owns_none: chrome.author.contains('@') && known.owned_by(&chrome.author).is_empty(),
            more_open: known.more,
            heads: [of_tasks, of_alerts, of_answers, of_motion, of_disagreements, of_reviews, of_renewals],
            chrome,
            tasks,
            alerts,
            answers,
            motion,
            disagreements,
            reviews,
            renewals,
        }
    }

    fn head(&self, wire: &str) -> &Head {
        let [first, ..] = &self.heads;
        self.heads.iter().find(|head| head.wire == wire).unwrap_or(first)
    }

    fn is_mine(&self) -> bool {
        self.of == Of::Mine
    }
}

/// Bytes of the link to a company.
fn of_whose(whose: Option<&Whose>) -> usize {
    whose.map_or(0, |whose| 30 + 3 * whose.id.len() + bytes(&whose.name))
}

/// The rows of a part that are shown, and its heading.
fn part<T>(part: Part, query: Query, mut rows: Vec<T>, size: impl Fn(&T) -> usize) -> (Vec<T>, Head) {
    let alone = query.only == Some(part);
    let total = rows.len();
    let skip = if alone { query.skip.min(total) } else { 0 };
    rows.drain(..skip);
    let (most, room) = if alone { (ALONE, ALONE_ROOM) } else { part.share() };
    let shown = query.only.is_none_or(|only| only == part);
    rows.truncate(if shown { fitting(&rows, most, room, size) } else { 0 });
    let end = skip + rows.len();
    let at = |skip| Query { only: Some(part), skip, ..query }.href();
    let head = Head {
        wire: part.wire(),
        title: part.title(),
        total,
        shown,
        note: None,
        before: (skip > 0).then(|| at(skip.saturating_sub(ALONE))),
        behind: (end < total).then(|| (at(if alone { end } else { 0 }), total - end)),
    };
    (rows, head)
}

fn motion(known: &Known, names: &Names, scene: Scene<'_>) -> Vec<MotionRow> {
    let rule = |id: &str| {
        let rule = scene.settings.rules.iter().find(|rule| rule.id.as_str() == id);
        rule.map_or_else(|| format!("rule {id}"), |rule| format!("rule “{}”", rule.name))
    };
    let row = |action: &Action| {
        let user = |user: &UserId| names.user(&action.company_id, user);
        let row = cases::motion(action, Some(names.whose(&action.company_id)), user, rule, scene);
        MotionRow { text: row.text.map(|text| excerpt(&text, TEXT).text), ..row }
    };
    known.actions.iter().map(row).collect()
}

fn company_row(view: &CompanyView, text: String, of: Of) -> CompanyRow {
    let status = view.business_status.as_ref().map(|status| words::status(status.status.value));
    let band = view.engagement.as_ref().map(|engagement| words::standing(engagement.band));
    CompanyRow {
        whose: Whose { id: view.company_id.to_string(), name: view.name.clone() },
        text,
        owner: (of == Of::All).then(|| words::owner(view.owner.as_deref()).to_owned()),
        marks: status.into_iter().chain(band).collect(),
    }
}

/// Statuses that don't count any more, the longest overdue first.
fn reviews(live: &[CompanyView], of: Of, scene: Scene<'_>) -> Vec<CompanyRow> {
    let mut found: Vec<_> = live
        .iter()
        .filter_map(|view| {
            let status = view.business_status.as_ref()?;
            let why = to_be_reviewed(status, scene)?;
            let since = status.handed_over_at.unwrap_or(status.status.review_by).min(status.status.review_by);
            let row = company_row(view, why, of);
            // Only what was said by hand is to be said again.
            let marks = vec![words::status(status.status.value)];
            Some((since, view.name.to_lowercase(), CompanyRow { marks, ..row }))
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().map(|(.., row)| row).collect()
}

/// Contracts that renew soon, the next first.
fn renewals(live: &[CompanyView], of: Of, scene: Scene<'_>) -> Vec<CompanyRow> {
    let today = scene.today();
    let mut found: Vec<_> = live
        .iter()
        .filter_map(|view| {
            let on = view.renewal_on?;
            let days = (on - today).num_days();
            let when = match days {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                days => format!("in {days} days"),
            };
            let notice = view.notice_on.map(|on| format!(", gave notice {}", words::day(on, today)));
            let text = format!("renews {}, {when}{}", words::day(on, today), notice.unwrap_or_default());
            let soon = (0..=RENEWAL_DAYS).contains(&days);
            soon.then(|| (on, view.name.to_lowercase(), company_row(view, text, of)))
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().map(|(.., row)| row).collect()
}
