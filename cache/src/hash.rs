//! Reading files for their digests, and copying them while they are read.
//!
//! Knows nothing of the store.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::io as named;
use crate::{Digest, StoreError};

/// Buffer of every read: as fast as mapping the file on one thread (measured), in flat memory.
const BUFFER: usize = 1 << 20;

/// Digest and size of a file, read once from its beginning to its end.
pub(crate) fn hash_file(path: &Path) -> Result<(Digest, u64), StoreError> {
    let mut file = File::open(path).map_err(named("open", path))?;
    let hint = file.metadata().map_err(named("look at", path))?.len();
    // One byte more than the file has lets a single read reach the end of a small one.
    let room = usize::try_from(hint)
        .unwrap_or(BUFFER)
        .saturating_add(1)
        .min(BUFFER);
    let mut buffer = vec![0; room];
    let mut hasher = blake3::Hasher::new();
    let mut size = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(named("read", path)(error)),
        }
    }
    Ok((hasher.finalize().into(), size))
}

/// Copies a file to `to`, which must not exist, and gives the digest of what was copied.
pub(crate) fn copy_hashed(from: &Path, to: &Path, mode: u32) -> Result<Digest, StoreError> {
    let mut source = File::open(from).map_err(named("open", from))?;
    let hint = source.metadata().map_err(named("look at", from))?.len();
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(to)
        .map_err(named("make", to))?;
    let room = usize::try_from(hint)
        .unwrap_or(BUFFER)
        .saturating_add(1)
        .min(BUFFER);
    let mut buffer = vec![0; room];
    let mut hasher = blake3::Hasher::new();
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                target
                    .write_all(&buffer[..count])
                    .map_err(named("write", to))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(named("read", from)(error)),
        }
    }
    Ok(hasher.finalize().into())
}
