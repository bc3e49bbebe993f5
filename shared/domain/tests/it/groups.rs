use std::collections::BTreeSet;

use barometer_domain::{CompanyId, groups::Groups};
use proptest::prelude::*;

fn company(id: &str) -> CompanyId {
    CompanyId::new(id).unwrap()
}

#[derive(Debug, Clone)]
enum Fact {
    Named(i64, &'static str),
    Left(i64, Option<&'static str>),
}

fn groups<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Groups {
    let mut groups = Groups::default();
    for fact in facts {
        match fact {
            Fact::Named(slot, id) => groups.name(*slot, company(id)),
            Fact::Left(slot, id) => groups.leave(*slot, id.map(company)),
        }
    }
    groups
}

fn at(groups: &Groups, slot: i64) -> Vec<String> {
    groups.companies_at(slot).iter().map(ToString::to_string).collect()
}

#[test]
fn the_company_named_last_counts_and_the_first_named_for_what_came_before() {
    let switches = groups(&[Fact::Named(10, "a"), Fact::Named(20, "b"), Fact::Named(30, "a")]);
    for (slot, expected) in [(0, "a"), (10, "a"), (19, "a"), (20, "b"), (29, "b"), (30, "a"), (99, "a")] {
        assert_eq!(at(&switches, slot), [expected], "{slot}");
    }
    assert!(at(&Groups::default(), 5).is_empty());
}

#[test]
fn two_companies_named_in_the_same_five_minutes_share_them() {
    let both = groups(&[Fact::Named(10, "a"), Fact::Named(10, "b")]);
    assert_eq!(at(&both, 10), ["a", "b"]);
}

#[test]
fn a_removal_gives_way_to_the_company_named_before() {
    use Fact::{Left, Named};
    let gone = groups(&[Named(10, "a"), Named(20, "b"), Left(30, Some("b"))]);
    assert_eq!((at(&gone, 29), at(&gone, 30)), (vec!["b".to_owned()], vec!["a".to_owned()]));
    assert_eq!((gone.left_at(&company("b")), gone.left_at(&company("a"))), (Some(30), None));

    let unsaid = groups(&[Named(10, "a"), Named(20, "b"), Left(30, None)]);
    assert_eq!(at(&unsaid, 30), ["a"]);
    assert_eq!(unsaid.left_at(&company("b")), Some(30));

    let back = groups(&[Named(10, "a"), Left(20, Some("a")), Named(30, "a")]);
    assert!(at(&back, 20) == ["a"] && back.left_at(&company("a")).is_none(), "who is named again is back");

    let nowhere = groups(&[Named(10, "a"), Left(20, Some("a"))]);
    assert!(at(&nowhere, 20).is_empty(), "activity after a removal belongs to nobody until it is said");
    assert_eq!(nowhere.left_at(&company("a")), Some(20));
}

fn fact() -> impl Strategy<Value = Fact> {
    let ids = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop_oneof![
        4 => (0..40_i64, ids.clone()).prop_map(|(slot, id)| Fact::Named(slot, id)),
        1 => (0..40_i64, proptest::option::of(ids)).prop_map(|(slot, id)| Fact::Left(slot, id)),
    ]
}

proptest! {
    #[test]
    fn the_order_of_facts_and_their_repetition_change_nothing(
        facts in proptest::collection::vec(fact(), 0..12), cut in 0..12_usize,
    ) {
        let straight = groups(&facts);
        prop_assert_eq!(&straight, &groups(facts.iter().rev().chain(&facts)));
        let (first, second) = facts.split_at(cut.min(facts.len()));
        let mut merged = groups(second);
        merged.merge(&groups(first));
        prop_assert_eq!(straight, merged);
    }

    #[test]
    fn a_naming_affects_exactly_the_slots_it_says(
        facts in proptest::collection::vec(fact(), 0..12), slot in 0..40_i64,
    ) {
        let without = groups(facts.iter().filter(|fact| !matches!(fact, Fact::Named(at, "a") if *at == slot)));
        let mut with = without.clone();
        with.name(slot, company("a"));
        let differing: BTreeSet<i64> =
            (-5..50).filter(|at| with.companies_at(*at) != without.companies_at(*at)).collect();
        match with.affected(slot, &company("a")) {
            None => prop_assert!(differing.is_empty(), "{:?}", differing),
            Some(range) => {
                prop_assert!(differing.iter().all(|at| range.contains(at)), "{:?} {:?}", differing, range);
                prop_assert!(!differing.is_empty());
            }
        }
    }

    #[test]
    fn who_left_is_at_no_slot_since(facts in proptest::collection::vec(fact(), 0..12)) {
        let groups = groups(&facts);
        for id in groups.companies() {
            if let Some(left) = groups.left_at(&id) {
                for slot in left..45 {
                    prop_assert!(!groups.companies_at(slot).contains(&id), "{id} at {slot}");
                }
            }
        }
    }
}
