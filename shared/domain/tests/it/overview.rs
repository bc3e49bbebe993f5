//! The overview of a period: counts, moves, biggest changes, groups and families, and that shards add up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use barometer_domain::{
    CompanyId, Percent,
    band::{Band, Bands, Standing},
    overview::{BIGGEST_CHANGES, Company, Overview, Shard},
    tally::Scored,
};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{bp, cases};

fn id(text: &str) -> CompanyId {
    CompanyId::new(text).unwrap()
}

/// A score in basis points with its band.
fn at(score: u16) -> Scored {
    Scored { band: Bands::default().band(bp(score)).into(), score: Some(bp(score)) }
}

const INSUFFICIENT: Scored = Scored { band: Standing::Insufficient, score: None };

fn onboarding(score: u16) -> Scored {
    Scored { band: Standing::Onboarding, score: Some(bp(score)) }
}

fn company(name: &str, current: Scored) -> Company {
    Company {
        company_id: id(name),
        owner: None,
        plan: None,
        traits: BTreeMap::new(),
        parent: None,
        current,
        revision: 1,
        previous: None,
    }
}

fn counted<'a>(companies: impl IntoIterator<Item = &'a Company>) -> Shard {
    let mut shard = Shard::default();
    companies.into_iter().for_each(|company| shard.add(company));
    shard
}

fn overview(companies: &[Company]) -> Overview {
    counted(companies).overview(Bands::default())
}

#[test]
fn an_overview_counts_moves_changes_and_groups() {
    let of = |name, owner: &str, current, previous| Company {
        owner: Some(owner.to_owned()),
        plan: Some("pro".to_owned()),
        previous,
        ..company(name, current)
    };
    let mut companies = [
        of("acme", "kim", at(8_000), Some(at(6_000))),
        of("bolt", "kim", at(5_001), Some(at(7_600))),
        of("cone", "lee", at(2_000), None),
        of("dune", "lee", onboarding(9_000), Some(INSUFFICIENT)),
        of("echo", "lee", INSUFFICIENT, Some(at(6_000))),
    ];
    companies[0].traits.insert("region".to_owned(), "emea".to_owned());
    companies[1].revision = 2;
    let standings = |thriving, steady, at_risk, onboarding, insufficient| {
        json!({
            "thriving": thriving, "healthy": 0, "steady": steady, "at_risk": at_risk,
            "onboarding": onboarding, "insufficient": insufficient,
        })
    };
    let read = |band: &str, score: f64| json!({"band": band, "score": score});
    let expected = json!({
        "companies": 5,
        "scored": 4,
        "revised": 1,
        "standings": standings(1, 1, 1, 1, 1),
        "mean": 50, // (80.00 + 50.01 + 20.00) / 3 = 50.0033…: the company that is onboarding is in no average
        "moves": [
            {"from": "healthy", "to": "thriving", "companies": 1},
            {"from": "healthy", "to": "insufficient", "companies": 1},
            {"from": "thriving", "to": "steady", "companies": 1},
            {"from": "insufficient", "to": "onboarding", "companies": 1},
        ],
        "up": [{"company_id": "acme", "from": {"band": "healthy", "score": 60}, "to": {"band": "thriving", "score": 80}}],
        "down": [{"company_id": "bolt", "from": {"band": "thriving", "score": 76}, "to": read("steady", 50.01)}],
        "by": {
            "owner": {
                "values": {
                    "kim": {"standings": standings(1, 1, 0, 0, 0), "mean": 65.01}, // 130.01 / 2 = 65.005
                    "lee": {"standings": standings(0, 0, 1, 1, 1), "mean": 20},
                },
                "other": null,
            },
            "plan": {"values": {"pro": {"standings": standings(1, 1, 1, 1, 1), "mean": 50}}, "other": null},
            "traits.region": {"values": {"emea": {"standings": standings(1, 0, 0, 0, 0), "mean": 80}}, "other": null},
        },
        "left_out": [],
        "families": [],
    });
    let overview = overview(&companies);
    assert_eq!(serde_json::to_value(&overview).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Overview>(expected).unwrap(), overview);
}

#[test]
fn no_company_is_an_empty_overview() {
    let overview = overview(&[]);
    assert_eq!((overview.companies, overview.all.mean, overview.moves.len()), (0, None, 0));
}

