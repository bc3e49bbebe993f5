//! Which URLs may be called, as far as the text says: HTTPS to a public name or address. What a name resolves to is
//! checked when it is called ([`client`](crate::client)), every time anew.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use crate::address::is_public;

/// Longest URL, in characters.
pub const LONGEST: usize = 2_000;

/// Ports from here on may be called, beside HTTPS's own. Those below belong to other protocols, which an HTTPS call
/// could only disturb.
const FIRST_FREE_PORT: u16 = 1_024;

/// Last labels of names that mean something inside a network only.
const INSIDE: [&str; 5] = ["localhost", "local", "internal", "lan", "arpa"];

/// Where webhooks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// HTTPS to public addresses.
    #[default]
    PublicOnly,
    /// Plain HTTP and addresses inside the network as well: for whoever runs Barometer on a machine of their own and
    /// says so, and for tests.
    #[cfg(feature = "anywhere")]
    Anywhere,
}

impl Reach {
    /// Whether an address may be called.
    pub fn permits(self, address: IpAddr) -> bool {
        self.is_anywhere() || is_public(address)
    }

    pub(crate) fn is_anywhere(self) -> bool {
        match self {
            Self::PublicOnly => false,
            #[cfg(feature = "anywhere")]
            Self::Anywhere => true,
        }
    }
}

/// Why a URL may not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It isn't a URL with a host, or has what is never sent.
    #[error("isn't a URL such as https://hooks.example.com/barometer, in ASCII and without a fragment")]
    NotAUrl,
    /// Too long.
    #[error("is longer than {LONGEST} characters")]
    TooLong,
    /// Another scheme than HTTPS.
    #[error("must begin with https://")]
    NotHttps,
    /// User name or password in the URL.
    #[error("can't have a user name or a password")]
    UserInfo,
    /// A port of another protocol.
    #[error("the port must be 443, or {FIRST_FREE_PORT} or above")]
    Port,
    /// No full host name.
    #[error("the host must be a full public name, such as hooks.example.com (in its xn-- form beyond ASCII)")]
    Host,
    /// An address that isn't public.
    #[error("{0} isn't a public address")]
    NotPublic(IpAddr),
    /// The name resolved to no public address.
    #[error("the host's name leads to no public address")]
    LeadsInside,
}

/// A URL that may be called, as far as its text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    uri: Uri,
}

impl Destination {
    /// Reads a URL. Errors: why it may not be called.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('#') {
            return Err(Refusal::NotAUrl);
        }
        let uri: Uri = text.parse().map_err(|_| Refusal::NotAUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Refusal::NotAUrl);
        };
        if scheme != "https" && !(scheme == "http" && reach.is_anywhere()) {
            return Err(Refusal::NotHttps);
        }
        if authority.as_str().contains('@') {
            return Err(Refusal::UserInfo);
        }
        let given = authority.as_str().strip_prefix(authority.host()).ok_or(Refusal::NotAUrl)?;
        if !given.is_empty() {
            check_port(given, reach)?;
        }
        check_host(authority.host(), reach)?;
        Ok(Self { uri })
    }

    /// The URL.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The URL with everything after the host hidden: some services let in whoever knows the path.
    pub fn masked(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        format!("{}://{authority}/…", self.uri.scheme_str().unwrap_or("https"))
    }
}

/// Checks what follows the host: a colon and a port.
fn check_port(given: &str, reach: Reach) -> Result<(), Refusal> {
    let digits = given.strip_prefix(':').ok_or(Refusal::NotAUrl)?;
    // Digits only: a number may also be written with a plus.
    let port = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok());
    match port.flatten() {
        Some(443 | FIRST_FREE_PORT..) => Ok(()),
        Some(1..) if reach.is_anywhere() => Ok(()),
        _ => Err(Refusal::Port),
    }
}

