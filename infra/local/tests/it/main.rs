#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The command line as its user sees it.

mod mail;
mod mail_server;
mod smtp;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn barometer(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_barometer")).args(args).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    folder
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_workspace_is_made_on_a_data_folder() {
    let data = folder("workspace");
    let made = barometer(&[
        "workspace",
        "create",
        "--name",
        "Initech",
        "--time-zone",
        "Europe/Berlin",
        "--json",
        "--data",
        data.to_str().unwrap(),
    ]);
    assert!(made.status.success(), "{}", said(&made.stderr));
    let keys: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(keys["workspace_id"].as_str().unwrap().starts_with("ws_"));
    assert!(keys["write_key"].as_str().unwrap().starts_with("wk_"));
    assert!(keys["api_token"].as_str().unwrap().starts_with("bat_"));
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let file = folder("file");
    std::fs::write(&file, "not a folder").unwrap();
    for (args, hint) in [
        (["serve", "--in-memory", "--listen", port.as_str()].as_slice(), port.as_str()),
        (&["serve", "--data", file.to_str().unwrap(), "--listen", "127.0.0.1:0"], file.to_str().unwrap()),
        (
            &["workspace", "create", "--name", "X", "--time-zone", "Mars/Olympus", "--data", "unused"],
            "Mars/Olympus",
        ),
    ] {
        let ended = barometer(args);
        let lines = said(&ended.stderr);
        assert!(!ended.status.success(), "{args:?}");
        assert!(lines.contains(hint), "{args:?}: {lines}");
        assert!(lines.lines().filter(|line| !line.trim().is_empty()).count() <= 4, "{args:?}: {lines}");
    }
    std::fs::remove_file(file).unwrap();
}
