//! A mail server that speaks as much SMTP as the home does, answers as it is told and keeps what it got.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How the server answers from now on.
#[derive(Clone, Copy)]
pub enum Answer {
    /// It takes every mail.
    Takes,
    /// It says this to every recipient.
    Says(&'static str),
    /// It takes a mail and never says so.
    FallsSilent,
}

/// A mail as it came over the line, without SMTP's dot-stuffing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub message: Vec<u8>,
}

struct Inner {
    answer: Answer,
    attempts: usize,
    received: Vec<Received>,
}

/// A server on a free port of this machine.
pub struct MailServer {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl MailServer {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner { answer, attempts: 0, received: Vec::new() }));
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let inner = shared.clone();
                // A client that breaks off ends its thread.
                std::thread::spawn(move || talk(&stream.unwrap(), &inner));
            }
        });
        Self { url, inner }
    }

    pub fn answer(&self, answer: Answer) {
        self.inner.lock().unwrap().answer = answer;
    }

    /// How often a recipient was named.
    pub fn attempts(&self) -> usize {
        self.inner.lock().unwrap().attempts
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.lock().unwrap().received.clone()
    }
}

fn talk(mut stream: &TcpStream, inner: &Mutex<Inner>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut mail = Received { from: String::new(), to: Vec::new(), message: Vec::new() };
    stream.write_all(b"220 mail.example.com\r\n").ok()?;
    loop {
        let command = String::from_utf8(line(&mut lines)?).unwrap();
        let address = || command.split(['<', '>']).nth(1).unwrap().to_owned();
        let answer = match command.split([' ', '\r']).next().unwrap() {
            "EHLO" | "NOOP" | "RSET" => "250 fine",
            "MAIL" => {
                mail = Received { from: address(), to: Vec::new(), message: Vec::new() };
                "250 fine"
            }
            "RCPT" => {
                let mut inner = inner.lock().unwrap();
                inner.attempts += 1;
                mail.to.push(address());
                if let Answer::Says(words) = inner.answer { words } else { "250 fine" }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").ok()?;
                mail.message = message(&mut lines)?;
                let mut inner = inner.lock().unwrap();
                inner.received.push(mail.clone());
                if matches!(inner.answer, Answer::FallsSilent) {
                    drop(inner);
                    line(&mut lines)?;
                }
                "250 2.0.0 kept"
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").ok(),
            _ => "502 unknown",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
    }
}

/// RFC 5321, 4.5.2: a line with one dot is the end; of others that begin with a dot that dot is taken away.
fn message(lines: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = line(lines)?;
        if line == b".\r\n" {
            return Some(message);
        }
        message.extend(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn line(lines: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = lines.read_until(b'\n', &mut line).ok()?;
    (read > 0).then_some(line)
}
