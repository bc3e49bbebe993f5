//! `barometer workspace create`: in a data folder, at a running home, or on AWS.

use std::io::{self, Write};
use std::path::PathBuf;

use barometer_cloud::config::{self, ConfigError};
use barometer_cloud::workspaces::{self, Created};
use barometer_cloud::{Table, clients};
use chrono::Utc;
use clap::Args;
use http::Method;
use thiserror::Error;

use crate::cli::DATA_FOLDER;
use crate::client::{Client, ClientError};
use crate::home::{Home, Options, StartError};
use crate::wanted::Wanted;

/// What to make and where.
#[derive(Debug, Args)]
pub struct CreateArgs {
    #[command(flatten)]
    workspace: Wanted,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Data folder of a home that isn't running [default: ./barometer-data].
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "table"])]
    data: Option<PathBuf>,
    /// Address of a running home on this machine.
    #[arg(long, conflicts_with = "table")]
    url: Option<String>,
    /// Name of the table on AWS; region and credentials come from the environment.
    #[arg(long)]
    table: Option<String>,
}

/// Why no workspace was made.
#[derive(Debug, Error)]
pub enum WorkspaceError {
    /// The home in the data folder didn't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The table refused, or the workspace can't be.
    #[error(transparent)]
    Create(#[from] workspaces::CreateError),
    /// The environment lacks what AWS needs.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The home didn't answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The home refused.
    #[error("the home at {url} answered {status}: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The answer can't be read or written.
    #[error("the answer is not a workspace")]
    Json(#[from] serde_json::Error),
    /// Standard output is closed.
    #[error("can't print")]
    Print(#[from] io::Error),
}

/// Makes a workspace and prints it.
///
/// # Errors
/// When it can't be made.
pub async fn create(args: CreateArgs) -> Result<(), WorkspaceError> {
    let wanted = args.workspace;
    let created = match (args.url, args.table) {
        (Some(url), _) => at_home(&url, &wanted).await?,
        (None, Some(table)) => on_aws(table, wanted).await?,
        (None, None) => in_folder(args.data.unwrap_or_else(|| DATA_FOLDER.into()), wanted).await?,
    };
    print(&created, args.json)
}

/// A whole home is started, since only it knows its clock.
async fn in_folder(folder: PathBuf, wanted: Wanted) -> Result<Created, WorkspaceError> {
    let home = Home::start(Options { data: Some(folder), ..Options::default() }).await?;
    let created = workspaces::create(home.table(), wanted.into(), home.now()).await;
    home.stop().await;
    Ok(created?)
}

async fn on_aws(table: String, wanted: Wanted) -> Result<Created, WorkspaceError> {
    let aws = config::from_env(|environment| environment.aws())?;
    let table = Table::new(clients::dynamodb(&aws), table);
    Ok(workspaces::create(&table, wanted.into(), Utc::now()).await?)
}

async fn at_home(url: &str, wanted: &Wanted) -> Result<Created, WorkspaceError> {
    let body = serde_json::to_string(wanted)?;
    let json = [("content-type", "application/json")];
    let answer = Client::new(url).send(Method::POST, "/local/workspaces", &json, body).await?;
    if answer.status.is_success() {
        return Ok(serde_json::from_slice(&answer.body)?);
    }
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let detail = problem.get("detail").and_then(|d| d.as_str()).unwrap_or("no reason given").to_owned();
    Err(WorkspaceError::Refused { url: url.to_owned(), status: answer.status.as_u16(), detail })
}

fn print(created: &Created, json: bool) -> Result<(), WorkspaceError> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(created)?)?;
    } else {
        let Created { workspace_id, write_key, api_token } = created;
        writeln!(
            out,
            "workspace  {workspace_id}\nwrite key  {write_key}\nAPI token  {api_token} (shown this once)"
        )?;
    }
    Ok(())
}
