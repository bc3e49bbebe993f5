//! Answers that a browser hands to the page that asked, on every path and for every status.

use http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
    },
};

/// What clients send in any case.
const ALLOWED: &str = "Authorization, Content-Type, Content-Encoding, X-Retry-Count, X-Write-Key, AnonymousId, \
    SentAt, Rsa-Retry-Attempt, Rsa-Since-Last-Attempt, Rsa-Since-First-Attempt, Rsa-Retry-Reason, ce-id, ce-source, \
    ce-specversion, ce-type, ce-time, ce-subject";

/// Families of headers whose members are allowed by name when a preflight asks for them, since a wildcard means
/// nothing in a request with credentials: RudderStack's retries, CloudEvents' attributes.
const FAMILIES: [&str; 2] = ["rsa-", "ce-"];

/// Adds the headers to an answer. `request` holds the request's.
pub fn allow(request: &HeaderMap, answer: &mut HeaderMap) {
    answer.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.get(ORIGIN) else { return };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, OPTIONS"));
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers(request));
}

fn headers(request: &HeaderMap) -> HeaderValue {
    let mut allowed = ALLOWED.to_owned();
    let asked =
        request.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|asked| asked.to_str().ok());
    for name in asked.flat_map(|asked| asked.split(',')).map(str::trim) {
        let lower = name.to_ascii_lowercase();
        let token = lower.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric());
        if token && lower.len() <= 64 && FAMILIES.iter().any(|family| lower.starts_with(family)) {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    HeaderValue::from_str(&allowed).unwrap_or(HeaderValue::from_static(ALLOWED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_the_origin_and_allows_families_by_name() {
        let mut request = HeaderMap::new();
        let mut answer = HeaderMap::new();
        allow(&request, &mut answer);
        assert_eq!(answer.len(), 1);

        request.insert(ORIGIN, HeaderValue::from_static("https://app.example"));
        request.insert(
            ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("authorization,Rsa-Recovery, ce-companyid,x-evil"),
        );
        let mut answer = HeaderMap::new();
        allow(&request, &mut answer);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(answer[ACCESS_CONTROL_MAX_AGE], "86400");
        assert_eq!(answer[ACCESS_CONTROL_EXPOSE_HEADERS], "Retry-After");
        let allowed = answer[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        assert!(
            allowed.contains("X-Retry-Count") && allowed.ends_with("Rsa-Recovery, ce-companyid"),
            "{allowed}"
        );
    }
}
