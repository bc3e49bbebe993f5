//! Reads a file's rows one by one: whatever delimiter, line ends and quoting it has, from wherever it is to go on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::calls::Complaint;

/// Bytes that are looked at to tell the delimiter and to recognise the file.
const HEAD: usize = 64 * 1024;

/// Longest row, in bytes: a quote that is never closed would otherwise take the rest of the file into memory.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be opened or read.
    #[error("{}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It isn't text, or not as we read it.
    #[error("{}: {why}", path.display())]
    NotText {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// Its rows can't be told apart.
    #[error("{}: near line {line}", path.display())]
    Csv {
        /// Which file.
        path: PathBuf,
        /// Where.
        line: u64,
        /// Why.
        source: csv::Error,
    },
}

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Bytes.
    pub byte: u64,
    /// Lines.
    pub line: u64,
    /// Rows, the header among them, as a spreadsheet numbers them.
    pub row: u64,
}

/// A row with its number.
#[derive(Debug)]
pub struct Numbered {
    /// As a spreadsheet shows it: the header is row 1.
    pub number: u64,
    /// The cells, or why they can't be read.
    pub cells: Result<csv::StringRecord, Complaint>,
    /// The cells as well as they can be shown.
    pub shown: csv::StringRecord,
}

/// A file that is being read.
#[derive(Debug)]
pub struct Rows {
    path: PathBuf,
    reader: csv::Reader<Limited>,
    header: Vec<String>,
    row: u64,
    length: u64,
    fingerprint: String,
}

/// A reader that gives up when it is asked for more than a row may hold.
#[derive(Debug)]
struct Limited {
    file: File,
    left: u64,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let why = format!("a row of more than {LONGEST} bytes; is a quote never closed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let read = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Rows {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it isn't a file of text, or has no header.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let failed = |source| ReadError::File { path: path.to_owned(), source };
        let not_text = |why| ReadError::NotText { path: path.to_owned(), why };
        let mut file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if !about.is_file() {
            return Err(not_text("not a file; to go on after an interruption it must be one"));
        }
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        match head.as_slice() {
            [] => return Err(not_text("the file is empty")),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
                return Err(not_text("it is UTF-16; save it as CSV in UTF-8"));
            }
            [0x1F, 0x8B, ..] | [b'P', b'K', 3, 4, ..] => {
                return Err(not_text("it is compressed, or a spreadsheet; unpack it, or save it as CSV"));
            }
            _ => {}
        }
        let fingerprint = fingerprint(&head, about.len());
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(&head))
            .flexible(true)
            .buffer_capacity(HEAD)
            .from_reader(Limited { file, left: LONGEST });
        let header = reader.byte_headers().map_err(|source| broken(path, 1, source))?;
        let header: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        Ok(Self { path: path.to_owned(), reader, header, row: 1, length: about.len(), fingerprint })
    }

    /// The names of the columns.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Bytes in all.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What the file is recognised by.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How far it is read.
    #[must_use]
    pub fn place(&self) -> Place {
        let at = self.reader.position();
        Place { byte: at.byte(), line: at.line(), row: self.row }
    }

    /// Goes on at `place`.
    ///
    /// # Errors
    /// When the file can't be read there.
    pub fn go_on(&mut self, place: Place) -> Result<(), ReadError> {
        let mut position = csv::Position::new();
        position.set_byte(place.byte).set_line(place.line);
        self.reader.seek(position).map_err(|source| broken(&self.path, place.line, source))?;
        self.row = place.row;
        Ok(())
    }

    /// The next row; nothing at the end.
    ///
    /// # Errors
    /// When the file can't be read on.
    pub fn read(&mut self) -> Result<Option<Numbered>, ReadError> {
        self.reader.get_mut().left = LONGEST;
        let mut record = csv::ByteRecord::new();
        let line = self.reader.position().line();
        let more = self.reader.read_byte_record(&mut record);
        if !more.map_err(|source| broken(&self.path, line, source))? {
            return Ok(None);
        }
        self.row += 1;
        let shown = csv::StringRecord::from_byte_record_lossy(record.clone());
        let too_many = record.iter().skip(self.header.len()).any(|cell| !cell.is_empty());
        let cells = if record.len() < self.header.len() || too_many {
            let (has, wanted) = (record.len(), self.header.len());
            Err(Complaint::new("column_count", format!("the row has {has} columns, the header {wanted}")))
        } else {
            csv::StringRecord::from_byte_record(record)
                .map_err(|_| Complaint::new("not_utf8", "the row is not UTF-8; save the file as UTF-8"))
        };
        Ok(Some(Numbered { number: self.row, cells, shown }))
    }
}

