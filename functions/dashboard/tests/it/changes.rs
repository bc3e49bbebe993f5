//! What a CSM changes on the pages.

use barometer_cloud::{
    Table,
    table::{
        companies::Company,
        credentials::{Credential, Kind, Scope},
        team::Role,
    },
    workspaces::Created,
};
use barometer_domain::{CompanyId, status::Status};
use chrono::TimeDelta;
use http::{StatusCode, header};

use crate::{
    browser::{self, Answer, Browser, now},
    invented::{self, Story},
    store, team,
};

const ACME: &str = "/companies/acme";

/// A workspace with one company, and an admin's browser.
async fn acme() -> (Table, Created, Browser) {
    let table = store::table().await;
    let (made, browser) = browser::workspace(&table, "Meridian").await;
    let story = Story { name: "Acme".to_owned(), scores: vec![Some(60), Some(58)], ..Story::default() };
    invented::company(&table, &made.workspace_id, "acme", &story, now()).await;
    invented::history(&table, &made.workspace_id, "acme", &story, now()).await;
    (table, made, browser)
}

async fn stored(table: &Table, made: &Created) -> Company {
    table.company(&made.workspace_id, &CompanyId::new("acme").unwrap()).await.unwrap().unwrap()
}

/// A browser that may only read.
async fn viewer(table: &Table, made: &Created) -> Browser {
    let token = Credential {
        id: "viewer".to_owned(),
        workspace_id: made.workspace_id.clone(),
        kind: Kind::ApiToken,
        scope: Some(Scope::Read),
        label: "viewer".to_owned(),
        author: "viewer".to_owned(),
        created_at: now(),
        expires_at: None,
    };
    table.add_credential("bat_viewer", &token).await.unwrap();
    let mut browser = Browser::at(table, now());
    browser.sign_in("bat_viewer").await;
    browser
}

#[track_caller]
fn leads_to(answer: &Answer, to: &str) {
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::SEE_OTHER, to),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_status_is_set_and_shown_with_a_way_back() {
    let (table, made, mut browser) = acme().await;
    let page = browser.get(ACME).await.body;
    assert!(page.contains("Set or confirm the status") && !page.contains("Take back"));
    let form = "status=healthy&note=Renewed+early.&seen=0";
    leads_to(&browser.post("/companies/acme/status", form).await, "/companies/acme?done=status");
    let set = stored(&table, &made).await.status.unwrap();
    assert_eq!((set.value, set.note.as_str()), (Status::Healthy, "Renewed early."));
    let page = browser.get("/companies/acme?done=status").await.body;
    assert!(page.contains("The status is set.") && page.contains("“Renewed early.”"));
    assert!(!page.contains("Take back"), "there was none before");
    // Two changes at the very same instant have no order.
    let mut later = Browser::at(&table, now() + TimeDelta::seconds(1));
    later.sign_in(&made.api_token).await;
    later.post("/companies/acme/status", "status=struggling&note=Lost+their+budget.&seen=1").await;
    let page = later.get(ACME).await.body;
    assert!(page.contains("Take back: Healthy again"), "{page}");
    browser.post("/companies/acme/status", "status=healthy&note=Taken+back.&seen=2").await;
    assert_eq!(stored(&table, &made).await.status.unwrap().value, Status::Healthy);
}

#[tokio::test]
async fn a_status_without_a_note_or_upon_an_old_one_is_not_set_and_keeps_the_text() {
    let (table, made, mut browser) = acme().await;
    let answer = browser.post("/companies/acme/status", "status=steady&note=+&seen=0").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("role=\"alert\"><p>A status needs a note: why do you see it so?</p>"));
    let answer = browser.post("/companies/acme/status", "status=steady&note=My+%3Cview%3E&seen=7").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("Somebody set the status in the meantime"));
    assert!(answer.body.contains(">My &#60;view&#62;</textarea>"));
    assert!(stored(&table, &made).await.status.is_none());
}

