//! The function's real binary under a Lambda Runtime API: one event at a time, as on AWS.

use std::error::Error;
use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::http;
use crate::workload::{Post, SENT_AT, WRITE_KEY};

/// A running function.
pub struct Function {
    process: Child,
    events: Sender<String>,
    answers: Receiver<Value>,
    /// How often it was told to come back later.
    pub refusals: u64,
}

/// What a function on AWS has in its environment, with the store at `endpoint`.
pub fn environment(command: &mut Command, endpoint: &str, table: &str) {
    command
        .env("AWS_ENDPOINT_URL", format!("http://{endpoint}"))
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "EXAMPLE")
        .env("BAROMETER_TABLE", table)
        .env("BAROMETER_BUS", "barometer")
        .env("BAROMETER_ORIGIN", "https://barometer.example")
        .env("RUST_LOG", "warn");
}

impl Function {
    /// Starts `binary` with the store at `endpoint` (host and port).
    pub fn start(binary: &Path, endpoint: &str, table: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (events, waiting) = channel();
        let (answered, answers) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (waiting, answered) = (waiting.clone(), answered.clone());
                std::thread::spawn(move || serve(stream, &waiting, &answered));
            }
        });
        let mut command = Command::new(binary);
        command.env_clear();
        environment(&mut command, endpoint, table);
        let process = command
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "barometer-ingest-events")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("TZ", ":UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { process, events, answers, refusals: 0 })
    }

    /// Posts a request and waits until all its events are accepted.
    pub fn post(&mut self, post: &Post) -> Result<(), Box<dyn Error>> {
        loop {
            let sent_at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
            self.events.send(event(post, &post.body.replace(SENT_AT, &sent_at)).to_string())?;
            let answer = self.answers.recv_timeout(Duration::from_secs(30))?;
            let status = answer.get("statusCode").and_then(Value::as_u64).unwrap_or_default();
            let body: Value = answer
                .get("body")
                .and_then(Value::as_str)
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            match status {
                200 if body.get("accepted").and_then(Value::as_u64) == Some(post.events as u64) => {
                    return Ok(());
                }
                429 | 503 => {
                    self.refusals += 1;
                    let headers = answer.get("headers").and_then(|headers| headers.get("retry-after"));
                    let wait =
                        headers.and_then(Value::as_str).and_then(|wait| wait.parse().ok()).unwrap_or(1);
                    std::thread::sleep(Duration::from_secs(wait));
                }
                _ => return Err(format!("the function answered {answer}").into()),
            }
        }
    }

    /// The most memory that the process ever held, in bytes.
    pub fn peak_memory(&self) -> io::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes * 1_024).ok_or_else(|| io::Error::other("no VmHWM"))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The event of an HTTP API, payload version 2.
fn event(post: &Post, body: &str) -> Value {
    let kind = if post.path == "/v1/batch" { "application/json" } else { "text/plain" };
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": post.path, "rawQueryString": "",
        "headers": {
            "accept": "*/*", "content-type": kind, "content-length": body.len().to_string(),
            "authorization": format!("Basic {}", base64(format!("{WRITE_KEY}:").as_bytes())),
            "host": "example.execute-api.eu-central-1.amazonaws.com", "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443", "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "example",
            "domainName": "example.execute-api.eu-central-1.amazonaws.com", "domainPrefix": "example",
            "http": {
                "method": "POST", "path": post.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7",
                "userAgent": "load",
            },
            "requestId": "FwQ201zgliAEMfA=", "routeKey": "$default", "stage": "$default",
            "time": "02/Sep/2026:09:30:00 +0000", "timeEpoch": 1_788_341_400_000_u64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = char::from(ALPHABET[bits >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn serve(stream: TcpStream, waiting: &Mutex<Receiver<String>>, answered: &Sender<Value>) {
    stream.set_nodelay(true).ok();
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = http::read(&mut reader) {
        let (method, path) = request.target();
        let written = match (method, path.rsplit('/').next().unwrap_or_default()) {
            ("GET", "next") => {
                let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let Ok(event) = waiting.recv() else { return };
                drop(waiting);
                let deadline = SystemTime::now() + Duration::from_secs(20);
                let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                let arn = "arn:aws:lambda:eu-central-1:123456789012:function:barometer";
                let headers = [
                    header("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000001"),
                    header("lambda-runtime-deadline-ms", &deadline.to_string()),
                    header("lambda-runtime-invoked-function-arn", arn),
                    header("lambda-runtime-trace-id", "Root=1-6a97a8c0-0123456789abcdef01234567"),
                    header("content-type", "application/json"),
                ];
                http::write(reader.get_mut(), "HTTP/1.1 200 OK", &headers, event.as_bytes())
            }
            ("POST", _) => {
                let answer = serde_json::from_slice(&request.body);
                answered.send(answer.unwrap_or_else(|_| json!(String::from_utf8_lossy(&request.body)))).ok();
                http::write(reader.get_mut(), "HTTP/1.1 202 Accepted", &[], b"{}")
            }
            _ => http::write(reader.get_mut(), "HTTP/1.1 404 Not Found", &[], b""),
        };
        if written.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn writes_base64() {
        for (text, base64) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("abcd", "YWJjZA==")]
        {
            assert_eq!(super::base64(text.as_bytes()), base64);
        }
    }
}
