//! Companies, their readings and their people.

use barometer_cloud::{
    listing::{Flag, Sort, WantedEngagement, WantedStatus},
    openapi::{Api, nullable, object, text},
    table::{credentials::Scope, statuses::StatusChange},
    views::CompanyView,
    why::Explained,
};
use barometer_domain::{IsoWeek, Month, Zone, language::Language, quadrant::Cell};
use serde_json::{Value, json};

use super::{MOST, instant, words};
use crate::{
    company::{
        happiness::Trend,
        months::MonthView,
        timeline::{Entry, Kind},
        users::UserView,
        weeks::{Revisions, Week},
    },
    overview::OverviewView,
    paging::Page,
    quadrant::Quadrant,
};

const TAG: &str = "Companies";

/// Describes the routes of companies.
pub fn describe(api: &mut Api) {
    portfolio(api);
    one(api);
    series(api);
    people(api);
}

fn portfolio(api: &mut Api) {
    let sorts: Vec<String> = Sort::names().flat_map(|name| [name.to_owned(), format!("-{name}")]).collect();
    for (route, id, summary, csv) in [
        ("GET /v1/companies", "listCompanies", "The portfolio", false),
        ("GET /v1/companies.csv", "listCompaniesAsCsv", "The portfolio as a file", true),
    ] {
        let sort = json!({ "type": "string", "enum": sorts, "default": "-attention" });
        let operation = api
            .operation(route, id, TAG, summary)
            .needs(Scope::Read)
            .query("sort", "The order; - before a name turns it round. What is unknown comes last.", sort)
            .query("q", "Words that name, id, owner or plan contain.", words())
            .query("owner", "The CSM's address.", words())
            .choice::<WantedStatus>("status", "The business status.")
            .choice::<WantedEngagement>("engagement", "The band of the latest week, or why there is none.")
            .choice::<Cell>("quadrant", "The cell of the quadrant.")
            .choice::<Flag>(
                "flag",
                "What it is marked with. Churned companies are left out unless they are asked for.",
            )
            .query("tag", "A tag.", words())
            .paged(50, MOST)
            .answer(200, "Companies.", "text/csv", words());
        if csv {
            operation.says("All companies that fit; limit and cursor mean nothing here.").done();
        } else {
            operation
                .says("A page as JSON or, for a client that prefers text/csv, all companies that fit as a file.")
                .json::<Page<CompanyView>>(200, "Companies.")
                .leads(200, "getCompany", "company_id", "/items/0/company_id")
                .leads(200, "listUsers", "company_id", "/items/0/company_id")
                .leads(200, "setStatus", "company_id", "/items/0/company_id")
                .done();
        }
    }
    api.operation("GET /v1/quadrant", "getQuadrant", TAG, "The five cells with their companies")
        .needs(Scope::Read)
        .json::<Quadrant>(200, "The cells.")
        .done();
    let (week, month) = (api.schema::<IsoWeek>(), api.schema::<Month>());
    api.operation("GET /v1/overview", "getOverview", TAG, "Where all companies stood in a week or a month")
        .needs(Scope::Read)
        .says("As published last; of the latest week unless one is said.")
        .query("week", "A week.", week)
        .query("month", "A month, instead of a week.", month)
        .json::<OverviewView>(200, "The overview.")
        .problems(&[404])
        .done();
}

fn one(api: &mut Api) {
    api.operation("GET /v1/companies/{company_id}", "getCompany", TAG, "One company with its three readings")
        .needs(Scope::Read)
        .json::<CompanyView>(200, "The company.")
        .tells(200, "ETag", "Its version: what a change of it, or of its business status, takes in If-Match.")
        .problems(&[404])
        .done();
    let body = patch(api);
    api.operation("PATCH /v1/companies/{company_id}", "changeCompany", TAG, "Changes what is known of a company")
        .needs(Scope::Write)
        .says(
            "Changes the fields that are given. null clears one; a name that is cleared is the id again. Another owner \
             makes the business status stale until it is set again.",
        )
        .if_match()
        .body("CompanyPatch", body)
        .json::<CompanyView>(200, "The company.")
        .tells(200, "ETag", "Its version.")
        .problems(&[404, 409])
        .done();
    api.operation(
        "GET /v1/companies/{company_id}/status-changes",
        "listStatusChanges",
        TAG,
        "Every setting of the business status, the newest first",
    )
    .needs(Scope::Read)
    .paged(MOST, MOST)
    .json::<Page<StatusChange>>(200, "Settings of the status.")
    .problems(&[404])
    .done();
    let kinds: Vec<Value> = Kind::ALL.iter().filter_map(|kind| serde_json::to_value(kind).ok()).collect();
    let names: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
    let names = names.join("|");
    api.operation(
        "GET /v1/companies/{company_id}/timeline",
        "getTimeline",
        TAG,
        "What happened with a company, the newest first",
    )
    .needs(Scope::Read)
    .says("Activity comes as one entry a day. A page looks at a year at most: it may hold fewer than limit and have a next one.")
    .query("from", "An instant, or the beginning of a day in UTC.", instant())
    .query("to", "An instant, or the end of a day in UTC.", instant())
    .query(
        "kind",
        "One kind, or several with commas between.",
        json!({ "type": "string", "pattern": format!("^({names})(,({names}))*$") }),
    )
    .paged(50, MOST)
    .json::<Page<Entry>>(200, "Entries.")
    .problems(&[404])
    .done();
}

