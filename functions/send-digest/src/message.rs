//! The mail: the digest as text and as HTML, with the same lines and links.

use askama::Template;
use barometer_domain::{SendId, digest::Digest};
use chrono::{DateTime, Utc};
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

/// What a mail is made of.
#[derive(Debug)]
pub struct Message<'a> {
    /// The sender.
    pub from: &'a Mailbox,
    /// The CSM.
    pub to: &'a Address,
    /// The workspace's name.
    pub product: &'a str,
    /// Public address of the pages.
    pub origin: &'a str,
    /// The send, for the message's id.
    pub send: SendId,
    /// When it is sent.
    pub date: DateTime<Utc>,
    /// What it says.
    pub digest: &'a Digest,
}

/// A mail can't be written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The library refuses the parts.
    #[error("the mail can't be put together")]
    Message(#[from] lettre::error::Error),
    /// The page can't be rendered.
    #[error("the mail can't be rendered")]
    Render(#[from] askama::Error),
}

struct Line {
    href: String,
    company: String,
    text: String,
}

struct Section {
    heading: &'static str,
    count: usize,
    lines: Vec<Line>,
    /// How many there are beside the lines.
    more: usize,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Html<'a> {
    subject: &'a str,
    product: &'a str,
    sections: &'a [Section],
    rest: &'a str,
    origin: &'a str,
}

impl Message<'_> {
    /// Writes the mail. Errors: [`MessageError`].
    pub fn compose(&self) -> Result<Vec<u8>, MessageError> {
        let Self { digest, origin, .. } = self;
        let sections: Vec<Section> = digest
            .sections
            .iter()
            .map(|section| Section {
                heading: section.heading,
                count: section.count,
                more: section.count.saturating_sub(section.lines.len()),
                lines: section
                    .lines
                    .iter()
                    .map(|line| Line {
                        href: format!("{origin}/companies/{}", path(line.company_id.as_str())),
                        company: line.company.clone(),
                        text: line.text.clone(),
                    })
                    .collect(),
            })
            .collect();
        let (subject, rest) = (subject(digest), rest(digest));
        let text = text(&sections, &rest, origin);
        let html =
            Html { subject: &subject, product: self.product, sections: &sections, rest: &rest, origin };
        let html = html.render()?;
        let id = format!("<{}@{}>", self.send, self.from.email.domain());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let parts = MultiPart::alternative()
            .boundary(format!("barometer-{}", self.send))
            .singlepart(SinglePart::plain(text))
            .singlepart(SinglePart::html(html));
        let message = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(subject)
            .date(self.date.into())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(parts)?;
        Ok(message.formatted())
    }
}

/// `2 tasks due today, 1 new alert, 5 answers`, as far as there are any.
fn subject(digest: &Digest) -> String {
    let parts: Vec<String> = digest
        .sections
        .iter()
        .map(|section| {
            let heading = section.heading.to_lowercase();
            let one = heading
                .replace("tasks", "task")
                .replace("alerts", "alert")
                .replace("answers", "answer")
                .replace("actions", "action");
            format!("{} {}", section.count, if section.count == 1 { one } else { heading })
        })
        .collect();
    format!("Your customers today: {}", parts.join(", "))
}

/// What isn't listed, in a sentence; empty when there is nothing.
fn rest(digest: &Digest) -> String {
    let Digest { later_tasks, older_alerts, .. } = digest;
    match (later_tasks, older_alerts) {
        (0, 0) => String::new(),
        (tasks, 0) => format!("Also open: {} due later.", plural(*tasks, "task")),
        (0, alerts) => format!("Also open: {} told before.", plural(*alerts, "alert")),
        (tasks, alerts) => format!(
            "Also open: {} due later, {} told before.",
            plural(*tasks, "task"),
            plural(*alerts, "alert")
        ),
    }
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Everything that the HTML says, links included.
fn text(sections: &[Section], rest: &str, origin: &str) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("{} ({})\n\n", section.heading, section.count));
        for Line { company, text: said, href } in &section.lines {
            text.push_str(&format!("* {company}: {said}\n  {href}\n"));
        }
        if section.more > 0 {
            text.push_str(&format!("and {} more\n", section.more));
        }
        text.push('\n');
    }
    if !rest.is_empty() {
        text.push_str(&format!("{rest}\n\n"));
    }
    text.push_str(&format!(
        "All companies: {origin}/\n\n-- \nYou get this mail because you own companies in Barometer.\n"
    ));
    text
}

/// An id as one segment of a path.
fn path(id: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    id.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
