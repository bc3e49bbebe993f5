//! One company: its three readings, what the score is made of, how it went, and who is behind it.

use askama::Template;
use barometer_cloud::{
    table::{
        actions::Action,
        answers::{Answer, Place, Source},
        cases::Case,
        companies::Company,
        snapshots::Published,
        statuses::StatusChange,
        team::Member as Colleague,
    },
    views::{self, CompanyView, EngagementView},
};
use barometer_domain::{
    CompanyId, Percent, UserId,
    alert::Alert,
    component::Component,
    disagreement::Disagreement,
    month::MonthSnapshot,
    quadrant::HealthAxis,
    settings::MissingPolicy,
    status::{ChangeKind, Stale},
    task::Task,
    week::WeekSnapshot,
    why::Why,
};
use chrono::{NaiveDate, TimeDelta};

use crate::{api::segment, notice::Notice};

use super::{
    Scene,
    cases::{self, AlertRow, DisagreementRow, MotionRow, TaskRow},
    chrome::Chrome,
    concern,
    marks::Marks,
    names::Names,
    people::{self, Person, Requests, UserRow},
    trend::{Chart, WeekRow, chart, week_rows},
    words::{self, Mark},
};

/// Answers that the page lists at most.
const ANSWERS: usize = 50;
/// How far back it lists them.
const LISTED: TimeDelta = TimeDelta::days(90);
/// Members that the form offers as owners at most.
const OWNERS: usize = 50;
/// How long a change of the status can be taken back: as long as its mails wait.
const TAKE_BACK: TimeDelta = TimeDelta::minutes(15);
/// Weights that differ by no more than this, in basis points, are the same to a reader.
const SAME_WEIGHT: u16 = 5;

/// What is stored about a company.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its row of the portfolio.
    pub company: Company,
    /// Its latest weeks, oldest first.
    pub weeks: Vec<Published<WeekSnapshot>>,
    /// Why the latest of them scored otherwise than the one before.
    pub why: Option<Why>,
    /// Its latest months, oldest first.
    pub months: Vec<Published<MonthSnapshot>>,
    /// The names of its users.
    pub names: Names,
    /// Answers since the first of the weeks, oldest first.
    pub answers: Vec<Answer>,
    /// Its status changes, newest first.
    pub changes: Vec<StatusChange>,
    /// Its alerts, resolved ones among them.
    pub alerts: Vec<Case<Alert>>,
    /// Its tasks that are neither done nor cancelled.
    pub tasks: Vec<Case<Task>>,
    /// Its open disagreement.
    pub disagreements: Vec<Case<Disagreement>>,
    /// What rules did about it lately, or are about to, oldest first.
    pub actions: Vec<Action>,
    /// Its users, as the API shows them; the first of them.
    pub users: Vec<Person>,
    /// How many it has.
    pub users_total: usize,
    /// Who may own it: the members of the workspace. Nothing for who can't change that.
    pub team: Vec<Colleague>,
}

/// A reading in large.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its number, when it has one.
    pub score: Option<u8>,
    /// Its label.
    pub mark: Mark,
    /// What else is to be said, a line each.
    pub lines: Vec<String>,
    /// What is to be noticed about it.
    pub warning: Option<String>,
}

/// A component of the score.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// The weight as set.
    pub weight: String,
    /// The weight that it counts with, where another one is missing.
    pub counts_as: Option<String>,
    /// The value, or what a missing one counted as.
    pub value: Option<String>,
    /// The contribution.
    pub contribution: Option<String>,
    /// The counts, or why there is no value.
    pub behind: String,
}

/// The score as a sum.
#[derive(Debug, Clone)]
pub struct Breakdown {
    /// The week.
    pub week: String,
    /// The components.
    pub parts: Vec<Part>,
    /// The sum as it is.
    pub score: Option<String>,
    /// The sum as it is shown.
    pub shown: Option<u8>,
    /// The band.
    pub band: &'static str,
    /// How much of the total weight is known.
    pub coverage: String,
}

