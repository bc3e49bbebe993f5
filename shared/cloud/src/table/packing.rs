//! Content that is kept compressed.

use std::io::Read;

use super::StoreError;

/// Compression level: 3 is zstd's default; higher levels cost time and save little on a few kilobytes.
const LEVEL: i32 = 3;

/// Most bytes that a pack may unpack to.
const MAX_UNPACKED: u64 = 64 * 1024 * 1024;

/// Compresses content.
pub fn pack(content: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(content, LEVEL).map_err(StoreError::Pack)
}

/// Takes as much memory as the content needs; the limit is for what isn't a pack of ours.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut content = Vec::new();
    let reader = zstd::stream::read::Decoder::new(packed).map_err(StoreError::Pack)?;
    reader.take(MAX_UNPACKED + 1).read_to_end(&mut content).map_err(StoreError::Pack)?;
    if content.len() as u64 > MAX_UNPACKED {
        return Err(StoreError::Pack(std::io::ErrorKind::FileTooLarge.into()));
    }
    Ok(content)
}
