//! Alerts and disagreements as cases.

use barometer_cloud::Table;
use barometer_cloud::table::cases::{Case, Place};
use barometer_domain::{
    CompanyId, Percent, WorkspaceId,
    alert::{Alert, Finding, Rule},
};
use barometer_tests::store::table;

use crate::samples::{at, company, is_conflict, note_companies, week, workspace};

const SERIES: &str = "engagement_sudden_drop";

fn case(of: Option<&CompanyId>, number: u32, opened: &str) -> Case<Alert> {
    let content = Alert::open(Finding {
        rule: Rule::EngagementSuddenDrop,
        period: week("2026-W36"),
        at: at(opened),
        severity: Percent::whole(30),
        baseline: None,
        sentence: "Engagement fell".to_owned(),
    });
    Case { place: Place { company: of.cloned(), series: SERIES.to_owned(), number }, version: 0, content }
}

async fn live(table: &Table) -> u32 {
    table.company(&workspace(), &company("acme")).await.unwrap().unwrap().open_alerts
}

async fn listed(table: &Table, of: &WorkspaceId, live: bool) -> Vec<(u32, Option<CompanyId>)> {
    let cases = table.cases::<Alert>(of, live, None, 10).await.unwrap();
    cases.into_iter().map(|(_, case)| (case.place.number, case.place.company)).collect()
}

#[tokio::test]
async fn are_opened_once_listed_and_counted_until_closed() {
    let table = table().await;
    note_companies(&table, &["acme"]).await;
    let (a, acme) = (workspace(), company("acme"));
    let first = case(Some(&acme), 1, "2026-09-07T00:00:00Z");
    let (one, other) =
        tokio::join!(table.write_case(&a, &first, false, &[]), table.write_case(&a, &first, false, &[]));
    assert!(one.is_ok() ^ other.is_ok(), "{one:?} {other:?}");
    assert_eq!(live(&table).await, 1);

    let stored = table.latest_case::<Alert>(&a, Some(&acme), SERIES).await.unwrap().unwrap();
    assert_eq!((stored.version, &stored.content, &stored.place), (1, &first.content, &first.place));
    assert_eq!(Place::of(&stored.place.id()), Some(stored.place.clone()));
    let mut taken = stored.clone();
    taken.content.acknowledge("ada@initech.example", at("2026-09-08T00:00:00Z")).unwrap();
    table.write_case(&a, &taken, true, &[]).await.unwrap();
    assert_eq!(live(&table).await, 1, "acknowledged is not closed");
    assert!(is_conflict(table.write_case(&a, &stored, true, &[]).await), "read before it was acknowledged");

    let mut closed = table.case::<Alert>(&a, &stored.place).await.unwrap().unwrap();
    closed.content.resolve("ada@initech.example", "Done.", at("2026-09-09T00:00:00Z")).unwrap();
    table.write_case(&a, &closed, true, &[]).await.unwrap();
    assert_eq!(live(&table).await, 0);
    table.write_case(&a, &case(Some(&acme), 2, "2026-10-05T00:00:00Z"), false, &[]).await.unwrap();
    table.write_case(&a, &case(None, 1, "2026-10-06T00:00:00Z"), false, &[]).await.unwrap();

    assert_eq!(listed(&table, &a, true).await, [(1, None), (2, Some(acme.clone()))], "the latest first");
    assert_eq!(listed(&table, &a, false).await, [(1, Some(acme.clone()))]);
    let stranger = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(listed(&table, &stranger, true).await, []);
    let latest = table.latest_case::<Alert>(&a, Some(&acme), SERIES).await.unwrap().unwrap();
    assert_eq!(latest.place.number, 2);
    assert_eq!(table.cases_of::<Alert>(&a, &acme).await.unwrap().len(), 2);

    let page = table.cases::<Alert>(&a, true, None, 1).await.unwrap();
    let rest = table.cases::<Alert>(&a, true, Some(&page[0].0), 10).await.unwrap();
    assert_eq!((page.len(), rest.len(), rest[0].1.place.number), (1, 1, 2));
}

#[tokio::test]
async fn of_no_company_that_is_known_are_not_written() {
    let table = table().await;
    let lost = case(Some(&company("nobody")), 1, "2026-09-07T00:00:00Z");
    assert!(is_conflict(table.write_case(&workspace(), &lost, false, &[]).await));
    assert_eq!(listed(&table, &workspace(), true).await, []);
}

#[test]
fn what_is_no_id_names_no_place() {
    for id in ["", "x", "bm9uZQ", "YSNiI2M", "ä"] {
        assert_eq!(Place::of(id), None, "{id}");
    }
}
