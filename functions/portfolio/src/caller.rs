//! Who calls, as extractors: a handler names the scope that it needs in its arguments.

use axum::extract::FromRequestParts;
use barometer_cloud::{
    http::{
        Problem,
        auth::{self, Caller},
    },
    table::credentials::Scope,
};
use http::{HeaderMap, Method, request::Parts};

use crate::Deps;

/// A caller who may read.
pub struct Reader(pub Caller);

/// A caller who may change companies.
pub struct Writer(pub Caller);

/// A caller who may change settings and tokens.
pub struct Admin(pub Caller);

impl FromRequestParts<Deps> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, Problem> {
        authenticate(parts, deps, Scope::Read).await.map(Self)
    }
}

impl FromRequestParts<Deps> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, Problem> {
        authenticate(parts, deps, Scope::Write).await.map(Self)
    }
}

impl FromRequestParts<Deps> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, Problem> {
        authenticate(parts, deps, Scope::Admin).await.map(Self)
    }
}

async fn authenticate(parts: &Parts, deps: &Deps, scope: Scope) -> Result<Caller, Problem> {
    let caller = auth::caller(&deps.table, &parts.headers, scope, deps.clock.now()).await?;
    // Without a bearer token it was the cookie, which a browser also sends along with what another site makes
    // it send.
    let by_cookie = auth::bearer(&parts.headers).is_none();
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    if by_cookie && !reads && !same_origin(&parts.headers) {
        return Err(Problem::forbidden(
            "a session can only write from our own pages: Sec-Fetch-Site must be same-origin or none",
        ));
    }
    Ok(caller)
}

fn same_origin(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin" || site == "none")
}
