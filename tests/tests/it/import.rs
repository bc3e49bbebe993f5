//! `barometer import`: from a file to companies, users and scores.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::home::{Running, text};

/// A folder of its own for a test's files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("import-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, content).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn command(running: &Running, kind: &str, file: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(barometer_tests::binary::program("barometer").unwrap());
    command.args(["import", kind]).arg(file).args(more).stdin(Stdio::null()).kill_on_drop(true);
    let url = running.home.url();
    for (option, value) in [("--url", url.as_str()), ("--key", &running.keys.write_key)] {
        if !more.contains(&option) {
            command.args([option, value]);
        }
    }
    command
}

async fn import(running: &Running, kind: &str, file: &Path, more: &[&str]) -> Output {
    command(running, kind, file, more).output().await.unwrap()
}

/// Imports a file all of whose rows must go in.
async fn import_all(running: &Running, kind: &str, file: &Path, more: &[&str]) {
    let ended = import(running, kind, file, more).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
}

fn said(ended: &Output) -> String {
    format!(
        "{}{}{}",
        ended.status,
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    )
}

/// Everything that an import can change, as the API shows it.
async fn standing(running: &Running, companies: &[&str]) -> Value {
    running.settle().await;
    let mut all = json!({ "companies": running.get("/v1/companies").await["items"] });
    for company in companies {
        let users = running.get(&format!("/v1/companies/{company}/users")).await;
        let mut weeks = running.get(&format!("/v1/companies/{company}/weeks")).await;
        for week in weeks["items"].as_array_mut().unwrap() {
            week["published_at"] = Value::Null;
        }
        all[company] = json!({ "users": users["items"], "weeks": weeks["items"] });
    }
    all
}

/// Ada's week of `week_of_two`, in each shape: 50 % of logins, 50 minutes.
const SHAPES: [(&str, &str); 4] = [
    (
        "plain",
        "event,user_id,company_id,timestamp,message_id,feature,duration\n\
         Feature Used,ada,acme,2026-09-02T09:20:00Z,t1,export,1200\n\
         Feature Used,ada,acme,2026-09-02T09:00:00Z,t2,export,1200\n\
         Opened,ada,acme,2026-09-03 10:02:00,t3,,\n",
    ),
    (
        "mixpanel",
        "event,distinct_id,time,$insert_id,$user_id,company_id,feature,duration\n\
         Feature Used,ada,1788340800,t1,ada,acme,export,1200\n\
         Feature Used,ada,1788339600,t2,ada,acme,export,1200\n\
         $mp_web_page_view,ada,1788429720,t3,ada,acme,,\n",
    ),
    (
        "amplitude",
        "$insert_id,uuid,event_type,user_id,device_id,event_time,event_properties,groups\n\
         t1,u1,Feature Used,ada,d,2026-09-02 09:20:00.000000,\"{\"\"feature\"\": \"\"export\"\", \"\"duration\"\": 1200}\",\"{\"\"company\"\": [\"\"acme\"\"]}\"\n\
         ,u2,Feature Used,ada,d,2026-09-02 09:00:00.000000,\"{\"\"feature\"\": \"\"export\"\", \"\"duration\"\": 1200}\",\"{\"\"company\"\": [\"\"acme\"\"]}\"\n\
         t3,u3,[Amplitude] Page Viewed,ada,d,2026-09-03 10:02:00.000000,{},\"{\"\"company\"\": [\"\"acme\"\"]}\"\n",
    ),
    (
        "posthog",
        "uuid,event,distinct_id,properties,timestamp\n\
         t1,Feature Used,ada,\"{\"\"$groups\"\": {\"\"company\"\": \"\"acme\"\"}, \"\"feature\"\": \"\"export\"\", \"\"duration\"\": 1200}\",2026-09-02T09:20:00.000000+00:00\n\
         t2,Feature Used,ada,\"{\"\"$groups\"\": {\"\"company\"\": \"\"acme\"\"}, \"\"feature\"\": \"\"export\"\", \"\"duration\"\": 1200}\",2026-09-02T09:00:00.000000+00:00\n\
         t3,$pageview,ada,\"{\"\"$groups\"\": {\"\"company\"\": \"\"acme\"\"}, \"\"$pathname\"\": \"\"/pricing\"\"}\",2026-09-03T10:02:00.000000+00:00\n",
    ),
];

