//! Which client's path means what.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::{event::Kind, refusal::Refusal};

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Take events; of this type where they don't say one.
    Events(Option<Kind>),
    /// Take and drop: clients report on themselves.
    Dropped,
    /// The settings document of Segment's browser client.
    Settings {
        /// The write key in the path.
        key: String,
    },
    /// The settings document of RudderStack's browser client.
    SourceConfig,
    /// Whether the function is up.
    Health,
}

impl Route {
    /// The route of a request. A `/` at the end changes nothing. Errors: [`Refusal::NotFound`],
    /// [`Refusal::Method`].
    pub fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let route = Self::at(path).ok_or(Refusal::NotFound)?;
        let (fits, allow) = match route {
            Self::Events(_) | Self::Dropped => (method == Method::POST, "POST, OPTIONS"),
            _ => (method == Method::GET || method == Method::HEAD, "GET, HEAD, OPTIONS"),
        };
        if fits { Ok(route) } else { Err(Refusal::Method { allow }) }
    }

    fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Some(match path {
            "/v1/batch" | "/v1/import" | "/v1/b" | "/beacon/v1/batch" => Self::Events(None),
            "/v1/m" => Self::Dropped,
            "/sourceConfig" => Self::SourceConfig,
            "/health" => Self::Health,
            _ => return Self::settings(path).or_else(|| Self::single(path)),
        })
    }

    fn single(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/v1/")?;
        // Paths are exact; only types in a body may have any case.
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        Kind::parse(name).map(|kind| Self::Events(Some(kind)))
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
            assert_eq!(post(path), Ok(Route::Events(None)), "{path}");
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
                assert_eq!(post(&format!("/v1/{name}")), Ok(Route::Events(Some(kind))));
                assert_eq!(post(&format!("/v1/{name}/")), Ok(Route::Events(Some(kind))));
            }
        }
        assert_eq!(post("/v1/m"), Ok(Route::Dropped));
        for path in ["/", "", "/v1", "/v1/", "/v1/x", "/v1/Track", "/v2/track", "/v1/track/x", "/v1/batch//"]
        {
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
