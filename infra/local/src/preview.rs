//! `barometer mail preview`: the mail that asks, with a workspace's settings or the defaults.

use std::io::{self, Write};
use std::path::PathBuf;

use barometer_domain::{SendId, Settings, WorkspaceId, language::Language, token};
use barometer_message::{AddressError, Mailbox, MessageError, Question, Words, compose};
use chrono::Utc;
use clap::{Args, ValueEnum};
use http::Method;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::client::{Client, ClientError};

/// What to show and where to.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// Address of a running home or of a deployment whose workspace's settings are taken, with an API token; without it,
    /// the defaults are.
    #[arg(long)]
    url: Option<String>,
    /// An API token of the workspace; else from BAROMETER_API_TOKEN.
    #[arg(long, value_name = "API_TOKEN", requires = "url")]
    token: Option<String>,
    /// The mail's language [default: the settings'].
    #[arg(long)]
    language: Option<Tongue>,
    /// The name to greet by.
    #[arg(long)]
    name: Option<String>,
    /// Where to write it: FILE.eml the whole message, FILE.html and FILE.txt its parts [default: the message, to standard
    /// output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tongue {
    En,
    De,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::English,
            Tongue::De => Self::German,
        }
    }
}

/// Why there is no preview.
#[derive(Debug, Error)]
pub enum PreviewError {
    /// A workspace's settings are for those who have a token.
    #[error("--url needs an API token: --token, or BAROMETER_API_TOKEN")]
    NoToken,
    /// Nobody answered.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The settings weren't given.
    #[error("{url} answered {status} to GET /v1/settings: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// What came is no settings.
    #[error("the answer can't be read as settings; is this program as new as what answers there?")]
    Settings(#[from] serde_json::Error),
    /// The mail can't be written.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The sample's addresses.
    #[error("the sample's sender")]
    Sender(#[from] AddressError),
    /// The sample's workspace.
    #[error("the sample's workspace")]
    Workspace(#[from] barometer_domain::IdError),
    /// Another kind of file.
    #[error("{}: the file's name ends in .eml, .html or .txt", .0.display())]
    Kind(PathBuf),
    /// The file can't be written.
    #[error("{}", file.display())]
    Write {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed.
    #[error("can't print")]
    Print(#[from] io::Error),
}

/// Writes the preview. Its links open a page that says that it is a test.
///
/// # Errors
/// When there are no settings, or the preview can't be written.
pub async fn run(args: PreviewArgs) -> Result<(), PreviewError> {
    let token = args.token.clone().or_else(|| std::env::var("BAROMETER_API_TOKEN").ok());
    let settings = match &args.url {
        Some(url) => of_workspace(url, &token.ok_or(PreviewError::NoToken)?).await?,
        None => Settings { name: "Your product".to_owned(), ..Settings::default() },
    };
    let origin = args.url.as_deref().unwrap_or("https://barometer.example").trim_end_matches('/');
    let shown = show(&args, &settings, origin)?;
    match args.out {
        Some(file) => std::fs::write(&file, shown).map_err(|source| PreviewError::Write { file, source }),
        None => Ok(io::stdout().lock().write_all(&shown)?),
    }
}

fn show(args: &PreviewArgs, settings: &Settings, origin: &str) -> Result<Vec<u8>, PreviewError> {
    let language = args.language.map_or(settings.mail.language, Language::from);
    let test = token::of_test(language);
    let name = args.name.as_deref();
    let words = Words { language, settings, name, origin, feedback: &test, unsubscribe: &test };
    let kind = args.out.as_deref().map(|file| file.extension().and_then(|kind| kind.to_str()));
    match kind {
        Some(Some("html")) => Ok(words.write().map_err(MessageError::from)?.html.into_bytes()),
        Some(Some("txt")) => Ok(words.write().map_err(MessageError::from)?.text.into_bytes()),
        None | Some(Some("eml")) => {
            let from: Mailbox = "feedback@barometer.example".parse()?;
            Ok(compose(&Question {
                language,
                settings,
                from: &from,
                to: "user@customer.example",
                name,
                origin,
                feedback: &test,
                unsubscribe: &test,
                workspace: &WorkspaceId::new("preview")?,
                send: SendId::from_bytes([0; 16]),
                date: Utc::now(),
            })?)
        }
        _ => Err(PreviewError::Kind(args.out.clone().unwrap_or_default())),
    }
}

async fn of_workspace(url: &str, token: &str) -> Result<Settings, PreviewError> {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("accept", "application/json")];
    let answer = Client::new(url).send(Method::GET, "/v1/settings", &headers, "").await?;
    if !answer.status.is_success() {
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("no reason given").to_owned();
        return Err(PreviewError::Refused { url: url.to_owned(), status: answer.status.as_u16(), detail });
    }
    let mut settings: Map<String, Value> = serde_json::from_slice(&answer.body)?;
    for of_the_save in ["version", "saved_at", "author", "note"] {
        settings.remove(of_the_save);
    }
    Ok(serde_json::from_value(Value::Object(settings))?)
}
