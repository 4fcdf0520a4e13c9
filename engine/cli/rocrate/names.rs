//! The names of a crate's files: in characters that everybody takes, and no two the same.
//!
//! Knows nothing of contents.

use std::collections::BTreeSet;

/// The names that are taken.
#[derive(Default)]
pub(super) struct Names {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Names {
    /// That name, or one like it that no file or folder has and whose folders are no files.
    pub(super) fn take(&mut self, plain: &str, extension: &str) -> String {
        let mut plain = plain.to_owned();
        let under = |plain: &str, files: &BTreeSet<String>| {
            let mut cuts = plain.match_indices('/').map(|(at, _)| at);
            cuts.find(|at| files.contains(&plain[..*at]))
        };
        while let Some(at) = under(&plain, &self.files) {
            plain.replace_range(at..=at, "_");
        }
        let mut name = format!("{plain}{extension}");
        let mut number = 2;
        while self.files.contains(&name) || self.folders.contains(&name) {
            name = format!("{plain}-{number}{extension}");
            number += 1;
        }
        let folders = name.match_indices('/').map(|(at, _)| name[..at].to_owned());
        self.folders.extend(folders);
        self.files.insert(name.clone());
        name
    }

    /// That name for a folder, or one like it, in which names are then taken.
    pub(super) fn take_folder(&mut self, plain: &str) -> String {
        let name = self.take(plain, "");
        self.files.remove(&name);
        self.folders.insert(name.clone());
        name
    }
}

/// A name in characters that every file system, zip reader and URI takes.
pub(super) fn plain(name: &str) -> String {
    let parts = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."));
    let parts: Vec<String> = parts
        .map(|part| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.=,".contains(c);
            let text: String = part
                .chars()
                .map(|c| if plain(c) { c } else { '_' })
                .collect();
            let text: String = text.trim_end_matches('_').chars().take(120).collect();
            match text.is_empty() {
                true => "_".to_owned(),
                false => text,
            }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_become_the_same_stay_apart() {
        let mut names = Names::default();
        let mut take = |name: &str| names.take(&plain(name), ".txt");
        assert_eq!(take("o/a b"), "o/a_b.txt");
        assert_eq!(take("o/a_b"), "o/a_b-2.txt");
        assert_eq!(take("o/ "), "o/_.txt");
        assert_eq!(names.take("o/x", ""), "o/x");
        assert_eq!(names.take("o/x/y", ""), "o/x_y", "`o/x` is a file");
        assert_eq!(names.take("o", ""), "o-2", "`o` is a folder");
        assert_eq!(names.take_folder("d"), "d");
        assert_eq!(names.take("d/x", ""), "d/x");
    }
}
