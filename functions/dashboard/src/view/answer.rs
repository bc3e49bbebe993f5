//! An answer among those of several companies: the rows that the inbox and the page of the day show alike.

use barometer_cloud::table::{
    answers::{Source, Void},
    cases::Case,
};
use barometer_domain::{
    CompanyId, UserId,
    answer::Rating,
    follow_up,
    task::{State, Task},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    Scene,
    cases::Whose,
    room::{self, Excerpt},
};

/// Bytes of a comment in a list.
const COMMENT: usize = 700;

/// A page of the API's inbox.
#[derive(Debug, Default, Deserialize)]
pub struct Given {
    /// The answers, the newest first.
    pub items: Vec<Answer>,
    /// Where the older ones begin.
    pub next_cursor: Option<String>,
}

/// An answer, as far as the pages read the API's.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    id: String,
    /// The company.
    pub company_id: CompanyId,
    /// Who answered.
    pub user_id: UserId,
    #[serde(flatten)]
    rating: Rating,
    comment: Option<String>,
    at: DateTime<Utc>,
    source: Source,
    void: Option<Void>,
}

impl Answer {
    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.void.is_none()
    }

    /// Whether a task was made of it: a low rating, or a question in its comment.
    pub fn asks_for_somebody(&self) -> bool {
        self.rating.is_detractor() || self.comment.as_deref().is_some_and(follow_up::asks)
    }
}

/// What became of the task that an answer asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// How far it is.
    pub text: String,
    /// Whether it waits on the page of the company.
    pub open: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct AnswerRow {
    /// Its id.
    pub id: String,
    /// The company.
    pub whose: Whose,
    /// Who answered.
    pub who: String,
    /// What they gave: `8 of 10`.
    pub rating: String,
    /// Style and word for whoever would recommend the product, or wouldn't.
    pub mark: Option<(&'static str, &'static str)>,
    /// What they wrote.
    pub comment: Option<Excerpt>,
    /// The local day and time.
    pub at: String,
    /// Where.
    pub source: &'static str,
    /// Why it doesn't count, and who said so.
    pub void: Option<String>,
    /// The task that it asked for.
    pub follow_up: Option<FollowUp>,
}

/// Builds a row.
pub fn row(
    answer: &Answer,
    whose: Whose,
    who: &str,
    task: Option<&Case<Task>>,
    scene: Scene<'_>,
) -> AnswerRow {
    let comment = answer.comment.as_deref().map(str::trim).filter(|comment| !comment.is_empty());
    AnswerRow {
        id: answer.id.clone(),
        whose,
        who: who.to_owned(),
        rating: answer.rating.to_string(),
        mark: match (answer.rating.is_promoter(), answer.rating.is_detractor()) {
            (true, _) => Some(("up", "Advocate")),
            (_, true) => Some(("dn", "Detractor")),
            _ => None,
        },
        comment: comment.map(|comment| room::excerpt(comment, COMMENT)),
        at: format!("{}, {}", scene.day(answer.at), scene.zone().local(answer.at).format("%H:%M")),
        source: match answer.source {
            Source::Mail => "by mail",
            Source::Event | Source::Api => "in the product",
        },
        void: answer.void.as_ref().map(|void| format!("{} ({})", void.reason, void.by)),
        follow_up: task.map(|task| follow_up_of(&task.content, scene)),
    }
}

fn follow_up_of(task: &Task, scene: Scene<'_>) -> FollowUp {
    let ended = |what: &str| {
        let at = task.closed_at.map(|at| format!(" {}", scene.day(at))).unwrap_or_default();
        let by = task.closed_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{what}{at}{by}")
    };
    let text = match task.state {
        State::Open | State::Snoozed { .. } => {
            let late = if task.is_overdue(scene.now) { ", overdue" } else { "" };
            let by = task.assignee.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
            format!("open, due {}{late}{by}", scene.day(task.due_at))
        }
        State::Done => ended("done"),
        State::Cancelled => ended("dropped"),
    };
    FollowUp { text, open: task.is_live() }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn answer(json: &str) -> Answer {
        let common =
            r#""id":"x","company_id":"acme","user_id":"ada","at":"2026-09-08T09:05:00Z","source":"mail""#;
        serde_json::from_str(&format!("{{{common},{json}}}")).unwrap()
    }

    fn built(json: &str) -> AnswerRow {
        let settings = samples::settings();
        let whose = Whose { id: "acme".to_owned(), name: "Acme".to_owned() };
        row(&answer(json), whose, "Ada", None, samples::scene(&settings))
    }

    #[test]
    fn the_ends_of_the_scale_are_named_in_words() {
        let mark = |rating: u8| built(&format!(r#""scale":"nps","rating":{rating}"#)).mark.map(|mark| mark.1);
        assert_eq!([0, 6, 7, 8, 9, 10].map(mark).map(|mark| mark.unwrap_or("")), {
            ["Detractor", "Detractor", "", "", "Advocate", "Advocate"]
        });
        assert_eq!(built(r#""scale":"stars","rating":5,"of":5"#).rating, "5 of 5 stars");
    }

    #[test]
    fn a_blank_comment_is_none_and_a_question_asks_for_somebody() {
        assert_eq!(built(r#""scale":"nps","rating":8,"comment":" \n""#).comment, None);
        assert!(answer(r#""scale":"nps","rating":8,"comment":"When?""#).asks_for_somebody());
        assert!(!answer(r#""scale":"nps","rating":8,"comment":"Fine.""#).asks_for_somebody());
        assert!(answer(r#""scale":"nps","rating":6"#).asks_for_somebody());
    }
}
