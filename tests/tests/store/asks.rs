use barometer_cloud::table::asks::{Ask, AskState};
use barometer_domain::SendId;
use barometer_tests::store::table;

use crate::samples::{at, company, is_conflict, user, workspace};

fn ask(company_id: &str, cycle: u32) -> Ask {
    let (company_id, user_id) = (company(company_id), user("ann"));
    Ask {
        send_id: SendId::derive(&workspace(), &company_id, &user_id, "feedback", cycle),
        workspace_id: workspace(),
        company_id,
        user_id,
        cycle,
        state: AskState::Planned,
        reason: None,
        planned_at: at("2026-09-01T10:00:00Z"),
        submitted_at: None,
        scanned_at: None,
        accepted_at: None,
        message_id: None,
        answered_at: None,
        expires: at("2026-10-01T10:00:00Z"),
    }
}

#[tokio::test]
async fn planned_twice_is_one_and_stays_as_it_is() {
    let table = table().await;
    let first = ask("acme", 1);
    assert_eq!(table.plan_ask(&first).await.unwrap(), first);
    table.move_ask(&first, AskState::Planned, AskState::Submitting, None).await.unwrap();
    let again = Ask { planned_at: at("2026-09-01T10:15:00Z"), ..first.clone() };
    let stands = Ask { state: AskState::Submitting, ..first.clone() };
    assert_eq!(table.plan_ask(&again).await.unwrap(), stands);
    assert_eq!(table.asks(&workspace(), &company("acme")).await.unwrap(), [stands]);
}

#[tokio::test]
async fn planned_by_two_at_once_is_one() {
    let table = table().await;
    for cycle in 1..=8 {
        let (one, other) =
            (ask("acme", cycle), Ask { planned_at: at("2026-09-01T10:15:00Z"), ..ask("acme", cycle) });
        let (of_one, of_other) = tokio::join!(table.plan_ask(&one), table.plan_ask(&other));
        of_one.and(of_other).unwrap();
        let kept = table.ask(one.send_id).await.unwrap().unwrap();
        assert!(kept == one || kept == other);
    }
    assert_eq!(table.asks(&workspace(), &company("acme")).await.unwrap().len(), 8);
}

#[tokio::test]
async fn is_found_by_its_send_id_alone() {
    let table = table().await;
    let (one, other) = (ask("acme", 1), ask("beta#1", 1));
    table.plan_ask(&one).await.unwrap();
    table.plan_ask(&other).await.unwrap();
    assert_eq!(table.ask(one.send_id).await.unwrap(), Some(one.clone()));
    assert_eq!(table.ask(other.send_id).await.unwrap(), Some(other));
    assert_eq!(table.ask(SendId::from_bytes([7; 16])).await.unwrap(), None);
    assert_eq!(table.asks(&workspace(), &company("acme")).await.unwrap(), [one]);
}

#[tokio::test]
async fn moves_only_from_where_it_is() {
    let table = table().await;
    let planned = ask("acme", 1);
    let go = |from, to| table.move_ask(&planned, from, to, None);
    assert!(is_conflict(go(AskState::Planned, AskState::Failed).await), "not planned yet");
    table.plan_ask(&planned).await.unwrap();
    assert!(is_conflict(go(AskState::Submitting, AskState::Unknown).await));
    go(AskState::Planned, AskState::Submitting).await.unwrap();
    assert!(is_conflict(go(AskState::Planned, AskState::Submitting).await), "never sent again");
    assert!(is_conflict(go(AskState::Planned, AskState::Skipped).await));
}

#[tokio::test]
async fn keeps_the_reason_why_it_got_no_further() {
    let table = table().await;
    let planned = ask("acme", 1);
    table.plan_ask(&planned).await.unwrap();
    table.move_ask(&planned, AskState::Planned, AskState::Skipped, Some("unsubscribed")).await.unwrap();
    let found = table.ask(planned.send_id).await.unwrap().unwrap();
    assert_eq!((found.state, found.reason.as_deref()), (AskState::Skipped, Some("unsubscribed")));
}

#[tokio::test]
async fn the_first_answer_stays() {
    let table = table().await;
    let planned = ask("acme", 1);
    assert!(is_conflict(table.note_answered(&planned, at("2026-09-02T10:00:00Z")).await));
    table.plan_ask(&planned).await.unwrap();
    table.note_answered(&planned, at("2026-09-02T10:00:00Z")).await.unwrap();
    table.note_answered(&planned, at("2026-09-03T10:00:00Z")).await.unwrap();
    let found = table.ask(planned.send_id).await.unwrap().unwrap();
    assert_eq!(found.answered_at, Some(at("2026-09-02T10:00:00Z")));
}
