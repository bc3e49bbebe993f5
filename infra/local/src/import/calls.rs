//! From a row to the call that says it, in Segment's wire format or, of PostHog's exports, in PostHog's: ingestion
//! reads both like any client's.
//!
//! A call's message id is the row's own, else a hash of what the row says: importing a file twice, or a row from
//! two files, says the same thing again and changes nothing.

use std::fmt::Write;

use barometer_domain::{Zone, status::Status};
use chrono::{DateTime, SecondsFormat, Utc};
use ingest_events::time;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::columns::{Columns, Kind, normal};
use super::shape::{Meaning, Shape, meaning};

/// The event whose score and comment become an answer.
const FEEDBACK: &str = "Feedback Submitted";

/// The kinds of groups that are companies, where a tool has several, the best first.
const COMPANY_GROUPS: [&str; 9] =
    ["company", "account", "organization", "organisation", "org", "workspace", "tenant", "customer", "team"];

/// What is wrong with a row, or odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The word a program can compare.
    pub code: String,
    /// The sentence a person reads.
    pub message: String,
}

impl Complaint {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// It is sent.
    Call(Call),
    /// A tool's own bookkeeping, which says nothing of anybody.
    Nothing,
    /// It can't be sent.
    Rejected(Complaint),
}

/// A row as it is sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Call {
    /// The call as JSON.
    pub json: String,
    /// What of the row was left out, and why.
    pub remarks: Vec<Complaint>,
    /// A company and what a CSM sets of it, through the API.
    pub patch: Option<(String, Map<String, Value>)>,
}

/// How rows are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What is imported.
    pub kind: Kind,
    /// Whose export it is.
    pub shape: Shape,
    /// The columns.
    pub columns: Columns,
    /// The kind of group that is a company, when the user says.
    pub group_type: Option<String>,
    /// Companies and users are older than the events that are kept; what tells of them is dated no earlier.
    pub oldest: DateTime<Utc>,
}

/// A row's cells by our names.
struct Row<'a> {
    columns: &'a Columns,
    cells: &'a csv::StringRecord,
    remarks: Vec<Complaint>,
}

impl<'a> Row<'a> {
    fn at(&self, place: usize) -> Option<&'a str> {
        self.cells.get(place).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn get(&self, field: &str) -> Option<&'a str> {
        self.columns.places(field).iter().find_map(|place| self.at(*place))
    }

    fn need(&self, field: &'static str) -> Result<&'a str, Complaint> {
        self.get(field)
            .ok_or_else(|| Complaint::new(&format!("missing_{field}"), format!("the row has no {field}")))
    }

    fn left_out(&mut self, code: &str, message: String) {
        self.remarks.push(Complaint::new(code, message));
    }

    /// An instant, or a remark that it was left out.
    fn instant(&mut self, field: &str) -> Option<DateTime<Utc>> {
        let text = self.get(field)?;
        let read = time::parse(text);
        if read.is_none() {
            self.left_out(&format!("bad_{field}"), format!("{field} {text:?} is no date and was left out"));
        }
        read
    }

    fn zone(&mut self) -> Option<String> {
        let text = self.get("time_zone")?;
        match text.parse::<Zone>() {
            Ok(zone) => Some(zone.to_string()),
            Err(_) => {
                self.left_out("bad_time_zone", format!("there is no time zone {text:?}; it was left out"));
                None
            }
        }
    }

    /// When it happened: without that a row can't be placed, and the day of the import would be wrong.
    fn when(&self, given: Option<&str>) -> Result<DateTime<Utc>, Complaint> {
        let text = given.ok_or_else(|| Complaint::new("missing_timestamp", "the row has no timestamp"))?;
        time::parse(text)
            .ok_or_else(|| Complaint::new("bad_timestamp", format!("{text:?} can't be read as an instant")))
    }
}

impl Reading {
    /// What becomes of a row.
    #[must_use]
    pub fn row(&self, cells: &csv::StringRecord) -> Made {
        let mut row = Row { columns: &self.columns, cells, remarks: Vec::new() };
        let made = match self.kind {
            Kind::Companies => self.company(&mut row),
            Kind::Users => self.user(&mut row),
            Kind::Events => self.event(&mut row),
            Kind::Feedback => feedback(&row).map(Some),
            Kind::Statuses => status(&row).map(Some),
        };
        match made {
            Ok(Some(call)) => Made::Call(Call { remarks: row.remarks, ..call }),
            Ok(None) => Made::Nothing,
            Err(complaint) => Made::Rejected(complaint),
        }
    }

