//! What `/openapi.json` says of this function's paths.

use barometer_cloud::openapi::{Api, Operation, nullable, object};
use barometer_domain::answer::{LONGEST_COMMENT, Scale};
use serde_json::{Value, json};

use crate::{answer::Receipt, event::Kind, fault::Remark};

/// The group of operations, with what it holds.
pub const TAG: (&str, &str) = (
    "Ingestion",
    "What products send, in the formats of the clients that they use already: their host and key changed, they work. The \
     body is read whatever its Content-Type says, gzip or not, and a / at the end of a path changes nothing. A request has \
     at most 4 MB and 1,000 events, an event 32 KB. One bad event doesn't fail its batch: see `errors` of the answer. After \
     429 and 503 send the same again.",
);

const JSON: &[&str] = &["application/json"];

/// Describes every path of [`Route`](crate::route::Route), those of the same meaning at one of them.
pub fn describe(api: &mut Api) {
    segment(api);
    jitsu(api);
    posthog(api);
    cloudevents(api);
    documents(api);
    feedback(api);
}

fn begin<'a>(api: &'a mut Api, route: &str, id: &str, summary: &str) -> Operation<'a> {
    api.operation(route, id, TAG.0, summary)
}

fn taken(operation: Operation<'_>) -> Operation<'_> {
    operation
        .needs_write_key()
        .json::<Receipt>(200, "What was stored, and what wasn't and why.")
        .problems(&[415])
}

/// A schema for what is read leniently: whatever else is there is kept or left out, never refused.
fn lenient(fields: Value) -> Value {
    json!({ "type": "object", "properties": fields })
}

fn id(says: &str) -> Value {
    json!({ "type": ["string", "number", "null"], "description": says })
}

fn any(says: &str) -> Value {
    json!({ "type": ["object", "null"], "description": says })
}

fn segment(api: &mut Api) {
    let names = Kind::NAMES.map(|(name, ..)| name);
    let call = lenient(json!({
        "type": { "type": "string", "enum": names, "description": "What happened; the path's unless said." },
        "userId": id("Who did it."),
        "anonymousId": id("Who did it, before it is known; joined by an alias or by a call that has both."),
        "groupId": id("At which company; else context.groupId, else the one of the user's last group call."),
        "previousId": id("Whom an alias joins."),
        "event": { "type": ["string", "null"], "description": "The name of a tracked event." },
        "name": { "type": ["string", "null"], "description": "The name of a page or screen." },
        "properties": any("What there is to say of the event. Barometer reads `feature`, `duration`, `score` and `comment`."),
        "traits": any("What is known of the user or company: email, name, created_at, plan and others."),
        "context": any("Where it came from."),
        "timestamp": id("When, as an instant or epoch; now unless said."),
        "sentAt": id("When it was sent, by the client's clock."),
        "messageId": id("Tells the event from others: sent again under it, it counts once."),
    }));
    let call = api.named("Call", call);
    let batch = lenient(json!({
        "batch": { "type": "array", "items": call, "description": "The events." },
        "context": any("What holds for all of them."),
        "sentAt": id("When the batch was sent, by the client's clock."),
        "writeKey": id("The write key, where it isn't in a header."),
    }));
    let batch = api.named("Batch", batch);
    taken(begin(
        api,
        "POST /v1/batch",
        "sendBatch",
        "Sends events as Segment's and RudderStack's clients do",
    ))
    .says("Also at /v1/import, /v1/b and /beacon/v1/batch.")
    .sends(JSON, batch)
    .done();
    for (name, letter, _) in Kind::NAMES {
        let (first, rest) = name.split_at(1);
        let (route, id) = (format!("POST /v1/{name}"), format!("send{}{rest}", first.to_uppercase()));
        taken(begin(api, &route, &id, &format!("Sends one {name} call")))
            .says(&format!("Also at /v1/{letter}."))
            .sends(JSON, call.clone())
            .done();
    }
    begin(api, "POST /v1/m", "dropMetrics", "Takes what clients report on themselves, and drops it")
        .public()
        .json::<Done>(200, "Taken.")
        .done();
}

fn jitsu(api: &mut Api) {
    let call = json!({ "$ref": "#/components/schemas/Call" });
    let mut names = Kind::NAMES.map(|(name, ..)| name).to_vec();
    names.extend(["event", "batch"]);
    let kinds = json!({ "type": "string", "enum": names });
    for (route, id, summary) in [
        ("POST /api/s/{type}", "sendFromJitsu", "Sends an event as Jitsu's client does in a browser"),
        (
            "POST /api/s/s2s/{type}",
            "sendFromJitsuServer",
            "Sends an event as Jitsu's client does on a server",
        ),
    ] {
        taken(begin(api, route, id, summary))
            .path("type", "What happened; event and batch: the body says.", kinds.clone())
            .sends(JSON, call.clone())
            .problems(&[404])
            .done();
    }
}

fn posthog(api: &mut Api) {
    let event = lenient(json!({
        "event": { "type": ["string", "null"], "description": "The name: a tracked event, or $identify, $groupidentify, $pageview and others." },
        "distinct_id": id("Who did it; also in the properties."),
        "properties": any("What there is to say of it; `$groups.company` is the company."),
        "timestamp": id("When."),
        "uuid": id("Tells the event from others."),
    }));
    let event = api.named("PostHogEvent", event);
    let events = json!({ "type": "array", "items": event });
    let batch = lenient(json!({ "api_key": id("The write key."), "batch": events }));
    taken(begin(api, "POST /batch", "sendFromPostHog", "Sends events as PostHog's clients do"))
        .says("Also at /e, /i/v0/e and /capture, one event or a list of them, too. The key is api_key or token of the body.")
        .sends(JSON, json!({ "anyOf": [batch, event, events] }))
        .done();
    begin(api, "POST /flags", "getFlags", "Answers PostHog's clients that there are no feature flags")
        .says("Also at /decide.")
        .public()
        .answer(200, "No flags.", "application/json", json!({ "type": "object" }))
        .problems(&[413])
        .done();
}

fn cloudevents(api: &mut Api) {
    let event = json!({
        "type": "object",
        "properties": {
            "specversion": { "type": "string", "const": "1.0" },
            "id": { "type": "string", "minLength": 1, "description": "Tells the event from others of its source." },
            "source": { "type": "string", "minLength": 1 },
            "type": { "type": "string", "minLength": 1, "description": "What happened, such as com.example.signed_in." },
            "subject": { "type": "string", "description": "Who did it." },
            "companyid": { "type": "string", "description": "At which company; also accountid or groupid." },
            "time": { "type": "string", "format": "date-time" },
            "data": { "description": "What there is to say of it." },
        },
        "required": ["specversion", "id", "source", "type"],
    });
    let event = api.named("CloudEvent", event);
    let remarks = api.schema::<Vec<Remark>>();
    let problem = json!({
        "type": "object",
        "description": "A problem document; where all events were wrong, with what was wrong with each.",
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "code": { "type": "string" },
            "accepted": { "type": "integer" }, "rejected": { "type": "integer" }, "errors": remarks,
        },
        "required": ["type", "title", "status", "detail", "code"],
    });
    let problem = api.named("EventsProblem", problem);
    let schema = json!({ "anyOf": [event, { "type": "array", "items": event }] });
    taken(begin(api, "POST /events", "sendCloudEvents", "Sends CloudEvents 1.0"))
        .says("One as application/cloudevents+json, several as application/cloudevents-batch+json, or one in binary mode: ce- headers and the data as body.")
        .sends(&["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"], schema)
        .answer(400, "None of the events is valid, or the body can't be read.", "application/problem+json", problem)
        .done();
}