/// A month.
#[derive(Debug, Clone)]
pub struct MonthRow {
    /// `2026-09`.
    pub month: String,
    /// The shown score.
    pub score: Option<u8>,
    /// The band.
    pub band: Mark,
    /// The weeks that went in: `3 of 4 weeks`.
    pub weeks: String,
    /// Whether it can still change.
    pub provisional: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct AnswerRow {
    /// The day.
    pub day: String,
    /// Who.
    pub who: String,
    /// What they gave: `8 of 10`.
    pub rating: String,
    /// What they wrote.
    pub comment: Option<String>,
    /// Where.
    pub source: &'static str,
    /// Its id.
    pub id: String,
    /// Why it doesn't count.
    pub void: Option<String>,
}

/// A change of the status.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// The day.
    pub day: String,
    /// The status that was set.
    pub mark: Mark,
    /// What it was before, or that it was confirmed.
    pub what: String,
    /// Who.
    pub author: String,
    /// Why.
    pub note: String,
}

/// The page of a company.
#[derive(Debug, Template)]
#[template(path = "company.html")]
pub struct CompanyPage {
    chrome: Chrome,
    notice: Option<Notice>,
    path: String,
    back: String,
    name: String,
    form: Form,
    owners: Vec<(String, String)>,
    requests: Requests,
    cadence: i64,
    take_back: Option<Mark>,
    facts: Vec<String>,
    reasons: Vec<String>,
    status: Reading,
    engagement: Reading,
    happiness: Reading,
    cell: &'static str,
    meaning: &'static str,
    next_step: &'static str,
    axis: Option<&'static str>,
    breakdown: Option<Breakdown>,
    chart: Option<Chart>,
    weeks: Vec<WeekRow>,
    months: Vec<MonthRow>,
    users: Vec<UserRow>,
    users_total: usize,
    users_more: usize,
    answers: Vec<AnswerRow>,
    answers_more: usize,
    changes: Vec<ChangeRow>,
    alerts: Vec<AlertRow>,
    tasks: Vec<TaskRow>,
    disagreements: Vec<DisagreementRow>,
    motion: Vec<MotionRow>,
}

impl CompanyPage {
    /// Builds the page. `notice` is what it says first.
    pub fn build(chrome: Chrome, known: &Known, notice: Option<Notice>, scene: Scene<'_>) -> Self {
        let view = views::company(&known.company, scene.settings, scene.now);
        let path = format!("/companies/{}", segment(known.company.company_id.as_str()));
        let tasks = cases::in_sight(&known.tasks, scene);
        let alerts = known.alerts.iter().map(|case| &case.content);
        let marks = Marks::gather(&known.changes, &known.answers, alerts, scene.zone());
        let listed: Vec<&Answer> =
            known.answers.iter().filter(|answer| answer.at >= scene.now - LISTED).collect();
        Self {
            chrome,
            notice,
            back: path.clone(),
            path,
            form: form(&view, known.company.status_version),
            owners: owners(&known.team),
            requests: people::requests(&view, &known.users, scene),
            cadence: scene.settings.cadence_days.duration().num_days(),
            take_back: take_back(&known.company, &known.changes, scene),
            disagreements: known
                .disagreements
                .iter()
                .map(|case| cases::disagreement(case, None, scene))
                .collect(),
            motion: motion(known, scene),
            name: view.name.clone(),
            facts: facts(&view, scene),
            reasons: concern::reasons(&view, scene),
            status: status(&view, scene),
            engagement: engagement(&view, known.why.as_ref(), scene),
            happiness: happiness(&view, scene),
            cell: view.quadrant.label(),
            meaning: view.quadrant.meaning(),
            next_step: view.quadrant.next_step(),
            axis: view.health_axis.map(|axis| match axis {
                HealthAxis::BusinessStatus => "Business status, which is set and fresh, stands for health.",
                HealthAxis::Engagement => "No fresh business status is set, so engagement stands for health.",
            }),
            breakdown: view.engagement.as_ref().map(|it| breakdown(it, &known.weeks, scene)),
            chart: chart(&known.weeks, scene.settings.bands, &marks),
            weeks: week_rows(&known.weeks, &marks),
            months: months(&known.months, scene),
            users: people::rows(&known.users, scene),
            users_total: known.users_total,
            users_more: known.users_total.saturating_sub(known.users.len()),
            answers: answers(&known.company.company_id, &listed, &known.names, scene),
            answers_more: listed.len().saturating_sub(ANSWERS),
            changes: known.changes.iter().map(|change| change_row(change, scene)).collect(),
            alerts: known
                .alerts
                .iter()
                .filter(|case| case.content.is_live())
                .map(|case| cases::alert(case, None, scene))
                .collect(),
            tasks: tasks.into_iter().map(|case| cases::task(case, None, scene)).collect(),
        }
    }

