//! `barometer serve`: a home until Ctrl-C.

use std::io::{self, Write};

use crate::cli::CliError;
use crate::home::{Home, Options};

/// Starts a home, prints its URL and serves until it is told to stop.
///
/// # Errors
/// When the home doesn't start.
pub async fn run(options: Options) -> Result<(), CliError> {
    // Before anything else, so that no signal is missed while starting.
    let stop = stop_signal()?;
    let home = Home::start(options).await?;
    announce(&home.url())?;
    stop.await;
    home.stop().await;
    Ok(())
}

/// Prints the line that says where the home is; whoever started it waits for this line.
///
/// # Errors
/// When standard output is closed.
pub fn announce(url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Barometer listens on {url}")?;
    out.flush()
}

/// Ends with the first Ctrl-C or SIGTERM after this call.
///
/// # Errors
/// When signals can't be listened for.
#[cfg(unix)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with Ctrl-C.
///
/// # Errors
/// When signals can't be listened for.
#[cfg(not(unix))]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C can't be listened for");
        }
    })
}
