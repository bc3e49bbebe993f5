use super::*;

fn read(kind: Kind, csv: &str) -> Vec<Made> {
    shaped(kind, None, csv)
}

fn shaped(kind: Kind, group_type: Option<&str>, text: &str) -> Vec<Made> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let shape = if kind == Kind::Events { Shape::of(&header) } else { Shape::Plain };
    let reading = Reading {
        kind,
        shape,
        columns: Columns::find(kind, shape, &header, &[]).unwrap(),
        group_type: group_type.map(str::to_owned),
        oldest: "2026-06-01T00:00:00Z".parse().unwrap(),
    };
    reader.records().map(|record| reading.row(&record.unwrap())).collect()
}

/// The call of a row, without its message id.
fn call(made: &Made) -> Value {
    let Made::Call(call) = made else { panic!("{made:?}") };
    let mut call: Value = serde_json::from_str(&call.json).unwrap();
    assert!(call["messageId"].is_string());
    call.as_object_mut().unwrap().remove("messageId");
    call
}

fn id(made: &Made) -> String {
    let Made::Call(call) = made else { panic!("{made:?}") };
    serde_json::from_str::<Value>(&call.json).unwrap()["messageId"].as_str().unwrap().to_owned()
}

fn code(made: &Made) -> &str {
    let Made::Rejected(complaint) = made else { panic!("{made:?}") };
    &complaint.code
}

#[test]
fn a_company_is_a_group_call_without_a_person() {
    let made = read(
        Kind::Companies,
        "company_id,name,plan,created_at,time_zone,locale,owner,renewal_on,request_feedback\n\
         acme,Acme,pro,2026-07-01,Europe/Berlin,de-AT,kim@example.com,2027-01-31,yes\n\
         old,,,2019-01-01,Mars/Olympus,,,,perhaps\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "group", "groupId": "acme", "timestamp": "2026-07-01T00:00:00.000Z", "traits": {
            "name": "Acme", "plan": "pro", "createdAt": "2026-07-01T00:00:00.000Z",
            "timeZone": "Europe/Berlin", "language": "de-AT" } })
    );
    let Made::Call(first) = &made[0] else { panic!() };
    let patch = json!({ "owner": "kim@example.com", "renewal_on": "2027-01-31", "request_feedback": true });
    assert_eq!(
        first.patch.clone().map(|(id, patch)| (id, Value::Object(patch))),
        Some(("acme".to_owned(), patch))
    );
    // Older than the log: told as of the oldest day that is kept, and still as old as it is.
    assert_eq!(
        call(&made[1]),
        json!({ "type": "group", "groupId": "old", "timestamp": "2026-06-01T00:00:00.000Z",
            "traits": { "createdAt": "2019-01-01T00:00:00.000Z" } })
    );
    let Made::Call(second) = &made[1] else { panic!() };
    let codes: Vec<_> = second.remarks.iter().map(|remark| remark.code.as_str()).collect();
    assert_eq!(codes, ["bad_time_zone", "bad_request_feedback"]);
    assert_eq!(second.patch, None);
}

#[test]
fn a_user_is_an_identify_call_with_their_company() {
    let made = read(
        Kind::Users,
        "user_id,email,name,company_id,created_at,language,time_zone\n\
         ada,ada@acme.example,Ada,acme,1782864000,de,Europe/Berlin\n\
         ben,not an address,,,,,\n,x@y.z,,,,,\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "identify", "userId": "ada", "timestamp": "2026-07-01T00:00:00.000Z", "traits": {
            "email": "ada@acme.example", "name": "Ada", "company": { "id": "acme" }, "language": "de",
            "createdAt": "2026-07-01T00:00:00.000Z", "timeZone": "Europe/Berlin" } })
    );
    assert_eq!(call(&made[1]), json!({ "type": "identify", "userId": "ben", "traits": {} }));
    assert_eq!(code(&made[2]), "missing_user_id");
}

