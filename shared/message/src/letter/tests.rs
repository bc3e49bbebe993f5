use mailparse::parse_mail;

use super::*;

const LINK: &str = "https://ask.example.com/u/TOKEN";

fn settings() -> Settings {
    let mut settings = Settings { name: "Initech".to_owned(), ..Settings::default() };
    settings.mail.reply_to = Some("team@initech.example".to_owned());
    settings.mail.footer = "Initech Ltd\n1 Example Street".to_owned();
    settings
}

/// A letter with some of its parts replaced: raw, its header fields by name, text and HTML.
fn written(
    change: impl FnOnce(&mut Letter<'_>),
) -> (String, impl Fn(&str) -> Option<String>, String, String) {
    let (settings, from) = (settings(), "Barometer <ask@initech.example>".parse().unwrap());
    let mut letter = Letter {
        language: Language::English,
        settings: &settings,
        from: &from,
        csm: Some("cleo.csm@initech.example"),
        to: "ada@acme.example",
        name: Some("Ada"),
        subject: "How can we help?",
        text: "Hi Ada,\n\nis there anything?\n\nCleo",
        origin: "https://ask.example.com",
        unsubscribe: "TOKEN",
        send: SendId::from_bytes([7; 16]),
        date: "2026-09-10T13:00:00Z".parse().unwrap(),
    };
    change(&mut letter);
    let raw = letter.compose().unwrap();
    let mail = parse_mail(&raw).unwrap();
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let (text, html) = (mail.subparts[0].get_body().unwrap(), mail.subparts[1].get_body().unwrap());
    let headers: Vec<(String, String)> =
        mail.headers.iter().map(|header| (header.get_key(), header.get_value())).collect();
    let field = move |name: &str| {
        let mut found = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.clone());
        assert!(found.next().is_none(), "{name} stands there once");
        value
    };
    (String::from_utf8(raw.clone()).unwrap(), field, text, html)
}

#[test]
fn one_click_unsubscribes_and_a_link_in_both_parts_does() {
    let (_, field, text, html) = written(|_| {});
    let list = field("List-Unsubscribe").unwrap();
    assert_eq!(list, format!("<{LINK}>, <mailto:team@initech.example?subject=unsubscribe>"));
    assert_eq!(field("List-Unsubscribe-Post").unwrap(), "List-Unsubscribe=One-Click");
    assert!(text.contains(&format!("Unsubscribe from these mails: {LINK}")), "{text}");
    assert!(html.contains(&format!("<a href=\"{LINK}\"")), "{html}");
    for part in [text, html] {
        assert!(part.contains("is there anything?") && part.contains("1 Example Street"), "{part}");
        assert!(part.contains("You get this mail because you use Initech."), "{part}");
    }
}

#[test]
fn it_comes_in_the_csms_name_and_a_reply_reaches_them() {
    let (_, field, ..) = written(|_| {});
    let from = field("From").unwrap();
    assert!(from.contains("Cleo Csm (Initech)") && from.ends_with("<ask@initech.example>"), "{from}");
    assert!(field("Reply-To").unwrap().contains("cleo.csm@initech.example"));
    let (_, field, ..) = written(|letter| letter.csm = None);
    assert!(field("Reply-To").unwrap().contains("team@initech.example"));
}

#[test]
fn a_german_letter_is_german_throughout() {
    let (_, _, text, html) = written(|letter| letter.language = Language::German);
    assert!(html.contains("<html lang=\"de\">"), "{html}");
    for part in [text, html] {
        assert!(
            part.contains("Diese E-Mails abbestellen") && part.contains("weil Sie Initech nutzen"),
            "{part}"
        );
        assert!(!part.contains("Unsubscribe") && !part.contains("because"), "{part}");
    }
}

#[test]
fn what_stands_in_the_text_is_no_markup_and_no_header() {
    let (raw, field, text, html) = written(|letter| {
        letter.subject = "Hi\r\nBcc: eve@evil.example";
        letter.text = "<script>alert(1)</script> & more";
        letter.name = Some("Ada\r\nX-Evil: 1");
    });
    assert_eq!((field("Bcc"), field("X-Evil")), (None, None));
    assert!(text.contains("<script>alert(1)</script> & more"));
    assert!(!html.contains("<script>"), "{html}");
    assert!(raw.lines().all(|line| line.len() <= 998));
}