#[tokio::test]
async fn requests_are_switched_and_say_what_will_happen() {
    let (table, made, mut browser) = acme().await;
    let page = browser.get(ACME).await.body;
    assert!(page.contains("Off: nobody is asked. Switched on, mail reaches 3 users"), "{page}");
    leads_to(
        &browser.post("/companies/acme/feedback-requests", "on=true").await,
        "/companies/acme?done=requests-on",
    );
    assert!(stored(&table, &made).await.request_feedback);
    let page = browser.get(ACME).await.body;
    assert!(page.contains("is asked next, on ") && page.contains("Mail reaches 3 users"), "{page}");
    browser.post("/companies/acme/feedback-requests", "on=false").await;
    assert!(!stored(&table, &made).await.request_feedback);
}

#[tokio::test]
async fn details_are_changed_together_and_what_is_wrong_is_said() {
    let (table, made, mut browser) = acme().await;
    let form = "name=Acme+Ltd&owner=anna%40example.com&plan=&renewal_on=2026-12-01&notice_on=&churned_on=&tags=vip,+eu";
    leads_to(&browser.post("/companies/acme/details", form).await, "/companies/acme?done=details");
    let company = stored(&table, &made).await;
    assert_eq!((company.name.as_str(), company.owner.as_deref()), ("Acme Ltd", Some("anna@example.com")));
    assert_eq!(company.renewal_on.unwrap().to_string(), "2026-12-01");
    assert_eq!(company.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["eu", "vip"]);
    let wrong = form.replace("2026-12-01", "soon");
    let answer = browser.post("/companies/acme/details", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn the_owner_is_offered_among_the_members_to_who_may_change_it() {
    let (table, made, mut admin) = acme().await;
    team::member(&table, &made.workspace_id, "zoe@example.com", Role::Csm).await;
    team::member(&table, &made.workspace_id, "ben@example.com", Role::Viewer).await;
    let page = admin.get(ACME).await.body;
    let list = page.split("<datalist id=\"owners\">").nth(1).unwrap().split("</datalist>").next().unwrap();
    let (ben, zoe) =
        ("<option value=\"ben@example.com\">ben</option>", "<option value=\"zoe@example.com\">zoe</option>");
    assert_eq!(list, format!("{ben}{zoe}"));
    assert!(!viewer(&table, &made).await.get(ACME).await.body.contains("zoe@example.com"));
}

#[tokio::test]
async fn an_answer_is_voided_for_a_reason() {
    let (_, _, mut browser) = acme().await;
    let page = browser.get(ACME).await.body;
    let action = page.split("/desk/answers/").nth(1).unwrap().split('"').next().unwrap();
    let path = format!("/desk/answers/{action}");
    let answer = browser.post(&path, "reason=+&back=/companies/acme").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("Says why the answer shouldn&#39;t count.")
            && answer.body.contains("href=\"/companies/acme\""),
        "{}",
        answer.body
    );
    let form = "reason=A+test&back=/companies/acme";
    leads_to(&browser.post(&path, form).await, "/companies/acme?done=voided");
    assert!(browser.get(ACME).await.body.contains("void: A test"));
    assert_eq!(browser.post(&path, form).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn who_may_only_read_sees_no_form_and_changes_nothing() {
    let (table, made, _) = acme().await;
    let mut viewer = viewer(&table, &made).await;
    let page = viewer.get(ACME).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<textarea") && !page.body.contains("Switch on"));
    let answer = viewer.post("/companies/acme/status", "status=steady&note=x&seen=0").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("This credential may not do that."));
    assert!(stored(&table, &made).await.status.is_none());
}

#[tokio::test]
async fn forms_of_nobody_lead_to_the_sign_in_and_forms_of_others_do_nothing() {
    let (table, made, _) = acme().await;
    let mut nobody = Browser::at(&table, now());
    for (path, form) in [
        ("/companies/acme/status", "status=steady&note=x"),
        ("/companies/acme/details", "name=x&owner=&plan=&renewal_on=&notice_on=&churned_on=&tags="),
        ("/companies/acme/feedback-requests", "on=true"),
        ("/desk/answers/x/void", "reason=x&back=/"),
        ("/desk/alerts/x", "state=resolved&note=x&back=/"),
    ] {
        leads_to(&nobody.post(path, form).await, "/sign-in");
    }
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let answer = theirs.post("/companies/acme/status", "status=steady&note=x&seen=0").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(stored(&table, &made).await.status.is_none());
}