#[test]
fn plain_events_name_everything_in_columns() {
    let made = read(
        Kind::Events,
        "event,user_id,anonymous_id,company_id,timestamp,message_id,feature,duration,type,properties.colour\n\
         Exported,ada,,acme,2026-08-01 10:00:00,m1,export,90,,red\n\
         Pricing,,a-1,,2026-08-01T10:00:00+02:00,,,,page,\n\
         X,ada,,,soon,,,,,\nX,ada,,,,,,,,\nX,,,,2026-08-01,,,,,\n,ada,,,2026-08-01,,,,,\nX,ada,,,2026-08-01,,,,tap,\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "track", "event": "Exported", "userId": "ada", "context": { "groupId": "acme" },
            "timestamp": "2026-08-01T10:00:00.000Z",
            "properties": { "feature": "export", "durationSeconds": "90", "colour": "red" } })
    );
    assert_eq!(id(&made[0]), "m1");
    assert_eq!(
        call(&made[1]),
        json!({ "type": "page", "name": "Pricing", "anonymousId": "a-1", "timestamp": "2026-08-01T08:00:00.000Z" })
    );
    let codes: Vec<_> = made[2..].iter().map(code).collect();
    assert_eq!(codes, ["bad_timestamp", "missing_timestamp", "missing_user", "missing_event", "bad_type"]);
}

#[test]
fn the_same_row_has_the_same_id_wherever_it_stands() {
    let one = read(Kind::Events, "event,user_id,timestamp\nX,ada,2026-08-01\nY,ada,2026-08-01\n");
    let other = read(Kind::Events, "time,note,event,user_id\n2026-08-01T00:00:00Z,z,X,ada\n");
    assert_eq!(id(&one[0]), id(&other[0]));
    assert_ne!(id(&one[0]), id(&one[1]));
    assert!(id(&one[0]).starts_with("import-"));
}

#[test]
fn mixpanel_keeps_devices_and_people_apart() {
    let made = read(
        Kind::Events,
        "event,distinct_id,time,$insert_id,$user_id,$device_id,company_id,feature,$browser\n\
         Exported,ada,1785578400,i1,ada,d-1,acme,export,Firefox\n\
         Exported,$device:d-2,1785578400,i2,,d-2,,,\n\
         $mp_web_page_view,ada,1785578400,i3,,,,,\n\
         $merge,ada,1785578400,i4,,,,,\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "track", "event": "Exported", "userId": "ada", "context": { "groupId": "acme" },
            "timestamp": "2026-08-01T10:00:00.000Z", "properties": { "feature": "export" } })
    );
    assert_eq!(id(&made[0]), "i1");
    assert_eq!(
        call(&made[1]),
        json!({ "type": "track", "event": "Exported", "anonymousId": "d-2", "timestamp": "2026-08-01T10:00:00.000Z" })
    );
    assert_eq!(call(&made[2])["type"], "page");
    assert_eq!(made[3], Made::Nothing);
}

#[test]
fn amplitude_keeps_properties_and_groups_as_json() {
    let made = read(
        Kind::Events,
        "$insert_id,uuid,event_type,user_id,device_id,event_time,event_properties,groups,amplitude_id,session_id\n\
         i1,u1,Exported,ada,dev,2026-08-01 10:00:00.123000,\"{\"\"feature\"\": \"\"export\"\", \"\"duration\"\": 5}\",\
         \"{\"\"plan\"\": [\"\"pro\"\"], \"\"company\"\": [\"\"acme\"\"]}\",77,1\n\
         ,u2,Opened,,dev,2026-08-01 10:00:00,{},{},77,-1\n\
         i3,u3,$identify,ada,dev,2026-08-01 10:00:00,{},{},77,-1\n\
         i4,u4,Opened,ada,dev,2026-08-01 10:00:00,oops,{},77,-1\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "track", "event": "Exported", "userId": "ada", "anonymousId": "dev",
            "context": { "groupId": "acme", "sessionId": "1" }, "timestamp": "2026-08-01T10:00:00.123Z",
            "properties": { "feature": "export", "duration": 5 } })
    );
    assert_eq!(id(&made[0]), "i1");
    assert_eq!(call(&made[1])["anonymousId"], "dev");
    assert_eq!(id(&made[1]), "u2");
    assert_eq!(made[2], Made::Nothing);
    let Made::Call(bad) = &made[3] else { panic!() };
    assert_eq!(bad.remarks[0].code, "bad_properties");
}

