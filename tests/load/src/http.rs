//! As much of HTTP/1.1 as the three programs on this machine speak with each other: bodies with a length or in
//! chunks, connections that stay open.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

#[derive(Debug, Default)]
pub struct Message {
    /// The first line.
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// Method and path of a request.
    pub fn target(&self) -> (&str, &str) {
        let mut words = self.start.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn whole(reader: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// The next message; nothing when the other side has closed.
pub fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Message>> {
    let Some(start) = line(reader)? else { return Ok(None) };
    let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut message = Message { start, ..Message::default() };
    loop {
        let header = line(reader)?.ok_or_else(ended)?;
        let Some((name, value)) = header.split_once(':') else { break };
        message.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if let Some(length) = message.header("content-length") {
        let length = length.parse().map_err(io::Error::other)?;
        message.body = whole(reader, length)?;
    } else if message.header("transfer-encoding").is_some() {
        loop {
            let size = line(reader)?.ok_or_else(ended)?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
            let size = size.map_err(io::Error::other)?;
            message.body.extend(whole(reader, size)?);
            line(reader)?;
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(message))
}

/// Writes a message with its own length; headers about the body's form are left out.
pub fn write(
    stream: &mut TcpStream,
    start: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut bytes = format!("{start}\r\n").into_bytes();
    for (name, value) in headers {
        let form = ["content-length", "transfer-encoding", "connection", "host", "expect"];
        if !form.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    bytes.extend_from_slice(format!("host: 127.0.0.1\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)
}

/// A connection to a server on this machine.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub fn call(&mut self, start: &str, headers: &[(String, String)], body: &[u8]) -> io::Result<Message> {
        write(self.0.get_mut(), start, headers, body)?;
        read(&mut self.0)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
