//! From a rule and what happened to what is to be done.

use std::{borrow::Cow, collections::BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Action, AutomationRule, MailText, Occurrence, Values, fill};
use crate::{
    UserId, Zone,
    follow_up::{Priority, business_days},
    language::Language,
    text,
};

/// Longest title and subject once filled in, in characters.
const LONGEST_LINE: usize = 300;

/// Somebody at the company who can be mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub user_id: UserId,
    /// Their name, when known.
    pub name: Option<String>,
    /// The language in which they are written to.
    pub language: Language,
}

/// The company that a rule acts on.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Its name.
    pub company: &'a str,
    /// The CSM who looks after it, by e-mail address or name.
    pub owner: Option<&'a str>,
    /// When its contract renews.
    pub renewal_on: Option<NaiveDate>,
    /// Whom a mail goes to; nobody when nobody can be mailed.
    pub contacts: &'a [Contact],
    /// The product's name.
    pub product: &'a str,
    /// The workspace's language: of texts that don't say theirs.
    pub language: Language,
    /// The zone of the CSM: the workspace's.
    pub zone: Zone,
}

/// What is to be done, ready but for addresses and secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "WantedAction")]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Wanted {
    /// A mail to one user.
    Email {
        /// To whom; nobody at the company can be mailed when there is nobody.
        user_id: Option<UserId>,
        /// The subject.
        subject: String,
        /// The text.
        text: String,
        /// The language of both.
        #[serde(default)]
        language: Language,
        /// In whose name: the owner.
        csm: Option<String>,
    },
    /// A task.
    Task {
        /// What is to be done, in one line.
        title: String,
        /// How urgent.
        priority: Priority,
        /// Until when.
        due_at: DateTime<Utc>,
        /// Who is to do it.
        assignee: Option<String>,
    },
    /// What happened, posted to an endpoint.
    Webhook {
        /// The endpoint's id.
        endpoint: String,
    },
    /// A note to a chat.
    Chat {
        /// The endpoint's id.
        endpoint: String,
        /// The note.
        text: String,
    },
    /// Tags of the company.
    Tag {
        /// These come.
        add: BTreeSet<String>,
        /// These go.
        remove: BTreeSet<String>,
    },
}

/// One thing that is to be done, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Planned {
    /// What.
    #[serde(rename = "action")]
    pub wanted: Wanted,
    /// When; nothing when somebody must approve it first.
    pub due_at: Option<DateTime<Utc>>,
}

/// Rule: what a rule does about something that happened. A mail goes to every contact by itself, in their language where its
/// text exists in it; where nobody can be mailed, the rule's tasks say so. `now` is when it is planned: the time to undo a mail begins there.
pub fn plan(
    rule: &AutomationRule,
    occurrence: &Occurrence,
    subject: &Subject<'_>,
    now: DateTime<Utc>,
) -> Vec<Planned> {
    let (from, to) = occurrence.happened.labels();
    let values = Values {
        language: subject.language,
        company: subject.company,
        contact: None,
        csm: csm_name(subject.owner.unwrap_or(subject.product)),
        product: subject.product,
        from,
        to,
        renewal_on: subject.renewal_on.map(|day| day.to_string()).unwrap_or_default(),
    };
    let nobody = rule.mails() && subject.contacts.is_empty();
    rule.actions
        .iter()
        .flat_map(|action| match action {
            Action::Email { subject: line, text, language, translations, undo_minutes, approval } => {
                let due_at = now + TimeDelta::minutes(i64::from(*undo_minutes));
                let written = language.unwrap_or(subject.language);
                let mail = |contact: Option<&Contact>| {
                    let name = contact.and_then(|contact| contact.name.as_deref()).and_then(text::greetable);
                    let spoken = contact.map_or(written, |contact| contact.language);
                    let translated = translations.get(&spoken).filter(|_| spoken != written);
                    let (language, line, text) = match translated {
                        Some(MailText { subject, text }) => (spoken, subject, text),
                        None => (written, line, text),
                    };
                    let values = Values { language, contact: name.map(Cow::Owned), ..values.clone() };
                    Planned {
                        wanted: Wanted::Email {
                            user_id: contact.map(|contact| contact.user_id.clone()),
                            subject: text::one_line(&fill(line, &values), LONGEST_LINE),
                            text: fill(text, &values),
                            language,
                            csm: subject.owner.map(str::to_owned),
                        },
                        due_at: Some(due_at).filter(|_| !approval || contact.is_none()),
                    }
                };
                match subject.contacts {
                    [] => vec![mail(None)],
                    contacts => contacts.iter().map(|contact| mail(Some(contact))).collect(),
                }
            }
            Action::Task { title, priority, due_in_days, assignee } => {
                let mut title = fill(title, &values);
                if nobody {
                    title.push_str(" (nobody there can be mailed)");
                }
                let wanted = Wanted::Task {
                    title: text::one_line(&title, LONGEST_LINE),
                    priority: *priority,
                    due_at: business_days(occurrence.at, *due_in_days, subject.zone),
                    assignee: assignee.clone().or_else(|| subject.owner.map(str::to_owned)),
                };
                vec![Planned { wanted, due_at: Some(now) }]
            }
            Action::Webhook { endpoint } => {
                vec![Planned { wanted: Wanted::Webhook { endpoint: endpoint.clone() }, due_at: Some(now) }]
            }
            Action::Chat { endpoint, text } => {
                let wanted = Wanted::Chat { endpoint: endpoint.clone(), text: fill(text, &values) };
                vec![Planned { wanted, due_at: Some(now) }]
            }
            Action::Tag { add, remove } => {
                let wanted = Wanted::Tag { add: add.clone(), remove: remove.clone() };
                vec![Planned { wanted, due_at: Some(now) }]
            }
        })
        .collect()
}

