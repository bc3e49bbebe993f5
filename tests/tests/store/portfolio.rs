//! The portfolio read from its arrangement is what the rows say, whatever changed since, and what it costs.

use std::collections::BTreeSet;

use barometer_cloud::{
    Table,
    listing::{Filter, Position, Sort},
    portfolio::{self, Begin, Difference, Found, Portfolio, Wanted},
    table::{
        arranged::{Mark, READ, SETTLES},
        companies::{Patch, Readings},
        statuses::StatusChange,
    },
};
use barometer_domain::{
    Percent, Settings,
    band::Standing,
    happiness::{Happiness, Level},
    status::{BusinessStatus, ChangeKind, Status},
};
use barometer_tests::{
    faulty::{Fault, Faults, faulty},
    store::{metered, table},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::samples::{Dice, at, company, note_companies, published, readings, snapshot, workspace};

fn now() -> DateTime<Utc> {
    at("2026-09-08T09:00:00Z")
}

fn name(number: u64) -> String {
    format!("company-{number:05}")
}

/// The status that a CSM sets, as the first one or the next.
async fn judge(table: &Table, id: &str, status: Status, set_at: DateTime<Utc>) {
    let row = table.company(&workspace(), &company(id)).await.unwrap().unwrap();
    let status = BusinessStatus {
        value: status,
        note: "Heard it on the phone.".to_owned(),
        author: "csm@example.com".to_owned(),
        set_at,
        review_by: set_at + TimeDelta::days(30),
    };
    let id_of_change = format!("{}-{}", row.status_version, set_at.timestamp());
    let change = StatusChange { id: id_of_change, kind: ChangeKind::Transition, from: None, status };
    table.set_status(&workspace(), &row.company_id, row.status_version, &change, &[]).await.unwrap();
}

/// What a run or an answer writes to a row.
fn any_readings(dice: &mut Dice) -> Readings {
    let mut readings = readings(&published(1, snapshot("2026-W36", 2, 2)));
    let score = dice.below(101);
    if let Some(engagement) = &mut readings.engagement {
        engagement.score = (score > 5).then(|| Percent::whole(score as u8));
        engagement.shown = engagement.score.map(Percent::shown);
        engagement.band = match score {
            0..=5 => Standing::Insufficient,
            6..=25 => Standing::AtRisk,
            26..=50 => Standing::Steady,
            51..=75 => Standing::Healthy,
            _ => Standing::Thriving,
        };
    }
    let happy = dice.below(101) as u8;
    readings.happiness = (dice.below(3) > 0).then(|| Happiness {
        score: Some(Percent::whole(happy)),
        level: if happy < 40 { Level::NotHappy } else { Level::Happy },
        answers: 4,
        response_rate: None,
        provisional: false,
        silent: false,
        oldest_answer_at: None,
        nps: None,
    });
    readings
}

/// Changes a company in one of the ways in which companies are changed.
async fn change(table: &Table, id: &str, dice: &mut Dice) {
    let (w, c) = (workspace(), company(id));
    let owner = ["anna@example.com", "Ben@example.com", "cleo@example.com"][dice.below(3) as usize];
    match dice.below(6) {
        0 => {
            let patch = Patch { owner: Some(Some(owner.to_owned())), ..Patch::default() };
            table.patch_company(&w, &c, &patch).await.unwrap();
        }
        1 => {
            let churned = dice.below(2) == 0;
            let patch = Patch {
                name: Some(format!("Name {}", dice.below(50))),
                churned_on: Some(churned.then(|| now().date_naive())),
                ..Patch::default()
            };
            table.patch_company(&w, &c, &patch).await.unwrap();
        }
        2 => {
            let status = [Status::Struggling, Status::Steady, Status::Thriving][dice.below(3) as usize];
            judge(table, id, status, now() - TimeDelta::days(dice.below(60) as i64)).await;
        }
        3 => {
            let heard = std::iter::repeat_with(|| any_readings(dice).happiness).find(Option::is_some);
            let happiness = Readings { happiness: heard.flatten(), ..Readings::default() };
            let seen = table.company(&w, &c).await.unwrap().unwrap().happiness;
            table.write_happiness_upon(&w, &c, &happiness, seen.as_ref(), &[]).await.unwrap();
        }
        4 => {
            table.tag_company(&w, &c, &BTreeSet::from(["pilot".to_owned()]), &BTreeSet::new()).await.unwrap();
        }
        _ => note_companies(table, &[&format!("new-{}", dice.below(1_000))]).await,
    }
}

async fn fill(table: &Table, companies: u64, dice: &mut Dice) {
    for number in 0..companies {
        note_companies(table, &[&name(number)]).await;
        if dice.below(8) > 0 {
            let readings = any_readings(dice);
            table.write_readings(&workspace(), &company(&name(number)), &readings).await.unwrap();
        }
    }
    settle(table).await;
}

/// Takes all marks away, as if time had passed.
async fn settle(table: &Table) {
    let w = workspace();
    let marks = table.arranged(&w, now()).await.unwrap().marks;
    let gone: Vec<_> = marks.iter().map(|mark| table.unmark(&w, mark)).collect();
    stream::iter(gone).buffer_unordered(16).try_collect::<()>().await.unwrap();
}

async fn arrange(table: &Table) {
    portfolio::arrange(table, &workspace(), &Settings::default(), now()).await.unwrap();
}

async fn arranged_at(table: &Table) -> Option<DateTime<Utc>> {
    table.arranged(&workspace(), now()).await.unwrap().head.map(|head| head.arranged_at)
}

fn ids(found: &Found) -> Vec<String> {
    found.companies.iter().map(|placed| placed.company.company_id.to_string()).collect()
}

/// The filters that are tried.
fn filters() -> Vec<Filter> {
    let narrow = |pairs: &[(&str, &str)]| {
        let mut filter = Filter::default();
        pairs.iter().for_each(|(name, value)| filter.narrow(name, value).unwrap());
        filter
    };
    vec![
        Filter::default(),
        Filter::everything(),
        narrow(&[("engagement", "at_risk")]),
        narrow(&[("q", "name 1"), ("status", "not_set")]),
        narrow(&[("flag", "churned")]),
        narrow(&[("owner", "ben@example.com")]),
    ]
}

/// The list that is shown first is the one that all rows give.
async fn assert_begins_as_the_rows_say(table: &Table) {
    let (w, settings) = (workspace(), Settings::default());
    let reference = Portfolio::of(table.companies(&w).await.unwrap(), &settings, now());
    let portfolio = Portfolio::open(table, &w, &settings, now()).await.unwrap();
    assert_eq!(portfolio.summary(), reference.summary());
    let all = Wanted::all(Sort::default());
    assert_eq!(ids(&portfolio.list(&all).await.unwrap()), ids(&reference.list(&all).await.unwrap()));
}

/// Every list that can be asked for is the one that all rows give, whichever way it is paged through.
async fn assert_is_what_the_rows_say(table: &Table) {
    let settings = Settings::default();
    let rows = table.companies(&workspace()).await.unwrap();
    let reference = Portfolio::of(rows, &settings, now());
    let w = workspace();
    let portfolio = Portfolio::open(table, &w, &settings, now()).await.unwrap();
    assert_eq!(portfolio.summary(), reference.summary());
    for sort in Sort::names().flat_map(|name| [name.to_owned(), format!("-{name}")]) {
        let sort = Sort::parse(&sort).unwrap();
        for filter in filters() {
            let all = Wanted { filter, count: true, ..Wanted::all(sort) };
            let expected = reference.list(&all).await.unwrap();
            let found = portfolio.list(&all).await.unwrap();
            assert_eq!(found, expected, "{} {:?}", sort.name(), all.filter);
            let mut paged = Vec::new();
            let mut begin = Begin::First;
            loop {
                let wanted = Wanted { begin, limit: 37, count: false, ..all.clone() };
                let page = portfolio.list(&wanted).await.unwrap();
                let skipping = Wanted { begin: Begin::Skipping(paged.len()), ..wanted };
                assert_eq!(portfolio.list(&skipping).await.unwrap(), page);
                paged.extend(ids(&page));
                let last: Option<Position> = page.companies.last().map(|last| last.position.clone());
                match last.filter(|_| page.more) {
                    Some(last) => begin = Begin::Behind(last),
                    None => break,
                }
            }
            assert_eq!(paged, ids(&expected), "{} {:?}", sort.name(), all.filter);
        }
    }
}

#[tokio::test]
async fn lists_are_what_the_rows_say_whatever_changed_since() {
    let (table, mut dice) = (table().await, Dice::new(7));
    fill(&table, 140, &mut dice).await;
    arrange(&table).await;
    assert_eq!(arranged_at(&table).await, Some(now()));
    assert_is_what_the_rows_say(&table).await;
    for _ in 0..25 {
        let id = name(dice.below(140));
        change(&table, &id, &mut dice).await;
    }
    assert_is_what_the_rows_say(&table).await;
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_again_when_it_was_copied_before() {
    let (table, mut dice) = (table().await, Dice::new(3));
    fill(&table, 70, &mut dice).await;
    arrange(&table).await;
    let (w, settings) = (workspace(), Settings::default());
    for owner in ["anna@example.com", "ben@example.com"] {
        let patch = Patch { owner: Some(Some(owner.to_owned())), ..Patch::default() };
        table.patch_company(&w, &company(&name(5)), &patch).await.unwrap();
        let portfolio = Portfolio::open(&table, &w, &settings, now()).await.unwrap();
        let mut filter = Filter::default();
        filter.narrow("owner", owner).unwrap();
        let found = portfolio.list(&Wanted { filter, ..Wanted::all(Sort::default()) }).await.unwrap();
        assert_eq!(ids(&found), [name(5)], "{owner}");
    }
}

#[tokio::test]
async fn a_settled_change_is_read_once_by_all_readers() {
    let (table, mut dice) = (table().await, Dice::new(3));
    fill(&table, 70, &mut dice).await;
    arrange(&table).await;
    let (w, settings) = (workspace(), Settings::default());
    let patch = Patch { owner: Some(Some("anna@example.com".to_owned())), ..Patch::default() };
    table.patch_company(&w, &company(&name(5)), &patch).await.unwrap();
    table.mark_touched(&w, &company(&name(5)), Utc::now() - SETTLES).await.unwrap();
    let calls = async || {
        let (client, meter) = metered();
        let through = table.through(client);
        let portfolio = Portfolio::open(&through, &w, &settings, now()).await.unwrap();
        assert!(portfolio.summary().owners.contains_key("anna@example.com"));
        meter.read().into_iter().map(|(operation, _)| operation).collect::<Vec<_>>()
    };
    // The row, and where it stood.
    assert_eq!(calls().await, ["Query", "GetItem", "GetItem", "GetItem", "PutItem"]);
    assert_eq!(calls().await, ["Query"]);
}

#[tokio::test]
async fn arranging_takes_away_the_marks_whose_changes_it_has_for_certain() {
    let (table, mut dice) = (table().await, Dice::new(3));
    fill(&table, 3, &mut dice).await;
    let w = workspace();
    let old = Utc::now() - SETTLES - TimeDelta::seconds(1);
    let marks = |arranged: &[Mark]| arranged.iter().map(|mark| mark.company.to_string()).collect::<Vec<_>>();
    table.mark_touched(&w, &company(&name(0)), old).await.unwrap();
    table.mark_touched(&w, &company(&name(1)), Utc::now()).await.unwrap();
    arrange(&table).await;
    let left = table.arranged(&w, now()).await.unwrap().marks;
    assert!(!marks(&left).contains(&name(0)) && marks(&left).contains(&name(1)), "{left:?}");
}

#[tokio::test]
async fn a_mark_that_was_left_again_stays() {
    let table = table().await;
    let (w, c) = (workspace(), company("acme"));
    let at = Utc::now();
    table.mark_touched(&w, &c, at).await.unwrap();
    table.mark_touched(&w, &c, at + TimeDelta::seconds(1)).await.unwrap();
    table.unmark(&w, &Mark { company: c.clone(), at }).await.unwrap();
    assert_eq!(table.arranged(&w, now()).await.unwrap().marks.len(), 1);
}

#[tokio::test]
async fn an_earlier_arrangement_does_not_replace_a_later_one() {
    let (table, mut dice) = (table().await, Dice::new(3));
    fill(&table, 3, &mut dice).await;
    arrange(&table).await;
    let before = now() - TimeDelta::hours(1);
    portfolio::arrange(&table, &workspace(), &Settings::default(), before).await.unwrap();
    assert_eq!(arranged_at(&table).await, Some(now()));
}

#[tokio::test]
async fn an_arrangement_that_is_too_old_is_not_read() {
    let (table, mut dice) = (table().await, Dice::new(3));
    fill(&table, 3, &mut dice).await;
    arrange(&table).await;
    let (w, settings) = (workspace(), Settings::default());
    assert!(table.arranged(&w, now() + READ).await.unwrap().head.is_some());
    let later = now() + READ + TimeDelta::seconds(1);
    assert!(table.arranged(&w, later).await.unwrap().head.is_none());
    let portfolio = Portfolio::open(&table, &w, &settings, later).await.unwrap();
    assert_eq!(portfolio.summary().known, 3);
}

#[tokio::test]
async fn a_crash_while_arranging_leaves_what_was_arranged_before() {
    let (table, mut dice) = (table().await, Dice::new(11));
    fill(&table, 70, &mut dice).await;
    arrange(&table).await;
    change(&table, &name(1), &mut dice).await;
    let (later, settings) = (now() + TimeDelta::seconds(1), Settings::default());
    let mut failed = 0;
    for call in (0..60).step_by(7) {
        let faults = Faults::default();
        let dying = table.through(faulty(&faults, 100));
        faults.arm(call, Fault::Killed);
        let w = workspace();
        let arranging = portfolio::arrange(&dying, &w, &settings, later);
        let ended = tokio::select! {
            done = arranging => done.is_ok(),
            () = faults.killed() => false,
        };
        failed += u32::from(!ended);
        assert_begins_as_the_rows_say(&table).await;
        if ended {
            break;
        }
    }
    assert!(failed > 2, "{failed} crashes");
}

#[tokio::test]
async fn what_was_missed_is_found_by_comparing() {
    let (table, mut dice) = (table().await, Dice::new(5));
    fill(&table, 40, &mut dice).await;
    let (w, settings) = (workspace(), Settings::default());
    let compare = async |at| portfolio::compare(&table, &w, &settings, at).await.unwrap();
    assert_eq!(compare(now()).await, Difference::Much, "nothing was arranged");
    judge(&table, &name(1), Status::Struggling, now() - TimeDelta::days(29)).await;
    arrange(&table).await;
    judged(compare(now()).await, &[], 0);
    // A row that nobody marked.
    let patch = Patch { owner: Some(Some("anna@example.com".to_owned())), ..Patch::default() };
    table.patch_company(&w, &company(&name(7)), &patch).await.unwrap();
    settle(&table).await;
    judged(compare(now()).await, &[7], 0);
    // A status that is to be reviewed since.
    let later = now() + TimeDelta::days(2);
    let Difference::Little { changed, .. } = compare(later).await else { panic!("much") };
    assert!(changed.contains(&company(&name(1))), "{changed:?}");
    // Marked already: there is nothing to be done. A mark of one that is as it was arranged is of no use any more.
    let long_ago = Utc::now() - SETTLES;
    table.mark_touched(&w, &company(&name(7)), long_ago).await.unwrap();
    table.mark_touched(&w, &company(&name(8)), long_ago).await.unwrap();
    table.mark_touched(&w, &company(&name(9)), Utc::now()).await.unwrap();
    judged(compare(now()).await, &[], 1);
    for number in 0..30 {
        table.patch_company(&w, &company(&name(number)), &patch).await.unwrap();
    }
    assert_eq!(compare(now()).await, Difference::Much, "many changed");
    assert_eq!(compare(now() + TimeDelta::days(6)).await, Difference::Much, "it is old");
}

/// That little differs: these companies, and so many marks that are of no use.
fn judged(difference: Difference, numbers: &[u64], marks: usize) {
    let Difference::Little { changed, settled } = difference else { panic!("much differs") };
    assert_eq!(changed, numbers.iter().map(|number| company(&name(*number))).collect::<Vec<_>>());
    assert_eq!(settled.len(), marks, "{settled:?}");
}

/// Read units of a page of 50 in the dearest order.
async fn dearest_page(companies: u64) -> (String, f64) {
    let (table, mut dice) = (table().await, Dice::new(13));
    fill(&table, companies, &mut dice).await;
    arrange(&table).await;
    let (w, settings) = (workspace(), Settings::default());
    let mut dearest = (String::new(), 0.0);
    for sort in Sort::names().flat_map(|name| [name.to_owned(), format!("-{name}")]) {
        let sort = Sort::parse(&sort).unwrap();
        let mut begin = Begin::First;
        // The first page, and one behind a cursor.
        for _ in 0..2 {
            let (client, meter) = metered();
            let through = table.through(client);
            let portfolio = Portfolio::open(&through, &w, &settings, now()).await.unwrap();
            let wanted = Wanted { begin, limit: 50, ..Wanted::all(sort) };
            let found = portfolio.list(&wanted).await.unwrap();
            assert_eq!(found.companies.len(), 50);
            let units: f64 = meter.read().into_iter().map(|(_, units)| units).sum();
            if units > dearest.1 {
                dearest = (sort.name(), units);
            }
            begin = Begin::Behind(found.companies[49].position.clone());
        }
    }
    dearest
}

#[tokio::test]
async fn a_page_of_50_companies_costs_the_same_whatever_their_number_and_order() {
    let (few, many) = (dearest_page(130).await, dearest_page(700).await);
    println!("read units of a page of 50, sorted by what costs most: {few:?} of 130, {many:?} of 700");
    assert!(few.1 > 0.0, "the store counts nothing");
    assert!(many.1 <= 15.0, "{many:?}");
    assert!(many.1 <= few.1 * 1.5, "{few:?} of 130, {many:?} of 700");
}
