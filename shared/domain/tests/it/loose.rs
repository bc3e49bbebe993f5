use barometer_domain::{
    IsoWeek, Zone,
    activity::{FeatureSource, Sighting, UserWeek, of_event},
    loose::{Entry, Loose, Seen, first_slot, of_loose_event, slot},
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn an_entry_knows_the_slot_that_decides_its_company() {
    let export = Sighting::new(FeatureSource::Property, "export").unwrap();
    // Tuesday 00:10 UTC: the slot 24 × 12 + 2 of the week.
    let added =
        of_loose_event(at("2026-09-01T00:10:00Z"), Some(TimeDelta::minutes(10)), &[export], Zone::UTC);
    let [(week, loose)] = added.as_slice() else { panic!("{added:?}") };
    assert_eq!(week.to_string(), "2026-W36");
    let (mut uses, mut fills) = (0, 0);
    for Entry { slot, seen } in &loose.0 {
        assert_eq!(*slot, 290);
        match seen {
            Seen::Use(used) => uses += u32::from(used.to_string() == "2fexport"),
            Seen::Fill(from, to) => fills += u32::from((*from, *to) == (288, 289)),
            Seen::Day(_) => panic!("a use says the day"),
        }
    }
    assert_eq!((uses, fills), (1, 1));
}

proptest! {
    #[test]
    fn expands_to_what_the_event_adds_where_it_names_its_company(
        second in 1_767_000_000_i64..1_800_000_000,
        minutes in proptest::option::of(0_i64..3_000),
        names in proptest::collection::vec("[a-c]", 0..3),
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("Asia/Kathmandu"), Just("America/St_Johns")],
    ) {
        let zone: Zone = zone.parse().unwrap();
        let at = DateTime::from_timestamp(second, 0).unwrap();
        let duration = minutes.map(TimeDelta::minutes);
        let sightings: Vec<_> =
            names.iter().filter_map(|name| Sighting::new(FeatureSource::Event, name)).collect();
        let named = of_event(at, duration, &sightings, zone);
        let loose = of_loose_event(at, duration, &sightings, zone);
        let expanded: Vec<(IsoWeek, UserWeek)> =
            loose.iter().map(|(week, loose)| (*week, loose.activity())).collect();
        prop_assert_eq!(named, expanded);
        for (week, Loose(entries)) in &loose {
            for entry in entries {
                prop_assert_eq!(first_slot(*week, zone) + i64::from(entry.slot), slot(at));
            }
        }
    }
}