#[test]
fn posthog_is_sent_as_its_clients_do_from_json_or_a_column_for_each_property() {
    let json = read(
        Kind::Events,
        "uuid,event,distinct_id,properties,timestamp\n\
         e1,Exported,ada,\"{\"\"$groups\"\": {\"\"company\"\": \"\"acme\"\"}, \"\"feature\"\": \"\"export\"\", \"\"$os\"\": \"\"Linux\"\"}\",2026-08-01T10:00:00.123456+00:00\n\
         e2,$identify,ada,\"{\"\"$anon_distinct_id\"\": \"\"d-9\"\", \"\"$set\"\": {\"\"email\"\": \"\"a@b.example\"\"}}\",2026-08-01T10:00:00Z\n\
         e3,X,,{},2026-08-01T10:00:00Z\n",
    );
    let exported = json!({ "event": "Exported", "distinct_id": "ada", "timestamp": "2026-08-01T10:00:00.123Z",
        "properties": { "$groups": { "company": "acme" }, "feature": "export" } });
    assert_eq!(call(&json[0]), exported);
    assert_eq!(id(&json[0]), "e1");
    let identified = json!({ "event": "$identify", "distinct_id": "ada", "timestamp": "2026-08-01T10:00:00.000Z",
        "properties": { "$anon_distinct_id": "d-9", "$set": { "email": "a@b.example" } } });
    assert_eq!(call(&json[1]), identified);
    assert_eq!(code(&json[2]), "missing_user");

    let flat = read(
        Kind::Events,
        "*.uuid,*.event,*.properties.$groups.company,*.properties.feature,*.properties.$os,*.timestamp,*.distinct_id,*.properties.$set.email,*.properties.$anon_distinct_id\n\
         e1,Exported,acme,export,Linux,2026-08-01T10:00:00.123456Z,ada,,\n\
         e2,$identify,,,,2026-08-01T10:00:00Z,ada,a@b.example,d-9\n",
    );
    assert_eq!(call(&flat[0]), exported);
    assert_eq!(call(&flat[1]), identified);
}

#[test]
fn of_several_groups_the_company_is_chosen_or_said() {
    let row = "uuid,event,distinct_id,properties,timestamp\n\
        e,X,ada,\"{\"\"$groups\"\": {\"\"project\"\": \"\"p\"\", \"\"clinic\"\": \"\"c\"\"}}\",2026-08-01\n";
    let company = |made: &[Made]| call(&made[0])["properties"]["$groups"]["company"].clone();
    assert_eq!(company(&read(Kind::Events, row)), Value::Null);
    assert_eq!(company(&shaped(Kind::Events, Some("Clinic"), row)), "c");
}

#[test]
fn feedback_is_an_event_with_a_score() {
    let made = read(
        Kind::Feedback,
        "user_id,company_id,score,comment,timestamp\n\
         ada,acme,9,\"Good,\nreally\",2026-08-01\n\
         ada,acme,11,,2026-08-01\nada,acme,8.5,,2026-08-01\nada,acme,,,2026-08-01\nada,acme,0,,\n",
    );
    assert_eq!(
        call(&made[0]),
        json!({ "type": "track", "event": "Feedback Submitted", "userId": "ada",
            "context": { "groupId": "acme" }, "timestamp": "2026-08-01T00:00:00.000Z",
            "properties": { "score": 9, "comment": "Good,\nreally" } })
    );
    let codes: Vec<_> = made[1..].iter().map(code).collect();
    assert_eq!(codes, ["bad_score", "bad_score", "missing_score", "missing_timestamp"]);
}

#[test]
fn a_status_is_read_in_any_case_and_never_dated_today_by_mistake() {
    let made = read(
        Kind::Statuses,
        "Account ID,Health,Notes,Changed At\n\
         acme,Struggling,Lost a client.,2026-08-01\n\
         acme,healthy,All well.,\n\
         acme,at_risk,So it seems.,\n\
         acme,steady,Fine.,soon\n\
         acme,steady,,\n\
         ,steady,Fine.,\n",
    );
    let told: Vec<String> = made
        .into_iter()
        .map(|made| match made {
            Made::Call(call) => call.json,
            Made::Rejected(complaint) => complaint.code,
            Made::Nothing => "nothing".to_owned(),
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"{"company_id":"acme","note":"Lost a client.","set_at":"2026-08-01T00:00:00.000Z","status":"struggling"}"#,
            r#"{"company_id":"acme","note":"All well.","status":"healthy"}"#,
            "bad_status",
            "bad_set_at",
            "missing_note",
            "missing_company_id",
        ]
    );
}
