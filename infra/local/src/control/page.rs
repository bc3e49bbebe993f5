//! The mailbox as a page: each mail as its reader sees it. Mails are shown in frames without scripts, forms
//! or anything from elsewhere.

use std::fmt::Write as _;

use axum::response::{Html, IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use crate::mailbox::Mail;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; background: #fff }
details { border: 1px solid #ccc; border-radius: 6px; margin: .75rem 0; padding: .5rem .75rem }
summary { cursor: pointer }
summary span { color: #555 }
iframe { width: 100%; height: 26rem; border: 1px solid #ccc; background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .5rem }
</style>
</head>
<body>
<h1>Mailbox</h1>
"#;

/// A finished page.
#[derive(Debug)]
pub struct Page(String);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Html(self.0).into_response();
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (CACHE_CONTROL, "no-store"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// The page with these mails, the newest first and open.
pub fn render(mails: &[Mail]) -> Page {
    let mut page = HEAD.to_owned();
    if mails.is_empty() {
        page.push_str("<p>No mail yet.</p>\n");
    }
    for (index, mail) in mails.iter().rev().enumerate() {
        // Writing to a string can't fail.
        let _ = show(&mut page, mail, index == 0);
    }
    page.push_str("</body>\n</html>\n");
    Page(page)
}

fn show(page: &mut String, mail: &Mail, open: bool) -> std::fmt::Result {
    let open = if open { " open" } else { "" };
    let sent = mail.sent_at.format("%Y-%m-%d %H:%M UTC");
    let (subject, to) = (escape(&mail.subject), escape(&mail.to.join(", ")));
    writeln!(page, "<details{open}>\n<summary><b>{subject}</b><br><span>to {to}, {sent}</span></summary>")?;
    if let Some(html) = &mail.html {
        // No scripts, no forms, no origin; links open in a new tab.
        let frame = format!("<base target=\"_blank\">{html}");
        let permitted = "allow-popups allow-popups-to-escape-sandbox";
        writeln!(
            page,
            "<iframe sandbox=\"{permitted}\" title=\"{subject}\" srcdoc=\"{}\"></iframe>",
            escape(&frame)
        )?;
    }
    if let Some(text) = &mail.text {
        writeln!(page, "<details><summary>Plain text</summary><pre>{}</pre></details>", escape(text))?;
    }
    writeln!(
        page,
        "<details><summary>As sent</summary><pre>{}</pre></details>\n</details>",
        escape(&mail.raw)
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_mail_becomes_markup_of_the_page() {
        let evil = "\"><script>alert(1)</script>";
        let mail = Mail {
            message_id: "1".to_owned(),
            to: vec![evil.to_owned()],
            subject: evil.to_owned(),
            headers: Vec::new(),
            text: Some(evil.to_owned()),
            html: Some(evil.to_owned()),
            raw: evil.to_owned(),
            sent_at: chrono::DateTime::UNIX_EPOCH,
            send_id: None,
        };
        let Page(page) = render(&[mail]);
        assert!(!page.contains("<script"));
        assert!(!page.contains("\"><s"));
        assert_eq!(page.matches("<iframe").count(), 1);
        let response = Page(page).into_response();
        assert!(
            response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'")
        );
    }
}
