//! Names to addresses that may be reached.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::destination::Refusal;

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Looks up the addresses of a name.
pub(super) type Lookup = Arc<dyn Fn(String) -> Answer<Vec<IpAddr>, io::Error> + Send + Sync>;

/// The operating system's lookup.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Why a name has no address to connect to.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    /// Addresses were found, none of which may be reached.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// None was found.
    #[error("no address was found")]
    Unknown(#[from] io::Error),
}

/// Looks names up and keeps the addresses that may be reached: the connector under it gets no others. The host of a URL
/// that is an address doesn't come here; [`Destination`](crate::Destination) has checked it.
#[derive(Clone)]
pub struct Checked {
    lookup: Lookup,
    permits: fn(IpAddr) -> bool,
}

impl Checked {
    pub(super) fn new(lookup: Lookup, permits: fn(IpAddr) -> bool) -> Self {
        Self { lookup, permits }
    }
}

impl Service<Name> for Checked {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = Answer<Self::Response, NoAddress>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (found, permits) = ((self.lookup)(name.as_str().to_owned()), self.permits);
        Box::pin(async move {
            // The connector puts the URL's port in the place of 0.
            let reachable: Vec<_> = found
                .await?
                .into_iter()
                .filter(|address| permits(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if reachable.is_empty() { Err(Refusal::LeadsInside.into()) } else { Ok(reachable.into_iter()) }
        })
    }
}
