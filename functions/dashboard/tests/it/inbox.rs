//! The inbox.

use barometer_cloud::{
    Table,
    table::{
        answers::{Answer, Source},
        companies::Readings,
        credentials::Scope,
    },
    workspaces::Created,
};
use barometer_domain::{CompanyId, UserId, answer::Rating};
use chrono::{DateTime, TimeDelta, Utc};
use http::{StatusCode, header};

use crate::{
    browser::{self, Browser, now},
    invented::{self, Story},
    store,
    work::{self, signed_in},
};

/// An answer of a company's user, given before an instant.
async fn gives(
    table: &Table,
    made: &Created,
    (company, user): (&str, &str),
    (rating, comment): (u8, Option<&str>),
    at: DateTime<Utc>,
) {
    let answer = Answer {
        user_id: UserId::new(user).unwrap(),
        rating: Rating::nps(rating).unwrap(),
        comment: comment.map(str::to_owned),
        at,
        source: Source::Api,
        origin: format!("{company}-{user}-{at}"),
        void: None,
    };
    let company = CompanyId::new(company).unwrap();
    table.record_answer(&made.workspace_id, &company, &answer, &Readings::default(), &[]).await.unwrap();
}

/// Two companies: Acme's four users gave 9, 7, 5 and 3 of 10, with comments by the first and the third.
async fn two() -> (Table, Created, Browser) {
    let table = store::table().await;
    let (made, admin) = browser::workspace(&table, "Meridian").await;
    for (id, name) in [("acme", "Acme"), ("beta", "Beta Foods")] {
        let story = Story { name: name.to_owned(), scores: vec![Some(40)], ..Story::default() };
        invented::company(&table, &made.workspace_id, id, &story, now()).await;
    }
    let story = Story { name: "Acme".to_owned(), scores: vec![Some(40)], ..Story::default() };
    invented::history(&table, &made.workspace_id, "acme", &story, now()).await;
    gives(&table, &made, ("beta", "zoe"), (10, Some("Love it.")), now() - TimeDelta::days(1)).await;
    (table, made, admin)
}

/// The rows of the table.
#[track_caller]
fn rows(page: &str) -> Vec<&str> {
    let Some((_, table)) = page.split_once("<tbody>") else { return Vec::new() };
    table.split("<tr>").skip(1).collect()
}

#[tokio::test]
async fn answers_are_told_newest_first_with_who_where_and_when() {
    let (_, _, mut admin) = two().await;
    let page = admin.get("/inbox").await;
    assert_eq!(page.status, StatusCode::OK);
    let rows = rows(&page.body);
    assert_eq!(rows.len(), 5);
    for text in ["zoe", "/companies/beta\">Beta Foods", "10 of 10", "Advocate", "Love it.", "7 Sep, 10:00"] {
        assert!(rows[0].contains(text), "{text}: {}", rows[0]);
    }
    assert!(rows[1].contains("Mara Lindqvist") && rows[1].contains("by mail"));
    assert!(
        !rows[2].contains("Advocate") && !rows[2].contains("Detractor") && rows[2].contains("no comment")
    );
    assert!(rows[3].contains("Detractor") && rows[3].contains("Exports time out since the last release."));
}

#[tokio::test]
async fn who_would_recommend_is_there_to_be_thanked() {
    let (_, _, mut admin) = two().await;
    let page = admin.get("/inbox").await.body;
    let thanks = page.split_once("Whom to thank").unwrap().1.split_once("</section>").unwrap().0;
    assert!(thanks.contains("zoe") && thanks.contains("Mara Lindqvist") && !thanks.contains("Tom Abara"));
    assert!(!admin.get("/inbox?max_rating=6").await.body.contains("Whom to thank"));
}

#[tokio::test]
async fn filters_narrow_by_rating_company_day_and_comment() {
    let (_, _, mut admin) = two().await;
    for (filter, found) in [
        ("max_rating=6", 2),
        ("min_rating=9", 2),
        ("min_rating=7&max_rating=8", 1),
        ("company=acme", 4),
        ("company=foods", 1),
        ("company=BETA+FOODS&max_rating=6", 0),
        ("from=2026-09-07", 1),
        ("from=2026-08-16&max_rating=6", 1),
        ("with_comment=true", 3),
        ("max_rating=99&from=soon&with_comment=maybe", 5),
    ] {
        let page = admin.get(&format!("/inbox?{filter}")).await;
        assert_eq!((page.status, rows(&page.body).len()), (StatusCode::OK, found), "{filter}");
    }
    let page = admin.get("/inbox?company=acme&max_rating=6").await.body;
    assert!(page.contains("Of Acme, the newest first") && page.contains("<option selected>6"));
    assert!(page.contains("name=\"company\" type=\"search\" value=\"acme\""));
}

