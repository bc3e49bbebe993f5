//! What `/openapi.json` says of this function's routes.

use barometer_cloud::openapi::{Api, Operation};
use barometer_domain::answer::LONGEST_COMMENT;
use serde_json::{Value, json};

/// The group of operations, with what it holds.
pub const TAG: (&str, &str) = (
    "Links",
    "The pages that the links in mails open, for the person who got the mail. The token in the path is the credential. A POST \
     that accepts JSON and not HTML is told what is wrong as a problem document.",
);

const FORM: &[&str] = &["application/x-www-form-urlencoded"];

/// Describes every route of [`crate::router`].
pub fn describe(api: &mut Api) {
    let rating = || json!({ "type": "integer", "minimum": 0, "maximum": 10 });
    page(api, "GET /f/{token}", "showQuestion", "The question, with a form", "The page.")
        .says("Writes nothing: machines open every link of a mail.")
        .query("s", "The rating that was clicked in the mail.", rating())
        .query("h", "Whether a machine followed the link that people don't see.", json!({ "type": "string" }))
        .done();
    let form = json!({
        "type": "object",
        "properties": { "rating": rating(), "comment": { "type": "string", "maxLength": LONGEST_COMMENT } },
        "required": ["rating"],
    });
    let operation = page(api, "POST /f/{token}", "giveAnswer", "Answers, or changes the answer", "Thanks.");
    let operation = operation
        .says("Changed as often as one likes until the link ends, twenty times an hour.")
        .sends(FORM, form);
    [
        (413, "The body is too large."),
        (415, "The body isn't a form."),
        (422, "A rating is missing, or the comment is too long."),
        (429, "Changed too often."),
    ]
    .into_iter()
    .fold(operation, |operation, (code, says)| told(operation, code, says))
    .done();
    page(api, "GET /u/{token}", "showSubscription", "Whether mails come, with a button", "The page.")
        .says("Writes nothing.")
        .done();
    page(api, "POST /u/{token}", "unsubscribe", "Ends all mails to the person", "They have ended.")
        .says("With one click, as RFC 8058 has it; the body doesn't matter. Again it changes nothing.")
        .done();
    told(
        page(api, "POST /u/{token}/resubscribe", "resubscribe", "Lets mails come again", "They come again."),
        429,
        "At most once a minute.",
    )
    .done();
}

/// A page that a link opens, and what goes wrong with links.
fn page<'a>(api: &'a mut Api, route: &str, id: &str, summary: &str, says: &str) -> Operation<'a> {
    let operation = api.operation(route, id, TAG.0, summary).public().never(&[400]);
    let operation = operation.answer(200, says, "text/html", html());
    [
        (404, "It isn't a link of ours."),
        (405, "The path knows other methods."),
        (410, "The link has ended."),
        (500, "Something went wrong on our side."),
        (503, "The store can't be reached at the moment."),
    ]
    .into_iter()
    .fold(operation, |operation, (code, says)| told(operation, code, says))
}

/// Answers a problem, as a page or as a document.
fn told<'a>(operation: Operation<'a>, code: u16, says: &str) -> Operation<'a> {
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    operation.never(&[code]).answer(code, says, "text/html", html()).answer(
        code,
        says,
        "application/problem+json",
        problem,
    )
}

fn html() -> Value {
    json!({ "type": "string" })
}
