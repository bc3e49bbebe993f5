//! Who may use the control surface: programs on this machine, and no web page of somebody else's.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use barometer_cloud::http::Problem;
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName};

/// Headers by which a proxy says for whom it asks: behind one on this machine everybody seems to be local.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Lets a request through when it comes from a loopback address, names a loopback host (a foreign name that
/// resolves to this machine is DNS rebinding), and was not sent by a page of another origin.
pub async fn local_only(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match refusal(peer.ip(), request.headers()) {
        Some(reason) => Problem::forbidden(reason).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(peer: IpAddr, headers: &HeaderMap) -> Option<&'static str> {
    if !peer.to_canonical().is_loopback() {
        return Some("the control surface answers to this machine only");
    }
    if FORWARDED.iter().any(|name| headers.contains_key(*name)) {
        return Some("the control surface doesn't answer through a proxy");
    }
    if !text(headers, &HOST).is_some_and(is_loopback) {
        return Some("the control surface answers to loopback host names only");
    }
    if let Some(origin) = headers.get(ORIGIN) {
        let host = origin.to_str().ok().and_then(|o| o.strip_prefix("http://"));
        if host.is_none() || host != text(headers, &HOST) {
            return Some("the control surface doesn't answer to pages of other origins");
        }
    }
    None
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(peer: &str, host: &str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        refusal(peer.parse().unwrap(), &headers).is_none()
    }

    #[test]
    fn this_machine_is_let_through() {
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.9.9.9"] {
            assert!(allowed("127.0.0.1", host, None), "{host}");
        }
        assert!(allowed("::1", "[::1]:8080", None));
        assert!(allowed("::ffff:127.0.0.1", "localhost", None));
        assert!(allowed("127.0.0.1", "localhost:8080", Some("http://localhost:8080")));
    }

    #[test]
    fn a_proxy_is_not() {
        for name in FORWARDED {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "127.0.0.1:8080".parse().unwrap());
            headers.insert(name, "192.0.2.1".parse().unwrap());
            assert!(refusal("127.0.0.1".parse().unwrap(), &headers).is_some(), "{name}");
        }
    }

    #[test]
    fn others_are_not() {
        assert!(!allowed("192.0.2.1", "127.0.0.1:8080", None));
        for host in ["example.com", "127.0.0.1.example.com", "0.0.0.0:8080", "localhost.example.com", ""] {
            assert!(!allowed("127.0.0.1", host, None), "{host}");
        }
        for origin in ["https://example.com", "null", "http://localhost:3000", "http://example.com"] {
            assert!(!allowed("127.0.0.1", "localhost:8080", Some(origin)), "{origin}");
        }
        assert!(refusal("127.0.0.1".parse().unwrap(), &HeaderMap::new()).is_some());
    }
}
