//! Which client's path means what.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::{event::Kind, jitsu, refusal::Refusal};

/// Whose wire format events are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Segment's, which RudderStack's clients speak too.
    Segment,
    /// Jitsu's.
    Jitsu {
        /// Whether the path is the one for servers.
        server: bool,
    },
    /// PostHog's.
    PostHog,
    /// CloudEvents 1.0.
    CloudEvents,
}

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Take events.
    Events {
        /// The format.
        protocol: Protocol,
        /// The type of events that don't say one.
        kind: Option<Kind>,
    },
    /// PostHog's clients ask for feature flags: there are none.
    Flags,
    /// Take and drop: clients report on themselves.
    Dropped,
    /// The settings document of Segment's browser client.
    Settings {
        /// The write key in the path.
        key: String,
    },
    /// The settings document of RudderStack's browser client.
    SourceConfig,
    /// Take one answer: `POST /v1/feedback`.
    Feedback,
    /// Whether the function is up.
    Health,
}

impl Route {
    /// The route of a request. A `/` at the end changes nothing. Errors: [`Refusal::NotFound`],
    /// [`Refusal::Method`].
    pub fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let route = Self::at(path).ok_or(Refusal::NotFound)?;
        let (fits, allow) = match route {
            Self::Events { .. } | Self::Flags | Self::Dropped | Self::Feedback => {
                (method == Method::POST, "POST, OPTIONS")
            }
            _ => (method == Method::GET || method == Method::HEAD, "GET, HEAD, OPTIONS"),
        };
        if fits { Ok(route) } else { Err(Refusal::Method { allow }) }
    }

    fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            "/v1/batch" | "/v1/import" | "/v1/b" | "/beacon/v1/batch" => {
                Self::events(Protocol::Segment, None)
            }
            "/batch" | "/e" | "/i/v0/e" | "/capture" => Self::events(Protocol::PostHog, None),
            // What clients asked before there was `/flags`.
            "/flags" | "/decide" => Self::Flags,
            "/events" => Self::events(Protocol::CloudEvents, None),
            "/v1/feedback" => Self::Feedback,
            "/v1/m" => Self::Dropped,
            "/sourceConfig" => Self::SourceConfig,
            "/health" => Self::Health,
            _ => return Self::settings(path).or_else(|| Self::single(path)).or_else(|| Self::jitsu(path)),
        })
    }

    fn events(protocol: Protocol, kind: Option<Kind>) -> Self {
        Self::Events { protocol, kind }
    }

    fn jitsu(path: &str) -> Option<Self> {
        let (server, kind) = jitsu::path(path.strip_prefix("/api/s/")?)?;
        Some(Self::events(Protocol::Jitsu { server }, kind))
    }

    fn single(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/v1/")?;
        // Paths are exact; only types in a body may have any case.
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        Kind::parse(name).map(|kind| Self::events(Protocol::Segment, Some(kind)))
    }

    fn settings(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v1").unwrap_or(path);
        let key = rest.strip_prefix("/projects/")?.strip_suffix("/settings")?;
        let key = percent_decode_str(key).decode_utf8().ok()?;
        (!key.is_empty() && !key.contains('/')).then(|| Self::Settings { key: key.into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_paths() {
        let post = |path: &str| Route::of(&Method::POST, path);
        for path in ["/v1/batch", "/v1/import", "/v1/b", "/v1/batch/", "/beacon/v1/batch"] {
            assert_eq!(post(path), Ok(Route::events(Protocol::Segment, None)), "{path}");
        }
        for (long, short, kind) in [
            ("track", "t", Kind::Track),
            ("identify", "i", Kind::Identify),
            ("group", "g", Kind::Group),
            ("page", "p", Kind::Page),
            ("screen", "s", Kind::Screen),
            ("alias", "a", Kind::Alias),
        ] {
            for name in [long, short] {
                assert_eq!(post(&format!("/v1/{name}")), Ok(Route::events(Protocol::Segment, Some(kind))));
                assert_eq!(post(&format!("/v1/{name}/")), Ok(Route::events(Protocol::Segment, Some(kind))));
            }
        }
        assert_eq!(post("/v1/m"), Ok(Route::Dropped));
        assert_eq!(post("/v1/feedback"), Ok(Route::Feedback));
        for path in ["/", "", "/v1", "/v1/", "/v1/x", "/v1/Track", "/v2/track", "/v1/track/x", "/v1/batch//"]
        {
            assert_eq!(post(path), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn other_clients_paths() {
        let post = |path: &str| Route::of(&Method::POST, path);
        let is = |protocol, kind| Ok(Route::events(protocol, kind));
        for slash in ["", "/"] {
            for path in ["/batch", "/e", "/i/v0/e", "/capture"] {
                assert_eq!(post(&format!("{path}{slash}")), is(Protocol::PostHog, None), "{path}");
            }
            assert_eq!(post(&format!("/flags{slash}")), Ok(Route::Flags));
            assert_eq!(post(&format!("/events{slash}")), is(Protocol::CloudEvents, None));
            for (prefix, server) in [("/api/s", false), ("/api/s/s2s", true)] {
                let protocol = Protocol::Jitsu { server };
                assert_eq!(post(&format!("{prefix}/page{slash}")), is(protocol, Some(Kind::Page)));
                assert_eq!(post(&format!("{prefix}/event{slash}")), is(protocol, None));
            }
        }
        for path in ["/api/s", "/api/s/", "/api/s/x", "/api/s/s2s", "/api/s/p", "/i/v0", "/event", "/E"] {
            assert_eq!(post(path), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn documents() {
        let get = |path: &str| Route::of(&Method::GET, path);
        for path in ["/v1/projects/wk%20_1/settings", "/projects/wk _1/settings/"] {
            assert_eq!(get(path), Ok(Route::Settings { key: "wk _1".to_owned() }), "{path}");
        }
        assert_eq!(get("/sourceConfig/"), Ok(Route::SourceConfig));
        assert_eq!(get("/health"), Ok(Route::Health));
        for path in
            ["/projects//settings", "/projects/a/b/settings", "/projects/a%2Fb/settings", "/projects/a"]
        {
            assert_eq!(get(path), Err(Refusal::NotFound), "{path}");
        }
    }

    #[test]
    fn the_method_must_fit() {
        assert!(matches!(Route::of(&Method::GET, "/v1/batch"), Err(Refusal::Method { .. })));
        assert!(matches!(Route::of(&Method::POST, "/health"), Err(Refusal::Method { .. })));
        assert_eq!(Route::of(&Method::HEAD, "/health"), Ok(Route::Health));
    }
}
