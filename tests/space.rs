//! A workspace of its own for a test, and the real binary in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with pipelines, and a store of its own.
pub(crate) struct Space {
    dir: TempDir,
    environment: Vec<(String, String)>,
}

/// What one command did.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Space {
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            environment: Vec::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file; folders are made.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Copies a folder of the repository.
    pub(crate) fn copy(&self, from: &str, to: &str) -> &Self {
        copy(&home().join(from), &self.path(to));
        self
    }

    /// Sets a variable for every later command.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command, ready to be started. Nothing of the surroundings' keys reaches it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kyo"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1");
        for name in [
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "KYO_STORE",
            "KYO_LOG",
            "CUDA_VISIBLE_DEVICES",
        ] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs `kyo` to its end.
    pub(crate) fn kyo(&self, arguments: &[&str]) -> Done {
        Done::from(self.command(arguments).output().unwrap())
    }

    /// `kyo run FILE --json …`, which must end well.
    pub(crate) fn run(&self, file: &str, more: &[&str]) -> Done {
        let done = self.kyo(&[&["run", file, "--json"], more].concat());
        assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
        done
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    /// The events of `--json`.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The addresses of stage runs that ended so: `ran`, `reused`, `failed`, `skipped`; sorted.
    pub(crate) fn ended(&self, state: &str) -> Vec<String> {
        let mut addresses: Vec<String> = self
            .nodes()
            .filter(|event| event["state"] == state)
            .map(|event| event["address"].as_str().unwrap().to_owned())
            .collect();
        addresses.sort();
        addresses
    }

    /// How many runs of each stage type ended so.
    pub(crate) fn count(&self, state: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in self.nodes().filter(|event| event["state"] == state) {
            *counts
                .entry(event["uses"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        counts
    }

    /// The last event.
    pub(crate) fn totals(&self) -> Value {
        let last = self.events().pop().unwrap();
        assert_eq!(last["event"], "run_finished");
        last
    }

    fn nodes(&self) -> impl Iterator<Item = Value> {
        self.events()
            .into_iter()
            .filter(|event| event["event"] == "node_finished")
    }
}

/// The repository.
pub(crate) fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The store of whoever has run something here, as the README's first command does.
        if entry.file_name() == ".kyobashi" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
