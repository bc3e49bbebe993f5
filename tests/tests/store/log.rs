use barometer_cloud::table::log::Pack;
use barometer_domain::WorkspaceId;
use barometer_tests::store::table;
use chrono::TimeDelta;

use crate::samples::{Dice, at, day, workspace};

const KEEP: TimeDelta = TimeDelta::days(90);

fn pack(instant: &str, content: &[u8]) -> Pack {
    Pack { received_at: at(instant), content: content.to_vec() }
}

/// Bytes that don't compress.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    (0..bytes).map(|_| dice.below(256) as u8).collect()
}

fn in_order(mut packs: Vec<Pack>) -> Vec<Pack> {
    packs.sort_by_key(|pack| (pack.received_at, pack.content.len()));
    packs
}

#[tokio::test]
async fn comes_back_whole_by_day_and_workspace() {
    let table = table().await;
    let packs = [
        pack("2026-09-01T00:00:00Z", b"{\"type\":\"track\"}"),
        pack("2026-09-01T12:00:00.000001Z", &b"the same again and again, ".repeat(4_000)),
        pack("2026-09-01T23:59:59.999999Z", b""),
    ];
    for (index, pack) in packs.iter().enumerate() {
        table.append_log(&workspace(), &[index as u8], pack, KEEP).await.unwrap();
    }
    table.append_log(&workspace(), b"next", &pack("2026-09-02T00:00:00Z", b"next day"), KEEP).await.unwrap();
    let stranger = WorkspaceId::new("ws_other").unwrap();
    table.append_log(&stranger, b"theirs", &packs[0], KEEP).await.unwrap();
    assert_eq!(in_order(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap()), packs);
    assert_eq!(table.log_of_day(&workspace(), day("2026-08-31")).await.unwrap(), []);
}

#[tokio::test]
async fn the_same_request_again_is_one_pack() {
    let table = table().await;
    let content = b"{\"batch\":[]}".repeat(50);
    table.append_log(&workspace(), b"identity", &pack("2026-09-01T10:00:00Z", &content), KEEP).await.unwrap();
    let retried = pack("2026-09-01T10:00:30Z", &content);
    table.append_log(&workspace(), b"identity", &retried, KEEP).await.unwrap();
    assert_eq!(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap(), [retried]);
}

#[tokio::test]
async fn more_than_an_item_holds_is_split() {
    let table = table().await;
    // Over a megabyte, so that reading takes more than one page too.
    let large = pack("2026-09-01T10:00:00Z", &noise(1_200_000, 1));
    let middle = pack("2026-09-01T11:00:00Z", &noise(500_000, 2));
    let small = pack("2026-09-01T12:00:00Z", b"small");
    // Two requests of one shard: it is the first digit of the identity's hash.
    let mut names = (0_u32..)
        .filter(|name| barometer_cloud::table::credentials::hash(&name.to_string()).starts_with('a'));
    for one in [&large, &middle, &small] {
        let identity = names.next().unwrap().to_string();
        table.append_log(&workspace(), identity.as_bytes(), one, KEEP).await.unwrap();
    }
    let found = in_order(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap());
    assert_eq!(found.len(), 3);
    assert!(found == [large, middle, small], "what comes back isn't what went in");
}

#[tokio::test]
async fn a_shorter_second_version_hides_the_rest_of_the_first() {
    let table = table().await;
    let (longer, shorter) =
        (pack("2026-09-01T10:00:00Z", &noise(500_000, 3)), pack("2026-09-01T10:00:01Z", &noise(1_000, 4)));
    table.append_log(&workspace(), b"identity", &longer, KEEP).await.unwrap();
    table.append_log(&workspace(), b"identity", &shorter, KEEP).await.unwrap();
    assert!(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap() == [shorter]);
}

#[tokio::test]
async fn a_pack_that_was_not_written_to_its_end_is_left_out() {
    let table = table().await;
    let torn = pack("2026-09-01T10:00:00Z", &noise(500_000, 5));
    table.append_log(&workspace(), b"identity", &torn, KEEP).await.unwrap();
    let items = table.client().scan().table_name(table.name()).send().await.unwrap().items.unwrap();
    let mut second = items.into_iter().find(|item| item["sk"].as_s().unwrap().ends_with("#001")).unwrap();
    second.retain(|name, _| name == "pk" || name == "sk");
    table.client().delete_item().table_name(table.name()).set_key(Some(second)).send().await.unwrap();
    assert_eq!(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap(), []);
    table.append_log(&workspace(), b"identity", &torn, KEEP).await.unwrap();
    assert_eq!(table.log_of_day(&workspace(), day("2026-09-01")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn ends_when_it_was_kept_long_enough() {
    let table = table().await;
    let kept = pack("2026-09-01T10:00:00Z", b"content");
    table.append_log(&workspace(), b"identity", &kept, KEEP).await.unwrap();
    let items = table.client().scan().table_name(table.name()).send().await.unwrap().items.unwrap();
    let ends = at("2026-11-30T10:00:00Z").timestamp().to_string();
    assert_eq!(items[0]["expires_at"].as_n().unwrap(), &ends);
    let ttl = table.client().describe_time_to_live().table_name(table.name()).send().await.unwrap();
    let attribute = ttl.time_to_live_description.unwrap().attribute_name.unwrap();
    assert_eq!(attribute, "expires_at");
}
