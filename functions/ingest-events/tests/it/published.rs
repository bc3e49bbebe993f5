//! The examples of the Segment specification: every one that names a person or a company is taken.

use std::fs;

use http::StatusCode;
use serde_json::Value;

use crate::common::{Raw, at, body, fixtures, long};

/// Calls without anybody in them; the specification shows them as excerpts.
const NOBODY: [&str; 3] = ["page-00.json", "screen-00.json", "track-00.json"];

#[test]
fn every_whole_call_is_accepted() {
    let mut calls = 0;
    for entry in fs::read_dir(fixtures().join("published/segment-spec")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".json") {
            continue;
        }
        let text = fs::read(&path).unwrap();
        let example: Value = serde_json::from_slice(&text).unwrap();
        let kind = example["type"].as_str().or(example["action"].as_str()).unwrap_or("track");
        // On its own path, on a short path and, where it says its type, in a batch.
        let mut requests = vec![
            Raw::post(&format!("/v1/{kind}"), text.clone()),
            Raw::post(&format!("/v1/{}/", &kind[..1]), text.clone()),
        ];
        if example["type"].is_string() || example["action"].is_string() {
            requests.push(Raw::post("/v1/batch", serde_json::json!({ "batch": [example] }).to_string()));
        }
        for request in requests {
            let answer = request.answer(at("2026-09-07T12:00:00Z"), &long());
            assert_eq!(answer.status(), StatusCode::OK, "{name}");
            let answer = body(answer);
            if NOBODY.contains(&name.as_str()) {
                assert_eq!(answer["errors"][0]["code"], "missing_user", "{name}");
            } else {
                assert_eq!(
                    (&answer["accepted"], &answer["rejected"]),
                    (&1.into(), &0.into()),
                    "{name} {answer}"
                );
            }
            calls += 1;
        }
    }
    assert!(calls > 150, "{calls}");
}
