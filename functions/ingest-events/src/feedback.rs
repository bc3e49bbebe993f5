//! `POST /v1/feedback`: one answer that a product asked for itself, such as in a prompt inside it.
//!
//! `{"user_id", "company_id", "rating", "scale", "of", "comment", "at"}`, of which the user and the rating are needed. The
//! answer goes the way of an answer that comes as an event. A body that is wrong is refused as a whole, with every field
//! that is wrong; an `Idempotency-Key` makes a retry the same answer.

use axum::response::{IntoResponse, Response};
use barometer_cloud::{
    http::{Problem, body::Fields, problem::FieldError, replay},
    table::{
        answers::{Answer, Source},
        idempotency::{self, Remembered},
        instant_key,
    },
};
use barometer_domain::{
    CompanyId, UserId,
    answer::{LONGEST_COMMENT, Rating, Scale, tidy},
    loose,
};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::store::Context;

/// Largest body, in bytes: a comment of the longest kind, escaped, and some more.
const LARGEST_BODY: usize = 6 * LONGEST_COMMENT * 2 + 4_096;
/// How far ahead the client's clock may be.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// An answer as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Who answered.
    pub user: UserId,
    /// Of which company; where it isn't said, the one company that the user belongs to.
    pub company: Option<CompanyId>,
    /// What they gave.
    pub rating: Rating,
    /// What they wrote.
    pub comment: Option<String>,
    /// When; nothing is now.
    pub at: Option<DateTime<Utc>>,
}

/// A field of a type; nothing when it is absent, null or wrong. What is wrong is noted, and what is absent too where
/// it must be there.
fn field<T: DeserializeOwned>(fields: &mut Fields, name: &str, needed: bool, wanted: &str) -> Option<T> {
    let value = fields.take(name).filter(|value| !value.is_null());
    let is_fine = value.is_none() && !needed;
    let read = value.and_then(|value| serde_json::from_value(value).ok());
    if read.is_none() && !is_fine {
        fields.refuse(format!("/{name}"), wanted);
    }
    read
}

