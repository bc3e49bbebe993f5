use barometer_cloud::table::runs::{Pass, Progress, Run, RunKey, Step};
use barometer_domain::telemetry::{Census, Telemetry};
use barometer_tests::store::table;

use crate::samples::{at, company, is_conflict, week, workspace};

fn run(shards: u8, planned: &str) -> Run {
    Run {
        planned_at: at(planned),
        shards,
        settings_version: 1,
        done: [].into(),
        counted: [].into(),
        finished_at: None,
        telemetry: Some(Telemetry::Normal),
    }
}

#[tokio::test]
async fn is_planned_once() {
    let table = table().await;
    let key = RunKey::Week(week("2026-W36"), Pass::First);
    assert_eq!(table.run(&workspace(), key).await.unwrap(), None);
    let first = run(8, "2026-09-07T00:00:00Z");
    assert_eq!(table.plan_run(&workspace(), key, &first).await.unwrap(), first);
    let again = Run { telemetry: None, ..run(4, "2026-09-07T01:00:00Z") };
    assert_eq!(table.plan_run(&workspace(), key, &again).await.unwrap(), first);
    assert_eq!(table.run(&workspace(), key).await.unwrap(), Some(first));
}

#[tokio::test]
async fn is_complete_when_every_shard_is_done() {
    let table = table().await;
    let key = RunKey::Month("2026-09".parse().unwrap(), 4, 3);
    assert!(is_conflict(table.shard_done(&workspace(), key, 0).await), "not planned");
    assert_eq!(table.run(&workspace(), key).await.unwrap(), None);

    let planned = table.plan_run(&workspace(), key, &run(3, "2026-10-01T00:45:00Z")).await.unwrap();
    assert_eq!(planned.left().collect::<Vec<_>>(), [0, 1, 2]);
    for _ in 0..2 {
        let after = table.shard_done(&workspace(), key, 2).await.unwrap();
        assert_eq!((after.left().collect::<Vec<_>>(), after.is_complete()), (vec![0, 1], false));
    }
    let a = workspace();
    let (one, other) = tokio::join!(table.shard_done(&a, key, 0), table.shard_done(&a, key, 1));
    let complete = [one.unwrap(), other.unwrap()].iter().filter(|run| run.is_complete()).count();
    assert_eq!(complete, 1, "the last one sees it");
    let stands = table.run(&workspace(), key).await.unwrap().unwrap();
    assert_eq!(stands, Run { done: [0, 1, 2].into(), ..planned.clone() });
    assert_eq!(table.plan_run(&workspace(), key, &planned).await.unwrap(), stands);
}

#[tokio::test]
async fn of_weeks_are_listed_with_their_passes() {
    let table = table().await;
    let keys = [
        (week("2026-W35"), Pass::Final),
        (week("2026-W36"), Pass::Final),
        (week("2026-W36"), Pass::First),
        (week("2026-W38"), Pass::First),
    ];
    for (of, pass) in keys {
        table.plan_run(&workspace(), RunKey::Week(of, pass), &run(8, "2026-09-07T00:00:00Z")).await.unwrap();
    }
    let month = RunKey::Month("2026-09".parse().unwrap(), 4, 4);
    table.plan_run(&workspace(), month, &run(8, "2026-10-01T00:45:00Z")).await.unwrap();
    table.shard_done(&workspace(), RunKey::Week(keys[2].0, keys[2].1), 5).await.unwrap();

    let listed = table.week_runs(&workspace(), week("2026-W36"), week("2026-W38")).await.unwrap();
    let names: Vec<_> = listed.iter().map(|(of, pass, _)| (*of, *pass)).collect();
    assert_eq!(names, [keys[1], keys[2], keys[3]]);
    assert_eq!(listed[1].2, Run { done: [5].into(), ..run(8, "2026-09-07T00:00:00Z") });
    assert_eq!(table.week_runs(&workspace(), week("2026-W37"), week("2026-W37")).await.unwrap(), []);
}

#[tokio::test]
async fn a_slower_worker_does_not_set_back_how_far_a_shard_is() {
    let table = table().await;
    let key = RunKey::Week(week("2026-W36"), Pass::First);
    let now = at("2026-09-07T00:00:00Z");
    let keep = async |progress: &Progress| {
        let kept = table.keep_progress(&workspace(), key, 3, Step::Census, progress, now).await;
        assert!(kept.is_ok() || is_conflict(kept));
        table.progress(&workspace(), key, 3, Step::Census).await.unwrap()
    };
    let far = |after: &str, heard| Progress {
        after: Some(company(after)),
        census: Census { heard, ..Census::default() },
        failed: 0,
    };
    assert_eq!(table.progress(&workspace(), key, 3, Step::Census).await.unwrap(), Progress::default());
    assert_eq!(keep(&far("b", 2)).await, far("b", 2));
    assert_eq!(keep(&far("d", 4)).await, far("d", 4));
    assert_eq!(keep(&far("c", 3)).await, far("d", 4));
    let scored = table.progress(&workspace(), key, 3, Step::Score).await.unwrap();
    assert_eq!(scored, Progress::default(), "each step has its own");
}
