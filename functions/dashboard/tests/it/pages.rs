//! The pages behind a session.

use barometer_cloud::table::companies::Profile;
use barometer_domain::{CompanyId, status::Status};
use http::{StatusCode, header};

use crate::{
    browser::{self, now},
    invented::{self, Story},
    store,
};

/// Budget of a page before compression.
const PAGE_BYTES: usize = 60_000;

fn scored(name: &str, scores: &[u8]) -> Story {
    Story {
        name: name.to_owned(),
        scores: scores.iter().map(|score| Some(*score)).collect(),
        ..Story::default()
    }
}

#[tokio::test]
async fn an_empty_workspace_is_told_how_to_send_its_first_event() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme & Sons").await;
    let page = browser.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("No company yet"));
    assert!(page.body.contains("https://app.example.com/v1/track"));
    assert!(page.body.contains("Mon 14 Sep, 00:00 (UTC)"));
    assert!(page.body.contains("Acme &#38; Sons"));
    let page = browser.get("/quadrant").await;
    assert!(page.body.contains("No company yet."));
}

#[tokio::test]
async fn before_the_first_score_nothing_is_zero() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let company = CompanyId::new("acme").unwrap();
    table.note_company(&made.workspace_id, &company, &Profile::default(), now()).await.unwrap();
    let page = browser.get("/").await;
    assert!(page.body.contains("No score yet. The first one comes when the week has ended: Mon 14 Sep"));
    assert!(page.body.contains("<b>–</b> <i class=lx>Not scored yet</i>"));
    assert!(page.body.contains("Showing 1 of 1"));
    let page = browser.get("/companies/acme").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("No week has a score yet."));
}

#[tokio::test]
async fn filters_narrow_and_say_so() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let low = Story { status: Some((Status::Thriving, 3)), ..scored("Low", &[60, 18]) };
    invented::company(&table, &made.workspace_id, "low", &low, now()).await;
    invented::company(&table, &made.workspace_id, "high", &scored("High", &[80, 85]), now()).await;
    let page = browser.get("/").await;
    assert!(page.body.contains("Week <b>2026-W36</b>"));
    assert!(page.body.contains("provisional until Wed 9 Sep, 00:00 (UTC)"));
    assert!(page.body.contains("<span>At Risk 18 (−42)</span>"));
    assert!(page.body.contains("▼ −42"));
    let page = browser.get("/?engagement=at_risk&sort=name").await;
    assert!(page.body.contains("Showing 1 of 2"));
    assert!(!page.body.contains("/companies/high"));
    let page = browser.get("/?q=nobody").await;
    assert!(page.body.contains("No company matches."));
    assert!(page.body.contains("Showing 0 of 2"));
    let page = browser.get("/?sort=%ff&status=%3Cscript%3E&q=%22%3E%3Cscript%3E").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.body.matches("<script").count(), 1, "our own");
    assert!(page.body.contains("<script src=\"/assets/page.js?v="));
}

#[tokio::test]
async fn a_timeline_tells_everything_and_narrows_to_a_kind() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let story = Story { status: Some((Status::Healthy, 20)), ..scored("Halden", &[62, 61]) };
    invented::company(&table, &made.workspace_id, "halden", &story, now()).await;
    invented::history(&table, &made.workspace_id, "halden", &story, now()).await;
    let page = browser.get("/companies/halden/timeline").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in
        ["Mara Lindqvist gave 9 of 10", "Healthy → Struggling by anna@example.com", "Exports time out"]
    {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let page = browser.get("/companies/halden/timeline?kind=status").await.body;
    assert!(page.contains("Healthy → Struggling") && !page.contains("gave 9 of 10"));
    assert_eq!(browser.get("/companies/halden/timeline?cursor=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get("/companies/nobody/timeline").await.status, StatusCode::NOT_FOUND);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert_eq!(theirs.get("/companies/halden/timeline").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_csv_of_a_view_has_its_companies_in_its_order() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian Cloud").await;
    for (id, story) in &invented::stories(100) {
        invented::company(&table, &made.workspace_id, id, story, now()).await;
    }
    for view in ["/?status=struggling&sort=-change", "/?q=anna&sort=owner", "/?engagement=none&sort=name"] {
        let page = browser.get(view).await.body;
        let csv = page.split("href=\"/v1/companies.csv").nth(1).unwrap().split('"').next().unwrap();
        let path = format!("/v1/companies.csv{}", csv.replace("&#38;", "&"));
        let file = browser.api(&path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        let of_file: Vec<&str> =
            file.body.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        let rows = page.split("<table class=\"pf\">").nth(1).unwrap().split("href=/companies/").skip(1);
        let of_page: Vec<&str> = rows.map(|row| row.split('>').next().unwrap()).collect();
        assert!(of_page.len() > 3, "{view}");
        assert_eq!(of_page, of_file, "{view}");
    }
}

#[tokio::test]
async fn names_are_text_whatever_they_hold() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "<b>Acme</b>").await;
    let id = "a/b?<script>&\"'";
    let story = scored("<script>alert(1)</script>\"'>", &[60, 18]);
    invented::company(&table, &made.workspace_id, id, &story, now()).await;
    invented::history(&table, &made.workspace_id, id, &story, now()).await;
    for path in ["/", "/quadrant"] {
        let page = browser.get(path).await;
        assert!(!page.body.contains("<script>") && !page.body.contains("<b>Acme"), "{path}");
        assert!(page.body.contains("&#60;script&#62;alert(1)"), "{path}");
        assert!(page.body.contains("/companies/a%2Fb%3F%3Cscript%3E%26%22%27"), "{path}");
    }
    let page = browser.get("/companies/a%2Fb%3F%3Cscript%3E%26%22%27").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<script"));
}

