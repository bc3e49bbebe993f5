//! From which address a request comes, for limits.

use std::net::IpAddr;

use http::Extensions;
use lambda_http::request::RequestContext;

/// The address at the other end of the connection. The one-machine home puts it among a request's extensions; on AWS the
/// API gateway says it. Headers such as `X-Forwarded-For` aren't asked: anybody can write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Who a request is counted as: the address, of IPv6 the 64 bits that one customer of a provider has; one and the same
/// for all of whom it isn't known.
pub fn counted_as(extensions: &Extensions) -> String {
    let address = match extensions.get::<ClientAddress>() {
        Some(ClientAddress(address)) => Some(*address),
        None => match extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.http.source_ip.as_deref().and_then(|address| address.parse().ok())
            }
            _ => None,
        },
    };
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ClientAddress(address.parse().unwrap()));
        counted_as(&extensions)
    }

    #[test]
    fn neighbours_are_told_apart_and_one_customer_is_one() {
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(counted_as(&Extensions::new()), "unknown");
    }
}