const COMPANIES: &str = "Account ID;Name;Plan;Created;Owner;Request Feedback\r\n\
    acme;\"Acme; Inc.\";pro;2025-01-01;kim@initech.example;yes\r\n";

const USERS: &str = "user_id,email,name,company_id,created_at\n\
    ada,ada@acme.example,Ada,acme,2026-08-31T05:00:00Z\n\
    ben,ben@acme.example,Ben,acme,2026-08-31T05:00:00Z\n";

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_gives_the_same_week_and_once_more_changes_nothing() {
    let folder = Folder::new("shapes");
    let companies = folder.file("companies.csv", COMPANIES);
    let users = folder.file("users.csv", USERS);
    let feedback = folder.file(
        "feedback.csv",
        "user_id,company_id,score,comment,timestamp\nada,acme,9,\"Good,\nreally\",2026-09-02T12:00:00Z\n",
    );
    for (shape, content) in SHAPES {
        let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
        running.clock("2026-09-04T00:00:00Z").await;
        let events = folder.file(&format!("{shape}.csv"), content);
        let token = ["--token", running.keys.api_token.as_str()];
        let everything = async || {
            import_all(&running, "events", &events, &[]).await;
            import_all(&running, "companies", &companies, &token).await;
            import_all(&running, "users", &users, &[]).await;
            import_all(&running, "feedback", &feedback, &[]).await;
        };
        everything().await;
        let before = standing(&running, &["acme"]).await;
        everything().await;
        assert_eq!(standing(&running, &["acme"]).await, before, "{shape}");

        running.clock("2026-09-07T00:30:00Z").await;
        let company = running.get("/v1/companies/acme").await;
        assert_eq!(company["name"], "Acme; Inc.");
        assert_eq!(company["plan"], "pro");
        assert_eq!(company["owner"], "kim@initech.example");
        assert_eq!(company["request_feedback"], true);
        let week = &running.get("/v1/companies/acme/weeks").await["items"][0];
        let components = &week["components"];
        assert_eq!(components["login"]["counts"], json!({ "users": 2, "active_users": 1, "active_days": 1 }));
        assert_eq!(components["login"]["value"], 50);
        // Ten slots of use, and the one in which she answered.
        assert_eq!(components["adoption"]["counts"]["minutes"], 55, "{shape}");
        assert_eq!(company["happiness"]["answers"], 1);
        let users = running.get("/v1/companies/acme/users").await;
        let emails: Vec<_> = users["items"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
        assert_eq!(emails, ["ada@acme.example", "ben@acme.example"]);
        running.home.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_arent_in_stand_in_the_error_file_with_their_reasons() {
    let folder = Folder::new("errors");
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    let events = folder.file(
        "events.csv",
        "event,user_id,company_id,timestamp,colour\n\
         Exported,ada,acme,2026-08-30,red\n\
         Exported,ada,acme,2026-01-01,\"a \"\"b\"\",\nc\"\n\
         Exported,,acme,2026-08-30,\n\
         Exported,ada,acme\n\
         Exported,ada,acme,2026-08-30,\n\
         Exported,ben,,2026-08-30,\n",
    );
    let ended = import(&running, "events", &events, &[]).await;
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    for line in [
        "rows              6",
        "imported          3",
        "waiting         1",
        "rejected          3",
        "1  too_old",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(String::from_utf8_lossy(&ended.stderr).contains("not read  colour"), "{}", said(&ended));
    let errors = std::fs::read_to_string(folder.0.join("events.errors.csv")).unwrap();
    assert_eq!(
        errors,
        "row,event,user_id,company_id,timestamp,colour,code,message\n\
         3,Exported,ada,acme,2026-01-01,\"a \"\"b\"\",\nc\",too_old,the event is older than 90 days\n\
         4,Exported,,acme,2026-08-30,,missing_user,the row names nobody\n\
         5,Exported,ada,acme,,,column_count,\"the row has 3 columns, the header 5\"\n"
    );
    // Corrected, it is a file like any other.
    let corrected = errors
        .replace("2026-01-01", "2026-08-30")
        .replace("Exported,,acme", "Exported,cy,acme")
        .replace("5,Exported,ada,acme,,", "5,Exported,dan,acme,2026-08-30,");
    let corrected = folder.file("corrected.csv", &corrected);
    import_all(&running, "events", &corrected, &[]).await;
    let users = running.get("/v1/companies/acme/users").await;
    assert_eq!(users["items"].as_array().unwrap().len(), 3, "{users}");
    assert!(!folder.0.join("events.import-state.json").exists());
    running.home.stop().await;
}

/// 12,000 rows of 40 users at 4 companies over four days; every 500th is too old, every 701st names nobody.
fn many() -> String {
    let mut rows = String::from("event,user_id,company_id,timestamp,feature\n");
    for row in 0..12_000_u32 {
        let user = row % 40;
        let who = if row % 701 == 700 { String::new() } else { format!("u{user}") };
        let day =
            if row % 500 == 499 { "2025-09-01".to_owned() } else { format!("2026-09-0{}", 1 + row % 4) };
        rows.push_str(&format!(
            "Feature Used,{who},c{},{day}T{:02}:{:02}:{:02}Z,f{}\n",
            user % 4,
            8 + row % 9,
            row % 60,
            row % 59,
            row % 7
        ));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_started_again() {
    const COMPANIES: [&str; 4] = ["c0", "c1", "c2", "c3"];
    let folder = Folder::new("killed");
    let events = folder.file("many.csv", &many());
    let (state, errors) = (folder.0.join("many.import-state.json"), folder.0.join("many.errors.csv"));

    let whole = Running::start("2026-09-05T00:00:00Z", "Etc/UTC").await;
    let ended = import(&whole, "events", &events, &[]).await;
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    let (summary, expected_errors) = (ended.stdout, std::fs::read_to_string(&errors).unwrap());
    assert_eq!(expected_errors.lines().count(), 1 + 24 + 17);
    whole.clock("2026-09-07T01:00:00Z").await;
    let expected = standing(&whole, &COMPANIES).await;
    assert!(expected["c0"]["weeks"][0]["score"].is_number(), "{expected}");
    whole.home.stop().await;

    let running = Running::start("2026-09-05T00:00:00Z", "Etc/UTC").await;
    let mut kills = 0;
    let ended = loop {
        // It gets a little further each time, and is killed once more than it noted since.
        let reached = std::fs::read(&state).unwrap_or_default();
        let mut child = command(&running, "events", &events, &[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut went_on = 0;
        while kills < 4 && went_on < 3 && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if std::fs::read(&state).is_ok_and(|now| now != reached) {
                went_on += 1;
            }
        }
        if kills == 4 || child.try_wait().unwrap().is_some() {
            break child.wait_with_output().await.unwrap();
        }
        child.kill().await.unwrap();
        kills += 1;
    };
    assert!(kills >= 2, "it was done before it could be killed: {}", said(&ended));
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("goes on after row"), "{}", said(&ended));
    assert_eq!(String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&summary));
    assert_eq!(std::fs::read_to_string(&errors).unwrap(), expected_errors);
    running.clock("2026-09-07T01:00:00Z").await;
    assert_eq!(standing(&running, &COMPANIES).await, expected);
    running.home.stop().await;
}

/// What companies have become, in two files of the same sheet.
const STATUSES: &str = "company_id,status,note,set_at\n\
    acme,healthy,As it was.,2026-06-01\n\
    acme,struggling,Lost a client.,2026-08-01\n\
    beta,great,They say so.,\n\
    nobody,steady,Who?,\n";

/// How the companies of [`STATUSES`] stand and what rules do about it.
async fn status_of_acme(running: &Running) -> (Value, Value, usize, usize) {
    running.settle().await;
    let acme = running.get("/v1/companies/acme").await["business_status"].clone();
    let history = running.get("/v1/companies/acme/status-changes").await["items"].as_array().unwrap().len();
    let tasks = running.get("/v1/tasks").await["items"].as_array().unwrap().len();
    (acme["value"].clone(), acme["set_at"].clone(), history, tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_of_a_sheet_are_set_silently_and_rules_act_on_them_only_when_told() {
    let folder = Folder::new("statuses");
    let running = Running::start("2026-08-02T09:00:00Z", "Etc/UTC").await;
    let token = running.keys.api_token.clone();
    let companies = folder.file("companies.csv", "company_id,name\nacme,Acme\nbeta,Beta\n");
    import_all(&running, "companies", &companies, &[]).await;
    let sheet = folder.file("sheet.csv", STATUSES);
    let refused = import(&running, "statuses", &sheet, &[]).await;
    assert!(said(&refused).contains("--token"), "{}", said(&refused));

    let ended = import(&running, "statuses", &sheet, &["--token", &token]).await;
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    let errors = std::fs::read_to_string(folder.0.join("sheet.errors.csv")).unwrap();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 3, "{errors}");
    assert!(lines[1].starts_with("4,beta,great,They say so.,,bad_status,"), "{errors}");
    assert!(lines[2].starts_with("5,nobody,steady,Who?,,unknown_company,"), "{errors}");
    let set = (json!("struggling"), json!("2026-08-01T00:00:00Z"), 2, 0);
    assert_eq!(status_of_acme(&running).await, set, "nothing is set in motion");
    assert!(!folder.0.join("sheet.import-state.json").exists());

    // The latest row says what is so.
    let latest = folder
        .file("latest.csv", "company_id,status,note,set_at\nacme,Struggling,Lost a client.,2026-08-01\n");
    import_all(&running, "statuses", &latest, &["--token", &token]).await;
    assert_eq!(status_of_acme(&running).await, set, "twice changes nothing");

    let now = folder.file("now.csv", "company_id,status,note\nbeta,struggling,Lost all clients.\n");
    import_all(&running, "statuses", &now, &["--token", &token, "--fire"]).await;
    assert_eq!(status_of_acme(&running).await.3, 1, "the rule opened its task");
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_arrived_and_were_not_acknowledged_are_sent_again_and_set_once() {
    let folder = Folder::new("statuses-killed");
    let running = Running::start("2026-08-02T09:00:00Z", "Etc/UTC").await;
    let companies = folder.file("companies.csv", "company_id,name\nacme,Acme\n");
    import_all(&running, "companies", &companies, &[]).await;
    let mut sheet = "company_id,status,note,set_at\n".to_owned();
    for day in 1..=28 {
        let status = if day % 2 == 0 { "steady" } else { "healthy" };
        sheet.push_str(&format!("acme,{status},Day {day}.,2026-07-{day:02}\n"));
    }
    let (file, state) = (folder.file("sheet.csv", &sheet), folder.0.join("sheet.import-state.json"));
    let more = ["--token", running.keys.api_token.as_str()];
    // As if it had been killed between the answer and the note of it: the state of the beginning stands again.
    let mut child = command(&running, "statuses", &file, &more).spawn().unwrap();
    let mut begun = Vec::new();
    while child.try_wait().unwrap().is_none() {
        if begun.is_empty() {
            begun = std::fs::read(&state).unwrap_or_default();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!begun.is_empty(), "the import has a name before it sends anything");
    std::fs::write(&state, begun).unwrap();
    import_all(&running, "statuses", &file, &more).await;
    assert_eq!(status_of_acme(&running).await.2, 28);
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_down_for_a_while_only_takes_longer() {
    let folder = Folder::new("faults");
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    let users = folder.file("users.csv", USERS);
    running.fault(&json!({ "dynamodb": { "throttle": true } })).await;
    let child = command(&running, "users", &users, &[])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    running.fault(&json!({ "dynamodb": null })).await;
    let ended = child.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("trying again"), "{}", said(&ended));
    running.home.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cant_work_is_said_at_once() {
    let folder = Folder::new("wrong");
    let running = Running::start("2026-08-31T00:00:00Z", "Etc/UTC").await;
    let users = folder.file("users.csv", USERS);
    for (file, more, hint) in [
        (&users, ["--key", "wk_of_nobody"].as_slice(), "401"),
        (&users, &["--url", "http://127.0.0.1:1", "--patience", "0"], "the same command goes on"),
        (&users, &["--map", "x=email"], "--map x"),
        (&folder.file("none.csv", "a,b\n1,2\n"), &[], "no column for user_id"),
    ] {
        let ended = import(&running, "users", file, more).await;
        assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
        assert!(said(&ended).contains(hint), "{hint}: {}", said(&ended));
    }
    // A dry run sends nothing.
    let ended = import(&running, "users", &users, &["--dry-run"]).await;
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(said(&ended).contains(r#""userId":"ada""#), "{}", said(&ended));
    let answer = running.api(http::Method::GET, "/v1/companies/acme", &Value::Null).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", text(&answer));
    running.home.stop().await;
}
