//! Notes for chats: the payload of Slack's incoming webhooks, which Mattermost, Rocket.Chat and others take as well.
//!
//! Source: <https://docs.slack.dev/messaging/formatting-message-text>.

use bytes::Bytes;
use serde_json::json;

/// The most characters of a note as it is sent: what a section block takes.
pub const LONGEST: usize = 3_000;

/// Follows an `@`: takes no room, and keeps `@here` or a name from being a mention.
const BREAK: char = '\u{200b}';

/// A note as the body of a call. `text` is plain: whatever stands in it is shown and not understood, so that a company's
/// name can neither call a whole channel nor pose as a link. What is too long ends with `…`.
pub fn note(text: &str) -> Bytes {
    let text = escape(text);
    // `verbatim`: Slack looks for no names of people and channels by itself.
    let block = json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    json!({"text": text, "blocks": [block]}).to_string().into()
}

/// Escapes the three characters that begin or end something in Slack's text (`<!channel>`, `<@U1>`, `<url|text>`), and
/// breaks mentions that other chats see in plain text. An `@` inside a word, as in a mail address, mentions nobody.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut length = 0;
    let mut in_word = false;
    let mut buffer = [0; 4];
    for char in text.chars() {
        let mention = [char, BREAK].iter().collect::<String>();
        let written = match char {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '@' if !in_word => &mention,
            char if char.is_control() && char != '\n' => " ",
            char => char.encode_utf8(&mut buffer),
        };
        in_word = char.is_alphanumeric();
        length += written.chars().count();
        // Cut between characters, never inside of an escaped one; the last place is for the dots.
        if length >= LONGEST {
            escaped.push('…');
            break;
        }
        escaped.push_str(written);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn sent(text: &str) -> String {
        let note: Value = serde_json::from_slice(&note(text)).unwrap();
        let text = note["text"].as_str().unwrap();
        assert_eq!(note["blocks"][0]["text"]["text"], text);
        text.to_owned()
    }

    #[test]
    fn a_note_is_a_text_and_one_section() {
        let expected = json!({
            "text": "Acme is struggling.\nCall them.",
            "blocks": [{"type": "section", "text": {
                "type": "mrkdwn", "text": "Acme is struggling.\nCall them.", "verbatim": true,
            }}],
        });
        assert_eq!(
            serde_json::from_slice::<Value>(&note("Acme is struggling.\nCall them.")).unwrap(),
            expected
        );
    }

    #[test]
    fn what_slack_would_understand_is_shown_instead() {
        assert_eq!(
            sent("<!channel> & <https://evil.example|Acme>"),
            "&lt;!channel&gt; &amp; &lt;https://evil.example|Acme&gt;"
        );
        assert_eq!(sent("&lt;!here&gt;"), "&amp;lt;!here&amp;gt;");
    }

    #[test]
    fn mentions_in_plain_text_are_broken_and_mail_addresses_are_not() {
        assert_eq!(sent("@here (@Everyone) @ana"), "@\u{200b}here (@\u{200b}Everyone) @\u{200b}ana");
        assert_eq!(sent("ana@acme.example"), "ana@acme.example");
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(sent(&"x".repeat(2_999)), "x".repeat(2_999));
        let cut = sent(&"&".repeat(1_000));
        assert_eq!(cut, format!("{}…", "&amp;".repeat(599)));
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(sent("a\u{0}b\rc\td"), "a b c d");
    }

    proptest! {
        #[test]
        fn no_text_becomes_more_than_text(text in "(?s)[<>&@!a-z|#:/\n ]{0,4000}|\\PC{0,2000}") {
            let sent = sent(&text);
            prop_assert!(sent.chars().count() <= LONGEST);
            prop_assert!(!sent.contains(['<', '>']));
            for rest in sent.split('&').skip(1) {
                prop_assert!(["amp;", "lt;", "gt;"].iter().any(|name| rest.starts_with(name)), "{rest}");
            }
            for mention in ["@here", "@channel", "@everyone", "@all"] {
                let after_space = format!(" {mention}");
                prop_assert!(!sent.starts_with(mention) && !sent.contains(&after_space), "{}", mention);
            }
        }
    }
}
