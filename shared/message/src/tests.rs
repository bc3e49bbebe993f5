use barometer_domain::{
    CompanyId, UserId,
    token::{Key, Keys, Purpose},
};
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

use super::*;
use crate::texts::texts;

pub const ORIGIN: &str = "https://ask.example.com";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What a question borrows from.
pub struct Inputs {
    pub settings: Settings,
    workspace: WorkspaceId,
    send: SendId,
    from: Mailbox,
    feedback: String,
    unsubscribe: String,
    date: DateTime<Utc>,
}

impl Inputs {
    pub fn new() -> Self {
        let workspace = WorkspaceId::new("ws_0011").unwrap();
        let company = CompanyId::new("acme").unwrap();
        let send = SendId::derive(&workspace, &company, &UserId::new("ann").unwrap(), "feedback", 1);
        let keys = Keys::new(Key { id: 1, secret: vec![7; 32] }, Vec::new());
        let date = at("2026-09-10T13:00:00Z");
        let mut settings = Settings { name: "Initech".to_owned(), ..Settings::default() };
        settings.mail.reply_to = Some("csm@initech.example".to_owned());
        settings.mail.footer = "Initech Ltd\n1 Example Street, Springfield".to_owned();
        Self {
            settings,
            workspace,
            send,
            from: "Barometer <ask@initech.example>".parse().unwrap(),
            feedback: keys.sign(Purpose::Feedback, send, Some(date + chrono::TimeDelta::days(30))),
            unsubscribe: keys.sign(Purpose::Unsubscribe, send, None),
            date,
        }
    }

    pub fn question(&self) -> Question<'_> {
        Question {
            language: Language::English,
            settings: &self.settings,
            from: &self.from,
            to: "ann@acme.example",
            name: Some("Ann Lee"),
            origin: ORIGIN,
            feedback: &self.feedback,
            unsubscribe: &self.unsubscribe,
            workspace: &self.workspace,
            send: self.send,
            date: self.date,
        }
    }
}

/// The mail with some of its inputs replaced.
fn mail(change: impl FnOnce(&mut Question<'_>)) -> Result<Vec<u8>, MessageError> {
    let inputs = Inputs::new();
    let mut question = inputs.question();
    change(&mut question);
    compose(&question)
}

/// The mail under some other settings.
fn mail_with(change: impl FnOnce(&mut barometer_domain::mail::MailSettings)) -> Vec<u8> {
    let mut inputs = Inputs::new();
    change(&mut inputs.settings.mail);
    compose(&inputs.question()).unwrap()
}

fn header(mail: &ParsedMail<'_>, name: &str) -> String {
    let values = mail.headers.get_all_values(name);
    assert_eq!(values.len(), 1, "{name}: {values:?}");
    values.into_iter().next().unwrap()
}

/// Text and HTML, decoded.
fn parts(mail: &ParsedMail<'_>) -> (String, String) {
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let kinds: Vec<&str> = mail.subparts.iter().map(|part| part.ctype.mimetype.as_str()).collect();
    assert_eq!(kinds, ["text/plain", "text/html"]);
    (mail.subparts[0].get_body().unwrap(), mail.subparts[1].get_body().unwrap())
}

fn links(text: &str) -> Vec<&str> {
    let ends = |char: char| char.is_whitespace() || char == '"' || char == '<';
    text.match_indices(ORIGIN).map(|(start, _)| text[start..].split(ends).next().unwrap()).collect()
}

#[test]
fn both_parts_hold_the_question_and_all_links() {
    let raw = mail(|_| {}).unwrap();
    let parsed = parse_mail(&raw).unwrap();
    let (text, html) = parts(&parsed);
    for part in [&text, &html] {
        assert!(part.contains("How likely are you to recommend Initech to a friend or colleague?"));
        assert!(part.contains("0 = not at all likely, 10 = extremely likely"));
        assert!(part.contains("What is the main reason for your score?"));
        assert!(part.contains("Ann Lee") && part.contains("1 Example Street, Springfield"));
    }
    let found = links(&text);
    assert_eq!(found, links(&html), "the text says what the HTML says");
    assert_eq!(found.len(), 12);
    for (rating, link) in found.iter().take(11).enumerate() {
        assert!(link.starts_with("https://ask.example.com/f/") && link.ends_with(&format!("?s={rating}")));
        assert!(html.contains(&format!(">{rating} of 10</a>")), "a link's text makes sense alone");
    }
    assert!(found[11].starts_with("https://ask.example.com/u/"));
    assert!(found.iter().all(|link| !link.contains('@')));
    assert!(!html.contains("<img") && !html.contains("<script"));
}

#[test]
fn headers_are_those_that_mail_programs_look_for() {
    let raw = mail(|_| {}).unwrap();
    let parsed = parse_mail(&raw).unwrap();
    let (text, _) = parts(&parsed);
    let unsubscribe = links(&text)[11];
    for (name, value) in [
        ("From", "\"Initech\" <ask@initech.example>"),
        ("To", "\"Ann Lee\" <ann@acme.example>"),
        ("Reply-To", "csm@initech.example"),
        ("Subject", "How likely are you to recommend Initech?"),
        ("Date", "Thu, 10 Sep 2026 13:00:00 +0000"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", "<ws_0011.feedback.ask.example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&parsed, name).replace("Initech <", "\"Initech\" <"), value, "{name}");
    }
    assert_eq!(
        header(&parsed, "List-Unsubscribe"),
        format!("<{unsubscribe}>, <mailto:csm@initech.example?subject=unsubscribe>")
    );
    let id = header(&parsed, "Message-ID");
    assert!(id.starts_with('<') && id.ends_with("@initech.example>"), "{id}");
}

