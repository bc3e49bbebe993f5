//! The rules that a workspace begins with, and others to choose from.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, AutomationRule, Conditions, MailText, RuleId, Trigger};
use crate::{alert, band::Band, follow_up::Priority, happiness::Level, language::Language, status::Status};

/// What a company hears whose business struggles.
const SUPPORT: &str = "Hi {{contact}},\n\n\
    I look after {{company}} at {{product}}, and I want to make sure that you get everything out of it that you need at the \
    moment.\n\n\
    Is there anything that we can take off your hands, or something that should work differently for you right now? Just \
    reply to this mail: it reaches me directly.\n\n\
    Best wishes,\n{{csm}}\n";

/// The same in German.
const SUPPORT_IN_GERMAN: &str = "Guten Tag {{contact}},\n\n\
    ich betreue {{company}} bei {{product}} und möchte sicherstellen, dass Sie im Moment alles davon haben, was Sie \
    brauchen.\n\n\
    Können wir Ihnen etwas abnehmen, oder sollte gerade etwas anders für Sie laufen? Antworten Sie einfach auf diese \
    E-Mail: Ihre Antwort erreicht mich direkt.\n\n\
    Beste Grüße\n{{csm}}\n";

/// The rules that are on from the start: to *Struggling* → a supportive e-mail that can be undone for 15 minutes, and a
/// high-priority task due on the next business day.
pub fn defaults() -> Vec<AutomationRule> {
    let actions = vec![
        Action::Email {
            subject: "How can we help?".to_owned(),
            text: SUPPORT.to_owned(),
            language: Some(Language::English),
            translations: BTreeMap::from([(
                Language::German,
                MailText {
                    subject: "Wie können wir helfen?".to_owned(), text: SUPPORT_IN_GERMAN.to_owned()
                },
            )]),
            undo_minutes: 15,
            approval: false,
        },
        task("{{company}} is struggling: call them and agree on what helps", Priority::High, 1),
    ];
    let to = BTreeSet::from([Status::Struggling]);
    let trigger = Trigger::Status { from: BTreeSet::new(), to };
    rule("struggling", "Support a customer who struggles", trigger, actions).into_iter().collect()
}

/// Rules to choose from. They do nothing until a workspace takes them over.
pub fn presets() -> Vec<AutomationRule> {
    let any = BTreeSet::new;
    let drops = BTreeSet::from([
        alert::Rule::EngagementSuddenDrop,
        alert::Rule::EngagementSustainedDrop,
        alert::Rule::HappinessSuddenDrop,
    ]);
    let offers = [
        rule(
            "at-risk",
            "Look into a company at risk",
            Trigger::Engagement { from: any(), to: BTreeSet::from([Band::AtRisk]) },
            vec![task("{{company}} uses the product very little: find out why", Priority::High, 1)],
        ),
        rule(
            "unhappy",
            "Talk to an unhappy company",
            Trigger::Happiness { from: BTreeSet::new(), to: BTreeSet::from([Level::NotHappy]) },
            vec![task("{{company}} is not happy: talk to the people who said so", Priority::High, 1)],
        ),
        rule(
            "drop",
            "Look into a sudden change",
            Trigger::Alert { rules: drops },
            vec![task("{{company}}: {{to}}. Find out what happened", Priority::Normal, 2)],
        ),
        rule(
            "first-login",
            "Help a new company to begin",
            Trigger::Alert { rules: BTreeSet::from([alert::Rule::NoLoginFirst7Days]) },
            vec![task("{{company}} hasn't begun: offer a first session", Priority::High, 1)],
        ),
        rule(
            "promoter",
            "Ask a promoter for a reference",
            Trigger::Answer { at_most: None, at_least: Some(9) },
            vec![task(
                "Somebody at {{company}} would recommend you: ask for a reference",
                Priority::Normal,
                5,
            )],
        ),
        rule(
            "recovered",
            "Notice a recovery",
            Trigger::Status {
                from: BTreeSet::from([Status::Struggling]),
                to: BTreeSet::from([Status::Healthy, Status::Thriving]),
            },
            vec![task(
                "{{company}} went from {{from}} to {{to}}: write down what helped",
                Priority::Normal,
                5,
            )],
        ),
        rule(
            "review",
            "Review a status that is out of date",
            Trigger::ReviewOverdue {},
            vec![task("Look again at the business status of {{company}}", Priority::Normal, 2)],
        ),
        rule(
            "renewal",
            "Prepare a renewal",
            Trigger::Renewal { days: 60 },
            vec![task("{{company}} renews on {{renewal_on}}: prepare the talk", Priority::Normal, 5)],
        ),
    ];
    offers.into_iter().flatten().collect()
}

/// Nothing when the id can't be one, which a test sees.
fn rule(id: &str, name: &str, trigger: Trigger, actions: Vec<Action>) -> Option<AutomationRule> {
    Some(AutomationRule {
        id: RuleId::new(id).ok()?,
        name: name.to_owned(),
        enabled: true,
        trigger,
        conditions: Conditions::default(),
        actions,
        cooldown_days: 30,
    })
}

fn task(title: &str, priority: Priority, due_in_days: u8) -> Action {
    Action::Task { title: title.to_owned(), priority, due_in_days, assignee: None }
}
