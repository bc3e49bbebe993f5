//! Posts batches to ingestion, and again until they are acknowledged.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::calls::Complaint;
use super::progress::Progress;
use crate::client::{Answer, Client, ClientError};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Between the first tries; twice as long after each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause, also when the server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why sending ended.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody answered, or not with success, for as long as was allowed.
    #[error("given up after {0} seconds without success; the same command goes on where it was")]
    GaveUp(u64, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address is none.
    #[error(transparent)]
    Address(ClientError),
    /// The request was refused for good.
    #[error("{what} was answered {status}: {detail}")]
    Refused {
        /// What was sent.
        what: String,
        /// The answer's status.
        status: StatusCode,
        /// What it says.
        detail: String,
    },
    /// The answer isn't ingestion's.
    #[error("the answer can't be read; is this the address of a home or a deployment?")]
    Answer(#[from] serde_json::Error),
}

/// What ingestion says of a batch.
#[derive(Debug, Default, Deserialize)]
pub struct Receipt {
    /// Events that are stored.
    pub accepted: u64,
    /// Statuses that were so before.
    #[serde(default)]
    pub unchanged: u64,
    /// Of them, those without a company.
    #[serde(default)]
    pub unattributed: u64,
    /// Rejected events.
    #[serde(default)]
    pub errors: Vec<Remark>,
    /// Odd ones that are stored.
    #[serde(default)]
    pub warnings: Vec<Remark>,
}

/// A remark about one event.
#[derive(Debug, Deserialize)]
pub struct Remark {
    /// Its place in the batch.
    pub index: usize,
    /// A word.
    pub code: String,
    /// A sentence.
    pub message: String,
}

impl Remark {
    /// The remark as a complaint about a row.
    #[must_use]
    pub fn complaint(self) -> Complaint {
        Complaint { code: self.code, message: self.message }
    }
}

/// Where and as whom things are sent.
#[derive(Debug, Clone)]
pub struct Target {
    /// The client of the address.
    pub client: Client,
    /// The path of ingestion.
    pub path: &'static str,
    /// The write key.
    pub key: String,
    /// The API token, for what only the API takes.
    pub token: Option<String>,
    /// How long to go on trying.
    pub patience: Duration,
    /// Where to say that it takes longer.
    pub progress: Progress,
}

impl Target {
    /// Posts calls and reads what became of each.
    ///
    /// # Errors
    /// When the batch as a whole isn't taken.
    pub async fn post(&self, calls: &[String]) -> Result<Receipt, SendError> {
        let body = format!(r#"{{"batch":[{}]}}"#, calls.join(","));
        let authorization = format!("Basic {}", STANDARD.encode(format!("{}:", self.key)));
        let answer = self.send(Method::POST, self.path, &authorization, body).await?;
        if answer.status == StatusCode::OK {
            return Ok(serde_json::from_slice(&answer.body)?);
        }
        Err(refused("a batch", &answer))
    }

    /// Sets business statuses and reads what became of each. What is sent again under the same key is done once.
    ///
    /// # Errors
    /// When none can be set at all, as with a wrong token.
    pub async fn set_statuses(
        &self,
        changes: &[String],
        fire: bool,
        key: &str,
    ) -> Result<Receipt, SendError> {
        let body = format!(r#"{{"fire":{fire},"changes":[{}]}}"#, changes.join(","));
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let answer = self.send_with(Method::POST, "/v1/companies/statuses", &headers, body).await?;
        match answer.status {
            StatusCode::OK => Ok(serde_json::from_slice(&answer.body)?),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refused("the API token", &answer)),
            _ => Err(refused("a batch", &answer)),
        }
    }

    /// Sets fields of a company that aren't so already: setting one again can do something again, such as planning
    /// whom to ask. Answers a complaint when the API doesn't take them.
    ///
    /// # Errors
    /// When nothing can be set at all, as with a wrong token.
    pub async fn patch(
        &self,
        company: &str,
        fields: &Map<String, Value>,
    ) -> Result<Option<Complaint>, SendError> {
        let Some(token) = &self.token else { return Ok(None) };
        let (path, bearer) = (format!("/v1/companies/{}", path_segment(company)), format!("Bearer {token}"));
        let answer = self.send(Method::GET, &path, &bearer, String::new()).await?;
        if !answer.status.is_success() {
            return not_set(&answer);
        }
        let before: Value = serde_json::from_slice(&answer.body)?;
        let mut new = fields.clone();
        new.retain(|name, value| before.get(name.as_str()) != Some(value));
        if new.is_empty() {
            return Ok(None);
        }
        let answer = self.send(Method::PATCH, &path, &bearer, serde_json::to_string(&new)?).await?;
        if answer.status.is_success() { Ok(None) } else { not_set(&answer) }
    }

    /// Sends until there is an answer that is worth reading: again after a broken connection, 429 and 5xx, as
    /// what is sent says the same however often it arrives.
    async fn send(
        &self,
        method: Method,
        path: &str,
        authorization: &str,
        body: String,
    ) -> Result<Answer, SendError> {
        self.send_with(method, path, &[("authorization", authorization)], body).await
    }

    async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<Answer, SendError> {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let sent = self.client.send(method.clone(), path, &headers, body.clone());
            let (asked, why): (_, Box<dyn std::error::Error + Send + Sync>) =
                match tokio::time::timeout(TIMEOUT, sent).await {
                    Ok(Ok(answer)) if !again(answer.status) => return Ok(answer),
                    Ok(Ok(answer)) => (retry_after(&answer), refused("a request", &answer).into()),
                    Ok(Err(error @ ClientError::Url(_))) => return Err(SendError::Address(error)),
                    Ok(Err(error)) => (None, error.into()),
                    Err(late) => (None, late.into()),
                };
            if began.elapsed() >= self.patience {
                return Err(SendError::GaveUp(self.patience.as_secs(), why));
            }
            self.progress.waiting(&*why);
            tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE / 4);
        }
    }
}

/// A token that is refused is so for every row; anything else is the row's.
fn not_set(answer: &Answer) -> Result<Option<Complaint>, SendError> {
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refused("the API token", answer)),
        _ => Ok(Some(Complaint::new("not_set", detail(answer)))),
    }
}

fn again(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn refused(what: &str, answer: &Answer) -> SendError {
    SendError::Refused { what: what.to_owned(), status: answer.status, detail: detail(answer) }
}

/// What a problem document says, with its parts.
fn detail(answer: &Answer) -> String {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut said = text(problem.get("detail").or_else(|| problem.get("title")));
    for part in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        said.push_str(&format!("; {}: {}", text(part.get("pointer")), text(part.get("detail"))));
    }
    if said.is_empty() { "no reason given".to_owned() } else { said }
}

fn path_segment(id: &str) -> String {
    id.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}