#[test]
fn without_a_mailbox_for_replies_the_link_stands_alone() {
    let raw = mail_with(|mail| mail.reply_to = None);
    let parsed = parse_mail(&raw).unwrap();
    assert!(!header(&parsed, "List-Unsubscribe").contains("mailto"));
    assert!(parsed.headers.get_first_value("Reply-To").is_none());
}

#[test]
fn a_mail_comes_under_the_name_of_the_sender_else_of_the_product() {
    for (sender, product, name) in [
        ("Ada of Rocket", "Rocket", "Ada of Rocket"),
        ("", "Rocket", "Rocket"),
        ("", "", "Initech"),
        (" \r\n ", "Rocket", "Rocket"),
        ("Bob\r\nBcc: x@example.com", "", "Bob Bcc: x@example.com"),
    ] {
        let raw = mail_with(|mail| (mail.sender_name, mail.product) = (sender.into(), product.into()));
        let parsed = parse_mail(&raw).unwrap();
        let from = mailparse::addrparse_header(parsed.headers.get_first_header("From").unwrap()).unwrap();
        let from = from.extract_single_info().unwrap();
        assert_eq!((from.display_name.as_deref(), from.addr.as_str()), (Some(name), "ask@initech.example"));
    }
}

#[test]
fn the_accent_is_a_bar_and_the_scale_stays_without_colour() {
    let raw = mail_with(|mail| mail.accent = Some("#7A1F5C".to_owned()));
    let (_, html) = parts(&parse_mail(&raw).unwrap());
    assert_eq!(html.matches("#7a1f5c").count(), 1);
    assert!(html.contains("border-top:4px solid #7a1f5c"));
    let scale: Vec<&str> =
        html.split("<a href").skip(1).take(11).map(|link| link.split('>').next().unwrap()).collect();
    let styles: std::collections::BTreeSet<&str> =
        scale.iter().map(|link| link.split("style=").nth(1).unwrap()).collect();
    assert_eq!(styles.len(), 1, "eleven links that look the same");
    for style in styles {
        assert!(!style.contains("background") && style.matches("color").count() == 1, "{style}");
        assert!(style.contains("color:inherit"), "{style}");
    }
}