    fn company(&self, row: &mut Row<'_>) -> Result<Option<Call>, Complaint> {
        let id = row.need("company_id")?;
        let created = row.instant("created_at");
        let mut traits = Map::new();
        set(&mut traits, "name", row.get("name"));
        set(&mut traits, "plan", row.get("plan"));
        set(&mut traits, "createdAt", created.map(instant).as_deref());
        set(&mut traits, "timeZone", row.zone().as_deref());
        set(&mut traits, "language", row.get("language"));
        let call = fields(json!({ "type": "group", "groupId": id, "traits": traits }));
        let patch = patch(row);
        let json = finish(call, None, created.map(|created| created.max(self.oldest)));
        Ok(Some(Call { json, patch: (!patch.is_empty()).then(|| (id.to_owned(), patch)), ..Call::default() }))
    }

    fn user(&self, row: &mut Row<'_>) -> Result<Option<Call>, Complaint> {
        let id = row.need("user_id")?;
        let created = row.instant("created_at");
        let mut traits = Map::new();
        if let Some(email) = row.get("email") {
            let looks_right = email.split_once('@').is_some_and(|(to, at)| !to.is_empty() && !at.is_empty());
            if looks_right && !email.contains(char::is_whitespace) {
                set(&mut traits, "email", Some(email));
            } else {
                row.left_out("bad_email", format!("{email:?} is no e-mail address and was left out"));
            }
        }
        for (field, name) in [
            ("name", "name"),
            ("first_name", "firstName"),
            ("last_name", "lastName"),
            ("plan", "plan"),
            ("role", "role"),
            ("language", "language"),
        ] {
            set(&mut traits, name, row.get(field));
        }
        set(&mut traits, "createdAt", created.map(instant).as_deref());
        set(&mut traits, "timeZone", row.zone().as_deref());
        let mut call = fields(json!({ "type": "identify", "userId": id }));
        set(&mut call, "anonymousId", row.get("anonymous_id"));
        if let Some(company) = row.get("company_id") {
            let mut of_company = fields(json!({ "id": company }));
            set(&mut of_company, "name", row.get("company_name"));
            traits.insert("company".to_owned(), Value::Object(of_company));
        }
        call.insert("traits".to_owned(), Value::Object(traits));
        // Not the day of the import: a person who belongs to a company counts in the weeks since then.
        let json = finish(call, None, created.map(|created| created.max(self.oldest)));
        Ok(Some(Call { json, ..Call::default() }))
    }