/// How a CSM is named in a text: `Ada Lovelace` of `ada.lovelace@acme.example`; what is no address stays.
pub fn csm_name(csm: &str) -> Cow<'_, str> {
    let Some((local, _)) = csm.split_once('@') else { return Cow::Borrowed(csm) };
    let local = local.split_once('+').map_or(local, |(local, _)| local);
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>())
    };
    let words: Vec<String> = local.split(['.', '_', '-']).filter_map(capital).collect();
    if words.is_empty() { Cow::Borrowed(csm) } else { Cow::Owned(words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::automation::{Happened, defaults};

    /// What the first contact is written by the rule that is on from the start, with and without a change of it.
    fn written(
        spoken: Language,
        workspace: Language,
        change: impl FnOnce(&mut Action),
    ) -> (Language, String, String) {
        let mut rule = defaults().remove(0);
        change(&mut rule.actions[0]);
        let contacts = [Contact { user_id: UserId::new("ada").unwrap(), name: None, language: spoken }];
        let subject = Subject {
            company: "Acme",
            owner: Some("cleo@initech.example"),
            renewal_on: None,
            contacts: &contacts,
            product: "Rocket",
            language: workspace,
            zone: Zone::default(),
        };
        let at = DateTime::UNIX_EPOCH;
        let occurrence = Occurrence { happened: Happened::ReviewOverdue, period: String::new(), at };
        match plan(&rule, &occurrence, &subject, at).remove(0).wanted {
            Wanted::Email { language, subject, text, .. } => (language, subject, text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_mail_that_is_on_from_the_start_speaks_its_readers_language_throughout() {
        for workspace in Language::ALL {
            let (language, subject, text) = written(Language::German, workspace, |_| {});
            assert_eq!((language, subject.as_str()), (Language::German, "Wie können wir helfen?"));
            assert!(text.starts_with("Guten Tag,\n\nich betreue Acme bei Rocket"), "{text}");
            assert!(text.trim_end().ends_with("Cleo"), "{text}");
            let (language, subject, text) = written(Language::English, workspace, |_| {});
            assert_eq!((language, subject.as_str()), (Language::English, "How can we help?"));
            assert!(text.starts_with("Hi there,"), "{text}");
        }
    }

    #[test]
    fn a_text_that_exists_in_one_language_only_is_in_that_or_the_workspaces() {
        let plain = |said: Option<Language>| {
            move |action: &mut Action| {
                if let Action::Email { language, translations, .. } = action {
                    (*language, *translations) = (said, BTreeMap::new());
                }
            }
        };
        use Language::{English, German};
        assert_eq!(written(German, German, plain(Some(English))).0, English);
        assert_eq!(written(German, English, plain(None)).0, English);
        assert_eq!(written(English, German, plain(None)).0, German);
    }
}
