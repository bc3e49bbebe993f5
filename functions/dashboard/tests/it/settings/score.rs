//! How scores come about.

use barometer_cloud::table::credentials::Scope;
use http::{StatusCode, header};

use super::{PAGE_BYTES, form, leads_to, scoped, scored, stored};
use crate::{
    browser::{self, now},
    store,
};

const WEIGHTS: [&str; 3] = ["/weights/login", "/weights/adoption", "/weights/feedback"];

fn weights(each: [&'static str; 3]) -> Vec<(&'static str, &'static str)> {
    WEIGHTS.into_iter().zip(each).collect()
}

#[tokio::test]
async fn weights_that_sum_to_95_are_refused_clearly_and_stay_in_the_form() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<output id=\"sum\">99.99</output> %"));
    for act in ["save", "preview"] {
        let mut typed = weights(["50", "25", "20"]);
        typed.push(("act", act));
        let answer = browser.post("/settings", &form(&page, "/settings", &typed)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let alert = "role=\"alert\"><p>The weights sum to 95 %; they must sum to 100 %.</p>";
        assert!(answer.body.contains(alert), "{}", answer.body);
        assert!(answer.body.contains("<output id=\"sum\">95</output> %"));
        assert!(answer.body.contains("required value=\"20\" aria-invalid=\"true\""));
    }
    assert_eq!(stored(&table, &made).await.version, 1);
}

#[tokio::test]
async fn right_weights_are_saved_as_a_version_with_its_note() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    let mut typed = weights(["50", "30,5", "19.5"]);
    typed.extend([
        ("act", "save"),
        ("note", "Logins matter most."),
        ("/exclusions/email_domains", "a.example\r\n\r\nb.example"),
    ]);
    leads_to(&browser.post("/settings", &form(&page, "/settings", &typed)).await, "/settings?saved=2");
    let saved = stored(&table, &made).await;
    assert_eq!((saved.version, saved.note.as_str()), (2, "Logins matter most."));
    assert_eq!(saved.settings.weights.adoption().basis_points(), 3_050);
    assert_eq!(saved.settings.exclusions.email_domains, ["a.example", "b.example"].map(str::to_owned).into());
    assert_eq!(saved.settings.name, "Meridian");
    let page = browser.get("/settings?saved=2").await;
    assert!(page.body.contains("Saved as version 2.") && page.body.contains("a dashed line marks"));
    let untouched = form(&page, "/settings", &[("act", "save")]);
    leads_to(&browser.post("/settings", &untouched).await, "/settings?saved=same");
    assert_eq!(stored(&table, &made).await.version, 2);
}

#[tokio::test]
async fn evenly_distributed_weights_are_filled_in_and_not_saved() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    let mut typed = weights(["80", "10", "10"]);
    typed.extend([("act", "even"), ("/login_days", "3")]);
    let answer = browser.post("/settings", &form(&page, "/settings", &typed)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("<output id=\"sum\">100</output> %"));
    for text in ["required value=\"33.33\"", "required value=\"33.34\"", "max=\"7\" required value=\"3\""] {
        assert!(answer.body.contains(text), "{text}");
    }
    assert_eq!(stored(&table, &made).await.version, 1);
}

#[tokio::test]
async fn a_preview_names_who_would_stand_elsewhere_and_saves_nothing() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    // 55.21 and 50.
    scored::company(&table, &made.workspace_id, "b", "<b>Bold</b> & Co", (4, 290), &[]).await;
    scored::company(&table, &made.workspace_id, "d", "Dull", (4, 240), &[]).await;
    let page = browser.get("/settings").await;
    let typed = [("act", "preview"), ("/bands/healthy", "60"), ("note", "More < less")];
    let answer = browser.post("/settings", &form(&page, "/settings", &typed)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for text in [
        "<title>Preview: Score",
        "1 of 2 companies would have stood in another band in 2026-W36.",
        "<a href=\"/companies/b\">&#60;b&#62;Bold&#60;/b&#62; &#38; Co</a>",
        "1 Healthy → Steady",
        "max=\"100\" required value=\"60\"",
        "value=\"More &#60; less\"",
    ] {
        assert!(answer.body.contains(text), "{text}");
    }
    assert!(!answer.body.contains(">Dull<"), "its band stays");
    assert_eq!(stored(&table, &made).await.version, 1);
    let saved = browser.post("/settings", &form(&answer, "/settings", &[("act", "save")])).await;
    leads_to(&saved, "/settings?saved=2");
    let page = theirs.get("/settings").await;
    let answer = theirs.post("/settings", &form(&page, "/settings", &typed)).await;
    assert!(answer.body.contains("No week has been scored yet"), "another workspace's companies never show");
}