    fn event(&self, row: &mut Row<'_>) -> Result<Option<Call>, Complaint> {
        let mut properties = properties(row);
        let inside = |names: &[&str]| names.iter().find_map(|name| text(properties.get(*name)?));
        let name = row.need("event")?;
        if self.shape == Shape::Posthog {
            return self.posthog(row, name, properties).map(Some);
        }
        let meaning = match (meaning(self.shape, name), row.get("type")) {
            (Meaning::Nothing, _) => return Ok(None),
            (Meaning::Track, Some(kind)) if self.shape == Shape::Plain => kind_of(kind)?,
            (meaning, _) => meaning,
        };
        let who = self.who(row, &inside);
        let company = match row.get("company_id") {
            Some(company) => Some(company.to_owned()),
            None => self.company_of(row, &properties),
        };
        let at = match row.get("timestamp") {
            Some(at) => row.when(Some(at))?,
            None => row.when(inside(&["time", "timestamp"]).as_deref())?,
        };
        let id = row.get("message_id").map(str::to_owned).or_else(|| inside(&["$insert_id"]));

        let mut call = Map::new();
        match meaning {
            Meaning::Identify => {
                set(&mut call, "type", Some("identify"));
                let user = inside(&["$identified_id"]).or(who.user).or_else(|| who.anonymous.clone());
                set(&mut call, "userId", user.as_deref());
                let before = inside(&["$anon_distinct_id", "$anon_id"]).map(without_prefix);
                set(&mut call, "anonymousId", before.as_deref());
            }
            Meaning::Alias => {
                let this = who.user.or(who.anonymous);
                let other = inside(&["alias"]);
                // The alias is the new name of the id that the event carries.
                set(&mut call, "type", Some("alias"));
                set(&mut call, "userId", other.as_deref());
                set(&mut call, "previousId", this.as_deref());
            }
            _ => {
                set(&mut call, "userId", who.user.as_deref());
                set(&mut call, "anonymousId", who.anonymous.as_deref());
                if who.user.is_none() && who.anonymous.is_none() {
                    return Err(Complaint::new("missing_user", "the row names nobody"));
                }
                let seen = match meaning {
                    Meaning::Page => inside(&[
                        "current_url_path",
                        "[Amplitude] Page Path",
                        "$current_url",
                        "current_page_title",
                    ]),
                    _ => None,
                };
                match meaning {
                    Meaning::Page | Meaning::Screen => {
                        let kind = if meaning == Meaning::Page { "page" } else { "screen" };
                        set(&mut call, "type", Some(kind));
                        // In plain files the event's name is the page's.
                        let own = (self.shape == Shape::Plain).then(|| name.to_owned());
                        set(&mut call, "name", seen.or(own).as_deref());
                    }
                    _ => {
                        set(&mut call, "type", Some("track"));
                        set(&mut call, "event", Some(name));
                    }
                }
                // A tool's own properties are many and say nothing to a rule.
                let fields = ["distinct_id", "time", "timestamp"];
                properties.retain(|name, value| {
                    !name.starts_with('$') && !value.is_null() && !fields.contains(&name.as_str())
                });
                for (field, name) in
                    [("feature", "feature"), ("duration", "durationSeconds"), ("duration_ms", "durationMs")]
                {
                    set(&mut properties, name, row.get(field));
                }
                if !properties.is_empty() {
                    call.insert("properties".to_owned(), Value::Object(properties));
                }
            }
        }
        let mut context = Map::new();
        set(&mut context, "groupId", company.as_deref());
        set(&mut context, "sessionId", row.get("session_id"));
        if !context.is_empty() {
            call.insert("context".to_owned(), Value::Object(context));
        }
        set(&mut call, "timestamp", Some(&instant(at)));
        Ok(Some(Call { json: finish(call, id.as_deref(), None), ..Call::default() }))
    }

    /// Who did it. Tools write one id for people they know and for those they don't; a device's shows itself.
    fn who(&self, row: &Row<'_>, inside: &impl Fn(&[&str]) -> Option<String>) -> Who {
        let user = row.get("user_id").map(str::to_owned).or_else(|| inside(&["$user_id"]));
        let device = row.get("anonymous_id").map(str::to_owned).or_else(|| inside(&["$device_id"]));
        let distinct = row.get("distinct_id").map(str::to_owned).or_else(|| inside(&["distinct_id"]));
        match (self.shape, distinct) {
            (Shape::Plain | Shape::Amplitude, distinct) => {
                let user = user.or(distinct);
                Who { anonymous: device, user }
            }
            (_, Some(distinct)) => {
                let unknown = distinct.starts_with(DEVICE) || device.as_ref() == Some(&distinct);
                let distinct = without_prefix(distinct);
                if user.is_none() && unknown {
                    Who { user: None, anonymous: Some(distinct) }
                } else {
                    Who { user: user.or(Some(distinct)), anonymous: None }
                }
            }
            (_, None) => Who { anonymous: if user.is_some() { None } else { device }, user },
        }
    }

