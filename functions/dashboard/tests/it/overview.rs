//! The overview.

use barometer_cloud::table::credentials::Scope;
use barometer_domain::status::Status;
use http::{StatusCode, header};

use crate::{
    browser::{self, Browser, now},
    invented::{self, Story},
    store,
    work::{self, signed_in},
};

fn story(name: &str, scores: &[u8]) -> Story {
    Story {
        name: name.to_owned(),
        owner: Some("anna@example.com"),
        scores: scores.iter().map(|score| Some(*score)).collect(),
        ..Story::default()
    }
}

#[track_caller]
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let from =
        page.split_once(&format!("<h2 id=\"{heading}\">")).unwrap_or_else(|| panic!("{heading}: {page}")).1;
    from.split_once("</section>").unwrap().0
}

#[tokio::test]
async fn weeks_moves_and_decisions_stand_on_one_page() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let workspace = &made.workspace_id;
    let stories = vec![
        ("rise".to_owned(), Story { happiness: Some((90, 4)), ..story("Rising", &[40, 40, 80]) }),
        (
            "fall".to_owned(),
            Story {
                happiness: Some((30, 5)),
                status: Some((Status::Struggling, 2)),
                ..story("Falling", &[60, 60, 20])
            },
        ),
        ("new".to_owned(), Story { onboarding: true, ..story("New", &[50]) }),
    ];
    work::overviews(&table, workspace, &stories, 3, now()).await;
    for (id, story) in &stories {
        invented::history(&table, workspace, id, &Story { status: None, ..story.clone() }, now()).await;
    }
    let page = browser.get("/overview").await;
    assert_eq!(page.status, StatusCode::OK);
    let page = page.body;
    assert!(page.contains("Week <b>2026-W36</b>") && page.contains("provisional until Wed 9 Sep"));
    assert!(page.contains(
        "<title>Companies per band and week; in 2026-W36: 1 no band, 1 Thriving, 0 Healthy, 0 Steady, 1 At Risk.</title>"
    ));
    let weeks = section(&page, "bw");
    let row = "<th scope=\"row\"><span>2026-</span>W36</th><td>1</td><td>0</td><td>0</td><td>1</td><td>1</td><td>50</td>";
    assert!(weeks.contains(row), "{weeks}");
    assert_eq!(weeks.matches("<tr><th scope=\"row\">").count(), 3, "weeks before the first are left out");
    let up = section(&page, "up");
    assert!(up.contains("/companies/rise\">Rising</a> <span>40 → 80</span> <b>▲ +40</b>"), "{up}");
    assert!(up.contains("<small>login +13 (6 of 8 users active, was 3)</small>"), "{up}");
    assert!(section(&page, "dn").contains("<span>60 → 20</span> <b>▼ −40</b>"));
    assert!(!section(&page, "dn").contains("Rising"));
    assert!(up.contains("<span>1 in a higher band</span>"), "{up}");
    let decisions = section(&page, "de");
    assert!(decisions.contains("Falling</a> <small>Urgent: Struggling and Not Happy · anna"));
    assert!(!decisions.contains("Rising"));
    let owners = section(&page, "ow");
    assert!(
        owners.contains("anna@example.com</th><td>3</td><td>50</td><td>1</td><td>1</td><td>1</td><td>0</td>"),
        "{owners}"
    );
    // 4 answers of 9 and 5 of 3: 4 promoters and 5 detractors of 9.
    assert!(page.contains("<dt>NPS</dt><dd><b>−11</b>") && page.contains("9 answers"), "{page}");
    assert!(page.contains("<dt>Response rate</dt><dd><b>43 %</b> <small>mean of the 2 companies asked"));
}

#[tokio::test]
async fn what_is_not_known_yet_is_said() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/overview").await.body;
    assert!(page.contains("No company yet") && !page.contains("id=\"bw\""));
    invented::company(&table, &made.workspace_id, "acme", &story("Acme", &[]), now()).await;
    let page = browser.get("/overview").await.body;
    assert!(section(&page, "bw").contains("No week has been scored yet."));
    assert!(section(&page, "up").contains("No company’s score rose"));
    assert!(section(&page, "dn").contains("No company’s score fell"));
    assert!(section(&page, "de").contains("Nothing does."));
    assert!(page.contains("<dt>NPS</dt><dd><b>–</b> <small>nobody has answered"));
}

#[tokio::test]
async fn an_overview_is_its_workspaces_and_open_to_viewers() {
    let table = store::table().await;
    let (made, _) = browser::workspace(&table, "Meridian").await;
    let stories = vec![("acme".to_owned(), story("Secret", &[40, 80]))];
    work::overviews(&table, &made.workspace_id, &stories, 2, now()).await;
    let mut viewer = signed_in(&table, &made, "viewer", Scope::Read).await;
    assert!(viewer.get("/overview").await.body.contains("Secret"));
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let page = theirs.get("/overview").await.body;
    assert!(!page.contains("Secret") && !page.contains("W36"));
    let mut nobody = Browser::at(&table, now());
    assert_eq!(nobody.get("/overview").await.header(header::LOCATION), "/sign-in");
}

#[tokio::test]
async fn a_hundred_companies_and_twelve_weeks_stay_one_small_page() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian Cloud").await;
    let mut stories = invented::stories(100);
    for (_, story) in &mut stories {
        story.name = format!("<script>{}</script> {}", story.name, "x".repeat(60));
    }
    work::overviews(&table, &made.workspace_id, &stories, 12, now()).await;
    let page = browser.get("/overview").await.body;
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert!(!page.contains("<script") && !page.contains(" style="));
    assert_eq!(section(&page, "bw").matches("<tr><th scope=\"row\">").count(), 12);
    assert_eq!(section(&page, "up").matches("<li>").count(), 5);
    assert!(section(&page, "de").matches("<li>").count() <= 8);
}
