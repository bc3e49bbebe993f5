//! A request as a fuzzer can change it.

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// A request in text: a line with path and query, a line for each header, an empty line, the body. Lines end with a line
/// feed alone, and what is no header is left out, so that nearly every input is a request.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// Path and query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a request to one of `paths`; another path becomes the first of them and keeps its query.
    pub fn parse(input: &'a [u8], paths: &[&str]) -> Self {
        let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&input[..end], &input[end + 2..]),
            None => (input, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let given = lines.next().unwrap_or_default();
        let given = Uri::try_from(given).unwrap_or_default();
        let known = paths.contains(&given.path().trim_end_matches('/'));
        let uri = match given.query() {
            _ if known => given,
            None => paths[0].parse().unwrap(),
            Some(query) => format!("{}?{query}", paths[0]).parse().unwrap(),
        };
        let header = |line: &[u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.take(50).filter_map(header) {
            headers.append(name, value);
        }
        Self { uri, headers, body }
    }
}
