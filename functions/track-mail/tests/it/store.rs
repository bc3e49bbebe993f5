//! A table in an embedded store in memory, behind the real SDK client.

use std::net::{Ipv4Addr, TcpListener};

use aws_credential_types::Credentials;
use barometer_cloud::{
    Table,
    clients::{self, Aws},
};

/// A new, empty table. Its store ends with the process.
pub async fn table() -> Table {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    // Its queries block, so it gets a thread of its own.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = dynoxide::Database::memory().unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            drop(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await);
        });
    });
    let aws = Aws {
        region: "eu-central-1".to_owned(),
        credentials: Credentials::from_keys("test", "test", None),
        endpoint_url: Some(format!("http://{address}")),
        http_client: clients::http_client(),
    };
    let table = Table::new(clients::dynamodb(&aws), "barometer");
    table.create().await.unwrap();
    table
}
