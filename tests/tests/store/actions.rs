use barometer_cloud::table::actions::{Action, ActionPlace, ActionState, Fired, Firing, FiringOutcome};
use barometer_cloud::table::asks::AskState;
use barometer_cloud::table::mailing::{Bounce, Fate, Word};
use barometer_domain::automation::{Happened, RuleId, Wanted};
use barometer_domain::breaker::Counts;
use barometer_domain::language::Language;
use barometer_domain::{CompanyId, UserId, WorkspaceId};
use barometer_tests::store::table;
use chrono::{DateTime, TimeDelta, Utc};

use crate::samples::{at, is_conflict, workspace};

const NOON: &str = "2026-09-01T12:00:00Z";
const MONTH: TimeDelta = TimeDelta::days(30);
const ADDRESS: &str = "ada@acme.example";

fn noon() -> DateTime<Utc> {
    at(NOON)
}

fn acme() -> CompanyId {
    CompanyId::new("acme # Ä").unwrap()
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

fn rule() -> RuleId {
    RuleId::new("struggling").unwrap()
}

fn firing(key: &str, at: DateTime<Utc>) -> Firing {
    Firing {
        rule: rule(),
        settings_version: 1,
        company_id: acme(),
        happened: Happened::ReviewOverdue,
        period: key.to_owned(),
        occurred_at: at,
        at,
        outcome: FiringOutcome::Acted,
        actions: Vec::new(),
        key: key.to_owned(),
    }
}

/// A mail to Ada that follows from a firing.
fn mail(of: &Firing, number: u8, due: Option<DateTime<Utc>>) -> Action {
    Action {
        company_id: of.company_id.clone(),
        rule: of.rule.clone(),
        settings_version: 1,
        firing: of.key.clone(),
        number,
        happened: of.happened.clone(),
        occurred_at: of.occurred_at,
        wanted: Wanted::Email {
            user_id: Some(ada()),
            subject: "Hi".to_owned(),
            text: "Hello".to_owned(),
            language: Language::English,
            csm: None,
        },
        body: None,
        state: if due.is_some() { ActionState::Planned } else { ActionState::AwaitingApproval },
        reason: None,
        due_at: due,
        attempts: 0,
        planned_at: of.at,
        ended_at: None,
        by: None,
        message_id: None,
        mail: None,
        version: 1,
    }
}

#[tokio::test]
async fn a_firing_is_written_once_with_all_that_follows_from_it() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    let ws = workspace();
    let fire = || table.fire(&ws, &one, std::slice::from_ref(&action), MONTH, &[]);
    assert_eq!(fire().await.unwrap(), Fired::Now);
    assert_eq!(fire().await.unwrap(), Fired::Before);
    assert!(table.has_fired(&workspace(), &one).await.unwrap());
    assert!(!table.has_fired(&workspace(), &firing("two", noon())).await.unwrap());
    let stored = table.action(&workspace(), &action.place()).await.unwrap();
    assert_eq!(stored, Some(action.clone()));
    assert_eq!(ActionPlace::of(&action.place().id()), Some(action.place()));
    // Nothing of another workspace's.
    let other = WorkspaceId::new("ws_other").unwrap();
    assert_eq!(table.action(&other, &action.place()).await.unwrap(), None);
    assert!(table.firings(&other, &rule(), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn of_two_workers_who_fire_at_once_one_does() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    let ws = workspace();
    let fire = || table.fire(&ws, &one, std::slice::from_ref(&action), MONTH, &[]);
    let (left, right) = tokio::join!(fire(), fire());
    let now = [&left, &right].iter().filter(|fired| matches!(fired, Ok(Fired::Now))).count();
    assert_eq!(now, 1, "{left:?} {right:?}");
    assert_eq!(table.actions_since(&workspace(), &acme(), noon()).await.unwrap(), [action]);
}

#[tokio::test]
async fn a_rule_is_quiet_until_its_time_is_over_or_its_firing_was_taken_back() {
    let table = table().await;
    let write = async |firing: &Firing| table.fire(&workspace(), firing, &[], MONTH, &[]).await.unwrap();
    assert_eq!(write(&firing("one", noon())).await, Fired::Now);
    let soon = firing("soon", noon() + TimeDelta::days(29));
    let Fired::CoolingDown(quiet) = write(&soon).await else { panic!("it is quiet") };
    assert_eq!((quiet.until, quiet.firing.as_str()), (noon() + MONTH, "one"));
    assert!(!table.has_fired(&workspace(), &soon).await.unwrap(), "nothing is written by halves");
    // Another firing's end doesn't end it.
    table.end_quiet(&workspace(), &acme(), &rule(), "other").await.unwrap();
    assert_eq!(table.quiet(&workspace(), &acme(), &rule()).await.unwrap(), Some(quiet));
    table.end_quiet(&workspace(), &acme(), &rule(), "one").await.unwrap();
    assert_eq!(table.quiet(&workspace(), &acme(), &rule()).await.unwrap(), None);
    assert_eq!(write(&soon).await, Fired::Now);
    let over = firing("over", soon.occurred_at + MONTH);
    assert_eq!(write(&over).await, Fired::Now, "to the instant");
    // The log has them, the latest first, page by page.
    let first = table.firings(&workspace(), &rule(), None, 2).await.unwrap();
    let keys: Vec<&str> = first.iter().map(|(_, firing)| firing.key.as_str()).collect();
    assert_eq!(keys, ["over", "soon"]);
    let rest = table.firings(&workspace(), &rule(), Some(&first[1].0), 2).await.unwrap();
    assert_eq!(rest.iter().map(|(_, firing)| firing.key.as_str()).collect::<Vec<_>>(), ["one"]);
}

#[tokio::test]
async fn actions_are_due_from_their_instant_on_the_earliest_first_and_lie_in_the_list_of_their_state() {
    let table = table().await;
    let one = firing("one", noon());
    let dues = [Some(2), Some(0), None, Some(1)];
    let actions: Vec<Action> = (0..)
        .zip(dues)
        .map(|(number, hours)| mail(&one, number, hours.map(|hours| noon() + TimeDelta::hours(hours))))
        .collect();
    table.fire(&workspace(), &one, &actions, MONTH, &[]).await.unwrap();
    let due = async |at| -> Vec<u8> {
        let due = table.due_actions(&workspace(), at, 10).await.unwrap();
        due.into_iter().map(|action| action.number).collect()
    };
    assert_eq!(due(noon() - TimeDelta::milliseconds(1)).await, [] as [u8; 0]);
    assert_eq!(due(noon()).await, [1]);
    assert_eq!(due(noon() + TimeDelta::days(1)).await, [1, 3, 0]);
    assert_eq!(table.due_actions(&workspace(), noon() + TimeDelta::days(1), 2).await.unwrap().len(), 2);
    let listed = async |state, after: Option<&str>, limit| {
        let found = table.actions(&workspace(), state, after, limit).await.unwrap();
        let numbers: Vec<u8> = found.iter().map(|(_, action)| action.number).collect();
        (numbers, found.last().map(|(place, _)| place.clone()))
    };
    let (first, after) = listed(ActionState::Planned, None, 2).await;
    assert_eq!(first, [0, 3]);
    assert_eq!(listed(ActionState::Planned, after.as_deref(), 2).await.0, [1]);
    assert_eq!(listed(ActionState::AwaitingApproval, None, 10).await.0, [2]);
    assert_eq!(listed(ActionState::Done, None, 10).await.0, [] as [u8; 0]);

    let mut done = actions[1].clone();
    done.end(ActionState::Done, None, noon());
    table.write_action(&workspace(), &done).await.unwrap();
    assert_eq!(due(noon() + TimeDelta::days(1)).await, [3, 0], "what ended is due no more");
    assert_eq!(listed(ActionState::Failed, None, 10).await.0, [1], "one list holds all that ended");
}

#[tokio::test]
async fn a_write_upon_an_older_version_is_refused() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    table.fire(&workspace(), &one, std::slice::from_ref(&action), MONTH, &[]).await.unwrap();
    let mut theirs = action.clone();
    theirs.end(ActionState::Cancelled, None, noon());
    let theirs = table.write_action(&workspace(), &theirs).await.unwrap();
    assert_eq!(theirs.version, 2);
    let mut ours = action;
    ours.end(ActionState::Done, None, noon());
    assert!(is_conflict(table.write_action(&workspace(), &ours).await));
    assert_eq!(table.action(&workspace(), &ours.place()).await.unwrap(), Some(theirs));
}

#[tokio::test]
async fn a_mail_begins_once_and_never_to_whom_it_may_not_go() {
    let table = table().await;
    let one = firing("one", noon());
    let (first, second) = (mail(&one, 0, Some(noon())), mail(&one, 1, Some(noon())));
    table.fire(&workspace(), &one, &[first.clone(), second.clone()], MONTH, &[]).await.unwrap();
    let begin = async |action: &Action| {
        table.begin_mail(&workspace(), action, (&ada(), ADDRESS)).await.unwrap().map(|action| action.version)
    };
    assert_eq!(begin(&first).await, Some(2));
    assert_eq!(begin(&first).await, None, "another worker has it");
    table.note_unreachable(&workspace(), &ada(), ADDRESS, "General").await.unwrap();
    assert_eq!(begin(&second).await, None, "mails come back from there");
    let elsewhere = table.begin_mail(&workspace(), &second, (&ada(), "ada@new.example")).await.unwrap();
    assert_eq!(elsewhere.map(|action| action.version), Some(2));
}

#[tokio::test]
async fn who_unsubscribes_at_any_moment_before_gets_no_mail() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    table.fire(&workspace(), &one, std::slice::from_ref(&action), MONTH, &[]).await.unwrap();
    table.unsubscribe(&workspace(), &ada(), noon()).await.unwrap();
    assert_eq!(table.begin_mail(&workspace(), &action, (&ada(), ADDRESS)).await.unwrap(), None);
    assert_eq!(table.action(&workspace(), &action.place()).await.unwrap(), Some(action));
}