#[test]
fn the_biggest_changes_are_exact_and_ties_go_by_id() {
    let changed = |name: String, from, to| Company { previous: Some(at(from)), ..company(&name, at(to)) };
    // Twelve rise by 10.00, one by a hundredth more; one stays, one falls by a hundredth.
    let mut companies: Vec<Company> =
        (10..22).rev().map(|number| changed(format!("tie{number}"), 3_000, 4_000)).collect();
    companies.push(changed("zulu".to_owned(), 3_000, 4_001));
    companies.push(changed("same".to_owned(), 3_000, 3_000));
    companies.push(changed("less".to_owned(), 3_000, 2_999));
    // Of a company without a band in one of the periods no change is told.
    companies.push(Company { previous: Some(onboarding(1_000)), ..company("grown", at(9_000)) });
    let overview = overview(&companies);
    let names = |changes: &[barometer_domain::tally::Change]| -> Vec<String> {
        changes.iter().map(|change| change.company_id.to_string()).collect()
    };
    let mut expected = vec!["zulu".to_owned()];
    expected.extend((10..19).map(|number| format!("tie{number}")));
    assert_eq!(names(&overview.up), expected);
    assert_eq!(names(&overview.down), ["less"]);
}

#[test]
fn a_family_is_the_companies_that_name_their_parent() {
    let child = |name, parent, current| Company { parent: Some(id(parent)), ..company(name, current) };
    let companies = [
        company("group", at(1_000)),
        child("a", "group", at(8_000)),
        child("c", "group", at(7_101)),
        child("b", "group", at(7_101)),
        child("d", "group", INSUFFICIENT),
        child("e", "group", onboarding(0)),
        // A cycle, a company that is its own parent, a parent that is not among the companies.
        child("x", "y", at(3_000)),
        child("y", "x", at(4_000)),
        child("self", "self", at(5_000)),
        child("new", "elsewhere", onboarding(5_000)),
    ];
    let families = overview(&companies).families;
    let expected = json!([
        // (80.00 + 71.01 + 71.01) / 3 = 74.0066…
        {"company_id": "group", "children": 5, "mean": 74.01, "band": "healthy", "worst": "b"},
        {"company_id": "elsewhere", "children": 1, "mean": null, "band": null, "worst": null},
        {"company_id": "x", "children": 1, "mean": 40, "band": "steady", "worst": "y"},
        {"company_id": "y", "children": 1, "mean": 30, "band": "steady", "worst": "x"},
    ]);
    assert_eq!(serde_json::to_value(&families).unwrap(), expected);
    let gocsm = counted(&companies).overview(Bands::GOCSM_2026).families;
    assert_eq!((gocsm[0].band, gocsm[2].band), (Some(Band::Healthy), Some(Band::Steady)));
    assert_eq!(gocsm[3].band, Some(Band::AtRisk), "30 is below 40");
}

fn with_owner(number: u32, owner: String) -> Company {
    Company { owner: Some(owner), ..company(&format!("company{number}"), at(6_000)) }
}

#[test]
fn the_fifty_largest_groups_are_told_and_the_rest_together() {
    // Owner 0 has one company, owner 1 two … owner 119 a hundred and twenty.
    let companies: Vec<Company> = (0..120_u32)
        .flat_map(|owner| (0..=owner).map(move |nth| (owner, nth)))
        .map(|(owner, nth)| with_owner(owner * 1_000 + nth, format!("owner{owner}")))
        .collect();
    let groups = overview(&companies).by["owner"].clone();
    assert_eq!(groups.values.len(), 50);
    assert!(!groups.values.contains_key("owner69") && groups.values.contains_key("owner70"));
    assert_eq!(groups.other.unwrap().standings.healthy, 2_485, "1 + 2 + … + 70");
}

#[test]
fn a_dimension_whose_values_are_nearly_all_distinct_is_left_out() {
    // Companies in pairs: as many owners as half of the companies are told, one more is not.
    let companies = |values: u32, number: u32| -> Vec<Company> {
        (0..number).map(|company| with_owner(company, format!("owner{}", company % values))).collect()
    };
    for (values, number, told) in [(25, 25, true), (26, 51, false), (26, 52, true), (1_000, 2_000, true)] {
        let overview = overview(&companies(values, number));
        assert_eq!(overview.by.contains_key("owner"), told, "{values} values of {number} companies");
        assert_eq!(overview.left_out.is_empty(), told);
    }
    assert_eq!(overview(&companies(1_001, 3_000)).left_out, ["owner"], "too many, however many companies");
}

#[test]
fn bounds_hold_in_whatever_order_shards_come() {
    // Sixty traits, of which twenty are told, and one dimension with more values than are kept.
    let companies: Vec<Company> = (0..1_200_u32)
        .map(|number| {
            let mut company = with_owner(number, format!("owner{number}"));
            company.traits = (0..3)
                .map(|step| (format!("trait{:02}", (number * 7 + step) % 60), "x".to_owned()))
                .collect();
            company
        })
        .collect();
    let at_once = counted(&companies);
    let shards: Vec<Shard> = companies.chunks(37).map(counted).collect();
    let merged = |shards: &mut dyn Iterator<Item = &Shard>| {
        shards.fold(Shard::default(), |mut merged, shard| {
            merged.merge(shard);
            merged
        })
    };
    assert_eq!(merged(&mut shards.iter()), at_once);
    assert_eq!(merged(&mut shards.iter().rev()), at_once);
    let overview = at_once.overview(Bands::default());
    assert_eq!(overview.left_out, ["owner"]);
    assert_eq!(overview.by.keys().filter(|name| name.starts_with("traits.")).count(), 20);
    assert!(overview.by.contains_key("traits.trait19") && !overview.by.contains_key("traits.trait20"));
    assert_eq!(overview.by["traits.trait00"].values["x"].standings.healthy, 60, "every company that has it");
}

