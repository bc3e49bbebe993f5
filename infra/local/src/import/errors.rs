//! The file of rows that weren't imported, or not whole: each as it stands in the input, with its number and why.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::calls::Complaint;

/// The error file. It is made with the first complaint.
#[derive(Debug)]
pub struct ErrorFile {
    path: PathBuf,
    header: Vec<String>,
    written: u64,
}

impl ErrorFile {
    /// Goes on after `written` bytes, which are those of batches that were acknowledged; what stands after them
    /// is written again with their batch.
    ///
    /// # Errors
    /// When the file can't be cut or removed.
    pub fn open(path: PathBuf, header: &[String], written: u64) -> io::Result<Self> {
        let length = path.metadata().map_or(0, |found| found.len());
        // A file that somebody took away meanwhile is begun again.
        let written = if length < written { 0 } else { written };
        if length > 0 && written == 0 {
            std::fs::remove_file(&path)?;
        } else if length > written {
            OpenOptions::new().write(true).open(&path)?.set_len(written)?;
        }
        let mut columns = vec!["row".to_owned()];
        columns.extend(header.iter().filter(|name| !super::columns::is_ours(name)).cloned());
        columns.extend(["code", "message"].map(str::to_owned));
        Ok(Self { path, header: columns, written })
    }

    /// Adds a row: its number as a spreadsheet shows it, its cells, and why it is here.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn add(&mut self, lines: &[(u64, Vec<&str>, &Complaint)]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        if self.written == 0 {
            writer.write_record(&self.header)?;
        }
        for (row, cells, complaint) in lines {
            let number = row.to_string();
            let cells = std::iter::once(number.as_str()).chain(cells.iter().copied());
            writer.write_record(cells.chain([complaint.code.as_str(), complaint.message.as_str()]))?;
        }
        let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        let mut file: File = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}
