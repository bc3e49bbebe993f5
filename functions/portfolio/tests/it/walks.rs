//! Walking through the portfolio page by page meets every company exactly once, in every order.

use barometer_cloud::table::companies::{Patch, Readings};
use barometer_domain::happiness::Level;
use serde_json::Value;

use crate::{
    common::{Home, at, company, engagement},
    companies::happiness,
};

const COMPANIES: usize = 17;
const SORTS: [&str; 7] = ["name", "score", "happiness", "attention", "last_seen", "created", "renewal"];

/// Companies with many ties and many gaps.
async fn portfolio() -> Home {
    let home = Home::new().await;
    for number in 0..COMPANIES {
        let id = format!("c/{:02}", (number * 7) % COMPANIES);
        home.company(&id, ["Same", "same", "Ämter", "Other"][number % 4], "2026-06-01T00:00:00Z").await;
        let readings = Readings {
            engagement: (number % 3 > 0)
                .then(|| engagement("2026-W36", [None, Some(2_550), Some(9_000)][number % 5 % 3])),
            happiness: (number % 4 > 1).then(|| happiness(Some(2_500), Level::NotHappy)),
            last_seen_at: (number % 2 > 0).then(|| at("2026-09-06T10:00:00Z")),
            ..Readings::default()
        };
        home.readings(&id, &readings).await;
        if number % 5 == 0 {
            let patch = Patch { renewal_on: Some(Some("2027-01-01".parse().unwrap())), ..Patch::default() };
            home.table.patch_company(&home.workspace, &company(&id), &patch).await.unwrap();
        }
    }
    home
}

async fn walk(home: &Home, sort: &str, limit: usize) -> Vec<Value> {
    let (mut met, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/companies?sort={sort}&limit={limit}&cursor={cursor}");
        let page = home.get(&path).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        met.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return met,
        }
        assert_eq!(items.len(), limit, "only the last page is short");
    }
}

fn value(company: &Value, sort: &str) -> Value {
    match sort {
        "name" => company["name"].as_str().unwrap().to_lowercase().into(),
        "score" => company["engagement"]["score"].clone(),
        "happiness" => company["happiness"]["score"].clone(),
        "attention" => company["attention"].clone(),
        "last_seen" => company["last_seen_at"].clone(),
        "created" => company["created_at"].clone(),
        _ => company["renewal_on"].clone(),
    }
}

#[tokio::test]
async fn every_company_exactly_once_under_every_sort() {
    let home = portfolio().await;
    for sort in SORTS {
        for direction in ["", "-"] {
            let sorted = format!("{direction}{sort}");
            let whole = walk(&home, &sorted, 200).await;
            assert_eq!(whole.len(), COMPANIES, "{sorted}");
            for limit in [1, 4, COMPANIES] {
                assert_eq!(walk(&home, &sorted, limit).await, whole, "{sorted} by {limit}");
            }
            let mut ids: Vec<&str> = whole.iter().map(|item| item["company_id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), COMPANIES, "{sorted}");
            for pair in whole.windows(2) {
                let (a, b) = (value(&pair[0], sort), value(&pair[1], sort));
                assert!(!a.is_null() || b.is_null(), "{sorted}: unknown values come last");
                let key = |item: &Value| item["company_id"].as_str().unwrap().to_owned();
                let name = |item: &Value| item["name"].as_str().unwrap().to_lowercase();
                let level = |item: &Value| {
                    let score = item["engagement"].as_object().map(|it| it["score"].clone());
                    (item["happiness"].clone(), score, item["renewal_on"].clone())
                };
                // An order that is turned over has its ties turned over, too; those without a value stay as they were.
                let kept = a.is_null() || (direction == "-") == (sort == "attention");
                if a == b && sort == "attention" {
                    // Of the same attention, whoever has the same reasons: by name.
                    let same = level(&pair[0]) == level(&pair[1]);
                    let upwards = (name(&pair[0]), key(&pair[0])) < (name(&pair[1]), key(&pair[1]));
                    assert!(!same || upwards == kept, "{sorted}");
                } else if a == b {
                    assert_eq!(key(&pair[0]) < key(&pair[1]), kept, "{sorted}: ties by id");
                } else if !b.is_null() {
                    let ascending = match (a.as_f64(), b.as_f64()) {
                        (Some(a), Some(b)) => a < b,
                        _ => a.as_str() < b.as_str(),
                    };
                    assert_eq!(ascending, direction.is_empty(), "{sorted}: {a} {b}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order_and_survives_changes() {
    let home = portfolio().await;
    let first = home.get("/v1/companies?sort=name&limit=5").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    home.get(&format!("/v1/companies?sort=-name&cursor={cursor}")).await.problem(400, Some("cursor"));
    home.get(&format!("/v1/companies?cursor={cursor}")).await.problem(400, Some("cursor"));
    home.get(&format!("/v1/settings/versions?cursor={cursor}")).await.problem(400, Some("cursor"));

    // The company that the page ended with is lost in between.
    let last = first["items"][4]["company_id"].as_str().unwrap();
    let patch = Patch { churned_on: Some(Some("2026-09-01".parse().unwrap())), ..Patch::default() };
    home.table.patch_company(&home.workspace, &company(last), &patch).await.unwrap();
    let rest = home.get(&format!("/v1/companies?sort=name&limit=200&cursor={cursor}")).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), COMPANIES - 5);
}
