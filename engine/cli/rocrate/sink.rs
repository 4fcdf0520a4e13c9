//! Where the files of a crate go: a new folder, or a new zip archive. A crate that was not finished is
//! removed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::exit::Stopped;

/// The target of a crate.
pub(super) struct Sink {
    out: PathBuf,
    how: How,
    done: bool,
}

enum How {
    Folder,
    Zip(Box<ZipWriter<File>>),
}

impl Sink {
    /// Begins a crate; nothing is overwritten.
    pub(super) fn new(out: &Path) -> Result<Self, Stopped> {
        let zip = out.extension().is_some_and(|extension| extension == "zip");
        let taken = match out.symlink_metadata() {
            Ok(found) if found.is_dir() && !zip => fs::read_dir(out)
                .map_err(|error| wrong(out, &error))?
                .next()
                .is_some(),
            found => found.is_ok(),
        };
        if taken {
            return Err(
                Stopped::wrong(format!("{} is there already", out.display()))
                    .help("name a new folder, or a new file that ends in `.zip`"),
            );
        }
        let how = if zip {
            if let Some(folder) = out.parent() {
                fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
            }
            let file = File::create_new(out).map_err(|error| wrong(out, &error))?;
            How::Zip(Box::new(ZipWriter::new(file)))
        } else {
            fs::create_dir_all(out).map_err(|error| wrong(out, &error))?;
            How::Folder
        };
        Ok(Self {
            out: out.to_path_buf(),
            how,
            done: false,
        })
    }

    /// Writes a file; `fill` gives it its bytes. The path is relative, with `/`.
    pub(super) fn put<T>(
        &mut self,
        path: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<T, Stopped>,
    ) -> Result<T, Stopped> {
        match &mut self.how {
            How::Folder => {
                let target = self.out.join(path);
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
                }
                let mut file = File::create_new(&target).map_err(|error| wrong(&target, &error))?;
                fill(&mut file)
            }
            How::Zip(zip) => {
                // Without times, so that the same run gives the same bytes.
                let options = SimpleFileOptions::default().large_file(true);
                zip.start_file(path, options).map_err(io::Error::from)?;
                fill(zip)
            }
        }
    }

    /// Ends the crate.
    pub(super) fn end(mut self) -> Result<(), Stopped> {
        if let How::Zip(zip) = std::mem::replace(&mut self.how, How::Folder) {
            let file = zip.finish().map_err(io::Error::from)?;
            file.sync_all()?;
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if !self.done {
            // What was begun is no crate; what cannot be removed has no metadata file and is none either.
            let _ = match self.how {
                How::Folder => fs::remove_dir_all(&self.out),
                How::Zip(_) => fs::remove_file(&self.out),
            };
        }
    }
}

fn wrong(path: &Path, error: &io::Error) -> Stopped {
    Stopped::wrong(format!("cannot write {}: {error}", path.display()))
}
