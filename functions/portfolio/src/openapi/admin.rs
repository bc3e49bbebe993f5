//! What belongs to the workspace: sources, webhooks, tokens, audit, export.

use barometer_cloud::{
    openapi::{Api, object, text},
    table::{audit::Action, credentials::Scope, team::Role, webhooks::Kind},
};
use serde_json::{Value, json};

use super::{MOST, instant, words};
use crate::{
    audit::EntryView,
    members::MemberView,
    paging::Page,
    sources::{DetailView, SourceView},
    tokens::{TokenView, create::Created},
    webhooks::{SecretView, WebhookView, test::Tested},
};

const TAG: &str = "Workspace";

/// Describes the routes of what belongs to the workspace.
pub fn describe(api: &mut Api) {
    sources(api);
    webhooks(api);
    tokens(api);
    members(api);
    audit(api);
}

fn source_fields() -> [(&'static str, Value); 4] {
    let events = |says| json!({ "type": "integer", "minimum": 1, "maximum": barometer_cloud::sources::MAX_EVENTS, "description": says });
    let origins = json!({ "type": "array", "items": { "type": "string" }, "maxItems": barometer_cloud::sources::MAX_ORIGINS,
        "description": "Pages that may send, such as https://app.example.com; none: all." });
    [
        ("name", text(barometer_cloud::sources::LONGEST_NAME, "What it is called.")),
        ("allowed_origins", origins),
        ("rate", events("Events a second that it may send on average.")),
        ("burst", events("Events that it may send at once.")),
    ]
}

fn sources(api: &mut Api) {
    api.operation("GET /v1/sources", "listSources", TAG, "Where events come from, and what came lately")
        .needs(Scope::Read)
        .paged(MOST, MOST)
        .json::<Page<SourceView>>(200, "Sources, the oldest first.")
        .leads(200, "getSource", "id", "/items/0/id")
        .done();
    api.operation("POST /v1/sources", "createSource", TAG, "Makes a source with a write key of its own")
        .needs(Scope::Admin)
        .idempotent()
        .body("NewSource", object(&["name"], source_fields()))
        .json::<DetailView>(201, "The source.")
        .leads(201, "getSource", "id", "/id")
        .leads(201, "changeSource", "id", "/id")
        .leads(201, "rotateSource", "id", "/id")
        .leads(201, "deleteSource", "id", "/id")
        .problems(&[409])
        .done();
    api.operation("GET /v1/sources/{id}", "getSource", TAG, "One source, day by day")
        .needs(Scope::Read)
        .json::<DetailView>(200, "The source.")
        .problems(&[404])
        .done();
    let [name, origins, rate, burst] = source_fields();
    let disabled =
        ("disabled", json!({ "type": "boolean", "description": "Whether what it sends is refused." }));
    api.operation("PATCH /v1/sources/{id}", "changeSource", TAG, "Changes a source; disables and enables it")
        .needs(Scope::Admin)
        .says("Ingestion follows within a minute.")
        .body("SourcePatch", object(&[], [name, origins, rate, burst, disabled]))
        .json::<DetailView>(200, "The source.")
        .problems(&[404, 409])
        .done();
    api.operation("DELETE /v1/sources/{id}", "deleteSource", TAG, "Deletes a source with its keys")
        .needs(Scope::Admin)
        .says("What it has sent stays.")
        .nothing(204, "The source is gone.")
        .problems(&[404])
        .done();
    let overlap = json!({ "type": "integer", "minimum": 0, "maximum": barometer_cloud::sources::MAX_OVERLAP.num_hours(), "default": 24,
        "description": "Hours for which older keys work on." });
    api.operation("POST /v1/sources/{id}/rotate", "rotateSource", TAG, "Gives a source a new key")
        .needs(Scope::Admin)
        .idempotent()
        .optional_body("Rotation", object(&[], [("overlap_hours", overlap)]))
        .json::<DetailView>(200, "The source.")
        .problems(&[404, 409])
        .done();
}

fn webhooks(api: &mut Api) {
    let name = || ("name", text(100, "What it is called."));
    let url = || {
        let schema = json!({ "type": "string", "format": "uri", "description": "A public HTTPS address." });
        ("url", schema)
    };
    api.operation("GET /v1/webhooks", "listWebhooks", TAG, "Where events and notes are sent")
        .needs(Scope::Admin)
        .paged(MOST, MOST)
        .json::<Page<WebhookView>>(200, "Endpoints, the oldest first.")
        .leads(200, "getWebhook", "id", "/items/0/id")
        .done();
    let kind = api.schema::<Kind>();
    api.operation("POST /v1/webhooks", "createWebhook", TAG, "Makes an endpoint")
        .needs(Scope::Admin)
        .says("The answer has the secret that signs, this once: a repeat under the same Idempotency-Key makes nothing and is 409, code secret_not_kept, with the id.")
        .idempotent()
        .body("NewWebhook", object(&["name", "url"], [name(), url(), ("kind", kind)]))
        .json::<SecretView>(201, "The endpoint.")
        .leads(201, "getWebhook", "id", "/id")
        .leads(201, "changeWebhook", "id", "/id")
        .leads(201, "rotateWebhook", "id", "/id")
        .leads(201, "deleteWebhook", "id", "/id")
        .problems(&[409])
        .done();
    api.operation("GET /v1/webhooks/{id}", "getWebhook", TAG, "One endpoint")
        .needs(Scope::Admin)
        .json::<WebhookView>(200, "The endpoint, without its secrets.")
        .problems(&[404])
        .done();
    let enabled = ("enabled", json!({ "type": "boolean" }));
    api.operation(
        "PATCH /v1/webhooks/{id}",
        "changeWebhook",
        TAG,
        "Changes an endpoint; disables and enables it",
    )
    .needs(Scope::Admin)
    .body("WebhookPatch", object(&[], [name(), url(), enabled]))
    .json::<WebhookView>(200, "The endpoint.")
    .problems(&[404, 409])
    .done();
    api.operation("DELETE /v1/webhooks/{id}", "deleteWebhook", TAG, "Deletes an endpoint with its secrets")
        .needs(Scope::Admin)
        .says("What was to be sent there isn't any more.")
        .nothing(204, "The endpoint is gone.")
        .problems(&[404])
        .done();
    api.operation("POST /v1/webhooks/{id}/rotate", "rotateWebhook", TAG, "Gives an endpoint a new secret")
        .needs(Scope::Admin)
        .says("The answer has it, this once: a repeat under the same Idempotency-Key changes nothing and is 409, code secret_not_kept. For 24 hours calls are signed by the older one, too.")
        .idempotent()
        .optional_body("Nothing", object(&[], []))
        .json::<SecretView>(200, "The endpoint.")
        .problems(&[404, 409])
        .done();
    api.operation("POST /v1/webhooks/{id}/test", "testWebhook", TAG, "Sends a test to an endpoint")
        .needs(Scope::Admin)
        .says("At most once in ten seconds; also to an endpoint that is disabled.")
        .optional_body("Nothing", object(&[], []))
        .json::<Tested>(200, "What the receiver answered.")
        .problems(&[404, 429])
        .done();
}

fn members(api: &mut Api) {
    let name = || ("name", text(100, "What they are called."));
    api.operation("GET /v1/members", "listMembers", TAG, "Who may sign in, and what they may do")
        .needs(Scope::Read)
        .paged(MOST, MOST)
        .json::<Page<MemberView>>(200, "Members.")
        .done();
    let role = api.schema::<Role>();
    let email = (
        "email",
        json!({ "type": "string", "format": "email", "description": "Where links that sign in go." }),
    );
    api.operation("POST /v1/members", "addMember", TAG, "Adds a member")
        .needs(Scope::Admin)
        .says("They can sign in at once; no mail tells them.")
        .idempotent()
        .body("NewMember", object(&["email", "role"], [email, ("role", role.clone()), name()]))
        .json::<MemberView>(201, "The member.")
        .leads(201, "changeMember", "id", "/id")
        .leads(201, "removeMember", "id", "/id")
        .problems(&[409])
        .done();
    api.operation("PATCH /v1/members/{id}", "changeMember", TAG, "Gives a member another role or name")
        .needs(Scope::Admin)
        .says("It counts from their next request on. The last admin stays one.")
        .body("MemberPatch", object(&[], [("role", role), name()]))
        .json::<MemberView>(200, "The member.")
        .problems(&[404, 409])
        .done();
    api.operation("DELETE /v1/members/{id}", "removeMember", TAG, "Removes a member and ends their sessions")
        .needs(Scope::Admin)
        .says("The last admin stays.")
        .nothing(204, "The member is gone.")
        .problems(&[404, 409])
        .done();
}

fn tokens(api: &mut Api) {
    api.operation(
        "GET /v1/api-tokens",
        "listTokens",
        TAG,
        "The API tokens that haven't ended, the newest first",
    )
    .needs(Scope::Admin)
    .paged(MOST, MOST)
    .json::<Page<TokenView>>(200, "Tokens, without their secrets.")
    .done();
    let scope = api.schema::<Scope>();
    let body = object(
        &["label", "scope"],
        [
            ("label", text(100, "What it is for. What it does is recorded under this.")),
            ("scope", scope),
            (
                "expires_at",
                json!({ "type": ["string", "null"], "format": "date-time", "description": "When it ends; never unless said." }),
            ),
        ],
    );
    api.operation("POST /v1/api-tokens", "createToken", TAG, "Makes an API token")
        .needs(Scope::Admin)
        .says("The answer has its secret, this once: a repeat under the same Idempotency-Key makes nothing and is 409, code secret_not_kept, with the id.")
        .idempotent()
        .body("NewToken", body)
        .json::<Created>(201, "The token.")
        .leads(201, "revokeToken", "id", "/id")
        .done();
    api.operation("DELETE /v1/api-tokens/{id}", "revokeToken", TAG, "Ends a token at once")
        .needs(Scope::Admin)
        .nothing(204, "The token has ended.")
        .problems(&[404])
        .done();
}

fn audit(api: &mut Api) {
    let more = "An answer ends before 6 MB; the header Link leads to the rest.";
    for (route, id, summary) in [
        ("GET /v1/audit", "listAudit", "Who changed what, the newest first"),
        ("GET /v1/audit.ndjson", "exportAudit", "Who changed what as JSON lines, the oldest first"),
        ("GET /v1/audit.csv", "exportAuditAsCsv", "Who changed what as CSV, the oldest first"),
    ] {
        let operation = api
            .operation(route, id, TAG, summary)
            .needs(Scope::Admin)
            .query(
                "from",
                "An instant, or the beginning of a day in UTC; 90 days before to unless said.",
                instant(),
            )
            .query("to", "An instant, or the end of a day in UTC; now unless said.", instant())
            .query("by", "Who did it.", words())
            .choice::<Action>("action", "What was done.")
            .query("subject", "To what: kind:id.", json!({ "type": "string", "pattern": "^[^:]*:" }));
        match id {
            "listAudit" => operation
                .says("A page as JSON; for a client that prefers them, JSON lines or CSV as from the other two.")
                .paged(50, MOST)
                .json::<Page<EntryView>>(200, "Entries.")
                .answer(200, "", "application/x-ndjson", words())
                .answer(200, "", "text/csv", words())
                .tells(200, "Link", "Of a file: where it goes on, as rel=\"next\".")
                .done(),
            other => operation
                .says(more)
                .query("cursor", "As the header Link says.", words())
                .answer(200, "Entries.", if other == "exportAudit" { "application/x-ndjson" } else { "text/csv" }, words())
                .tells(200, "Link", "Where it goes on, as rel=\"next\".")
                .done(),
        }
    }
    api.operation("GET /v1/export", "exportWorkspace", TAG, "Everything that is kept of the workspace, as JSON lines")
        .needs(Scope::Admin)
        .says(
            "Each line is {\"kind\", \"company_id\", \"data\"}, data as the API answers it elsewhere. First what belongs to \
             the workspace, then one company after the other, the audit last. An answer ends before 6 MB; the header Link \
             leads to the rest, and all of them are the whole.",
        )
        .query("cursor", "As the header Link says.", words())
        .answer(200, "Lines.", "application/x-ndjson", words())
        .tells(200, "Link", "Where it goes on, as rel=\"next\".")
        .done();
}