fn patch(api: &mut Api) -> Value {
    let zone = api.schema::<Zone>();
    let language = api.schema::<Language>();
    let day = || nullable(json!({ "type": "string", "format": "date" }));
    object(
        &[],
        [
            ("name", nullable(text(200, "Its name."))),
            ("owner", nullable(text(200, "The CSM who looks after it, by address."))),
            ("plan", nullable(text(200, "Its plan, which decides the entitled features."))),
            ("time_zone", nullable(zone)),
            ("language", nullable(language)),
            ("renewal_on", day()),
            ("churned_on", day()),
            ("notice_on", day()),
            (
                "request_feedback",
                json!({ "type": "boolean", "description": "Whether its users are asked for feedback." }),
            ),
            (
                "tags",
                nullable(
                    json!({ "type": "array", "maxItems": 50, "items": text(40, "A tag."), "description": "All tags." }),
                ),
            ),
        ],
    )
}

fn series(api: &mut Api) {
    let (week, month) = (api.schema::<IsoWeek>(), api.schema::<Month>());
    api.operation(
        "GET /v1/companies/{company_id}/weeks",
        "listWeeks",
        TAG,
        "Weekly snapshots, the oldest first",
    )
    .needs(Scope::Read)
    .query("from", "The first week; 25 before the last unless said.", week.clone())
    .query("to", "The last week; the running one unless said.", week.clone())
    .choice::<Revisions>("revisions", "Only what counts, or also what it replaced.")
    .paged(MOST, MOST)
    .json::<Page<Week>>(200, "Weeks.")
    .problems(&[404])
    .done();
    api.operation(
        "GET /v1/companies/{company_id}/months",
        "listMonths",
        TAG,
        "Monthly snapshots, the oldest first",
    )
    .needs(Scope::Read)
    .query("from", "The first month; eleven before the last unless said.", month.clone())
    .query("to", "The last month; the running one unless said.", month)
    .paged(MOST, MOST)
    .json::<Page<MonthView>>(200, "Months.")
    .problems(&[404])
    .done();
    api.operation(
        "GET /v1/companies/{company_id}/happiness",
        "getHappiness",
        TAG,
        "What its users say, now and week by week",
    )
    .needs(Scope::Read)
    .query("from", "The first week; eleven before the last unless said.", week.clone())
    .query("to", "The last week; the running one unless said.", week)
    .paged(MOST, MOST)
    .json::<Trend>(200, "The reading, why it changed, and its trend.")
    .problems(&[404])
    .done();
    let period = json!({ "type": "string", "pattern": "^[0-9]{4}-(W[0-9]{2}|[0-9]{2})$" });
    api.operation(
        "GET /v1/companies/{company_id}/why",
        "explainChange",
        TAG,
        "Why the score changed from one week or month to another",
    )
    .needs(Scope::Read)
    .says("The exact decomposition and its sentence. Both are weeks or both are months.")
    .query("from", "The earlier one; the one before the later unless said.", period.clone())
    .query("to", "The later one; the latest that was scored unless said.", period)
    .json::<Explained>(200, "The decomposition.")
    .problems(&[404])
    .done();
}

fn people(api: &mut Api) {
    api.operation("GET /v1/companies/{company_id}/users", "listUsers", TAG, "The people at a company")
        .needs(Scope::Read)
        .says("With when they were last seen, whether they can be mailed, and their last ask and answer.")
        .paged(MOST, MOST)
        .json::<Page<UserView>>(200, "Users.")
        .problems(&[404])
        .done();
    let route = "PATCH /v1/companies/{company_id}/users/{user_id}";
    let contact =
        json!({ "type": ["boolean", "null"], "description": "null: what the product says counts again." });
    api.operation(route, "changeUser", TAG, "Says who is mailed first")
        .needs(Scope::Write)
        .body("UserPatch", object(&["primary_contact"], [("primary_contact", contact)]))
        .json::<UserView>(200, "The user.")
        .problems(&[404])
        .done();
    let route = "DELETE /v1/companies/{company_id}/users/{user_id}";
    api.operation(route, "eraseUser", TAG, "Erases a person")
        .needs(Scope::Admin)
        .says(
            "The person's data go at every company of the workspace: name, address, comments, mails; what they did is kept \
             under an alias that says nothing, so that scores and snapshots stay. The log of requests is gone through \
             within a day. Asking again is safe: 204 while that goes on, 404 afterwards. Events that the product sends \
             of the person more than an hour later are of somebody new.",
        )
        .nothing(204, "The person is erased.")
        .problems(&[404])
        .done();
}