#[tokio::test]
async fn a_send_id_finds_the_action_and_its_reader() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    table.fire(&workspace(), &one, std::slice::from_ref(&action), MONTH, &[]).await.unwrap();
    let send = action.send_id(&workspace());
    assert_eq!(table.action_of_mail(send).await.unwrap(), Some((workspace(), action.clone())));
    let to = table.addressee_of_action(send).await.unwrap().unwrap();
    assert_eq!((to.workspace_id, to.company_id, to.user_id), (workspace(), acme(), ada()));
    let nobody = mail(&one, 7, None).send_id(&workspace());
    assert_eq!(table.action_of_mail(nobody).await.unwrap(), None);
    assert_eq!(table.addressee_of_action(nobody).await.unwrap(), None);
    assert_eq!(table.ask(send).await.unwrap(), None, "it is no ask");
}

#[tokio::test]
async fn what_ses_says_of_an_action_is_kept_and_counted_once_also_by_two_at_once() {
    let table = table().await;
    let one = firing("one", noon());
    let action = mail(&one, 0, Some(noon()));
    table.fire(&workspace(), &one, std::slice::from_ref(&action), MONTH, &[]).await.unwrap();
    let (ws, place) = (workspace(), action.place());
    let word = |fate| Word { fate, message_id: "m-1".to_owned(), accepted_at: noon(), at: noon() };
    let bounce = word(Fate::Bounced(Bounce::Permanent, "General".to_owned()));
    let hear = |word| table.record_word_of_action(&ws, &place, word);
    let (left, right) = tokio::join!(hear(&bounce), hear(&bounce));
    assert_ne!(left.unwrap(), right.unwrap(), "it is news to one of them");
    assert!(!hear(&word(Fate::Delivered)).await.unwrap(), "a late delivery hides nothing");
    let stands = table.action(&ws, &place).await.unwrap().unwrap();
    assert_eq!((stands.state, stands.due_at), (ActionState::Undelivered, None));
    assert_eq!(stands.mail.map(|mail| mail.state), Some(AskState::Bounced));
    let counts = table.mail_counts(&ws, noon()).await.unwrap();
    assert_eq!(counts, Counts { sent: 1, bounced: 1, complained: 0 });
}
