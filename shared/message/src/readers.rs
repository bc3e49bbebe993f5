//! Two readers that have nothing in common, mailparse and Python's `email`, see the same mail.

use std::{
    io::{ErrorKind, Write},
    process::{Command, Stdio},
};

use barometer_domain::language::Language;
use base64::{Engine, engine::general_purpose::STANDARD};
use mailparse::{MailHeaderMap, ParsedMail, SingleInfo, parse_mail};
use serde_json::{Value, json};

use crate::{
    compose,
    tests::{Inputs, hostile, hostile_mail},
};

/// Reads mails as base64 from a JSON list; writes what it sees in them, and everything it finds wrong with them.
const PYTHON: &str = r#"
import base64, email, email.policy, json, sys

def address(header):
    (one,) = header.addresses
    return [one.display_name, one.addr_spec]

def seen(raw):
    mail = email.message_from_bytes(base64.b64decode(raw), policy=email.policy.default)
    parts = list(mail.iter_parts())
    defects = [repr(d) for part in [mail, *parts] for d in part.defects]
    defects += [repr(d) for part in [mail, *parts] for h in part.values() for d in h.defects]
    return {
        "headers": [name for name in mail.keys()],
        "subject": str(mail["Subject"]),
        "from": address(mail["From"]),
        "to": address(mail["To"]),
        "unsubscribe": str(mail["List-Unsubscribe"]),
        "kind": mail.get_content_type(),
        "parts": [[part.get_content_type(), part.get_content()] for part in parts],
        "defects": defects,
    }

json.dump([seen(raw) for raw in json.load(sys.stdin)], sys.stdout)
"#;

/// What Python sees in mails; nothing where there is no Python.
fn python(mails: &[Vec<u8>]) -> Option<Vec<Value>> {
    let child =
        Command::new("python3").args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        child => child.unwrap(),
    };
    let mails: Vec<String> = mails.iter().map(|mail| STANDARD.encode(mail)).collect();
    child.stdin.take().unwrap().write_all(json!(mails).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 failed; it wrote why above");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn address(mail: &ParsedMail<'_>, name: &str) -> Value {
    let list = mailparse::addrparse_header(mail.headers.get_first_header(name).unwrap()).unwrap();
    let SingleInfo { display_name, addr } = list.extract_single_info().unwrap();
    json!([display_name.unwrap_or_default(), addr])
}

/// Line ends differ between the readers and between the parts' encodings; what is said doesn't.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Python keeps the space between two encoded words in a name, which RFC 2047 (6.2) drops.
fn unspaced(name: &str) -> String {
    name.split_whitespace().collect()
}

fn mailparse(raw: &[u8]) -> Value {
    let mail = parse_mail(raw).unwrap();
    let parts: Vec<Value> = mail
        .subparts
        .iter()
        .map(|part| json!([part.ctype.mimetype, plain(&part.get_body().unwrap())]))
        .collect();
    json!({
        "headers": mail.headers.iter().map(|header| header.get_key()).collect::<Vec<_>>(),
        "subject": mail.headers.get_first_value("Subject"),
        "from": address(&mail, "From"),
        "to": address(&mail, "To"),
        "unsubscribe": mail.headers.get_first_value("List-Unsubscribe"),
        "kind": mail.ctype.mimetype,
        "parts": parts,
        "defects": [],
    })
}

#[test]
fn both_readers_see_the_same_mail_whatever_its_names() {
    let mut mails = vec![compose(&Inputs::new().question()).unwrap()];
    for text in hostile() {
        for language in Language::ALL {
            mails.push(hostile_mail(language, &text));
        }
    }
    let Some(seen) = python(&mails) else {
        eprintln!("SKIPPED: python3 isn't installed, so nothing was compared with a second reader");
        return;
    };
    assert_eq!(seen.len(), mails.len());
    for (raw, mut seen) in mails.iter().zip(seen) {
        for part in seen["parts"].as_array_mut().unwrap() {
            part[1] = json!(plain(part[1].as_str().unwrap()));
        }
        let mut wanted = mailparse(raw);
        for name in ["from", "to"] {
            for address in [&mut seen[name], &mut wanted[name]] {
                address[0] = json!(unspaced(address[0].as_str().unwrap()));
            }
        }
        for (what, value) in wanted.as_object().unwrap() {
            assert_eq!(&seen[what], value, "{what}");
        }
    }
}
