//! Who changed what: found by span, page by page, by nobody else, and never changed.

use barometer_cloud::table::{
    audit::{Action, Entry, Span},
    companies::{Patch, Profile},
};
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;
use serde_json::json;

use crate::samples::{at, company, is_conflict, note_companies, workspace};

fn entry(id: &str, when: &str) -> Entry {
    let entry = Entry::new(Action::CompanyChanged, "acme", "ann@example.com", at(when)).unwrap();
    let entry =
        entry.of(Some(&company("acme"))).change(&json!({ "plan": null }), &json!({ "plan": id })).unwrap();
    Entry { id: id.to_owned(), ..entry }
}

fn plan(to: &str) -> Patch {
    Patch { plan: Some(Some(to.to_owned())), ..Patch::default() }
}

fn span(from: &str, to: &str) -> Span {
    Span { from: at(from), to: at(to) }
}

#[tokio::test]
async fn entries_of_a_span_come_page_by_page_in_either_order() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let whens = [
        "2026-07-31T23:59:59.999999Z",
        "2026-08-01T00:00:00Z",
        "2026-08-31T12:00:00Z",
        "2026-10-01T00:00:00Z",
        "2026-10-01T00:00:00Z",
        "2026-10-02T00:00:00Z",
    ];
    for (index, when) in whens.iter().enumerate() {
        let entry = entry(&format!("e{index}"), when);
        table.recording(&a, &entry).patch_company(&a, &acme, &plan(&entry.id)).await.unwrap();
    }
    // The first and the last lie outside: a span ends before its end.
    let within = span("2026-08-01T00:00:00Z", "2026-10-02T00:00:00Z");
    for (newest_first, expected) in [(false, ["e1", "e2", "e3", "e4"]), (true, ["e4", "e3", "e2", "e1"])] {
        for step in [1, 3, 100] {
            let (mut ids, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = table.audit(&a, within, after.as_deref(), newest_first, step).await.unwrap();
                assert!(page.len() <= step);
                let Some(last) = page.last() else { break };
                after = Some(last.place());
                ids.extend(page.into_iter().map(|entry| entry.id));
            }
            assert_eq!(ids, expected, "{step} at a time, the newest first: {newest_first}");
        }
    }
    let read = table.audit(&a, within, None, false, 1).await.unwrap();
    assert_eq!(read, [entry("e1", whens[1])], "as it was written, nulls among it");
    let other = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.audit(&other, within, None, true, 100).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry_and_an_entry_that_is_taken_no_change() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let first = entry("e1", "2026-09-01T00:00:00Z");
    let ghost = table.recording(&a, &first).patch_company(&a, &company("ghost"), &plan("x")).await;
    assert!(is_conflict(ghost));
    let all = span("2026-09-01T00:00:00Z", "2026-09-30T00:00:00Z");
    assert_eq!(table.audit(&a, all, None, true, 10).await.unwrap(), []);

    table.recording(&a, &first).patch_company(&a, &acme, &plan("pro")).await.unwrap();
    assert!(is_conflict(table.recording(&a, &first).patch_company(&a, &acme, &plan("basic")).await));
    assert_eq!(table.company(&a, &acme).await.unwrap().unwrap().plan.as_deref(), Some("pro"));
    assert_eq!(table.audit(&a, all, None, true, 10).await.unwrap(), [first]);
}

#[tokio::test]
async fn fields_that_somebody_else_changed_meanwhile_are_not_changed() {
    let table = table().await;
    let (a, acme) = (workspace(), company("acme"));
    table.note_company(&a, &acme, &Profile::default(), at("2026-09-01T00:00:00Z")).await.unwrap();
    let seen = table.company(&a, &acme).await.unwrap().unwrap();
    let on = Patch { request_feedback: Some(true), ..plan("pro") };
    table.patch_company_upon(&a, &seen, &on, at("2026-09-02T00:00:00Z")).await.unwrap();
    for late in [plan("basic"), Patch { request_feedback: Some(false), ..Patch::default() }] {
        assert!(
            is_conflict(table.patch_company_upon(&a, &seen, &late, at("2026-09-02T00:00:00Z")).await),
            "{late:?}"
        );
    }
    // Another field may have been.
    let owner = Patch { owner: Some(Some("ann@example.com".to_owned())), ..Patch::default() };
    table.patch_company_upon(&a, &seen, &owner, at("2026-09-02T00:00:00Z")).await.unwrap();
    let seen = table.company(&a, &acme).await.unwrap().unwrap();
    assert_eq!((seen.plan.as_deref(), seen.request_feedback), (Some("pro"), true));
    let cleared = Patch { owner: Some(None), plan: Some(None), ..Patch::default() };
    table.patch_company_upon(&a, &seen, &cleared, at("2026-09-02T00:00:00Z")).await.unwrap();
    assert_eq!(table.company(&a, &acme).await.unwrap().unwrap().owner, None);
}