    /// What the visitor wrote in a form that was refused.
    fn note(&self) -> &str {
        self.notice.as_ref().map_or("", |notice| &notice.note)
    }

    /// Whether this label is that of the status that is set.
    fn stands(&self, label: &str) -> bool {
        self.status.mark.label == label
    }

    fn keeps_note(&self) -> bool {
        self.notice.as_ref().is_some_and(|notice| notice.problem)
    }
}

/// What of a company its form shows.
#[derive(Debug, Clone)]
pub struct Form {
    /// Its name.
    pub name: String,
    /// Who looks after it.
    pub owner: String,
    /// Its plan.
    pub plan: String,
    /// The day on which it renews.
    pub renewal_on: String,
    /// The day on which it gave notice.
    pub notice_on: String,
    /// The day on which it was lost.
    pub churned_on: String,
    /// Its tags.
    pub tags: String,
    /// The version of its status.
    pub seen: u32,
}

fn form(view: &CompanyView, seen: u32) -> Form {
    let day = |on: Option<NaiveDate>| on.map(|on| on.to_string()).unwrap_or_default();
    Form {
        name: view.name.clone(),
        owner: view.owner.clone().unwrap_or_default(),
        plan: view.plan.clone().unwrap_or_default(),
        renewal_on: day(view.renewal_on),
        notice_on: day(view.notice_on),
        churned_on: day(view.churned_on),
        tags: view.tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        seen,
    }
}

/// Addresses and names to choose the owner from, by name.
fn owners(team: &[Colleague]) -> Vec<(String, String)> {
    let mut owners: Vec<_> =
        team.iter().map(|member| (member.email.to_string(), member.name.clone())).collect();
    owners.sort_by_cached_key(|(email, name)| (name.to_lowercase(), email.clone()));
    owners.truncate(OWNERS);
    owners
}

/// The status before the latest change, while the change can be taken back with all that it set in motion.
fn take_back(company: &Company, changes: &[StatusChange], scene: Scene<'_>) -> Option<Mark> {
    // The one that stands: two of the same instant lie in any order.
    let latest = changes.iter().find(|change| company.status.as_ref() == Some(&change.status))?;
    let fresh = latest.kind == ChangeKind::Transition && scene.now < latest.status.set_at + TAKE_BACK;
    latest.from.filter(|_| fresh).map(words::status)
}

/// The statuses as the form offers them, the best first.
const STATUS_CHOICES: [(&str, &str); 4] =
    [("thriving", "Thriving"), ("healthy", "Healthy"), ("steady", "Steady"), ("struggling", "Struggling")];

fn motion(known: &Known, scene: Scene<'_>) -> Vec<MotionRow> {
    let name = |user: &UserId| known.names.user(&known.company.company_id, user);
    let rule = |id: &str| {
        let rule = scene.settings.rules.iter().find(|rule| rule.id.as_str() == id);
        rule.map_or_else(|| format!("rule {id}"), |rule| format!("rule “{}”", rule.name))
    };
    known.actions.iter().rev().map(|action| cases::motion(action, None, name, rule, scene)).collect()
}

