//! Files of our own that spare the next command work: written as a whole or not at all, believed only with
//! their digest. They may be deleted at any time. It does not know what stands in them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// So many are kept in one folder.
const MOST: usize = 8;

/// A file that is being written. What is written is gone from memory.
pub(crate) struct Writing {
    file: File,
    hasher: blake3::Hasher,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Keeps what `fill` writes, with its digest, and the newest of what else is kept in that folder.
///
/// # Errors
/// Where the folder cannot be written; what was kept before may be gone then.
pub(crate) fn keep(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<Writing>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let temp = path.with_extension(std::process::id().to_string());
    let written = write(&temp, fill);
    // Some file systems wait for the disk where one file takes the place of another.
    let _ = std::fs::remove_file(path);
    let renamed = written.and_then(|()| std::fs::rename(&temp, path));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&temp);
    }
    renamed?;
    thin(folder)
}

fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<Writing>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let writing = Writing {
        file: File::create(path)?,
        hasher: blake3::Hasher::new(),
    };
    // Gathered before it is hashed, which many small pieces would slow down.
    let mut to = BufWriter::with_capacity(1 << 16, writing);
    fill(&mut to)?;
    let Writing { mut file, hasher } = to
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.write_all(hasher.finalize().as_bytes())
}

/// What [`keep`] kept, if it is whole.
pub(crate) fn whole(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(path).ok()?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if blake3::hash(body).as_bytes() != sum {
        return None;
    }
    bytes.truncate(bytes.len() - 32);
    Some(bytes)
}

/// Writes a value that others follow.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn put(to: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// What [`put`] wrote, and what follows it.
pub(crate) fn apart<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter();
    let value = values.next()?.ok()?;
    let rest = bytes.get(values.byte_offset()..)?;
    Some((value, rest.strip_prefix(b"\n")?))
}

/// Removes the oldest of what is kept.
fn thin(folder: &Path) -> std::io::Result<()> {
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        kept.push((entry.metadata()?.modified()?, entry.path()));
    }
    kept.sort();
    let old = kept.len().saturating_sub(MOST);
    for (_, path) in kept.into_iter().take(old) {
        std::fs::remove_file(path)?;
    }
    Ok(())
}