fn broken(path: &Path, line: u64, source: csv::Error) -> ReadError {
    ReadError::Csv { path: path.to_owned(), line, source }
}

fn fingerprint(head: &[u8], length: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(length.to_be_bytes());
    hash.update(head);
    barometer_cloud::bus::hex(hash.finalize().iter().take(16))
}

/// The delimiter that the header holds most of, outside quotes.
fn delimiter(head: &[u8]) -> u8 {
    const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
    let mut counts = [0_usize; 3];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
                    *count += usize::from(*byte == delimiter);
                }
            }
            _ => {}
        }
    }
    // The first of those with the highest count.
    let best = counts.into_iter().zip(DELIMITERS).rev().max_by_key(|(count, _)| *count);
    best.filter(|(count, _)| *count > 0).map_or(b',', |(_, delimiter)| delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &[u8]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("barometer-rows-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn all(rows: &mut Rows) -> Vec<Vec<String>> {
        std::iter::from_fn(|| rows.read().unwrap())
            .map(|row| row.cells.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn delimiters_line_ends_quotes_and_marks_are_told_apart() {
        for (name, content) in [
            ("comma", "a,b\n1,2\n\"x\n,y\",4\n"),
            ("semicolon", "\u{feff}a;b\r\n1;2\r\n\"x\n,y\";4\r\n"),
            ("tab", "\"a\"\tb\n1\t2\n\"x\n,y\"\t4"),
        ] {
            let mut rows = Rows::open(&file(name, content.as_bytes())).unwrap();
            assert_eq!(rows.header(), ["a", "b"], "{name}");
            assert_eq!(all(&mut rows), [["1", "2"], ["x\n,y", "4"]], "{name}");
        }
    }

    #[test]
    fn a_file_is_read_on_from_any_row() {
        let path = file("on", b"a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n3,\"\"\r\n");
        let mut rows = Rows::open(&path).unwrap();
        let mut places = vec![rows.place()];
        while rows.read().unwrap().is_some() {
            places.push(rows.place());
        }
        let whole = all(&mut Rows::open(&path).unwrap());
        for (skipped, place) in places.into_iter().enumerate() {
            let mut rows = Rows::open(&path).unwrap();
            rows.go_on(place).unwrap();
            assert_eq!(all(&mut rows), whole[skipped..]);
            assert_eq!(rows.place().row, 4);
        }
    }

    #[test]
    fn a_row_that_is_no_row_is_told_and_the_next_is_read() {
        let mut rows = Rows::open(&file("odd", b"a,b\n1\n1,2,3\n1,2,\n\xFF,2\n1,2\n")).unwrap();
        let codes: Vec<_> = std::iter::from_fn(|| rows.read().unwrap())
            .map(|row| (row.number, row.cells.map_err(|error| error.code).map(|_| ()).err()))
            .collect();
        let code = |text: &str| Some(text.to_owned());
        assert_eq!(
            codes,
            [
                (2, code("column_count")),
                (3, code("column_count")),
                (4, None),
                (5, code("not_utf8")),
                (6, None)
            ]
        );
    }

    #[test]
    fn what_is_no_text_is_refused_in_words() {
        for (name, content, hint) in [
            ("empty", &b""[..], "empty"),
            ("utf16", b"\xFF\xFEa\0", "UTF-16"),
            ("zip", b"PK\x03\x04....", "compressed"),
        ] {
            let error = Rows::open(&file(name, content)).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_doesnt_take_the_whole_file() {
        let mut content = b"a,b\n1,\"2".to_vec();
        content.resize(20_000_000, b'x');
        let mut rows = Rows::open(&file("quote", &content)).unwrap();
        let error = rows.read().unwrap_err();
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains("quote never closed"), "{why}");
    }
}