fn facts(view: &CompanyView, scene: Scene<'_>) -> Vec<String> {
    let today = scene.today();
    let mut facts = vec![format!("Id {}", view.company_id)];
    facts.extend(view.plan.as_ref().map(|plan| format!("Plan {plan}")));
    facts.extend(view.owner.as_ref().map(|owner| format!("Owner {owner}")));
    facts.push(format!("Customer since {}", scene.day(view.created_at)));
    facts.extend(view.renewal_on.map(|on| format!("Renews {}", words::day(on, today))));
    facts.extend(view.notice_on.map(|on| format!("Gave notice {}", words::day(on, today))));
    facts.extend(view.churned_on.map(|on| format!("Lost {}", words::day(on, today))));
    facts.extend(view.last_seen_at.map(|at| format!("Last seen {}", scene.day(at))));
    facts
}

fn status(view: &CompanyView, scene: Scene<'_>) -> Reading {
    let Some(set) = &view.business_status else {
        let mark = Mark { class: "lx", label: "Not set" };
        let lines = vec!["Nobody has set a business status yet.".to_owned()];
        return Reading { score: None, mark, lines, warning: None };
    };
    let status = &set.status;
    let mut lines = vec![
        format!("Set {} by {}", scene.day(status.set_at), status.author),
        format!("Review by {}", scene.day(status.review_by)),
    ];
    if !status.note.is_empty() {
        lines.insert(0, format!("“{}”", status.note));
    }
    let warning = set.stale_because.map(|because| match (because, set.handed_over_at) {
        (Stale::HandedOver, Some(at)) => {
            let owner = view.owner.as_ref().map_or_else(
                || format!("it has had no owner since {}", scene.day(at)),
                |owner| format!("{owner} took over on {}", scene.day(at)),
            );
            format!("Stale: {owner}, and it doesn't count until it is set or confirmed again.")
        }
        _ => "Stale: the review is overdue, so it doesn't count at present.".to_owned(),
    });
    Reading { score: None, mark: words::status(status.value), lines, warning }
}

fn engagement(view: &CompanyView, why: Option<&Why>, scene: Scene<'_>) -> Reading {
    let Some(score) = &view.engagement else {
        let mark = Mark { class: "lx", label: "Not scored yet" };
        let lines = vec!["The first score comes when its first week has ended.".to_owned()];
        return Reading { score: None, mark, lines, warning: None };
    };
    let mut lines = Vec::new();
    lines.push(match score.change() {
        Some(change) => format!("{} · {} against the week before", score.week, words::change(change)),
        None => format!("{} · no score the week before", score.week),
    });
    lines.extend(why.map(reason));
    lines.push(format!(
        "{} % of the weight known · {} confidence",
        score.coverage.shown(),
        words::confidence(score.confidence)
    ));
    if let Some(band) = score.month_band {
        let shown = score.month_score.map(|score| format!("{} ", score.shown())).unwrap_or_default();
        let short = if score.month_score.is_none() { ", fewer than two scored weeks" } else { "" };
        lines.push(format!("Month {}: {shown}{}{short}", score.month, band.label()));
    }
    let warning = score.provisional.then(|| {
        let end = score.week.grace_end(scene.zone());
        format!("Provisional: late events count until {}.", scene.day(end))
    });
    Reading { score: score.shown, mark: words::standing(score.band), lines, warning }
}

/// `Why it changed since 2026-W35: 72 → 58: login −9 (3 of 8 users active, was 6)`.
fn reason(why: &Why) -> String {
    let label = match why.from_score.zip(why.to_score) {
        Some((from, to)) if from.shown() != to.shown() => "Why it changed since",
        _ => "Since",
    };
    format!("{label} {}: {}", why.from, why.sentence)
}