fn check_host(host: &str, reach: Reach) -> Result<(), Refusal> {
    let address = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => Some(inner.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| Refusal::Host)?),
        None => host.parse::<Ipv4Addr>().map(IpAddr::V4).ok(),
    };
    if let Some(address) = address {
        return if reach.permits(address) { Ok(()) } else { Err(Refusal::NotPublic(address)) };
    }
    let legal = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if host.len() > 253 || !host.split('.').all(legal) {
        return Err(Refusal::Host);
    }
    if reach.is_anywhere() {
        return Ok(());
    }
    // A last label that begins with a digit is a way to write an address (127.1, 0x7f.0.0.1), and no public name's.
    let (rest, last) = host.rsplit_once('.').unwrap_or(("", host));
    let inside = INSIDE.iter().any(|name| last.eq_ignore_ascii_case(name));
    if rest.is_empty() || inside || !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(Refusal::Host);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<Refusal> {
        Destination::parse(url, Reach::PublicOnly).err()
    }

    #[test]
    fn https_to_a_public_host_may_be_called() {
        for url in [
            "https://hooks.example.com",
            "https://hooks.example.com/a/b?c=d&e=%20f",
            "https://HOOKS.Example.COM:443/",
            "https://hooks.example.com:8443/x",
            "https://hooks.example.com:1024/x",
            "https://xn--bcher-kva.example/x",
            "https://a_b.example.co.uk/",
            "https://8.8.8.8/x",
            "https://[2606:4700::1111]:8443/x",
        ] {
            assert_eq!(refusal(url), None, "{url}");
        }
    }

    #[test]
    fn anything_else_says_why_not() {
        let long = format!("https://hooks.example.com/{}", "x".repeat(LONGEST));
        let not_public = |address: &str| Refusal::NotPublic(address.parse().unwrap());
        for (url, expected) in [
            ("", Refusal::NotAUrl),
            ("hooks.example.com", Refusal::NotAUrl),
            ("/path", Refusal::NotAUrl),
            ("https://", Refusal::NotAUrl),
            ("https:///x", Refusal::NotAUrl),
            ("https://hooks.example.com/a b", Refusal::NotAUrl),
            ("https://hooks.example.com/\r\nHost: x", Refusal::NotAUrl),
            ("https://hooks.example.com/x#y", Refusal::NotAUrl),
            ("https://bücher.example/", Refusal::NotAUrl),
            (&long, Refusal::TooLong),
            ("http://hooks.example.com/", Refusal::NotHttps),
            ("ftp://hooks.example.com/", Refusal::NotHttps),
            ("https://ana@hooks.example.com/", Refusal::UserInfo),
            ("https://ana:secret@hooks.example.com/", Refusal::UserInfo),
            ("https://hooks.example.com@127.0.0.1/", Refusal::UserInfo),
            ("https://hooks.example.com:22/", Refusal::Port),
            ("https://hooks.example.com:80/", Refusal::Port),
            ("https://hooks.example.com:1023/", Refusal::Port),
            ("https://hooks.example.com:0/", Refusal::Port),
            ("https://hooks.example.com:/", Refusal::Port),
            ("https://localhost/", Refusal::Host),
            ("https://x.localhost/", Refusal::Host),
            ("https://printer.local/", Refusal::Host),
            ("https://metadata.google.internal/", Refusal::Host),
            ("https://intranet/", Refusal::Host),
            ("https://hooks.example.com./", Refusal::Host),
            ("https://hooks..example.com/", Refusal::Host),
            ("https://-hooks.example.com/", Refusal::Host),
            ("https://127.1/", Refusal::Host),
            ("https://2130706433/", Refusal::Host),
            ("https://0x7f000001/", Refusal::Host),
            ("https://0x7f.0.0.0x1/", Refusal::Host),
            ("https://0177.0.0.01/", Refusal::Host),
            ("https://127.0.0.1/", not_public("127.0.0.1")),
            ("https://169.254.169.254/latest/meta-data/", not_public("169.254.169.254")),
            ("https://10.1.2.3:8443/", not_public("10.1.2.3")),
            ("https://[::1]/", not_public("::1")),
            ("https://[fd00:ec2::254]/", not_public("fd00:ec2::254")),
            ("https://[::ffff:127.0.0.1]/", not_public("::ffff:127.0.0.1")),
            ("https://[64:ff9b::a9fe:a9fe]/", not_public("64:ff9b::a9fe:a9fe")),
        ] {
            assert_eq!(refusal(url), Some(expected), "{url}");
        }
    }

    #[test]
    fn strange_authorities_are_never_taken() {
        for url in [
            "https://[fe80::1%25eth0]/",
            "https://[::1/",
            "https://hooks.example.com:99999/",
            "https://hooks.example.com:+443/",
            "https://hooks.example.com:443:443/",
            "https://hooks.example.com\\@127.0.0.1/",
            "https://%31%32%37.0.0.1/",
            "https://127.0.0.1%2f.example.com/",
            "https:hooks.example.com",
            "//hooks.example.com/",
        ] {
            assert!(refusal(url).is_some(), "{url}");
        }
    }

    #[test]
    fn a_home_of_ones_own_may_reach_anywhere() {
        for url in
            ["http://127.0.0.1:3000/x", "http://localhost/", "https://intranet:444/", "http://[::1]:9/"]
        {
            assert!(Destination::parse(url, Reach::Anywhere).is_ok(), "{url}");
        }
        assert!(Destination::parse("file://localhost/etc/passwd", Reach::Anywhere).is_err());
        assert_eq!(Reach::default(), Reach::PublicOnly);
    }

    #[test]
    fn a_masked_url_shows_its_host_only() {
        let url = "https://hooks.slack.com/services/T0/B0/secret?token=x";
        let destination = Destination::parse(url, Reach::PublicOnly).unwrap();
        assert_eq!(destination.masked(), "https://hooks.slack.com/…");
    }
}