#[tokio::test]
async fn of_two_who_save_the_second_is_told_and_keeps_what_was_typed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    let first = form(&page, "/settings", &[("act", "save"), ("/login_days", "2")]);
    leads_to(&browser.post("/settings", &first).await, "/settings?saved=2");
    let second = form(&page, "/settings", &[("act", "save"), ("/minutes_per_user_week", "90")]);
    let answer = browser.post("/settings", &second).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    for text in [
        "first API token saved version 2 in the meantime",
        "Since the version that you saw, these changed: login days.",
        "required value=\"90\"",
        "name=\"seen\" value=\"2\"",
    ] {
        assert!(answer.body.contains(text), "{text}");
    }
    assert_eq!(stored(&table, &made).await.settings.minutes_per_user_week.get(), 60);
    let again = browser.post("/settings", &form(&answer, "/settings", &[("act", "save")])).await;
    leads_to(&again, "/settings?saved=3");
}

#[tokio::test]
async fn what_the_api_refuses_is_said_with_the_fields_label() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    for (typed, text) in [
        (("/time_zone", "Mars/Olympus"), "<p>Time zone: "),
        (("/name", " "), "<p>Name: a workspace has a name.</p>"),
        (("/bands/healthy", "90"), "<p>Band thresholds are whole percents, strictly descending"),
        (("/adoption_split/depth", "50"), "<p>Breadth and depth must add up to 100.</p>"),
        (("/login_days", "ten"), "<p>Login days a week: “ten” is not a whole number from 1 to 7.</p>"),
    ] {
        let answer = browser.post("/settings", &form(&page, "/settings", &[("act", "save"), typed])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed:?}");
        assert!(answer.body.contains(text), "{typed:?} {}", answer.body);
    }
}

#[tokio::test]
async fn who_is_no_admin_reads_the_settings_and_has_no_form() {
    let table = store::table().await;
    let (made, mut admin) = browser::workspace(&table, "Meridian").await;
    let form = form(&admin.get("/settings").await, "/settings", &[("act", "save"), ("/login_days", "2")]);
    let mut csm = scoped(&table, &made, Scope::Write).await;
    let page = csm.get("/settings").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<dt>Login days a week</dt><dd>1</dd>"));
    assert!(page.body.contains("<dt>A part that is missing</dt><dd>gives its weight to the others</dd>"));
    assert!(!page.body.contains("name=\"act\"") && !page.body.contains("<input"));
    let answer = csm.post("/settings", &form).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("This credential may not do that."));
    assert_eq!(stored(&table, &made).await.version, 1);
    let mut nobody = browser::Browser::at(&table, now());
    leads_to(&nobody.get("/settings").await, "/sign-in");
    leads_to(&nobody.post("/settings", &form).await, "/sign-in");
}

#[tokio::test]
async fn the_script_is_ours_and_kept_under_the_name_of_its_content() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/settings").await;
    assert!(page.header(header::CONTENT_SECURITY_POLICY).contains("script-src 'self';"));
    assert!(page.body.len() < PAGE_BYTES);
    assert!(!page.body.contains(" style=") && !page.body.contains("<script>"));
    let address = page.body.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap();
    let script = browser.get(address).await;
    assert_eq!(script.header(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert!(script.header(header::CACHE_CONTROL).contains("immutable"));
    assert!(script.body.contains("setCustomValidity"));
    let other = browser.get("/assets/page.js").await;
    assert_eq!((other.header(header::CACHE_CONTROL), &other.body), ("no-cache", &script.body));
    let known = http::Request::get("/assets/page.js")
        .header(header::IF_NONE_MATCH, other.header(header::ETAG))
        .body(axum::body::Body::empty());
    assert_eq!(browser.send(known.unwrap()).await.status, StatusCode::NOT_MODIFIED);
}
