//! The rules of a stage as written, under the stage or under `defaults:`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::node::{Entry, Node};
use super::super::report::Issue;
use super::super::source::Span;
use super::super::{CachePolicy, MODEL_POOL, OnError};
use super::form::Form;

/// Rules, each absent where nothing is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub on_error: Option<OnError>,
    pub cache: Option<CachePolicy>,
    pub retries: Option<u32>,
    pub timeout: Option<Duration>,
    /// By pool: how much, and where that is written.
    pub resources: BTreeMap<String, (f64, Span)>,
    pub shell: Option<Vec<String>>,
}

/// The keys that [`Rules::take`] knows.
pub(super) const KEYS: &[&str] = &[
    "on_error",
    "cache",
    "retries",
    "timeout",
    "resources",
    "shell",
];

/// Keys of `resources`.
pub(super) const RESOURCES: &[&str] = &["cpu", "gpu", "memory", "pools"];

/// Pools of the machine: what it has of them is not written in a file.
pub(super) const MACHINE: &[&str] = &["cpu", "gpu", "memory", MODEL_POOL];

impl Rules {
    /// Takes in one entry, if it is a rule.
    pub(super) fn take(&mut self, form: &mut Form<'_>, entry: &Entry) -> bool {
        let node = &entry.node;
        match entry.key.as_str() {
            "on_error" => {
                let choices = [("fail", OnError::Fail), ("continue", OnError::Continue)];
                self.on_error = form.choice(node, "on_error", &choices);
            }
            "cache" => {
                let choices = [
                    ("auto", CachePolicy::Auto),
                    ("never", CachePolicy::Never),
                    ("frozen", CachePolicy::Frozen),
                ];
                self.cache = form.choice(node, "cache", &choices);
            }
            "retries" => self.retries = form.whole(node, "retries"),
            "timeout" => self.timeout = form.duration(node, "timeout"),
            "resources" => self.resources = resources(form, node),
            "shell" => self.shell = shell(form, node),
            _ => return false,
        }
        true
    }

    /// These rules where they say something, else those of `base`.
    pub(super) fn over(self, base: &Self) -> Self {
        let mut resources = base.resources.clone();
        resources.extend(self.resources);
        Self {
            on_error: self.on_error.or(base.on_error),
            cache: self.cache.or(base.cache),
            retries: self.retries.or(base.retries),
            timeout: self.timeout.or(base.timeout),
            resources,
            shell: self.shell.or_else(|| base.shell.clone()),
        }
    }
}

fn resources(form: &mut Form<'_>, node: &Node) -> BTreeMap<String, (f64, Span)> {
    let mut found = BTreeMap::new();
    for entry in form.map(node, "resources") {
        let amount = match entry.key.as_str() {
            "cpu" => amount(form, entry),
            "gpu" => whole(form, entry),
            "memory" => memory(form, &entry.node),
            "pools" => {
                for pool in form.map(&entry.node, "pools") {
                    if MACHINE.contains(&pool.key.as_str()) {
                        own_name(form, pool);
                    } else if let Some(amount) = amount(form, pool) {
                        found.insert(pool.key.clone(), (amount, marked(pool)));
                    }
                }
                None
            }
            _ => {
                form.unknown_key(entry, RESOURCES, "`resources`");
                None
            }
        };
        found.extend(amount.map(|amount| (entry.key.clone(), (amount, marked(entry)))));
    }
    found
}

/// A line with its key, `gpu: 2`.
fn marked(entry: &Entry) -> Span {
    let (at, value) = (entry.at, entry.node.span);
    if at.file == value.file && at.start <= value.start {
        Span::new(at.file, at.start as usize, value.end as usize)
    } else {
        at
    }
}

/// A pool of the user's own has the name of one of the machine's.
pub(super) fn own_name(form: &mut Form<'_>, pool: &Entry) {
    let message = format!("`{}` is a pool of the machine", pool.key);
    let issue = Issue::error("pool::machine", pool.at, "not a name for a pool", message);
    let help = match pool.key.as_str() {
        "memory" => "write `memory:` beside `pools:`, and its size here as `--pool memory=64GiB`",
        "gpu" => "write `gpu:` beside `pools:`, and how many there are as `--pool gpu=2`",
        _ => "write `cpu:` beside `pools:`, and how many there are as `--jobs 8`",
    };
    form.report.add(issue.help(help));
}

/// A graphics processor is handed out by its name, so it is not divided.
fn whole(form: &mut Form<'_>, entry: &Entry) -> Option<f64> {
    let amount = amount(form, entry)?;
    if amount.fract() != 0.0 {
        form.expected(&entry.node, &entry.key, "a whole number");
        return None;
    }
    Some(amount)
}

fn amount(form: &mut Form<'_>, entry: &Entry) -> Option<f64> {
    let amount = entry.node.value().as_f64().filter(|amount| *amount >= 0.0);
    if amount.is_none() {
        form.expected(&entry.node, &entry.key, "a number from 0");
    }
    amount
}

/// Bytes: `4GiB`, `512MiB`, `2GB`, or a plain number.
fn memory(form: &mut Form<'_>, node: &Node) -> Option<f64> {
    let bytes = match node.value().as_f64() {
        Some(bytes) => Some(bytes),
        None => node.string().and_then(size),
    };
    let bytes = bytes.filter(|bytes| *bytes > 0.0 && bytes.is_finite());
    if bytes.is_none() {
        let issue = Issue::error(
            "spec::size",
            node.span,
            "no size",
            "`memory` is a size with its unit",
        );
        form.report.add(issue.help("as in `512MiB` or `4GiB`"));
    }
    bytes
}

/// Bytes, from a number with its unit: `4GiB`, `512MiB`, `2GB`.
#[must_use]
pub fn size(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number * factor)
}

fn shell(form: &mut Form<'_>, node: &Node) -> Option<Vec<String>> {
    let words: Vec<String> = match node.string() {
        Some(text) => text.split_whitespace().map(str::to_owned).collect(),
        None => form
            .strings(node, "shell")
            .into_iter()
            .map(|(word, _)| word)
            .collect(),
    };
    if words.is_empty() {
        form.expected(
            node,
            "shell",
            "a program and its arguments, as in `bash -eu -c`",
        );
        return None;
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_decimal_and_binary_units_apart() {
        assert_eq!(size("4GiB"), Some(4.0 * 1024.0 * 1024.0 * 1024.0));
        assert_eq!(size("2 GB"), Some(2e9));
        assert_eq!(size("4G"), None);
        assert_eq!(size("GiB"), None);
    }
}
