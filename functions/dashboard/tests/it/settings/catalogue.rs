//! The feature catalogue.

use barometer_cloud::table::credentials::Scope;
use barometer_domain::catalogue::Feature;
use http::StatusCode;
use serde_json::json;

use super::{PAGE_BYTES, form, leads_to, scoped, scored, stored};
use crate::{
    browser::{self, Browser},
    store,
};

const PAGE: &str = "/settings/catalogue";

/// The number of the row of a name.
fn row_of(page: &str, key: &str) -> String {
    let mark = format!("value=\"{key}\"><label");
    let before = page.split(&mark).next().unwrap();
    before.rsplit("name=\"key").next().unwrap().split('"').next().unwrap().to_owned()
}

async fn save(browser: &mut Browser, typed: &[(&str, &str)]) -> browser::Answer {
    let page = browser.get(PAGE).await;
    let typed: Vec<_> = typed.iter().copied().chain([("act", "save")]).collect();
    browser.post(PAGE, &form(&page, PAGE, &typed)).await
}

#[tokio::test]
async fn names_that_came_are_proposed_and_count_when_they_are_ticked() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    scored::company(&table, &made.workspace_id, "a", "A", (4, 240), &["fexport", "eReport <b>Opened</b>"])
        .await;
    scored::company(&table, &made.workspace_id, "b", "B", (4, 240), &["fexport", "vHome"]).await;
    let page = browser.get(PAGE).await;
    for text in [
        "No catalogue yet",
        "<td>at 2 of 2 · feature</td>",
        "<td>at 1 of 2 · page</td>",
        "Report &#60;b&#62;Opened&#60;/b&#62;</label>",
    ] {
        assert!(page.body.contains(text), "{text} {}", page.body);
    }
    let (export, home) = (row_of(&page.body, "export"), row_of(&page.body, "Home"));
    let (on, label, weight, other) =
        (format!("on{export}"), format!("label{export}"), format!("weight{home}"), "key3");
    let on_home = format!("on{home}");
    let typed = [(on.as_str(), "1"), (&label, "Exports"), (&on_home, "1"), (&weight, "5"), (other, "search")];
    leads_to(&save(&mut browser, &typed).await, "/settings/catalogue?saved=2");
    let expected: Vec<Feature> = serde_json::from_value(json!([
        {"key": "export", "label": "Exports", "weight": 1},
        {"key": "Home", "weight": 5},
        {"key": "search", "weight": 1},
    ]))
    .unwrap();
    assert_eq!(stored(&table, &made).await.settings.catalogue, Some(expected));
    let page = browser.get("/settings/catalogue?saved=2").await.body;
    assert!(page.contains("Saved as version 2.") && page.contains("3 features count"));
    assert!(page.contains("<td>not seen</td>"), "of the one that was added by hand");
}

#[tokio::test]
async fn a_preview_of_a_catalogue_saves_nothing_and_keeps_the_ticks() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    // 55 without a catalogue; with one of whose features a tenth is used, 40.
    scored::company(&table, &made.workspace_id, "a", "Ann & Co", (4, 290), &["fexport", "fimport"]).await;
    let page = browser.get(PAGE).await;
    let (on, weight) =
        (format!("on{}", row_of(&page.body, "export")), format!("weight{}", row_of(&page.body, "export")));
    let typed = [(on.as_str(), "1"), (&weight, "1"), ("key2", "never"), ("weight2", "9"), ("act", "preview")];
    let answer = browser.post(PAGE, &form(&page, PAGE, &typed)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("1 of 1 company would have stood in another band"), "{}", answer.body);
    assert!(answer.body.contains("<a href=\"/companies/a\">Ann &#38; Co</a>"));
    assert_eq!(answer.body.matches(" checked").count(), 2);
    assert_eq!(stored(&table, &made).await.version, 1);
    let saved = browser.post(PAGE, &form(&answer, PAGE, &[("act", "save")])).await;
    leads_to(&saved, "/settings/catalogue?saved=2");
    assert_eq!(stored(&table, &made).await.settings.catalogue.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_feature_names_it_and_a_conflict_keeps_what_was_typed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let answer = save(&mut browser, &[("key0", "export"), ("weight0", "2000")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("<p>Export: a feature&#39;s weight is 1 to 1,000.</p>"), "{}", answer.body);
    assert!(answer.body.contains("value=\"2000\""));
    let page = browser.get(PAGE).await;
    leads_to(&save(&mut browser, &[("key0", "first")]).await, "/settings/catalogue?saved=2");
    let late = browser.post(PAGE, &form(&page, PAGE, &[("key0", "second"), ("act", "save")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("these changed: catalogue.") && late.body.contains("second</label>"));
    assert_eq!(stored(&table, &made).await.version, 2);
}

#[tokio::test]
async fn a_catalogue_of_500_comes_in_small_pages_and_saving_one_keeps_the_others() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let mut version = stored(&table, &made).await;
    version.version += 1;
    let features: Vec<_> = (0..500)
        .map(|number| json!({"key": format!("feature number {number:03}"), "label": "A long label of it"}))
        .collect();
    version.settings.catalogue = serde_json::from_value(json!(features)).unwrap();
    table.save_settings(&made.workspace_id, &version).await.unwrap();
    let page = browser.get("/settings/catalogue?from=50").await;
    assert!(page.body.len() < PAGE_BYTES, "{} bytes", page.body.len());
    assert!(page.body.contains("feature number 050") && !page.body.contains("feature number 100"));
    let form = form(&page, PAGE, &[("label0", "Other"), ("act", "save")]);
    leads_to(&browser.post(PAGE, &form).await, "/settings/catalogue?saved=3");
    let catalogue = stored(&table, &made).await.settings.catalogue.unwrap();
    assert_eq!((catalogue.len(), catalogue[50].label.as_str()), (500, "Other"));
}

#[tokio::test]
async fn who_is_no_admin_reads_the_catalogue_and_other_workspaces_names_never_show() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Meridian").await;
    scored::company(&table, &made.workspace_id, "a", "A", (4, 240), &["fexport"]).await;
    let mut csm = scoped(&table, &made, Scope::Write).await;
    let page = csm.get(PAGE).await.body;
    assert!(page.contains("<th scope=\"row\">export</th>") && !page.contains("<input"));
    let refused = csm.post(PAGE, "act=save&seen=1&rows=1&key0=x&on0=1&weight0=1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let page = theirs.get(PAGE).await.body;
    assert!(!page.contains("export</label>") && page.contains("No event with a name has come yet"));
}
