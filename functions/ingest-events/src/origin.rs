//! Which pages may post with a write key.

use http::{HeaderMap, header::ORIGIN};

use crate::refusal::Refusal;

/// Checks the `Origin` of a request against a source's list. An empty list allows any, and so does a request
/// without the header: it comes from a server, which no browser holds to its origin anyway. Errors:
/// [`Refusal::OriginNotAllowed`].
pub fn check(allowed: &[String], headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(ORIGIN).filter(|_| !allowed.is_empty()) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    if allowed.iter().any(|pattern| matches(pattern, origin)) {
        return Ok(());
    }
    Err(Refusal::OriginNotAllowed { origin: origin.chars().take(200).collect() })
}

/// Whether an origin is the one of `pattern`, or a subdomain at any depth for `https://*.example.com`, which doesn't
/// include `https://example.com` itself. Scheme and port must be the same.
fn matches(pattern: &str, origin: &str) -> bool {
    let Some((scheme, domain)) = pattern.split_once("://*.") else {
        return pattern.eq_ignore_ascii_case(origin);
    };
    let Some((given, host)) = origin.split_once("://") else { return false };
    if !given.eq_ignore_ascii_case(scheme) {
        return false;
    }
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    // At least one label before the dot.
    host.strip_suffix(&domain)
        .and_then(|sub| sub.strip_suffix('.'))
        .is_some_and(|sub| !sub.is_empty() && !sub.contains(['/', '@', ':']))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn exact_origins_and_subdomains() {
        for (pattern, origin, fits) in [
            ("https://app.example.com", "https://app.example.com", true),
            ("https://app.example.com", "https://APP.example.com", true),
            ("https://app.example.com", "http://app.example.com", false),
            ("https://app.example.com", "https://app.example.com:8443", false),
            ("https://app.example.com:8443", "https://app.example.com:8443", true),
            ("https://app.example.com", "https://app.example.com.evil.example", false),
            ("https://*.example.com", "https://app.example.com", true),
            ("https://*.example.com", "https://a.b.example.com", true),
            ("https://*.example.com", "https://example.com", false),
            ("https://*.example.com", "https://.example.com", false),
            ("https://*.example.com", "https://evilexample.com", false),
            ("https://*.example.com", "http://app.example.com", false),
            ("https://*.example.com", "https://app.example.com:8443", false),
            ("https://*.example.com", "https://evil.example/.example.com", false),
            ("https://*.example.com:8443", "https://app.example.com:8443", true),
            ("https://*.example.com", "null", false),
        ] {
            assert_eq!(matches(pattern, origin), fits, "{pattern} {origin}");
        }
    }

    #[test]
    fn servers_and_empty_lists_pass() {
        let allowed = ["https://app.example.com".to_owned()];
        let mut headers = HeaderMap::new();
        assert_eq!(check(&allowed, &headers), Ok(()));
        for refused in ["null", "https://evil.example"] {
            headers.insert(ORIGIN, HeaderValue::from_static(refused));
            assert_eq!(check(&[], &headers), Ok(()));
            assert_eq!(
                check(&allowed, &headers),
                Err(Refusal::OriginNotAllowed { origin: refused.to_owned() })
            );
        }
        headers.insert(ORIGIN, HeaderValue::from_bytes(b"https://\xff").unwrap());
        assert!(check(&allowed, &headers).is_err());
    }
}