fn happiness(view: &CompanyView, scene: Scene<'_>) -> Reading {
    let happiness = &view.happiness;
    let mut lines = Vec::new();
    if happiness.score.is_some() {
        let oldest = happiness.oldest_answer_at.map(|at| format!(" · oldest {}", scene.day(at)));
        lines.push(format!("{}{}", words::count(happiness.answers, "answer"), oldest.unwrap_or_default()));
    } else {
        lines.push(format!("No answer in the last {} days", scene.settings.answer_age_days));
    }
    lines.push(match happiness.response_rate {
        Some(rate) => format!("{} % of those asked answered", rate.shown()),
        None => format!("No request delivered in the last {} days", scene.settings.answer_age_days),
    });
    if let Some(nps) = &happiness.nps {
        let text = format!("NPS {:.0}, between {:.0} and {:.0}", nps.value, nps.low, nps.high);
        lines.push(text.replace('-', "−"));
    }
    let warning = if happiness.silent {
        Some("Silent: asked at least twice, and nobody has answered.".to_owned())
    } else if happiness.provisional && happiness.score.is_some() {
        Some("Provisional: fewer than three answers.".to_owned())
    } else {
        None
    };
    let score = happiness.score.map(Percent::shown);
    Reading { score, mark: words::level(happiness.level), lines, warning }
}

fn breakdown(score: &EngagementView, weeks: &[Published<WeekSnapshot>], scene: Scene<'_>) -> Breakdown {
    let settings = scene.settings;
    let policy = weeks
        .iter()
        .find(|week| week.snapshot.period == score.week)
        .map_or(settings.missing_policy, |week| week.snapshot.missing_policy);
    let parts = &score.components;
    let weights = [
        (parts.login.weight, parts.login.value.is_some()),
        (parts.adoption.weight, parts.adoption.value.is_some()),
        (parts.feedback.weight, parts.feedback.value.is_some()),
    ];
    let counted = weights
        .iter()
        .filter(|(_, present)| *present || policy.substitute().is_some())
        .map(|(weight, _)| u128::from(weight.basis_points()))
        .sum();
    let age = settings.answer_age_days.get();
    Breakdown {
        week: score.week.to_string(),
        parts: vec![
            part("Login activity", &parts.login, words::logins(parts.login.counts), policy, counted, age),
            part(
                "Product adoption",
                &parts.adoption,
                words::adoption(parts.adoption.counts),
                policy,
                counted,
                age,
            ),
            part("Feedback", &parts.feedback, words::answers(parts.feedback.counts), policy, counted, age),
        ],
        score: score.score.map(words::number),
        shown: score.shown,
        band: score.band.label(),
        coverage: words::number(score.coverage),
    }
}

fn part<C>(
    name: &'static str,
    component: &Component<C>,
    counts: String,
    policy: MissingPolicy,
    counted: u128,
    answer_age: u16,
) -> Part {
    let substitute = policy.substitute();
    let value = match component.value {
        Some(value) => Some(words::number(value)),
        None => substitute.map(|value| format!("missing, counted as {}", words::number(value))),
    };
    let weighs =
        value.as_ref().and_then(|_| Percent::ratio(u128::from(component.weight.basis_points()), counted));
    let counts_as = weighs
        .filter(|weighs| weighs.basis_points().abs_diff(component.weight.basis_points()) > SAME_WEIGHT)
        .map(words::number);
    let behind = match component.missing {
        Some(missing) => words::missing(missing, answer_age),
        None => counts,
    };
    Part {
        name,
        weight: words::number(component.weight),
        counts_as,
        value,
        contribution: component.contribution.map(words::number),
        behind,
    }
}

fn months(months: &[Published<MonthSnapshot>], scene: Scene<'_>) -> Vec<MonthRow> {
    months
        .iter()
        .rev()
        .map(|month| {
            let snapshot = &month.snapshot;
            let scored = snapshot.weeks.iter().filter(|week| week.score.is_some()).count();
            MonthRow {
                month: snapshot.period.to_string(),
                score: snapshot.shown,
                band: words::standing(snapshot.band),
                weeks: format!("{scored} of {} weeks", snapshot.period.weeks().len()),
                provisional: scene.now < snapshot.period.last_week().grace_end(scene.zone()),
            }
        })
        .collect()
}

