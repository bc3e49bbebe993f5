//! What a page says first: that something was done, or why it wasn't.

use crate::address::parameter;

/// What was done. It travels in the address, so that loading the page again does nothing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A status was set.
    Status,
    /// Feedback requests were switched on.
    RequestsOn,
    /// Feedback requests were switched off.
    RequestsOff,
    /// A company's details were changed.
    Details,
    /// A task is done.
    Task,
    /// A task was put off.
    Snoozed,
    /// An alert is looked after.
    Taken,
    /// An alert is resolved.
    Resolved,
    /// What a rule was about to do won't be done.
    Undone,
    /// What a rule is about to do was approved.
    Approved,
    /// What failed is tried again.
    Repeated,
    /// An answer doesn't count any more.
    Voided,
    /// Anything else.
    Saved,
}

/// Each with its name in the address and its sentence.
const ALL: [(Done, &str, &str); 13] = [
    (
        Done::Status,
        "status",
        "The status is set. What it sets in motion stands below, and can be undone there while it waits.",
    ),
    (Done::RequestsOn, "requests-on", "Feedback requests are on."),
    (
        Done::RequestsOff,
        "requests-off",
        "Feedback requests are off. Nobody of this company is asked until you switch them on again.",
    ),
    (Done::Details, "details", "The details are saved."),
    (Done::Task, "task", "The task is done."),
    (Done::Snoozed, "snoozed", "The task is out of sight until then."),
    (Done::Taken, "taken", "The alert says that you look after it."),
    (Done::Resolved, "resolved", "The alert is resolved."),
    (Done::Undone, "undone", "Undone: it won’t happen."),
    (Done::Approved, "approved", "Approved. It happens within a quarter of an hour."),
    (Done::Repeated, "repeated", "It is tried again within a quarter of an hour."),
    (Done::Voided, "voided", "The answer doesn’t count any more. It stays readable, with your reason."),
    (Done::Saved, "saved", "Saved."),
];

impl Done {
    fn name(self) -> &'static str {
        ALL.iter().find(|(done, ..)| *done == self).map_or("saved", |(_, name, _)| name)
    }

    /// A page's address, saying so.
    pub fn at(self, page: &str) -> String {
        let (page, place) = page.split_once('#').map_or((page, ""), |(page, place)| (page, place));
        let (path, query) = page.split_once('?').unwrap_or((page, ""));
        let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "done");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("done", self.name())
            .finish();
        let hash = if place.is_empty() { "" } else { "#" };
        format!("{path}?{query}{hash}{place}")
    }
}

/// What a page says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whether something went wrong.
    pub problem: bool,
    /// The sentences.
    pub lines: Vec<String>,
    /// What the visitor had written, for the form to keep.
    pub note: String,
}

impl Notice {
    /// That something wasn't done, and why.
    pub fn problem(lines: Vec<String>) -> Self {
        Self { problem: true, lines, note: String::new() }
    }

    /// That something was done, in words of its own.
    pub fn told(line: String) -> Self {
        Self { problem: false, lines: vec![line], note: String::new() }
    }

    /// The same with what the visitor had written.
    pub fn with_note(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// What an address says that was done.
    pub fn of(query: &str) -> Option<Self> {
        let done = parameter(query, "done")?;
        let (.., text) = ALL.iter().find(|(_, name, _)| *name == done)?;
        Some(Self { problem: false, lines: vec![(*text).to_owned()], note: String::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_was_done_once() {
        assert_eq!(Done::Task.at("/today"), "/today?done=task");
        assert_eq!(Done::Task.at("/inbox?max=6&done=voided#a"), "/inbox?max=6&done=task#a");
        for (done, name, text) in ALL {
            assert_eq!(Notice::of(&format!("x=1&done={name}")).unwrap().lines, [text]);
            assert_eq!(done.name(), name);
        }
        assert_eq!(Notice::of("done=%3Cscript%3E"), None);
        assert_eq!(Notice::of(""), None);
    }
}
