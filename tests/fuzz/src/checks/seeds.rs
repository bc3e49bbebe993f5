//! Where the fuzzers begin: the recorded requests of the official clients, and what is known to be odd.

use std::{env, fs, io::Read, path::Path};

use flate2::read::MultiGzDecoder;

use super::Target;

/// Writes the seeds into the folder that the environment names in `SEEDS`. Does nothing without it.
pub fn write(target: Target) {
    let Some(folder) = env::var_os("SEEDS") else { return };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    for (index, seed) in of(target, &fixtures).iter().enumerate() {
        fs::write(Path::new(&folder).join(format!("seed-{index:03}")), seed).expect("a seed is written");
    }
}

/// The seeds of a fuzzer, from the repository's fixtures.
pub fn of(target: Target, fixtures: &Path) -> Vec<Vec<u8>> {
    match target {
        Target::Time => TIMES.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        Target::Key => KEYS.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        Target::Body => {
            let recorded = recorded(fixtures);
            let bodies = recorded.iter().map(|request| &request.body);
            let bodies = bodies
                .chain(&recorded.iter().map(|request| unpacked(&request.body)).collect::<Vec<_>>())
                .cloned()
                .collect::<Vec<_>>();
            let odd = ODD.iter().map(|odd| odd.to_vec());
            bodies
                .into_iter()
                .chain(odd)
                .enumerate()
                .map(|(around, body)| [vec![(around * 8 + around % 8) as u8], body].concat())
                .collect()
        }
        Target::Segment | Target::Jitsu | Target::PostHog | Target::CloudEvents => {
            let paths = target.paths();
            let mut seeds: Vec<Vec<u8>> = recorded(fixtures)
                .into_iter()
                .filter(|request| {
                    paths.contains(&request.path.split('?').next().unwrap_or_default().trim_end_matches('/'))
                })
                .map(|request| request.message())
                .collect();
            if target == Target::Segment {
                seeds.extend(published(fixtures));
            }
            for odd in ODD {
                seeds.push([format!("{}\nx-write-key: wk\n\n", paths[0]).as_bytes(), odd].concat());
            }
            seeds
        }
    }
}

struct Recorded {
    path: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Recorded {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let path = lines.next()?.strip_prefix("POST ")?.split(' ').next()?.to_owned();
        const MATTER: [&str; 4] = ["authorization", "x-write-key", "content-type", "content-encoding"];
        let headers = lines.filter(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            MATTER.contains(&name.as_str()) || name.starts_with("ce-")
        });
        let headers = headers.map(str::to_owned).collect();
        Some(Self { path, headers, body: bytes[end + 4..].to_vec() })
    }

    /// As a fuzzer's input, not compressed: no change to compressed bytes would survive the checksum.
    fn message(&self) -> Vec<u8> {
        let mut head = vec![self.path.clone()];
        head.extend(self.headers.iter().cloned());
        [format!("{}\n\n", head.join("\n")).into_bytes(), unpacked(&self.body)].concat()
    }
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match MultiGzDecoder::new(body).read_to_end(&mut plain) {
        Ok(_) => plain,
        Err(_) => body.to_vec(),
    }
}

fn recorded(fixtures: &Path) -> Vec<Recorded> {
    let mut files = Vec::new();
    for client in entries(&fixtures.join("clients")) {
        files.extend(
            entries(&client).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "http")),
        );
    }
    files.iter().filter_map(|file| Recorded::parse(&fs::read(file).ok()?)).collect()
}

fn published(fixtures: &Path) -> Vec<Vec<u8>> {
    let files = entries(&fixtures.join("published/segment-spec"));
    let examples = files.into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "json"));
    examples
        .filter_map(|file| fs::read(file).ok())
        .map(|example| [b"/v1/batch\nx-write-key: wk\n\n", example.as_slice()].concat())
        .collect()
}

/// What a folder holds, in order; nothing when there is no such folder.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

/// Bodies that real clients send although they are no JSON, and some that nobody should.
const ODD: &[&[u8]] = &[
    br#"{"batch":[{"type":"track","event":"a","userId":"u","properties":{"x":NaN,"y":-Infinity}}]}"#,
    br#"{"batch":[{"type":"track","event":"cut \ud83d","userId":"u"}],"sentAt":"2026-01-15T10:00:00.000Z"}"#,
    b"\xEF\xBB\xBF{\"type\":\"page\",\"userId\":\"Jan\xE9\",\"anonymousId\":7}",
    b"data=%7B%22type%22%3A%22page%22%2C%22userId%22%3A%22u%22%7D",
    b"data=eyJ0eXBlIjoicGFnZSIsInVzZXJJZCI6InUifQ",
    br#"[{"type":"group","groupId":1e3,"traits":{"created_at":1768471200,"name":"A","plan":null}},7,[],{}]"#,
    br#"{"type":"identify","userId":"a","userId":42.0,"traits":{"company":{"id":"c"},"email":"a@b"},"timestamp":"x"}"#,
    br#"{"type":"alias","userId":"a","previousId":"b","timestamp":-1,"context":{"context":{"library":{"name":"x"}}}}"#,
    br#"{"api_key":"k","batch":[{"event":"$identify","distinct_id":"u","properties":{"$set":{"email":"a@b"},"$groups":{"company":"c"},"$anon_distinct_id":"x"},"uuid":"1"}]}"#,
    br#"{"api_key":"k","event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"company","$group_key":"c","$group_set":{"name":"n"}}}"#,
    br#"{"id":"1","source":"/s","specversion":"1.0","type":"x.signed_in","subject":"u","companyid":"c","data_base64":"e30="}"#,
    br#"[[[[[[[[[[[[[[[[{"a":[[{"b":[]}]]}]]]]]]]]]]]]]]]]"#,
];

const TIMES: &[&str] = &[
    "2026-01-15T10:00:00.123456789Z\n2026-01-15T10:00:00Z",
    "2026-01-15 10:00:00,5 +02:30\n1768471200000",
    "1768471200.5\n-1",
    "2026-06-30T23:59:60-0800\n0",
    "9999-12-31T23:59:59Z\n0000-01-01",
];

const KEYS: &[&str] = &[
    "/v1/batch?writeKey=f%6Fur&a=b\nauthorization: Basic b25lOg==",
    "/v1/batch\nauthorization: bearer two\nx-write-key: three:secret",
    "/v1/batch?writeKey=\nAuthorization: Basic Og==\nauthorization: Basic b25l",
];