fn documents(api: &mut Api) {
    let document = |api: &mut Api, route: &str, id: &str, summary: &str, says: &str| {
        begin(api, route, id, summary)
            .public()
            .says(says)
            .answer(200, "The document.", "application/json", json!({ "type": "object" }))
            .problems(&[404])
            .done();
    };
    document(
        api,
        "GET /v1/projects/{key}/settings",
        "getSegmentSettings",
        "What Segment's browser client asks before it sends",
        "Any key is answered: where to send is no secret. Also at /projects/{key}/settings.",
    );
    begin(
        api,
        "GET /sourceConfig",
        "getSourceConfig",
        "What RudderStack's browser client asks before it sends",
    )
    .says("Any key is answered; without one it is 401.")
    .public()
    .query("writeKey", "The write key, where it isn't in a header.", json!({ "type": "string" }))
    .answer(200, "The document.", "application/json", json!({ "type": "object" }))
    .problems(&[401])
    .done();
    begin(api, "GET /health", "getHealth", "Whether ingestion is up")
        .public()
        .json::<Done>(200, "It is.")
        .done();
}

fn feedback(api: &mut Api) {
    let scale = api.schema::<Scale>();
    let whole = |least: u8, most: u8| json!({ "type": "integer", "minimum": least, "maximum": most });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let person = || json!({ "type": "string", "minLength": 1, "maxLength": 256 });
    let body = object(
        &["user_id", "rating"],
        [
            ("user_id", person()),
            ("company_id", nullable(person())),
            ("rating", whole(0, 10)),
            ("scale", nullable(scale.clone())),
            ("of", nullable(whole(2, 10))),
            ("comment", nullable(json!({ "type": "string", "maxLength": LONGEST_COMMENT }))),
            ("at", nullable(instant())),
        ],
    );
    let stored = json!({
        "type": "object",
        "properties": {
            "success": { "type": "boolean" }, "user_id": person(), "company_id": person(),
            "rating": whole(0, 10), "scale": scale, "of": whole(2, 10),
            "value": { "type": "number", "minimum": 0, "maximum": 100, "description": "The rating in percent." },
            "at": instant(),
        },
        "required": ["success", "user_id", "company_id", "rating", "scale", "value", "at"],
    });
    let stored = api.named("GivenAnswer", stored);
    begin(api, "POST /v1/feedback", "giveFeedback", "Gives one answer that the product asked for itself")
        .says(
            "The rating is on its scale: nps (unless said otherwise) 0 to 10, faces 1 to 4, stars 1 to `of`, which is 5 unless \
             said. Without company_id it is the one company that the user belongs to; without `at` it is now.",
        )
        .needs_write_key()
        .idempotent()
        .body("Feedback", body)
        .answer(200, "The answer as it is stored.", "application/json", stored)
        .problems(&[409])
        .done();
}

/// An answer that has nothing to report.
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its schema is used: see `answer::done`")]
struct Done {
    /// Always true.
    success: bool,
}
