use barometer_cloud::table::settings::SettingsVersion;
use barometer_domain::Settings;
use barometer_tests::store::table;

use crate::samples::{at, is_conflict, workspace};

fn version(version: u32, author: &str) -> SettingsVersion {
    SettingsVersion {
        version,
        saved_at: at("2026-09-01T10:00:00Z"),
        author: author.to_owned(),
        note: String::new(),
        scoring_since: 0,
        settings: Settings { name: format!("version {version} of {author}"), ..Settings::default() },
    }
}

#[tokio::test]
async fn every_version_stays_and_the_last_is_current() {
    let table = table().await;
    assert_eq!(table.settings(&workspace()).await.unwrap(), None);
    for number in 1..=12 {
        table.save_settings(&workspace(), &version(number, "ann")).await.unwrap();
    }
    assert_eq!(table.settings(&workspace()).await.unwrap(), Some(version(12, "ann")));
    let versions = table.settings_versions(&workspace()).await.unwrap();
    let newest_first: Vec<_> = (1..=12).rev().map(|number| version(number, "ann")).collect();
    assert_eq!(versions, newest_first);
    assert_eq!(table.settings_version(&workspace(), 7).await.unwrap(), Some(version(7, "ann")));
    assert_eq!(table.settings_version(&workspace(), 13).await.unwrap(), None);
}

#[tokio::test]
async fn a_version_that_exists_is_not_saved_again() {
    let table = table().await;
    table.save_settings(&workspace(), &version(1, "ann")).await.unwrap();
    table.save_settings(&workspace(), &version(2, "ann")).await.unwrap();
    for late in [1, 2] {
        assert!(is_conflict(table.save_settings(&workspace(), &version(late, "bob")).await));
    }
    assert_eq!(table.settings(&workspace()).await.unwrap(), Some(version(2, "ann")));
    assert_eq!(table.settings_versions(&workspace()).await.unwrap(), [version(2, "ann"), version(1, "ann")]);
}

#[tokio::test]
async fn of_two_savers_one_wins() {
    let table = table().await;
    let a = workspace();
    for number in 1..=10 {
        let (ann, bob) = (version(number, "ann"), version(number, "bob"));
        let (of_ann, of_bob) = tokio::join!(table.save_settings(&a, &ann), table.save_settings(&a, &bob));
        let won = [!is_conflict(of_ann), !is_conflict(of_bob)];
        let winner = match won {
            [true, false] => ann,
            [false, true] => bob,
            _ => panic!("won: {won:?}"),
        };
        assert_eq!(table.settings(&workspace()).await.unwrap(), Some(winner.clone()));
        assert_eq!(table.settings_versions(&workspace()).await.unwrap()[0], winner);
    }
}