#[tokio::test]
async fn another_workspaces_company_is_not_there() {
    let table = store::table().await;
    let (made, mut mine) = browser::workspace(&table, "Acme").await;
    let (_, mut theirs) = browser::workspace(&table, "Beta").await;
    invented::company(&table, &made.workspace_id, "secret", &scored("Secret", &[50, 50]), now()).await;
    assert_eq!(mine.get("/companies/secret").await.status, StatusCode::OK);
    let other = theirs.get("/companies/secret").await;
    let unknown = theirs.get("/companies/unknown").await;
    assert_eq!((other.status, &other.body), (StatusCode::NOT_FOUND, &unknown.body));
    assert!(!theirs.get("/").await.body.contains("Secret"));
    assert_eq!(theirs.get("/companies/%00").await.status, StatusCode::NOT_FOUND);
    assert_eq!(theirs.get("/nowhere").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_company_shows_how_its_score_comes_about() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    let story = Story {
        status: Some((Status::Healthy, 20)),
        happiness: Some((30, 4)),
        feedback_missing: true,
        ..scored("Halden Foods", &[62, 61, 60, 58, 50, 50])
    };
    invented::company(&table, &made.workspace_id, "halden", &story, now()).await;
    invented::history(&table, &made.workspace_id, "halden", &story, now()).await;
    let page = browser.get("/companies/halden").await.body;
    for text in [
        "4 of 8 users active",
        "Since 2026-W35: 50, as before: login (4 of 8 users active), adoption (4 of 12 features used, 212 minutes)",
        "4 of 12 features used · 212 minutes",
        "nobody has answered in the last 90 days",
        "counts as 50",
        "Exports time out since the last release.",
        "3 of 10",
        "in the product",
        "Mara Lindqvist",
        "no address known",
        "was Healthy",
        "Struggling since 21 Aug",
        "Not Happy · 4 answers",
        "2026-08",
        "Engagement by week from 2026-W31 to 2026-W36: 50 at the end, between 50 and 62.",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_company_says_why_its_score_changed() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Acme").await;
    for (id, scores) in [("two", &[60, 18][..]), ("gap", &[60, 60, 18]), ("one", &[60])] {
        let mut story = scored(id, scores);
        if id == "gap" {
            story.scores[1] = None;
        }
        invented::company(&table, &made.workspace_id, id, &story, now()).await;
        invented::history(&table, &made.workspace_id, id, &story, now()).await;
    }
    let page = browser.get("/companies/two").await.body;
    let sentence = "<p>Why it changed since 2026-W35: 60 → 18: login −14 (1 of 8 users active, was 4), \
                    adoption −14 (1 of 12 features used, was 4; 53 minutes, was 212), \
                    feedback −14 (5 answers, together 18 %, was 60 %)</p>";
    assert!(page.contains(sentence), "{page}");
    let page = browser.get("/companies/gap").await.body;
    assert!(page.contains("<p>Since 2026-W35: Not scored in 2026-W35: "));
    assert!(!browser.get("/companies/one").await.body.contains("ince 2026-W"));
}

#[tokio::test]
async fn pages_of_a_hundred_companies_stay_small() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian Cloud").await;
    let stories = invented::stories(100);
    for (id, story) in &stories {
        invented::company(&table, &made.workspace_id, id, story, now()).await;
    }
    let (id, story) = &stories[0];
    invented::history(&table, &made.workspace_id, id, story, now()).await;
    for path in ["/", "/?sort=name&q=e", "/quadrant", &format!("/companies/{id}")] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.len() < PAGE_BYTES, "{path}: {} bytes", page.body.len());
        assert!(!page.body.contains(" style="), "the policy would ignore it");
    }
    assert!(browser.get("/").await.body.contains("Showing 1–50 of 100"));
    let second = browser.get("/?page=2").await.body;
    assert!(second.contains("Showing 51–100 of 100") && second.contains("Page 2 of 2"));
    // Beyond the end lies the last page.
    assert_eq!(browser.get("/?page=99").await.body, second);
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let table = store::table().await;
    let (_, mut browser) = browser::workspace(&table, "Acme").await;
    let mut answers = vec![browser.post("/sign-out", "").await];
    for path in ["/", "/sign-in", "/sign-in/x", "/nowhere"] {
        answers.push(browser.get(path).await);
    }
    answers.push(browser.sign_in("wrong").await);
    answers.push(browser.post("/", "").await);
    for answer in answers {
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        for part in ["img-src data:", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{part}");
        }
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(answer.header(header::REFERRER_POLICY), "same-origin");
    }
}