fn answers(company: &CompanyId, answers: &[&Answer], names: &Names, scene: Scene<'_>) -> Vec<AnswerRow> {
    let newest = answers.iter().rev().take(ANSWERS);
    newest
        .map(|answer| AnswerRow {
            day: scene.day(answer.at),
            who: names.user(company, &answer.user_id),
            rating: answer.rating.to_string(),
            comment: answer.comment.clone().filter(|comment| !comment.trim().is_empty()),
            source: match answer.source {
                Source::Mail => "by mail",
                Source::Event | Source::Api => "in the product",
            },
            id: Place::of(company, answer).id(),
            void: answer.void.as_ref().map(|void| void.reason.clone()),
        })
        .collect()
}

fn change_row(change: &StatusChange, scene: Scene<'_>) -> ChangeRow {
    let what = match (change.kind, change.from) {
        (ChangeKind::Confirmation, _) => "confirmed".to_owned(),
        (ChangeKind::Transition, Some(from)) => format!("was {}", from.label()),
        (ChangeKind::Transition, None) => "first set".to_owned(),
    };
    ChangeRow {
        day: scene.day(change.status.set_at),
        mark: words::status(change.status.value),
        what,
        author: change.status.author.clone(),
        note: change.status.note.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use barometer_domain::component::{AdoptionCounts, FeedbackCounts, LoginCounts, Missing, Reading, weigh};

    fn page(company: Company) -> CompanyPage {
        let settings = samples::settings();
        let known = Known {
            company,
            weeks: Vec::new(),
            why: None,
            months: Vec::new(),
            names: Names::default(),
            answers: Vec::new(),
            changes: Vec::new(),
            alerts: Vec::new(),
            tasks: Vec::new(),
            disagreements: Vec::new(),
            actions: Vec::new(),
            users: Vec::new(),
            users_total: 0,
            team: Vec::new(),
        };
        CompanyPage::build(samples::chrome(&settings), &known, None, samples::scene(&settings))
    }

    #[test]
    fn a_missing_component_says_why_and_the_others_weigh_more() {
        let weighed = weigh(
            &samples::settings(),
            Reading {
                value: Ok(Percent::HALF),
                counts: LoginCounts { users: 2, active_users: 1, active_days: 1 },
            },
            Reading { value: Ok(Percent::whole(10)), counts: AdoptionCounts::default() },
            Reading { value: Err(Missing::NoAnswers), counts: FeedbackCounts::default() },
        );
        let mut engagement = samples::engagement(&[30]);
        engagement.components = weighed.components;
        engagement.coverage = weighed.coverage;
        engagement.score = weighed.score;
        engagement.shown = weighed.score.map(Percent::shown);
        let page = page(Company { engagement: Some(engagement), ..samples::stored("acme") });
        let breakdown = page.breakdown.unwrap();
        let [login, _, feedback] = breakdown.parts.as_slice() else { panic!("three parts") };
        assert_eq!(login.behind, "1 of 2 users active");
        assert_eq!(login.counts_as.as_deref(), Some("50"));
        assert_eq!(login.contribution.as_deref(), Some("25"));
        assert_eq!(feedback.value, None);
        assert_eq!(feedback.contribution, None);
        assert_eq!(feedback.behind, "nobody has answered in the last 90 days");
        assert_eq!(breakdown.score.as_deref(), Some("30"));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let page = page(samples::stored("new"));
        assert_eq!(page.engagement.mark.label, "Not scored yet");
        assert_eq!(page.status.mark.label, "Not set");
        let html = page.render().unwrap();
        assert!(html.contains("No answer in the last 90 days"));
        assert!(html.contains("The first score comes when its first week has ended."));
    }
}
