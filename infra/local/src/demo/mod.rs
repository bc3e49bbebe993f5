//! `barometer demo`: a home with something to see in it.

use crate::cli::CliError;
use crate::home::{Home, Options};
use crate::serve::{announce, stop_signal};

/// Starts a home and keeps serving until it is told to stop.
///
/// # Errors
/// When the home doesn't start.
pub async fn run(options: Options) -> Result<(), CliError> {
    let stop = stop_signal()?;
    let home = Home::start(options).await?;
    announce(&home.url())?;
    stop.await;
    home.stop().await;
    Ok(())
}
