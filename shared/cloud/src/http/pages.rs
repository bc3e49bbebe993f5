//! Whether what changes something was sent by one of our own pages: a browser sends its cookies along with what another
//! site makes it send, too.

use http::{HeaderMap, header};

/// Whether a request may change something. Browsers say with `Sec-Fetch-Site` where a request comes from; older ones
/// only with `Origin`, which must name the host that was asked. What says neither is no browser, and carries nobody
/// else's cookie: it may only come without one.
pub fn may_change(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let from = origin.split_once("://").map(|(_, host)| host);
            from.is_some() && from == text("host")
        }
        (None, None) => !headers.contains_key(header::COOKIE),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        may_change(&headers)
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        assert!(of(&[("sec-fetch-site", "same-origin")]));
        assert!(of(&[("sec-fetch-site", "none")]));
        assert!(!of(&[("sec-fetch-site", "cross-site"), ("origin", "https://a"), ("host", "a")]));
        assert!(!of(&[("sec-fetch-site", "same-site")]));
        assert!(!of(&[("sec-fetch-site", "")]));
        assert!(of(&[("origin", "https://a.example:8443"), ("host", "a.example:8443")]));
        assert!(!of(&[("origin", "https://b.example"), ("host", "a.example")]));
        assert!(!of(&[("origin", "null"), ("host", "a.example")]));
        assert!(!of(&[("origin", "null")]));
    }

    #[test]
    fn a_program_that_says_nothing_of_itself_brings_no_cookie() {
        assert!(of(&[("host", "a.example")]));
        assert!(!of(&[("host", "a.example"), ("cookie", "a=b")]));
    }
}
