//! The command line.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use barometer_cloud::config::{self, ConfigError};
use barometer_cloud::lambda::Chain;
use barometer_message::{AddressError, Mailbox};
use barometer_webhook::Reach;
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::home::{Options, Smtp, StartError};
use crate::relay::Relay;
use crate::{demo, import, preview, rebuild, serve, workspace};

/// Where data goes when nothing else is said.
pub const DATA_FOLDER: &str = "barometer-data";

#[derive(Debug, Parser)]
#[command(name = "barometer", version, about = "Customer health and happiness on one machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in one process until Ctrl-C.
    Serve(ServeArgs),
    /// Runs a home with a hundred made-up companies in it.
    Demo(HomeArgs),
    /// Workspaces.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Brings in companies, users, events or feedback from a CSV file.
    ///
    /// Ends with 0 when every row is in, with 3 when some are in the error file, with 1 when it stopped before
    /// the end: started again, it goes on.
    Import(Box<import::ImportArgs>),
    /// Works out the activity of past weeks again from the packed log, says what differs and puts it right; then says
    /// which published weeks and months differ from what is computed from it.
    ///
    /// Ends with 0 when nothing differs (any more), with 1 when something differs and was only to be checked or is
    /// published, with 2 when it failed.
    Rebuild(rebuild::RebuildArgs),
    /// Mails.
    #[command(subcommand)]
    Mail(MailCommand),
}

#[derive(Debug, Subcommand)]
enum MailCommand {
    /// Shows the mail that asks, as text, HTML or the whole message, and sends nothing.
    ///
    /// The links of a preview open a page that says that it is a test.
    Preview(preview::PreviewArgs),
}

#[derive(Debug, Subcommand)]
enum WorkspaceCommand {
    /// Makes a workspace and prints its keys, once.
    Create(workspace::CreateArgs),
}

/// Where and when a home runs.
#[derive(Debug, Args)]
pub struct HomeArgs {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Folder that keeps the data [default: ./barometer-data].
    #[arg(long, value_name = "DIR", conflicts_with = "in_memory")]
    data: Option<PathBuf>,
    /// Keep nothing.
    #[arg(long)]
    in_memory: bool,
    /// Where the clock starts; it then runs at real speed.
    #[arg(long, value_name = "RFC3339")]
    now: Option<DateTime<Utc>>,
    /// Let webhooks go to plain HTTP and to addresses inside the network, this machine among them.
    #[arg(long)]
    webhooks_anywhere: bool,
}

/// What `serve` takes besides. The OpenID Connect issuer comes from the environment, as on AWS, because its secret is not
/// for the command line.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// Delivers every mail for real, through this mail server: smtp://USER:PASSWORD@HOST:587?tls=required,
    /// smtps://USER:PASSWORD@HOST, or smtp://HOST:PORT without encryption [default: the mailbox page only].
    #[arg(long, value_name = "URL", requires = "mail_from")]
    smtp: Option<Relay>,
    /// The sender of what is delivered for real, as the mail server allows it: feedback@example.com.
    #[arg(long, value_name = "ADDRESS", requires = "smtp", value_parser = sender)]
    mail_from: Option<String>,
}

fn sender(text: &str) -> Result<String, AddressError> {
    text.parse::<Mailbox>().map(|_| text.to_owned())
}

impl HomeArgs {
    fn webhooks(&self) -> Reach {
        if self.webhooks_anywhere { Reach::Anywhere } else { Reach::PublicOnly }
    }

    /// A demonstration keeps nothing unless it is told where.
    fn for_demo(self) -> Options {
        Options {
            webhooks: self.webhooks(),
            listen: self.listen,
            data: self.data,
            now: self.now,
            smtp: None,
            oidc: None,
        }
    }
}

impl From<HomeArgs> for Options {
    fn from(args: HomeArgs) -> Self {
        let webhooks = args.webhooks();
        let data = if args.in_memory { None } else { Some(args.data.unwrap_or_else(|| DATA_FOLDER.into())) };
        Self { webhooks, listen: args.listen, data, now: args.now, smtp: None, oidc: None }
    }
}

