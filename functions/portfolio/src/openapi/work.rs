//! What is to be done, and what users said.

use barometer_cloud::{
    openapi::{Api, nullable, object, text},
    table::{actions::ActionState, credentials::Scope},
};
use barometer_domain::task::LONGEST_NOTE;
use serde_json::json;

use super::{MOST, instant, words};
use crate::{
    actions::ActionView,
    alerts::AlertView,
    cases::Which,
    disagreements::DisagreementView,
    feedback::AnswerView,
    paging::Page,
    tasks::{Name, TaskView},
};

const TAG: &str = "Work";

/// Describes the routes of tasks, alerts, disagreements, answers and actions.
pub fn describe(api: &mut Api) {
    tasks(api);
    cases(api);
    feedback(api);
    actions(api);
}

fn tasks(api: &mut Api) {
    api.operation("GET /v1/tasks", "listTasks", TAG, "Tasks, the latest first")
        .needs(Scope::Read)
        .choice::<Name>("state", "Open ones unless said.")
        .query("owner", "Who is to do them, by address.", words())
        .query("company_id", "Of one company.", words())
        .paged(50, MOST)
        .json::<Page<TaskView>>(200, "Tasks.")
        .leads(200, "changeTask", "id", "/items/0/id")
        .problems(&[404])
        .done();
    let state = api.schema::<Name>();
    let body = object(
        &[],
        [
            ("state", state),
            (
                "until",
                json!({ "type": "string", "format": "date-time", "description": "Until when it is put off; with the state snoozed." }),
            ),
            ("note", nullable(text(LONGEST_NOTE, "What there is to say about it."))),
        ],
    );
    api.operation(
        "PATCH /v1/tasks/{id}",
        "changeTask",
        TAG,
        "Does a task, puts it off, opens it again or says something about it",
    )
    .needs(Scope::Write)
    .if_match()
    .body("TaskPatch", body)
    .json::<TaskView>(200, "The task.")
    .tells(200, "ETag", "Its version.")
    .problems(&[404, 409])
    .done();
}

fn cases(api: &mut Api) {
    api.operation("GET /v1/alerts", "listAlerts", TAG, "Alerts, the latest first")
        .needs(Scope::Read)
        .choice::<Which>("which", "Live ones unless said.")
        .query("company_id", "Of one company.", words())
        .paged(50, MOST)
        .json::<Page<AlertView>>(200, "Alerts.")
        .leads(200, "changeAlert", "id", "/items/0/id")
        .problems(&[404])
        .done();
    let body = object(
        &["state"],
        [
            ("state", json!({ "type": "string", "enum": ["acknowledged", "resolved"] })),
            ("note", nullable(text(5_000, "What was done; a resolved alert needs it."))),
        ],
    );
    api.operation("PATCH /v1/alerts/{id}", "changeAlert", TAG, "Looks after an alert, or closes it")
        .needs(Scope::Write)
        .if_match()
        .body("AlertPatch", body)
        .json::<AlertView>(200, "The alert.")
        .tells(200, "ETag", "Its version.")
        .problems(&[404, 409])
        .done();
    api.operation(
        "GET /v1/disagreements",
        "listDisagreements",
        TAG,
        "Companies whose readings contradict each other",
    )
    .needs(Scope::Read)
    .choice::<Which>("which", "Live ones unless said.")
    .query("company_id", "Of one company.", words())
    .paged(50, MOST)
    .json::<Page<DisagreementView>>(200, "Disagreements.")
    .leads(200, "answerDisagreement", "id", "/items/0/id")
    .problems(&[404])
    .done();
    let body = object(
        &["answer"],
        [
            (
                "answer",
                json!({ "type": "string", "enum": ["confirm", "dispute", "both_right"],
                    "description": "confirm: engagement is right; dispute: it isn't, for a reason." }),
            ),
            ("reason", nullable(text(5_000, "Why engagement is wrong; a dispute needs it."))),
        ],
    );
    api.operation(
        "PATCH /v1/disagreements/{id}",
        "answerDisagreement",
        TAG,
        "Says which of the two readings is right",
    )
    .needs(Scope::Write)
    .if_match()
    .body("DisagreementAnswer", body)
    .json::<DisagreementView>(200, "The disagreement.")
    .tells(200, "ETag", "Its version.")
    .problems(&[404, 409])
    .done();
}

fn feedback(api: &mut Api) {
    let rating = json!({ "type": "integer", "minimum": 0, "maximum": 10 });
    api.operation("GET /v1/feedback", "listAnswers", TAG, "What users answered, the newest first")
        .needs(Scope::Read)
        .query("min_rating", "The lowest rating, on the scale from 0 to 10.", rating.clone())
        .query("max_rating", "The highest rating, on the scale from 0 to 10.", rating)
        .query("with_comment", "Only those with a comment.", json!({ "type": "boolean", "default": false }))
        .query("from", "An instant, or the beginning of a day in UTC.", instant())
        .query("company_id", "Of one company.", words())
        .paged(50, MOST)
        .json::<Page<AnswerView>>(200, "Answers, void ones among them.")
        .leads(200, "voidAnswer", "id", "/items/0/id")
        .problems(&[404])
        .done();
    let body = object(&["reason"], [("reason", text(1_000, "Why it shouldn't count."))]);
    api.operation("POST /v1/feedback/{id}/void", "voidAnswer", TAG, "Says that an answer doesn't count")
        .needs(Scope::Write)
        .says("It and every revision before it stay readable. The company's happiness is recomputed.")
        .idempotent()
        .body("VoidReason", body)
        .json::<AnswerView>(200, "The answer.")
        .problems(&[404])
        .done();
}

fn actions(api: &mut Api) {
    api.operation("GET /v1/actions", "listActions", TAG, "What rules do, or are about to")
        .needs(Scope::Read)
        .choice::<ActionState>("state", "Planned ones unless said.")
        .query("company_id", "Of one company.", words())
        .query("rule", "Of one rule.", words())
        .paged(50, MOST)
        .json::<Page<ActionView>>(200, "Actions.")
        .leads(200, "changeAction", "id", "/items/0/id")
        .problems(&[404])
        .done();
    let state = json!({ "type": "string", "enum": ["cancelled", "approved", "planned"],
        "description": "cancelled: what waits isn't done; approved: what waits for approval is; planned: what failed is tried again." });
    api.operation("PATCH /v1/actions/{id}", "changeAction", TAG, "Undoes, approves or repeats an action")
        .needs(Scope::Write)
        .body("ActionPatch", object(&["state"], [("state", state)]))
        .json::<ActionView>(200, "The action.")
        .problems(&[404, 409])
        .done();
}
