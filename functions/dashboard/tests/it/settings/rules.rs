//! The rules: switched, tried out, changed, added, deleted.

use barometer_cloud::{
    Table,
    table::{
        actions::{Firing, FiringOutcome},
        credentials::Scope,
    },
    workspaces::Created,
};
use barometer_domain::{
    CompanyId,
    automation::{AutomationRule, Happened},
    status::Status,
};
use http::StatusCode;

use super::{PAGE_BYTES, form, leads_to, scoped, stored};
use crate::{
    browser::{self, Browser, now},
    invented::{self, Story},
    store,
};

const LIST: &str = "/settings/rules";
const RULE: &str = "/settings/rules/struggling";
const NEW: &str = "/settings/new-rule";

async fn world() -> (Table, Created, Browser) {
    let table = store::table().await;
    let (made, browser) = browser::workspace(&table, "Meridian").await;
    (table, made, browser)
}

async fn struggler(table: &Table, made: &Created, name: &str) {
    let status = Some((Status::Struggling, 2));
    let story = Story { name: name.to_owned(), status, ..Story::default() };
    invented::company(table, &made.workspace_id, "acme", &story, now()).await;
}

async fn rules(table: &Table, made: &Created) -> Vec<AutomationRule> {
    stored(table, made).await.settings.rules
}

