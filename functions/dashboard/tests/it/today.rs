//! The page of the day.

use barometer_cloud::{Table, table::credentials::Scope, workspaces::Created};
use barometer_domain::status::Status;
use http::{StatusCode, header};

use crate::{
    browser::{self, Browser, now},
    invented::{self, Story},
    store,
    work::{self, signed_in},
};

const ANNA: &str = "anna@example.com";

/// Two companies, Anna's and Ben's, each with something of every kind.
async fn two() -> (Table, Created, Browser) {
    let table = store::table().await;
    let (made, admin) = browser::workspace(&table, "Meridian").await;
    let workspace = &made.workspace_id;
    for (id, name, owner) in [("acme", "Acme", ANNA), ("beta", "Beta", "ben@example.com")] {
        let story = Story {
            name: name.to_owned(),
            owner: Some(owner),
            scores: vec![Some(40), Some(20)],
            status: Some((Status::Struggling, 40)),
            ..Story::default()
        };
        invented::company(&table, workspace, id, &story, now()).await;
        invented::history(&table, workspace, id, &Story { status: None, ..story }, now()).await;
        let title = format!("{name}: call them");
        work::task(&table, workspace, (id, "u-1"), &title, (-2, Some(owner)), now()).await;
        work::task(&table, workspace, (id, "u-2"), &format!("{name}: later"), (3, None), now()).await;
        work::alert(&table, workspace, id, now()).await;
        work::disagreement(&table, workspace, id, now()).await;
        work::action(&table, workspace, (id, "u-0"), false, now()).await;
        work::action(&table, workspace, (id, "u-0"), true, now()).await;
        work::renewal(&table, workspace, id, 12, now()).await;
    }
    (table, made, admin)
}

/// The part of a page from one of its sections to the next.
#[track_caller]
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("{id} in {page}")).1;
    from.split_once("</section>").unwrap().0
}

#[tokio::test]
async fn everything_that_waits_is_told_with_its_company() {
    let (_, _, mut admin) = two().await;
    let page = admin.get("/today").await;
    assert_eq!(page.status, StatusCode::OK);
    let page = page.body;
    assert!(page.contains("Tuesday, 8 September"));
    let tasks = section(&page, "tasks");
    assert!(
        tasks.contains("<b class=\"l0\">Overdue.</b>") && tasks.contains("href=\"/companies/acme\">Acme</a>")
    );
    assert!(tasks.contains("4, 2 overdue"), "{tasks}");
    let order: Vec<_> = ["Acme: call", "Beta: call", "Acme: later"].map(|it| tasks.find(it).unwrap()).into();
    assert!(order[0].max(order[1]) < order[2], "what is overdue stands first");
    assert!(section(&page, "alerts").contains("Engagement fell to 34"));
    let disagreements = section(&page, "disagreements");
    assert!(disagreements.contains("The business status says Thriving, yet engagement is At Risk."));
    let actions = section(&page, "actions");
    assert!(actions.contains("Mail to Mara Lindqvist: “How can we help?”") && actions.contains("Approve"));
    assert!(actions.contains("failed: the endpoint answered 500") && actions.contains("Try again"));
    let reviews = section(&page, "reviews");
    assert!(reviews.contains("/companies/acme#s") && reviews.contains("review overdue since 29 Aug"));
    assert!(reviews.contains("· ben<"));
    assert!(section(&page, "renewals").contains("renews 20 Sep, in 12 days"));
    assert!(page.contains("<a href=\"#tasks\"><b>4</b> Tasks"));
}

#[tokio::test]
async fn low_answers_of_the_last_week_are_told_unless_they_are_void() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let story = Story { name: "Acme".to_owned(), scores: vec![Some(60)], ..Story::default() };
    // The stories' answers: 9, 7, 5 and 3 of 10, 5, 14, 23 and 32 days old, so look when the third is new.
    let then = now() - chrono::TimeDelta::days(20);
    invented::company(&table, &made.workspace_id, "acme", &story, then).await;
    invented::history(&table, &made.workspace_id, "acme", &story, then).await;
    assert!(
        section(&browser.get("/today").await.body, "answers").contains("No low answer in the last 7 days")
    );
    let mut earlier = browser.later(&table, then - chrono::TimeDelta::days(17));
    let page = earlier.get("/today").await.body;
    let answers = section(&page, "answers");
    assert!(answers.contains("<b>5 of 10</b>") && answers.contains("Ines Duarte"), "{answers}");
    assert!(answers.contains("Exports time out since the last release.") && !answers.contains("9 of 10"));
    let inbox = browser.get("/companies/acme").await.body;
    let row = inbox.split("Ines Duarte").nth(1).unwrap().split("/desk/answers/").nth(1).unwrap();
    let path = format!("/desk/answers/{}", row.split('"').next().unwrap());
    let voided = browser.post(&path, "reason=A+slip&back=/today").await;
    assert_eq!(voided.header(header::LOCATION), "/today?done=voided");
    let page = earlier.get("/today").await.body;
    assert!(section(&page, "answers").contains("No low answer"));
}

#[tokio::test]
async fn whose_companies_or_tasks_there_are_sees_their_own_first() {
    let (table, made, mut admin) = two().await;
    let mut anna = signed_in(&table, &made, "Anna@example.com", Scope::Write).await;
    let page = anna.get("/today").await.body;
    assert!(page.contains("Acme: call them") && page.contains("Acme: later"));
    assert!(!page.contains("Beta"), "{page}");
    assert!(page.contains("<a href=\"/today?of=mine\" aria-current=\"true\">Mine</a>"));
    let all = anna.get("/today?of=all").await.body;
    assert!(all.contains("Acme: call them") && all.contains("Beta: call them"));
    // Nothing is the admin's, so all of it is shown.
    assert!(admin.get("/today").await.body.contains("Beta: call them"));
    let mine = admin.get("/today?of=mine").await.body;
    assert!(mine.contains("No task waits.") && !mine.contains("Beta"));
}

