//! Where a program is, by the folders of `PATH`. With its whole path a program is started without a copy
//! of this process; by its bare name with one, and that takes the longer the more memory is in use.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The file that a bare name stands for. None where it stands for nothing, or where only the process
/// that is to be started could tell: its folders may be named from where it starts.
pub(super) fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    if name.contains('/') {
        let whole = Path::new(name);
        return (whole.is_absolute() && runs(whole)).then(|| whole.to_owned());
    }
    for folder in std::env::split_paths(path?) {
        if !folder.is_absolute() {
            return None;
        }
        let file = folder.join(name);
        if runs(&file) {
            return Some(file);
        }
    }
    None
}

fn runs(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