#[tokio::test]
async fn a_rule_is_switched_off_and_on_as_versions() {
    let (table, made, mut browser) = world().await;
    let page = browser.get(LIST).await;
    for text in
        ["Support a customer who struggles", "When the business status goes to Struggling", "never yet"]
    {
        assert!(page.body.contains(text), "{text}");
    }
    let switch = "/settings/rules/struggling/switch";
    let off = form(&page, switch, &[("on", "false")]);
    leads_to(&browser.post(switch, &off).await, "/settings/rules?saved=2");
    assert!(!rules(&table, &made).await[0].enabled);
    assert_eq!(stored(&table, &made).await.note, "Rule “Support a customer who struggles” switched off.");
    let late = browser.post(switch, &off).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("these changed: rules."));
    let on = form(&late, switch, &[("on", "true")]);
    leads_to(&browser.post(switch, &on).await, "/settings/rules?saved=3");
    assert!(rules(&table, &made).await[0].enabled);
    assert_eq!(
        browser.post("/settings/rules/none/switch", "on=true&seen=3").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_dry_run_names_whom_an_unsaved_rule_would_touch_and_does_nothing() {
    let (table, made, mut browser) = world().await;
    struggler(&table, &made, "<i>Acme</i> & Co").await;
    let page = browser.get(RULE).await;
    let typed = [("act", "dry-run"), ("/actions/1/title", "Call {{company}} at once")];
    let answer = browser.post(RULE, &form(&page, RULE, &typed)).await;
    assert_eq!(answer.status, StatusCode::OK);
    for text in [
        "Today it is about 1 company, and would make 1 task.",
        "At 1 company nobody can be mailed",
        "<a href=\"/companies/acme\">&#60;i&#62;Acme&#60;/i&#62; &#38; Co</a>",
        "<td>status Struggling</td>",
        "Task: Call &#60;i&#62;Acme&#60;/i&#62; &#38; Co at once",
        "value=\"Call {{company}} at once\"",
    ] {
        assert!(answer.body.contains(text), "{text} {}", answer.body);
    }
    assert!(answer.body.len() < PAGE_BYTES);
    assert_eq!(stored(&table, &made).await.version, 1);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    let answer = theirs.post(RULE, &form(&page, RULE, &typed)).await;
    assert!(answer.body.contains("Today it is about no company.") && !answer.body.contains("Acme"));
}

#[tokio::test]
async fn a_changed_rule_is_saved_and_what_is_wrong_names_its_input() {
    let (table, made, mut browser) = world().await;
    let page = browser.get(RULE).await;
    let wrong = [("/actions/0/subject", " "), ("/cooldown_days", "400"), ("act", "save")];
    let answer = browser.post(RULE, &form(&page, RULE, &wrong)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in [
        "<p>The rule, Days of silence at a company after it acted: a cool-down lasts at most 365 days.</p>",
        "<p>Then: a mail to the company, Subject: says something.</p>",
        "value=\"400\"",
    ] {
        assert!(answer.body.contains(text), "{text} {}", answer.body);
    }
    let right = [
        ("/actions/0/subject", "Can we help?"),
        ("/actions/0/text", "Hi <b>{{contact}}</b>\r\n& bye"),
        ("/cooldown_days", "7"),
        ("/conditions/plans", "pro, team"),
        ("/trigger/from", "healthy"),
        ("act", "save"),
    ];
    leads_to(&browser.post(RULE, &form(&answer, RULE, &right)).await, "/settings/rules/struggling?saved=2");
    let rule = serde_json::to_value(&rules(&table, &made).await[0]).unwrap();
    assert_eq!(rule["cooldown_days"], 7);
    assert_eq!(rule["conditions"]["plans"], serde_json::json!(["pro", "team"]));
    assert_eq!(
        rule["trigger"],
        serde_json::json!({"on": "status", "from": ["healthy"], "to": ["struggling"]})
    );
    assert_eq!(rule["actions"][0]["text"], "Hi <b>{{contact}}</b>\n& bye");
    let page = browser.get("/settings/rules/struggling?saved=2").await.body;
    assert!(page.contains("Saved as version 2.") && page.contains("Hi &#60;b&#62;{{contact}}&#60;/b&#62;"));
    let late = browser.post(RULE, &form(&answer, RULE, &right[..1])).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST, "without a button nothing is done");
    let late = [("act", "save"), ("/name", "Mine")];
    let late = browser.post(RULE, &form(&answer, RULE, &late)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("value=\"Mine\"") && late.body.contains("these changed: rules."));
}

#[tokio::test]
async fn a_preset_is_looked_at_and_added_and_a_rule_is_deleted() {
    let (table, made, mut browser) = world().await;
    let list = browser.get(LIST).await.body;
    assert!(
        list.contains("href=\"/settings/new-rule?preset=at-risk\"") && !list.contains("preset=struggling")
    );
    let page = browser.get("/settings/new-rule?preset=at-risk").await;
    assert!(page.body.contains("not saved yet"));
    assert_eq!(rules(&table, &made).await.len(), 1, "looking adds nothing");
    let saved = browser.post(NEW, &form(&page, NEW, &[("act", "save")])).await;
    leads_to(&saved, "/settings/rules/at-risk?saved=2");
    assert!(!browser.get(LIST).await.body.contains("preset=at-risk"));
    let page = browser.get("/settings/rules/at-risk").await;
    let twice = browser
        .post(NEW, &form(&page, "/settings/rules/at-risk", &[("act", "save"), ("/id", "at-risk")]))
        .await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(twice.body.contains("<p>Id: another rule has this id.</p>"), "{}", twice.body);
    let delete = form(&page, "/settings/rules/at-risk", &[("act", "delete")]);
    leads_to(&browser.post("/settings/rules/at-risk", &delete).await, "/settings/rules?saved=3");
    assert_eq!(rules(&table, &made).await.len(), 1);
    assert_eq!(browser.get("/settings/rules/at-risk").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/settings/new-rule?preset=none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_rule_of_ones_own_gets_its_actions_one_by_one() {
    let (table, made, mut browser) = world().await;
    let page = browser.get("/settings/new-rule?on=answer&do=task").await;
    let typed =
        [("act", "add"), ("do", "tag"), ("/id", "mine"), ("/name", "Mine"), ("/actions/0/title", "Call")];
    let page = browser.post(NEW, &form(&page, NEW, &typed)).await;
    assert!(page.body.contains("name=\"/actions/1/add\"") && page.body.contains("value=\"Call\""));
    let page = browser.post(NEW, &form(&page, NEW, &[("act", "trigger"), ("on", "renewal")])).await;
    assert!(page.body.contains("name=\"/trigger/days\" type=\"number\" min=\"0\" value=\"60\""));
    let page = browser.post(NEW, &form(&page, NEW, &[("act", "remove-0")])).await;
    assert!(!page.body.contains("value=\"Call\""));
    let saved = browser.post(NEW, &form(&page, NEW, &[("act", "save"), ("/actions/0/add", "vip")])).await;
    leads_to(&saved, "/settings/rules/mine?saved=2");
    let rule = serde_json::to_value(&rules(&table, &made).await[1]).unwrap();
    assert_eq!(rule["actions"], serde_json::json!([{"do": "tag", "add": ["vip"], "remove": []}]));
    assert_eq!(rule["trigger"], serde_json::json!({"on": "renewal", "days": 60}));
}

#[tokio::test]
async fn what_the_form_cant_say_is_said_as_json_with_the_apis_pointers() {
    let (table, made, mut browser) = world().await;
    let post = |json: &str| {
        let rule = "{}";
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("act", "save"), ("seen", "1"), ("rule", rule), ("json", json)])
            .finish()
    };
    let broken = browser.post(RULE, &post("{\"id\": <")).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        broken.body.contains("The JSON can’t be read: ")
            && broken.body.contains("{&#34;id&#34;: &#60;</textarea>")
    );
    let mut rule = serde_json::to_value(&rules(&table, &made).await[0]).unwrap();
    rule["conditions"]["traits"] = serde_json::json!({"region": ["eu"]});
    rule["actions"][1]["due_in_days"] = 99.into();
    let wrong = browser.post(RULE, &post(&rule.to_string())).await;
    assert!(
        wrong.body.contains("Due in business days: a task is due in 1 to 60 business days."),
        "{}",
        wrong.body
    );
    rule["actions"][1]["due_in_days"] = 9.into();
    leads_to(&browser.post(RULE, &post(&rule.to_string())).await, "/settings/rules/struggling?saved=2");
    assert_eq!(rules(&table, &made).await[0].conditions.traits.len(), 1);
    let page = browser.get(RULE).await;
    leads_to(
        &browser.post(RULE, &form(&page, RULE, &[("act", "save")])).await,
        "/settings/rules/struggling?saved=same",
    );
}

