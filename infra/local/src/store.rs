//! The embedded DynamoDB-compatible store: opens the data folder, serves the DynamoDB HTTP API on a
//! loopback port and hands out what an SDK client needs to reach it.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use barometer_cloud::clients::Aws;
use thiserror::Error;
use tokio::sync::oneshot;

const REGION: &str = "eu-central-1";
const FILE: &str = "barometer.db";
const LOCK: &str = "lock";

/// Why the store didn't open.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder can't be made or written.
    #[error("data folder {}", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("data folder {}: in use by another barometer", .0.display())]
    InUse(PathBuf),
    /// The folder's name can't be given to the database.
    #[error("data folder {}: its name is not UTF-8", .0.display())]
    Name(PathBuf),
    /// The database file can't be used.
    #[error("data file {file}")]
    Database {
        /// Which file, or `memory`.
        file: String,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The loopback server didn't start.
    #[error("the store's loopback server")]
    Server(#[from] io::Error),
}

/// An open store. Dropping it stops the server.
#[derive(Debug)]
pub struct Store {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    // Held for its lock, which ends with the process however that ends.
    _lock: Option<File>,
}

impl Store {
    /// Opens the store in `folder`, which is made when it isn't there, or in memory.
    ///
    /// # Errors
    /// When the folder can't be used or is in use.
    pub fn open(folder: Option<&Path>) -> Result<Self, StoreError> {
        let lock = folder.map(lock).transpose()?;
        let database = match folder {
            Some(folder) => open_file(folder)?,
            None => dynoxide::Database::memory()
                .map_err(|e| StoreError::Database { file: "memory".to_owned(), source: Box::new(e) })?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        // Its queries block, so they get threads of their own.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("store")
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            let served = runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| e.to_string())?;
                let until = async { drop(stopped.await) };
                dynoxide::server::serve_with_shutdown(listener, database, until).await
            });
            if let Err(error) = served {
                tracing::error!(error, "the store stopped");
            }
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread), _lock: lock })
    }

    /// What a client needs to reach the store through `http_client`.
    #[must_use]
    pub fn aws(&self, http_client: SharedHttpClient) -> Aws {
        Aws { endpoint_url: Some(format!("http://{}", self.address)), ..aws(http_client) }
    }

    /// Lets running requests finish and closes the database.
    pub fn close(mut self) {
        self.stop_server();
    }

    fn stop_server(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop_server();
    }
}

/// Region and credentials that nobody checks, for clients that never leave this process.
#[must_use]
pub fn aws(http_client: SharedHttpClient) -> Aws {
    Aws {
        region: REGION.to_owned(),
        credentials: Credentials::from_keys("home", "home", None),
        endpoint_url: None,
        http_client,
    }
}

fn open_file(folder: &Path) -> Result<dynoxide::Database, StoreError> {
    let path = folder.join(FILE);
    let file = path.to_str().ok_or_else(|| StoreError::Name(folder.to_owned()))?;
    dynoxide::Database::new(file)
        .map_err(|e| StoreError::Database { file: file.to_owned(), source: Box::new(e) })
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Folder { folder: folder.to_owned(), source };
    make_private(folder).map_err(failed)?;
    let file =
        File::options().create(true).truncate(false).write(true).open(folder.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// For its owner only: it holds the keys of signed links, and mails.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
