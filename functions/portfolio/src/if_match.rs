//! `ETag` and `If-Match`: a change is made only upon what its client has seen.

use std::{convert::Infallible, fmt::Display};

use axum::extract::FromRequestParts;
use barometer_cloud::http::Problem;
use http::{HeaderName, header, request::Parts};

/// The versions that a request's `If-Match` names; nothing without one.
#[derive(Debug, Clone)]
pub struct IfMatch(Option<Vec<String>>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let given = parts.headers.get_all(header::IF_MATCH);
        let tags = given.iter().filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
        let tags = tags.map(str::trim).filter_map(|tag| {
            // Something on the way that compresses may have weakened a tag.
            let strong = tag.strip_prefix("W/").unwrap_or(tag);
            let inside = strong.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            inside.or((tag == "*").then_some(tag)).map(str::to_owned)
        });
        Ok(Self(parts.headers.contains_key(header::IF_MATCH).then(|| tags.collect())))
    }
}

impl IfMatch {
    /// That a change may be made upon the current version. Of a version of two parts the one behind the `-` counts: a
    /// company's business status, before it, is changed elsewhere. Errors: 412 with the current version.
    pub fn check(&self, current: impl Display) -> Result<(), Problem> {
        let current = current.to_string();
        let part = |tag: &str| tag.rsplit('-').next().map(str::to_owned);
        let fits = |tags: &Vec<String>| tags.iter().any(|tag| tag == "*" || part(tag) == part(&current));
        if self.0.as_ref().is_none_or(fits) { Ok(()) } else { Err(Problem::precondition_failed(current)) }
    }
}

/// A version as an answer's `ETag`.
pub fn tag(version: impl Display) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn given(tags: Option<&str>) -> IfMatch {
        let mut request = Request::builder();
        if let Some(tags) = tags {
            request = request.header(header::IF_MATCH, tags);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(found) = IfMatch::from_request_parts(&mut parts, &()).await;
        found
    }

    #[tokio::test]
    async fn only_the_version_that_was_seen_is_changed() {
        for (tags, fits) in [
            (None, true),
            (Some("*"), true),
            (Some("\"7\""), true),
            (Some("W/\"7\""), true),
            (Some("\"6\", \"7\""), true),
            (Some("\"6\""), false),
            (Some("\"77\""), false),
            (Some("7"), false),
            (Some(""), false),
            (Some("nonsense"), false),
        ] {
            assert_eq!(given(tags).await.check(7).is_ok(), fits, "{tags:?}");
        }
    }

    #[tokio::test]
    async fn of_a_company_the_part_of_its_fields_counts() {
        for (tags, fits) in [("\"3-ab\"", true), ("\"4-ab\"", true), ("\"3-cd\"", false), ("\"3\"", false)] {
            assert_eq!(given(Some(tags)).await.check("3-ab").is_ok(), fits, "{tags}");
        }
    }
}
