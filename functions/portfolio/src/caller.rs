//! Who calls, as extractors: a handler names the scope that it needs in its arguments.

use axum::extract::FromRequestParts;
use barometer_cloud::{
    http::{
        Problem,
        auth::{self, Caller},
    },
    table::credentials::Scope,
};
use http::request::Parts;

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
    auth::caller(&deps.table, &parts.method, &parts.headers, scope, deps.clock.now()).await
}