fn any_scored() -> impl Strategy<Value = Scored> {
    prop_oneof![
        6 => (0_u16..=10_000).prop_map(at),
        1 => (0_u16..=10_000).prop_map(onboarding),
        1 => Just(INSUFFICIENT),
    ]
}

fn any_company() -> impl Strategy<Value = Company> {
    let name = |names: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(names).prop_map(str::to_owned))
    };
    (
        name(&["kim", "lee", "max"]),
        name(&["free", "pro"]),
        proptest::collection::btree_map("[a-c]", "[x-z]", 0..3),
        proptest::option::of((0_u32..6).prop_map(|number| id(&format!("company{number}")))),
        any_scored(),
        1_u32..3,
        proptest::option::of(any_scored()),
    )
        .prop_map(|(owner, plan, traits, parent, current, revision, previous)| Company {
            company_id: id("later"),
            owner,
            plan,
            traits,
            parent,
            current,
            revision,
            previous,
        })
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn shards_in_any_order_are_the_overview_of_all_at_once(
        companies in proptest::collection::vec((any_company(), 0_usize..4), 0..60),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let companies: Vec<(Company, usize)> = companies.into_iter().enumerate()
            .map(|(number, (company, shard))| (Company { company_id: id(&format!("company{number}")), ..company }, shard))
            .collect();
        let all: Vec<Company> = companies.iter().map(|(company, _)| company.clone()).collect();
        let shard = |number: usize| counted(companies.iter().filter(|(_, of)| *of == number).map(|(company, _)| company));
        let stored = |shard: Shard| -> Shard { serde_json::from_str(&serde_json::to_string(&shard).unwrap()).unwrap() };

        // ((a + b) + (c + d)) with a, b, c, d in any order.
        let pair = |first: usize, second: usize| {
            let mut pair = stored(shard(first));
            pair.merge(&shard(second));
            stored(pair)
        };
        let mut merged = pair(order[0], order[1]);
        merged.merge(&pair(order[2], order[3]));
        prop_assert_eq!(&merged, &counted(&all));
        let overview = merged.overview(Bands::default());

        // And what it says is what counting one by one says.
        prop_assert_eq!(overview.companies as usize, all.len());
        let of_band = |band| all.iter().filter(|company| company.current.band == band).count();
        prop_assert_eq!(overview.all.standings.steady as usize, of_band(Standing::Steady));
        prop_assert_eq!(overview.all.standings.insufficient as usize, of_band(Standing::Insufficient));
        let scores: Vec<u128> = all.iter().filter(|company| company.current.band.band().is_some())
            .map(|company| u128::from(company.current.score.unwrap().basis_points())).collect();
        prop_assert_eq!(overview.all.mean, Percent::ratio(scores.iter().sum(), 10_000 * scores.len() as u128));
        let moved = all.iter().filter(|company| company.previous.is_some_and(|previous| previous.band != company.current.band));
        prop_assert_eq!(overview.moves.iter().map(|moved| moved.companies as usize).sum::<usize>(), moved.count());
        for changes in [&overview.up, &overview.down] {
            prop_assert!(changes.len() <= BIGGEST_CHANGES);
            let sizes: Vec<u16> = changes.iter().map(|change| {
                change.from.score.unwrap().basis_points().abs_diff(change.to.score.unwrap().basis_points())
            }).collect();
            prop_assert!(sizes.is_sorted_by(|a, b| a >= b));
        }
        let mut rises: Vec<i32> = all.iter().filter_map(|company| {
            let previous = company.previous?;
            previous.band.band().and(company.current.band.band())?;
            Some(i32::from(company.current.score?.basis_points()) - i32::from(previous.score?.basis_points()))
        }).filter(|rise| *rise > 0).collect();
        rises.sort_unstable_by(|a, b| b.cmp(a));
        rises.truncate(BIGGEST_CHANGES);
        let told: Vec<i32> = overview.up.iter().map(|change| {
            i32::from(change.to.score.unwrap().basis_points()) - i32::from(change.from.score.unwrap().basis_points())
        }).collect();
        prop_assert_eq!(told, rises);
    }
}
