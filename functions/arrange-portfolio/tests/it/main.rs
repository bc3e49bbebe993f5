#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
//! The real binary of `arrange-portfolio`.

use std::process::Command;

#[test]
fn it_names_all_that_its_environment_lacks() {
    let ended = Command::new(env!("CARGO_BIN_EXE_arrange-portfolio"))
        .env_clear()
        .env("AWS_REGION", "eu-central-1")
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "BAROMETER_TABLE"] {
        assert!(said.contains(&format!("{variable} is missing")), "{said}");
    }
    assert!(!said.contains("AWS_REGION is missing"), "{said}");
}