#[tokio::test]
async fn the_log_of_a_rule_says_where_why_and_what_came_of_it() {
    let (table, made, mut browser) = world().await;
    struggler(&table, &made, "Acme").await;
    let rule = rules(&table, &made).await.remove(0);
    let firing = Firing {
        rule: rule.id,
        settings_version: 1,
        company_id: CompanyId::new("acme").unwrap(),
        happened: Happened::Status { from: Some(Status::Healthy), to: Status::Struggling },
        period: "p".to_owned(),
        occurred_at: now(),
        at: now(),
        outcome: FiringOutcome::CoolingDown { until: now() + chrono::TimeDelta::days(3) },
        actions: Vec::new(),
        key: "k".to_owned(),
    };
    table.fire(&made.workspace_id, &firing, &[], chrono::TimeDelta::zero(), &[]).await.unwrap();
    let page = browser.get(RULE).await.body;
    for text in [
        "<a href=\"/companies/acme\">Acme</a>",
        "status Healthy → Struggling",
        "did nothing: quiet until 11 Sep",
    ] {
        assert!(page.contains(text), "{text} {page}");
    }
    assert!(browser.get(LIST).await.body.contains("<td>8 Sep, 10:00</td>"));
}

#[tokio::test]
async fn who_is_no_admin_reads_rules_and_has_no_form() {
    let (table, made, mut admin) = world().await;
    let form = form(&admin.get(RULE).await, RULE, &[("act", "save"), ("/cooldown_days", "1")]);
    let mut csm = scoped(&table, &made, Scope::Write).await;
    for path in [LIST, RULE] {
        let page = csm.get(path).await.body;
        assert!(page.contains("When the business status goes to Struggling"));
        assert!(!page.contains("name=\"seen\"") && !page.contains("<textarea"));
    }
    let refused = csm.post(RULE, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let refused = csm.post("/settings/rules/struggling/switch", "on=false&seen=1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(stored(&table, &made).await.version, 1);
    let (_, mut theirs) = browser::workspace(&table, "Other").await;
    assert_eq!(theirs.get("/settings/rules/mine").await.status, StatusCode::NOT_FOUND);
}