impl From<ServeArgs> for Options {
    fn from(args: ServeArgs) -> Self {
        let smtp = args.smtp.zip(args.mail_from).map(|(relay, from)| Smtp { relay, from });
        Self { smtp, ..args.home.into() }
    }
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// The process can't be set up.
    #[error("can't start")]
    Runtime(#[from] io::Error),
    /// The environment is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The home didn't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The demonstration failed.
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    /// No workspace was made.
    #[error(transparent)]
    Workspace(#[from] workspace::WorkspaceError),
    /// The import stopped.
    #[error(transparent)]
    Import(#[from] import::ImportError),
    /// The rebuild failed.
    #[error(transparent)]
    Rebuild(#[from] rebuild::RebuildError),
    /// There is no preview.
    #[error(transparent)]
    Preview(#[from] preview::PreviewError),
}

/// An import came to its end and left rows out.
const SOME_LEFT_OUT: u8 = 3;

/// A rebuild failed; 1 says that something differs.
const REBUILD_FAILED: u8 = 2;

/// Runs the command that the arguments ask for.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // When not even this can be written there is nobody to tell.
            let _ = writeln!(io::stderr(), "barometer: {}", Chain(&error));
            if matches!(error, CliError::Rebuild(_)) { REBUILD_FAILED.into() } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve(args) => {
                let oidc = config::from_env(|environment| environment.oidc())?;
                serve::run(Options { oidc, ..args.into() }).await?;
            }
            Command::Demo(args) => demo::run(args.for_demo()).await?,
            Command::Workspace(WorkspaceCommand::Create(args)) => workspace::create(args).await?,
            Command::Mail(MailCommand::Preview(args)) => preview::run(args).await?,
            Command::Import(args) => {
                let whole = import::run(*args).await?;
                return Ok(if whole { ExitCode::SUCCESS } else { SOME_LEFT_OUT.into() });
            }
            Command::Rebuild(args) => {
                let differs = rebuild::run(args).await? == rebuild::Outcome::Differs;
                return Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS });
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The embedded store warns of every condition that fails, which is how the product is meant to work.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,dynoxide=error"));
    let started =
        tracing_subscriber::fmt().compact().with_writer(io::stderr).with_env_filter(filter).try_init();
    if let Err(error) = started {
        tracing::debug!(error, "logging was started before");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> Result<Options, clap::Error> {
        match Cli::try_parse_from(args)?.command {
            Command::Serve(args) => Ok(args.into()),
            Command::Demo(args) => Ok(args.for_demo()),
            Command::Workspace(_) | Command::Import(_) | Command::Rebuild(_) | Command::Mail(_) => {
                panic!("not a home")
            }
        }
    }

    #[test]
    fn a_home_has_defaults() {
        let options = options(&["barometer", "serve"]).unwrap();
        assert_eq!(options.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(options.data, Some(DATA_FOLDER.into()));
        assert_eq!(options.now, None);
    }

    #[test]
    fn a_home_can_be_told() {
        let told =
            options(&["barometer", "serve", "--in-memory", "--now", "2026-09-01T02:00:00+02:00"]).unwrap();
        assert_eq!(told.data, None);
        assert_eq!(told.now, Some("2026-09-01T00:00:00Z".parse().unwrap()));
        for wrong in [
            ["--now", "yesterday"].as_slice(),
            &["--listen", "8080"],
            &["--in-memory", "--data", "x"],
            &["--port", "1"],
            &["--smtp", "mail.example.com", "--mail-from", "a@example.com"],
            &["--smtp", "smtp://mail.example.com", "--mail-from", "nobody"],
            &["--smtp", "smtp://mail.example.com"],
            &["--mail-from", "a@example.com"],
        ] {
            assert!(options(&[&["barometer", "serve"], wrong].concat()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_serve_delivers_for_real() {
        let smtp =
            ["--smtp", "smtps://me:secret@mail.example.com", "--mail-from", "Rocket <ask@example.com>"];
        let told = options(&[&["barometer", "serve"], smtp.as_slice()].concat()).unwrap();
        assert_eq!(told.smtp.unwrap().from, "Rocket <ask@example.com>");
        assert!(options(&[&["barometer", "demo"], smtp.as_slice()].concat()).is_err());
    }
}