#[tokio::test]
async fn what_is_empty_says_why() {
    let (table, _, mut admin) = two().await;
    let (_, mut empty) = browser::workspace(&table, "Empty").await;
    assert!(empty.get("/inbox").await.body.contains("No answer yet. Answers come from mails"));
    assert!(admin.get("/inbox?company=beta&max_rating=6").await.body.contains("No answer fits."));
    let page = admin.get("/inbox?company=%3Cscript%3E").await.body;
    assert!(
        page.contains("No company has the id or the name “&#60;script&#62;”") && !page.contains("<script")
    );
    let page = admin.get("/inbox?company=e&max_rating=6").await.body;
    assert!(page.contains("is part of several names: "), "{page}");
    assert!(page.contains("<a href=\"/inbox?max_rating=6&#38;company=beta\">Beta Foods</a>"), "{page}");
}

#[tokio::test]
async fn older_answers_are_reached_page_by_page_and_a_lost_page_is_the_newest() {
    let (table, made, mut admin) = two().await;
    for hour in 1..=45 {
        let at = now() - TimeDelta::days(40) - TimeDelta::hours(hour);
        gives(&table, &made, ("beta", "zoe"), (8, None), at).await;
    }
    let (mut path, mut found) = ("/inbox".to_owned(), Vec::new());
    loop {
        let page = admin.get(&path).await.body;
        found.push(rows(&page).len());
        let Some((before, _)) = page.split_once("\">Older</a>") else { break };
        path = before.rsplit("href=\"").next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(found, [20, 20, 10]);
    let lost = admin.get("/inbox?cursor=nonsense").await;
    assert_eq!((lost.status, rows(&lost.body).len()), (StatusCode::OK, 20));
    assert!(lost.body.contains("That page of the inbox can’t be opened any more."));
}

#[tokio::test]
async fn an_answer_is_voided_from_the_inbox_and_stays_readable() {
    let (_, _, mut admin) = two().await;
    let page = admin.get("/inbox?max_rating=6").await.body;
    let form = rows(&page)[0].split("/desk/answers/").nth(1).unwrap();
    assert!(form.contains("name=\"back\" value=\"/inbox?max_rating=6\""), "{form}");
    let path = format!("/desk/answers/{}", form.split('"').next().unwrap());
    let done = admin.post(&path, "reason=A+%3Cb%3Eslip&back=%2Finbox%3Fmax_rating%3D6").await;
    assert_eq!(done.header(header::LOCATION), "/inbox?max_rating=6&done=voided");
    let page = admin.get("/inbox?max_rating=6&done=voided").await.body;
    assert!(page.contains("The answer doesn’t count any more."));
    let row = rows(&page)[0];
    assert!(row.contains("Void, doesn’t count:</b> A &#60;b&#62;slip") && !row.contains("/desk/"), "{row}");
}

#[tokio::test]
async fn a_low_answer_leads_to_its_follow_up() {
    let (table, made, mut admin) = two().await;
    let workspace = &made.workspace_id;
    work::task(&table, workspace, ("acme", "u-2"), "Ask Ines", (-1, Some("anna@example.com")), now()).await;
    work::task(&table, workspace, ("acme", "u-0"), "Mara asked before", (1, None), now()).await;
    let page = admin.get("/inbox").await.body;
    let of = |name: &str| *rows(&page).iter().find(|row| row.contains(name)).unwrap();
    assert!(
        of("Ines Duarte").contains(
            "Follow-up: <a href=\"/companies/acme#ta\">open, due 7 Sep, overdue, anna@example.com</a>"
        ),
        "{}",
        of("Ines Duarte")
    );
    assert!(!of("Jon Aske").contains("Follow-up"), "there is no task of Jon's");
    assert!(!of("Mara Lindqvist").contains("Follow-up"), "9 of 10 asks for nothing");
}

#[tokio::test]
async fn a_viewer_reads_the_inbox_without_forms_and_others_dont_read_it() {
    let (table, made, _) = two().await;
    let mut viewer = signed_in(&table, &made, "viewer", Scope::Read).await;
    let page = viewer.get("/inbox").await.body;
    assert!(page.contains("Love it.") && !page.contains("/desk/"));
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let page = theirs.get("/inbox").await.body;
    assert!(!page.contains("Love it.") && !page.contains("Beta Foods"));
    let page = theirs.get("/inbox?company=beta").await.body;
    assert!(page.contains("No company has the id or the name “beta”") && !page.contains("Beta Foods"));
    let mut nobody = Browser::at(&table, now());
    assert_eq!(nobody.get("/inbox").await.header(header::LOCATION), "/sign-in");
}

#[tokio::test]
async fn a_page_of_long_comments_stays_small_and_is_text() {
    let (table, made, mut admin) = two().await;
    let long = "<script>alert(1)</script> & 'so' \"on\" ".repeat(130);
    for hour in 1..=25 {
        let user = format!("user <b>{hour}</b>");
        gives(
            &table,
            &made,
            ("beta", &user),
            (10 - hour % 2, Some(&long)),
            now() - TimeDelta::hours(hour.into()),
        )
        .await;
    }
    let page = admin.get("/inbox").await.body;
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert!(!page.contains("<script") && !page.contains("<b>1</b>") && !page.contains(" style="));
    assert!(page.contains("/companies/beta#a\">The whole comment</a>"));
}
