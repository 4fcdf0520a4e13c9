//! The texts that the editor has open, over those on the disk, and checks of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kyobashi_engine::spec::{Checked, Editor, FileKind, Files, Keys, Question, check};
use kyobashi_science::Providers;
use lsp_types::Uri;

use crate::settings;
use crate::surroundings::{Disk, Surroundings};
use crate::workspace::Catalogue;

/// Open texts, with what every check needs.
pub(super) struct Open {
    texts: BTreeMap<PathBuf, String>,
    catalogue: Catalogue,
    surroundings: Surroundings,
}

impl Open {
    pub(super) fn new() -> Self {
        Self {
            texts: BTreeMap::new(),
            catalogue: Catalogue::new(Providers::default()),
            surroundings: Surroundings::read(),
        }
    }

    pub(super) fn set(&mut self, uri: &Uri, text: String) {
        if let Some(path) = path(uri) {
            self.texts.insert(path, text);
        }
    }

    pub(super) fn forget(&mut self, uri: &Uri) {
        if let Some(path) = path(uri) {
            self.texts.remove(&path);
        }
    }

    /// The text of an open file.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The open files that say that they are pipelines.
    pub(super) fn pipelines(&self) -> impl Iterator<Item = &Path> {
        let says = |text: &str| text.lines().any(|line| line.starts_with("kyobashi:"));
        let all = self.texts.iter();
        all.filter(move |(_, text)| says(text))
            .map(|(path, _)| path.as_path())
    }

    /// Checks an open file as it stands.
    pub(super) fn check(&self, file: &Path) -> Checked {
        self.ask(file, None, None)
    }

    /// Checks a file with another text in its place, and asks what could stand where `cursor` is written.
    pub(super) fn check_instead(&self, file: &Path, text: &str, cursor: &str) -> Checked {
        self.ask(file, Some(text), Some(cursor))
    }

    fn ask(&self, file: &Path, instead: Option<&str>, cursor: Option<&str>) -> Checked {
        let checked = check(&Question {
            file,
            profile: None,
            values: None,
            set: &[],
            signatures: &self.catalogue.signatures,
            shapes: &self.catalogue.shapes,
            providers: &self.surroundings.providers,
            files: &Texts {
                open: &self.texts,
                instead: instead.map(|text| (file, text)),
            },
            keys: Keys::Wanted,
            pools: &|_| None,
            editor: Some(Editor { cursor }),
        });
        settings::refuse(checked, &self.surroundings)
    }
}

/// Open texts first, then the disk.
struct Texts<'t> {
    open: &'t BTreeMap<PathBuf, String>,
    instead: Option<(&'t Path, &'t str)>,
}

impl Files for Texts<'_> {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        match (self.instead, self.open.get(path)) {
            (Some((file, text)), _) if file == path => Ok(text.to_owned()),
            (_, Some(text)) => Ok(text.clone()),
            _ => Disk.read(path),
        }
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        if self.open.contains_key(path) {
            return Some(FileKind::File);
        }
        Disk.look(path)
    }

    fn list(&self, dir: &Path) -> Vec<String> {
        Disk.list(dir)
    }
}

/// The path of a `file:` address; none of another kind.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    url::Url::parse(uri.as_str()).ok()?.to_file_path().ok()
}

/// The address of a file.
pub(super) fn uri(path: &Path) -> Option<String> {
    let absolute = std::path::absolute(path).ok()?;
    url::Url::from_file_path(absolute).ok().map(Into::into)
}