#[tokio::test]
async fn who_owns_no_company_is_told_how_one_becomes_theirs() {
    let (table, made, _) = two().await;
    let mut carla = signed_in(&table, &made, "carla@example.com", Scope::Write).await;
    let page = carla.get("/today").await.body;
    assert!(page.contains("No company is yours yet, so this is everybody’s day."), "{page}");
    assert!(page.contains("your own e-mail address, carla@example.com") && page.contains("“Change details”"));
    let mut viewer = signed_in(&table, &made, "vera@example.com", Scope::Read).await;
    let page = viewer.get("/today?of=mine").await.body;
    assert!(page.contains("No company is yours yet. ") && page.contains("A CSM or an admin enters it"));
    let mut anna = signed_in(&table, &made, "Anna@example.com", Scope::Write).await;
    assert!(!anna.get("/today?of=all").await.body.contains("is yours yet"));
}

#[tokio::test]
async fn a_form_of_the_day_leads_back_to_it() {
    let (_, _, mut admin) = two().await;
    let page = admin.get("/today?of=all").await.body;
    let task = section(&page, "tasks");
    assert!(task.contains("name=\"back\" value=\"/today?of=all\""), "{task}");
    let path =
        format!("/desk/tasks/{}", task.split("/desk/tasks/").nth(1).unwrap().split('"').next().unwrap());
    let done = admin.post(&path, "state=done&back=%2Ftoday%3Fof%3Dall").await;
    assert_eq!(done.header(header::LOCATION), "/today?of=all&done=task");
    let page = admin.get("/today?of=all&done=task").await.body;
    assert!(page.contains("The task is done.") && section(&page, "tasks").contains("3, 1 overdue"));
}

#[tokio::test]
async fn every_part_says_what_will_come_there() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian").await;
    let page = browser.get("/today").await.body;
    assert!(page.contains("No company yet") && !page.contains("id=\"tasks\""));
    let story = Story { name: "Acme".to_owned(), scores: vec![Some(60)], ..Story::default() };
    invented::company(&table, &made.workspace_id, "acme", &story, now()).await;
    let page = browser.get("/today").await.body;
    for (part, text) in [
        ("tasks", "No task waits."),
        ("alerts", "No alert is open."),
        ("answers", "No low answer in the last 7 days."),
        ("actions", "Nothing waits for approval and nothing failed."),
        ("disagreements", "Nothing to settle."),
        ("reviews", "Every status is fresh."),
        ("renewals", "No contract renews within 30 days"),
    ] {
        assert!(section(&page, part).contains(text), "{part}");
    }
}

#[tokio::test]
async fn a_viewer_sees_the_day_without_forms() {
    let (table, made, _) = two().await;
    let mut viewer = signed_in(&table, &made, "viewer", Scope::Read).await;
    let page = viewer.get("/today").await.body;
    assert!(page.contains("Acme: call them"));
    assert!(!page.contains("/desk/") && !page.contains("<textarea"));
}

#[tokio::test]
async fn the_day_of_another_workspace_is_its_own() {
    let (table, _, _) = two().await;
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let page = theirs.get("/today?of=all").await.body;
    assert!(!page.contains("Acme") && !page.contains("Beta"));
    let mut nobody = Browser::at(&table, now());
    assert_eq!(nobody.get("/today").await.header(header::LOCATION), "/sign-in");
}

#[tokio::test]
async fn a_full_day_stays_small_and_leads_to_the_rest() {
    let table = store::table().await;
    let (made, mut browser) = browser::workspace(&table, "Meridian Cloud").await;
    let workspace = &made.workspace_id;
    for (id, mut story) in invented::stories(100) {
        story.status = Some((Status::Struggling, 40));
        story.name.push_str(" <script>alert(1)</script>");
        invented::company(&table, workspace, &id, &story, now()).await;
        let title = format!("{id} rated 3 of 10: <i>ask</i> what went wrong");
        work::task(&table, workspace, (&id, "u-1"), &title, (-2, story.owner), now()).await;
        work::alert(&table, workspace, &id, now()).await;
        work::disagreement(&table, workspace, &id, now()).await;
        work::action(&table, workspace, (&id, "u-0"), false, now()).await;
        work::renewal(&table, workspace, &id, 12, now()).await;
    }
    for path in ["/today", "/today?only=tasks", "/today?only=disagreements&skip=25", "/today?only=actions"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.len() < 60_000, "{path}: {} bytes", page.body.len());
        assert!(!page.body.contains("<script") && !page.body.contains("<i>ask"), "{path}");
        assert!(!page.body.contains(" style="), "the policy would ignore it");
    }
    let whole = browser.get("/today").await.body;
    assert!(section(&whole, "tasks").contains("<a href=\"/today?only=tasks\">9"), "{}", whole.len());
    // Every task is reached by the links, once.
    let (mut path, mut found) = ("/today?only=tasks".to_owned(), 0);
    for _ in 0..9 {
        let page = browser.get(&path).await.body;
        let tasks = section(&page, "tasks");
        found += tasks.matches("value=\"done\"").count();
        let Some(next) = tasks.split("more tasks").next().filter(|before| before.len() < tasks.len()) else {
            break;
        };
        path = next.rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(found, 100);
}
