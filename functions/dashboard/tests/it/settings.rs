//! The pages of settings.

mod audit;
mod catalogue;
mod keys;
mod mail;
mod members;
mod rules;
mod score;
mod scored;
mod versions;
mod webhooks;

use barometer_cloud::{
    Table,
    table::{
        credentials::{Credential, Kind, Scope},
        settings::SettingsVersion,
    },
    workspaces::Created,
};
use http::header;

use crate::browser::{Answer, Browser, now};

/// Budget of a page before compression.
const PAGE_BYTES: usize = 60_000;

/// A browser that may do so much.
async fn scoped(table: &Table, made: &Created, scope: Scope) -> Browser {
    let token = Credential {
        id: format!("{scope:?}"),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(scope),
        label: "csm".to_owned(),
        author: "csm@initech.example".to_owned(),
        created_at: now(),
        expires_at: None,
    };
    table.add_credential("bat_scoped", &token).await.unwrap();
    let mut browser = Browser::at(table, now());
    browser.sign_in("bat_scoped").await;
    browser
}

async fn stored(table: &Table, made: &Created) -> SettingsVersion {
    table.settings(&made.workspace_id).await.unwrap().unwrap()
}

/// The form of a page as a browser would send it untouched, with some fields typed over and others added.
fn form(page: &Answer, action: &str, typed: &[(&str, &str)]) -> String {
    let start = page.body.find(&format!("action=\"{action}\"")).expect("the form is there");
    let body = &page.body[start..];
    let body = &body[..body.find("</form>").unwrap()];
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(['<']) {
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        let attribute = |name: &str| {
            let found = tag.split_once(&format!(" {name}=\""))?.1;
            Some(unescaped(found.split('"').next().unwrap()))
        };
        let name = attribute("name");
        if tag.starts_with("input ") {
            let unticked = ["\"checkbox\"", "\"radio\""].iter().any(|kind| tag.contains(kind))
                && !tag.ends_with(" checked");
            if let Some(name) = name.filter(|_| !unticked) {
                fields.push((name, attribute("value").unwrap_or_default()));
            }
        } else if tag.starts_with("textarea ") {
            let text = &rest[end + 1..rest.find("</textarea>").unwrap()];
            // Browsers drop a line break at the beginning.
            let text = text.strip_prefix('\n').unwrap_or(text);
            fields.push((name.unwrap(), unescaped(text)));
        } else if tag.starts_with("select ") {
            let options = &rest[..rest.find("</select>").unwrap()];
            let chosen = options.split("<option ").skip(1).find(|option| option.contains(" selected"));
            let first = options.split("<option ").nth(1);
            let value = chosen.or(first).unwrap().split('"').nth(1).unwrap();
            fields.push((name.unwrap(), unescaped(value)));
        }
    }
    for (name, text) in typed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*text).to_owned()));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[track_caller]
fn leads_to(answer: &Answer, to: &str) {
    assert_eq!(answer.header(header::LOCATION), to, "{} {}", answer.status, answer.body);
}