#[test]
fn a_logo_stands_there_when_it_is_set_and_its_name_when_images_are_off() {
    let raw = mail_with(|mail| {
        mail.logo_url = Some("https://cdn.example.com/logo.png?a=1&b=2".to_owned());
        mail.product = "R&D <Rocket>".to_owned();
    });
    let (text, html) = parts(&parse_mail(&raw).unwrap());
    assert_eq!(html.matches("<img").count(), 1);
    assert!(
        html.contains(r#"src="https://cdn.example.com/logo.png?a=1&#38;b=2" alt="R&#38;D &#60;Rocket&#62;""#),
        "{html}"
    );
    assert!(!text.contains("cdn.example.com"));
    let raw = mail_with(|mail| mail.logo_url = Some("http://cdn.example.com/logo.png".to_owned()));
    assert!(!parts(&parse_mail(&raw).unwrap()).1.contains("<img"));
}

#[test]
fn a_mail_program_is_told_that_both_colour_schemes_will_do() {
    let (_, html) = parts(&parse_mail(&mail(|_| {}).unwrap()).unwrap());
    assert!(html.contains(r#"<meta name="color-scheme" content="light dark">"#));
}

#[test]
fn the_same_ask_is_the_same_mail() {
    assert_eq!(mail(|_| {}).unwrap(), mail(|_| {}).unwrap());
}

#[test]
fn german_is_german_throughout() {
    let raw = mail(|question| question.language = Language::German).unwrap();
    let parsed = parse_mail(&raw).unwrap();
    let (text, html) = parts(&parsed);
    assert!(html.contains(r#"<html lang="de">"#));
    assert!(header(&parsed, "Subject").contains("weiterempfehlen"));
    let english = texts(Language::English);
    for part in [&text, &html] {
        assert!(part.contains("Guten Tag Ann Lee,") && part.contains("8 von 10"));
        assert!(
            part.contains(
                "Wie wahrscheinlich ist es, dass Sie Initech Freunden oder Kollegen weiterempfehlen?"
            )
        );
        for other in [english.scale, english.click, english.reason, english.unsubscribe, " of 10", "Hello"] {
            assert!(!part.contains(other), "{other}");
        }
    }
}

/// What people, products and forms put into names.
pub fn hostile() -> Vec<String> {
    vec![
        "Ann\r\nBcc: victim@example.com".to_owned(),
        "Ann\nX-Evil: 1\n\n<b>body</b>".to_owned(),
        "Ann\r\n\r\n--barometer".to_owned(),
        "\"; <script>alert(1)</script>".to_owned(),
        "👩‍🚀 Zoë Ünïcödé 🎉".to_owned(),
        "محمد بن عبد الله".to_owned(),
        "\u{202e}gnp.exe\u{202c} Ann".to_owned(),
        "א".repeat(250),
        "x".repeat(500),
        "😀".repeat(500),
        "=?utf-8?Q?Bcc:_victim?=".to_owned(),
        "=?utf-8?b?QmNjOiB4?= =?utf-8?Q?=0D=0ABcc:_x?=".to_owned(),
        "a,b;c <d@example.com>, \"e\\".to_owned(),
        "\0\u{7}\u{1b}[31mAnn\u{2028}Bcc: x".to_owned(),
        "http://evil.example/free".to_owned(),
        "{product} {name} {rating}".to_owned(),
        " \t ".to_owned(),
        String::new(),
    ]
}

/// A mail with a text in every place that somebody else fills.
pub fn hostile_mail(language: Language, text: &str) -> Vec<u8> {
    let mut inputs = Inputs::new();
    inputs.settings.name = text.to_owned();
    let mail = &mut inputs.settings.mail;
    (mail.product, mail.sender_name, mail.footer) = (text.to_owned(), text.to_owned(), text.to_owned());
    (mail.accent, mail.logo_url) = (Some(text.to_owned()), Some(text.to_owned()));
    compose(&Question { language, name: Some(text), ..inputs.question() }).unwrap()
}

#[test]
fn no_name_breaks_out_of_its_place() {
    let plain = mail(|question| question.name = None).unwrap();
    let names = |mail: &ParsedMail<'_>| -> Vec<String> {
        mail.headers.iter().map(|header| header.get_key()).collect()
    };
    let expected = names(&parse_mail(&plain).unwrap());
    for name in hostile() {
        for language in Language::ALL {
            let raw = hostile_mail(language, &name);
            let parsed = parse_mail(&raw).unwrap();
            assert_eq!(names(&parsed), expected, "{name:?}");
            let once: std::collections::BTreeSet<&String> = expected.iter().collect();
            assert_eq!(once.len(), expected.len(), "each header stands there once");
            let (text, html) = parts(&parsed);
            assert_eq!(links(&text).len(), 12, "{name:?}");
            assert_eq!(links(&html).len(), 12, "{name:?}");
            assert!(!html.contains("<script") && !html.contains("<b>"), "{name:?}");
            assert!(raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998), "{name:?}");
            assert!(raw.is_ascii(), "{name:?}");
            let to = mailparse::addrparse_header(parsed.headers.get_first_header("To").unwrap()).unwrap();
            assert_eq!(
                to.extract_single_info().map(|to| to.addr),
                Some("ann@acme.example".to_owned()),
                "{name:?}"
            );
            let shown = header(&parsed, "Subject") + &text + &html;
            assert!(!shown.contains('\u{202e}') && !shown.contains('\0'), "{name:?}");
        }
    }
}

#[test]
fn names_survive_as_they_are_written() {
    for name in ["Zoë 🎉", "محمد", "Ann O'Neil", "李雷"] {
        let raw = mail(|question| question.name = Some(name)).unwrap();
        let parsed = parse_mail(&raw).unwrap();
        assert!(parts(&parsed).0.starts_with(&format!("Hello {name},")), "{name}");
        let to = mailparse::addrparse_header(parsed.headers.get_first_header("To").unwrap()).unwrap();
        assert_eq!(to.extract_single_info().and_then(|to| to.display_name).as_deref(), Some(name));
    }
}

#[test]
fn a_name_that_is_a_link_or_too_long_is_no_greeting() {
    for name in ["www.evil.example", "https://evil.example", "ann@acme.example", &"x".repeat(61), " "] {
        let raw = compose(&Question { name: Some(name), ..Inputs::new().question() }).unwrap();
        let parsed = parse_mail(&raw).unwrap();
        assert!(
            parts(&parsed).0.starts_with("Hello,\n") || parts(&parsed).0.starts_with("Hello,\r\n"),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_address_gets_no_mail() {
    for to in ["", "ann", "ann@", "ann@acme.example\r\nBcc: x@example.com", "a@b, c@d", "zoë@acme.example"] {
        assert!(matches!(mail(|question| question.to = to), Err(MessageError::Recipient)), "{to:?}");
    }
}