    /// An event as PostHog's own clients send it.
    fn posthog(
        &self,
        row: &Row<'_>,
        name: &str,
        mut properties: Map<String, Value>,
    ) -> Result<Call, Complaint> {
        let who = row.get("distinct_id").or_else(|| row.get("user_id"));
        let who = who.ok_or_else(|| Complaint::new("missing_user", "the row names nobody"))?;
        let at = row.when(row.get("timestamp"))?;
        let company = row.get("company_id").map(str::to_owned).or_else(|| self.company_of(row, &properties));
        for (field, name) in [
            ("anonymous_id", "$device_id"),
            ("session_id", "$session_id"),
            ("feature", "feature"),
            ("duration", "durationSeconds"),
            ("duration_ms", "durationMs"),
        ] {
            set(&mut properties, name, row.get(field));
        }
        // What has a column for each part: `$set.email`.
        for outer in ["$set", "$set_once", "$group_set"] {
            let prefix = format!("{outer}.");
            let parts: Map<String, Value> = properties
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?.to_owned(), value.clone())))
                .collect();
            if !parts.is_empty() {
                properties.insert(outer.to_owned(), Value::Object(parts));
            }
        }
        properties.retain(|name, value| {
            !value.is_null() && (!name.starts_with('$') || POSTHOG.contains(&name.as_str()))
        });
        if let Some(company) = company {
            properties.insert("$groups".to_owned(), json!({ "company": company }));
        }
        let mut call = fields(json!({ "event": name, "distinct_id": who, "properties": properties }));
        set(&mut call, "timestamp", Some(&instant(at)));
        Ok(Call { json: finish(call, row.get("message_id"), None), ..Call::default() })
    }

    /// The company among the groups or properties of an event.
    fn company_of(&self, row: &Row<'_>, properties: &Map<String, Value>) -> Option<String> {
        let groups = row.get("groups").and_then(|json| serde_json::from_str(json).ok());
        let groups = groups.or_else(|| properties.get("$groups").cloned());
        // Or with a column for each: `properties.$groups.company`.
        let mut groups: Map<String, Value> = groups.and_then(object).unwrap_or_default();
        for (name, value) in properties {
            if let Some(name) = name.strip_prefix("$groups.") {
                groups.insert(name.to_owned(), value.clone());
            }
        }
        let of = |wanted: &str| {
            groups.iter().find(|(name, _)| normal(name) == normal(wanted)).and_then(|(_, value)| text(value))
        };
        if let Some(wanted) = &self.group_type {
            return of(wanted).or_else(|| text(properties.get(wanted)?));
        }
        let only = || (groups.len() == 1).then(|| groups.values().next().and_then(text)).flatten();
        let named = || ["company_id", "companyId", "account_id", "accountId", "$group_0"].iter();
        COMPANY_GROUPS
            .iter()
            .find_map(|name| of(name))
            .or_else(only)
            .or_else(|| named().find_map(|name| text(properties.get(*name)?)))
    }
}

/// Those of PostHog's own properties that say something to ingestion.
const POSTHOG: [&str; 19] = [
    "$anon_distinct_id",
    "$browser_language",
    "$device_id",
    "$group_key",
    "$group_set",
    "$group_type",
    "$is_identified",
    "$is_server",
    "$lib",
    "$locale",
    "$pathname",
    "$process_person_profile",
    "$screen_name",
    "$session_id",
    "$set",
    "$set_once",
    "$timezone",
    "$user_id",
    "$user_state",
];

/// How Mixpanel begins the ids of people it doesn't know.
const DEVICE: &str = "$device:";

fn without_prefix(id: String) -> String {
    id.strip_prefix(DEVICE).map_or(id.clone(), str::to_owned)
}

struct Who {
    user: Option<String>,
    anonymous: Option<String>,
}

fn kind_of(kind: &str) -> Result<Meaning, Complaint> {
    match kind.to_ascii_lowercase().as_str() {
        "track" | "event" => Ok(Meaning::Track),
        "page" | "pageview" => Ok(Meaning::Page),
        "screen" | "screenview" => Ok(Meaning::Screen),
        _ => Err(Complaint::new("bad_type", format!("type {kind:?} is none of track, page, screen"))),
    }
}

/// Everything an event says besides: the JSON of one column and the columns that are properties themselves.
fn properties(row: &mut Row<'_>) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(json) = row.get("properties") {
        match serde_json::from_str(json) {
            Ok(Value::Object(inside)) => all = inside,
            _ => row.left_out("bad_properties", "properties is no JSON object and was left out".to_owned()),
        }
    }
    for (name, place) in &row.columns.properties {
        if let Some(value) = row.at(*place) {
            all.insert(name.clone(), Value::String(value.to_owned()));
        }
    }
    all
}

