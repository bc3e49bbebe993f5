//! `barometer mail preview` as its user sees it.

use std::path::PathBuf;

use crate::barometer;

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("barometer-preview-{}-{name}", std::process::id()))
}

#[test]
fn a_preview_is_the_whole_mail_or_a_part_of_it() {
    let message = barometer(&["mail", "preview", "--name", "Zo\u{eb}"]);
    assert!(message.status.success(), "{message:?}");
    let message = mailparse::parse_mail(&message.stdout).unwrap();
    assert_eq!(message.ctype.mimetype, "multipart/alternative");
    assert!(message.subparts[0].get_body().unwrap().starts_with("Hello Zo\u{eb},"));

    for (name, begins) in [("mail.html", "<!doctype html>\n<html lang=\"de\">"), ("mail.txt", "Guten Tag,")] {
        let file = file(name);
        let out = barometer(&["mail", "preview", "--language", "de", "--out", file.to_str().unwrap()]);
        assert!(out.status.success() && out.stdout.is_empty(), "{out:?}");
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.starts_with(begins) && written.contains("https://barometer.example/f/test-de?s=10"));
        std::fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_preview_that_cannot_be_says_why() {
    for (args, why) in [
        (&["--out", "mail.pdf"][..], "ends in .eml, .html or .txt"),
        (&["--url", "http://127.0.0.1:1"], "needs an API token"),
        (&["--url", "http://127.0.0.1:1", "--token", "x"], "no home answers"),
        (&["--language", "fr"], "invalid value"),
    ] {
        let out = barometer(&[&["mail", "preview"], args].concat());
        assert!(!out.status.success(), "{args:?}");
        let said = String::from_utf8(out.stderr).unwrap();
        assert!(said.contains(why), "{said}");
    }
}