/// Reads a body. Errors: 413 when it is too large, 400 when it is no JSON object, 422 with every field that is wrong.
pub fn read(body: &[u8], now: DateTime<Utc>, retention: TimeDelta) -> Result<Given, Problem> {
    if body.len() > LARGEST_BODY {
        let detail = format!("an answer has at most {LARGEST_BODY} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    let object = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => object,
        _ => return Err(Problem::bad_request("the body is a JSON object with user_id and rating")),
    };
    let mut fields = Fields::from(object);
    let user = field(&mut fields, "user_id", true, "the user's id, a text");
    let company = field(&mut fields, "company_id", false, "the company's id, a text");
    let number = field::<u8>(&mut fields, "rating", true, "a whole number on its scale");
    let scale =
        field::<Scale>(&mut fields, "scale", false, "nps (0 to 10), faces (1 to 4) or stars (1 to `of`)");
    let of = field(&mut fields, "of", false, "how many stars there are, 2 to 10");
    let comment = field::<String>(&mut fields, "comment", false, "a text").map(|text| tidy(&text));
    let at = field::<DateTime<Utc>>(&mut fields, "at", false, "an instant such as 2026-11-22T09:30:00Z");
    if comment.as_ref().is_some_and(|comment| comment.chars().count() > LONGEST_COMMENT) {
        fields.refuse("/comment", format!("at most {LONGEST_COMMENT} characters"));
    }
    if at.is_some_and(|at| at > now + AHEAD) {
        fields.refuse("/at", "lies in the future");
    }
    if at.is_some_and(|at| at < now - retention) {
        fields.refuse("/at", format!("lies more than {} days back", retention.num_days()));
    }
    let rating = number.and_then(|number| match Rating::on(scale.unwrap_or(Scale::Nps), number, of) {
        Ok(rating) => Some(rating),
        Err(error) => {
            fields.refuse("/rating", error.to_string());
            None
        }
    });
    fields.finish()?;
    // Neither is missing: that would have been refused.
    let (Some(user), Some(rating)) = (user, rating) else { return Err(Problem::internal()) };
    Ok(Given { user, company, rating, comment: comment.filter(|text| !text.is_empty()), at })
}

/// Reads an answer, stores it and answers what was stored. The same key with the same body gets the same answer again;
/// with another body 422.
pub(crate) async fn take(
    context: &Context<'_>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Problem> {
    let key = replay::key(headers)?;
    let request = idempotency::fingerprint("POST", "/feedback", body);
    if let Some(key) = key
        && let Some(before) = context.table.remembered(context.workspace, key, context.now).await?
    {
        return replay::again(before, &request);
    }
    let retention = TimeDelta::days(i64::from(context.settings.retention_days.get()));
    let given = read(body, context.now, retention)?;
    let stored = store(context, key, given).await?;
    if let Some(key) = key {
        let expires_at = context.now + idempotency::KEPT;
        let answer = Remembered { request, status: 200, body: stored.to_string(), expires_at };
        context.table.remember(context.workspace, key, &answer).await?;
    }
    Ok(answered(stored.to_string()))
}

fn answered(body: String) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn store(context: &Context<'_>, key: Option<&str>, given: Given) -> Result<Value, Problem> {
    let Given { user, company, rating, comment, at } = given;
    let company = match company {
        Some(company) => company,
        None => company_of(context, &user).await?,
    };
    let at = at.unwrap_or(context.now).min(context.now);
    let origin = key.map_or_else(|| format!("api:{}", instant_key(at)), |key| format!("api:{key}"));
    let answer =
        Answer { user_id: user.clone(), rating, comment, at, source: Source::Api, origin, void: None };
    context.give(&user, &company, answer).await?;
    let mut stored = json!({
        "success": true, "user_id": user, "company_id": company, "value": rating.value(), "at": at,
    });
    // As the inbox shows it: `rating`, `scale` and, of stars, `of`.
    if let (Some(stored), Value::Object(rating)) = (stored.as_object_mut(), json!(rating)) {
        stored.extend(rating);
    }
    Ok(stored)
}

/// The one company that a user belongs to. Errors: 422 when they belong to none that is known, or to several.
async fn company_of(context: &Context<'_>, user: &UserId) -> Result<CompanyId, Problem> {
    let known = context.guess(user).await?;
    let root = known.owner.as_ref().unwrap_or(user);
    let who = context.table.who(context.workspace, root, context.now).await?;
    let named = who.groups.companies_at(loose::slot(context.now));
    let mut companies = if named.is_empty() {
        who.seats.into_keys().collect::<Vec<_>>()
    } else {
        named.into_iter().collect()
    };
    match (companies.pop(), companies.is_empty()) {
        (Some(company), true) => Ok(company),
        (found, _) => {
            let detail = if found.is_none() {
                "is needed: no company of this user is known"
            } else {
                "is needed: this user belongs to several companies"
            };
            let error = FieldError { pointer: "/company_id".to_owned(), detail: detail.to_owned() };
            Err(Problem::invalid(format!("/company_id: {detail}"), vec![error]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn given(body: Value) -> Result<Given, Problem> {
        read(body.to_string().as_bytes(), at("2026-11-22T12:00:00Z"), TimeDelta::days(90))
    }

    fn pointers(body: Value) -> Vec<String> {
        let problem = serde_json::to_value(given(body).unwrap_err()).unwrap();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_scale_is_read() {
        let rating = |body: Value| given(body).unwrap().rating;
        assert_eq!(rating(json!({"user_id": "u", "rating": 0})), Rating::nps(0).unwrap());
        assert_eq!(rating(json!({"user_id": "u", "rating": 10, "scale": "nps"})), Rating::nps(10).unwrap());
        assert_eq!(rating(json!({"user_id": "u", "rating": 4, "scale": "faces"})), Rating::faces(4).unwrap());
        let stars = json!({"user_id": "u", "rating": 7, "scale": "stars", "of": 7});
        assert_eq!(rating(stars), Rating::stars(7, 7).unwrap());
        assert_eq!(
            rating(json!({"user_id": "u", "rating": 5, "scale": "stars"})),
            Rating::stars(5, 5).unwrap()
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        assert_eq!(pointers(json!({})), ["/user_id", "/rating"]);
        assert_eq!(pointers(json!({"user_id": "", "rating": 11})), ["/user_id", "/rating"]);
        assert_eq!(pointers(json!({"user_id": "u", "rating": 7.5})), ["/rating"]);
        assert_eq!(pointers(json!({"user_id": "u", "rating": 0, "scale": "faces"})), ["/rating"]);
        assert_eq!(
            pointers(json!({"user_id": "u", "rating": 1, "scale": "hearts", "x/y": 1})),
            ["/scale", "/x~1y"]
        );
        assert_eq!(pointers(json!({"user_id": "u", "rating": 1, "at": "2026-11-22T12:06:00Z"})), ["/at"]);
        assert_eq!(pointers(json!({"user_id": "u", "rating": 1, "at": "2026-08-01T00:00:00Z"})), ["/at"]);
        assert_eq!(
            pointers(json!({"user_id": "u", "rating": 1, "comment": "x".repeat(5_001)})),
            ["/comment"]
        );
        assert!(read(b"[1]", at("2026-11-22T12:00:00Z"), TimeDelta::days(90)).is_err());
    }

    #[test]
    fn a_comment_of_nothing_is_none() {
        assert_eq!(given(json!({"user_id": "u", "rating": 1, "comment": " \n"})).unwrap().comment, None);
        let tidied = given(json!({"user_id": "u", "rating": 1, "comment": "a\r\nb\u{7}"})).unwrap().comment;
        assert_eq!(tidied.as_deref(), Some("a\nb"));
    }
}