fn feedback(row: &Row<'_>) -> Result<Call, Complaint> {
    let score = row.need("score")?;
    let number = score.parse::<f64>().ok();
    let number = number.filter(|score| score.fract() == 0.0 && (0.0..=10.0).contains(score));
    let number = number
        .ok_or_else(|| Complaint::new("bad_score", format!("{score:?} is no whole number from 0 to 10")))?;
    let at = row.when(row.get("timestamp"))?;
    let (user, anonymous) = (row.get("user_id"), row.get("anonymous_id"));
    if user.is_none() && anonymous.is_none() {
        return Err(Complaint::new("missing_user", "the row names nobody"));
    }
    let mut properties = fields(json!({ "score": number as u8 }));
    set(&mut properties, "comment", row.get("comment"));
    let mut call = fields(json!({ "type": "track", "event": FEEDBACK, "properties": properties }));
    set(&mut call, "userId", user);
    set(&mut call, "anonymousId", anonymous);
    set(&mut call, "timestamp", Some(&instant(at)));
    if let Some(company) = row.get("company_id") {
        call.insert("context".to_owned(), json!({ "groupId": company }));
    }
    Ok(Call { json: finish(call, row.get("message_id"), None), ..Call::default() })
}

/// A change of a business status, as `POST /v1/companies/statuses` takes it.
fn status(row: &Row<'_>) -> Result<Call, Complaint> {
    let (company, given, note) = (row.need("company_id")?, row.need("status")?, row.need("note")?);
    let status: Status = serde_json::from_value(json!(given.to_lowercase())).map_err(|_| {
        let why = format!("status {given:?} is none of thriving, healthy, steady, struggling");
        Complaint::new("bad_status", why)
    })?;
    let mut change = fields(json!({ "company_id": company, "status": status, "note": note }));
    if let Some(text) = row.get("set_at") {
        // Without it the row would say that it is so since today.
        let at = time::parse(text)
            .ok_or_else(|| Complaint::new("bad_set_at", format!("{text:?} can't be read as an instant")))?;
        set(&mut change, "set_at", Some(&instant(at)));
    }
    Ok(Call { json: Value::Object(change).to_string(), ..Call::default() })
}

/// What a CSM sets of a company.
fn patch(row: &mut Row<'_>) -> Map<String, Value> {
    let mut patch = Map::new();
    set(&mut patch, "owner", row.get("owner"));
    for field in ["renewal_on", "churned_on", "notice_on"] {
        if let Some(at) = row.instant(field) {
            patch.insert(field.to_owned(), json!(at.date_naive()));
        }
    }
    if let Some(asked) = row.get("request_feedback") {
        match asked.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" | "on" => {
                drop(patch.insert("request_feedback".to_owned(), json!(true)))
            }
            "false" | "no" | "n" | "0" | "off" => {
                patch.insert("request_feedback".to_owned(), json!(false));
            }
            _ => row.left_out(
                "bad_request_feedback",
                format!("request_feedback {asked:?} is neither yes nor no and was left out"),
            ),
        }
    }
    patch
}

fn fields(value: Value) -> Map<String, Value> {
    object(value).unwrap_or_default()
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

fn set(fields: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), Value::String(value.to_owned()));
    }
}

/// A text, a number, a truth, or the first of a list, as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(values) => values.first().and_then(text),
        _ => None,
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The call with its id, and dated when the row doesn't say itself: that date isn't part of what the row says.
fn finish(mut call: Map<String, Value>, id: Option<&str>, dated: Option<DateTime<Utc>>) -> String {
    let id = id.map_or_else(|| content_id(&call), str::to_owned);
    set(&mut call, "messageId", Some(&id));
    set(&mut call, "timestamp", dated.map(instant).as_deref());
    Value::Object(call).to_string()
}

fn content_id(call: &Map<String, Value>) -> String {
    // Sorted, so that the order of a file's columns doesn't matter.
    let sorted: std::collections::BTreeMap<_, _> = call.iter().collect();
    let text = sorted.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, "{name}={value};");
        text
    });
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(16).fold(String::from("import-"), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

#[cfg(test)]
mod tests;
