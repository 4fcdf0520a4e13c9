//! Questions asked of a [`Node`] while a file is read: is it a map, has it only known keys, is it a
//! name. Every wrong answer is told as a problem, and reading goes on.

use std::time::Duration;

use super::super::node::{Entry, Node};
use super::super::report::{Issue, Report};
use super::super::source::{Sources, Span};
use super::super::token::is_name;
use super::super::written::{Written, written};

/// The texts and the report, together as reading needs them.
pub(super) struct Form<'a> {
    pub sources: &'a Sources,
    pub report: &'a mut Report,
}

/// A name and the value given to it.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub name: String,
    pub at: Span,
    pub value: Written,
}

impl Form<'_> {
    /// Says that something else should stand here.
    pub(super) fn expected(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("`{what}` must be {wanted}, this is {}", node.kind());
        self.report
            .add(Issue::error("spec::expected", node.span, "here", message));
    }

    /// The entries of a map; nothing at all counts as an empty map.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match node.map() {
            Some(entries) => entries,
            None if node.is_null() => &[],
            None => {
                self.expected(node, what, "a map");
                &[]
            }
        }
    }

    /// The members of a list.
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match node.list() {
            Some(items) => items,
            None => {
                self.expected(node, what, "a list");
                &[]
            }
        }
    }

    /// Tells the keys that do not exist. `what` is the thing that has the keys: `` `resources` ``.
    pub(super) fn keys(&mut self, entries: &[Entry], known: &[&str], what: &str) {
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown_key(entry, known, what);
            }
        }
    }

    /// Tells one key that does not exist.
    pub(super) fn unknown_key(&mut self, entry: &Entry, known: &[&str], what: &str) {
        let help = self
            .report
            .suggest(&entry.key, "keys", known.iter().copied());
        let message = format!("{what} has no key `{}`", entry.key);
        let issue = Issue::error("spec::unknown_key", entry.at, "unknown key", message);
        self.report.add(issue.help(help));
    }

    /// A value with its references read.
    pub(super) fn written(&mut self, node: &Node) -> Written {
        written(self.sources, self.report, node)
    }

    /// Name → value pairs.
    pub(super) fn givens(&mut self, node: &Node, what: &str) -> Vec<Given> {
        let entries = self.map(node, what);
        let mut givens = Vec::with_capacity(entries.len());
        for entry in entries {
            givens.push(Given {
                name: entry.key.clone(),
                at: entry.at,
                value: self.written(&entry.node),
            });
        }
        givens
    }

    /// A string.
    pub(super) fn string(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.string().map(str::to_owned);
        if text.is_none() {
            self.expected(node, what, "a string");
        }
        text
    }

    /// Strings, with their places.
    pub(super) fn strings(&mut self, node: &Node, what: &str) -> Vec<(String, Span)> {
        let mut strings = Vec::new();
        for item in self.list(node, what) {
            if let Some(text) = self.string(item, what) {
                strings.push((text, item.span));
            }
        }
        strings
    }

    /// A whole number that is not negative.
    pub(super) fn whole(&mut self, node: &Node, what: &str) -> Option<u32> {
        let number = node
            .value()
            .as_u64()
            .and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            self.expected(node, what, "a whole number from 0");
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, node: &Node, what: &str) -> Option<bool> {
        let truth = node.value().as_bool();
        if truth.is_none() {
            self.expected(node, what, "`true` or `false`");
        }
        truth
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = node.text().unwrap_or("");
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let message = format!("`{what}` is one of `{}`", words.join("`, `"));
            let help = self.report.nearest(text, words.iter().copied());
            let help = help.map(|word| format!("did you mean `{word}`?"));
            self.report
                .add(Issue::error("spec::choice", node.span, "unknown word", message).help(help));
        }
        found.map(|(_, value)| *value)
    }

    /// A length of time: `90s`, `10m`, `1h30m`, `2d`.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let duration = node.string().and_then(duration);
        if duration.is_none() {
            let message = format!("`{what}` is a length of time with its unit");
            let issue = Issue::error("spec::duration", node.span, "no length of time", message);
            self.report
                .add(issue.help("as in `90s`, `10m`, `1h30m` or `2d`"));
        }
        duration
    }

    /// Whether a name can be used in references; tells it if not.
    pub(super) fn name(&mut self, name: &str, at: Span, what: &str) -> bool {
        if is_name(name) && !RESERVED.contains(&name) {
            return true;
        }
        let issue = if RESERVED.contains(&name) {
            let message = format!("`{name}` has a meaning of its own in references");
            Issue::error("spec::name", at, "reserved", message)
                .help(format!("give the {what} another name"))
        } else {
            let message = format!("`{name}` is not a name for a {what}");
            Issue::error("spec::name", at, "not a name", message)
                .help("a name is letters, digits and `_`, and does not start with a digit")
        };
        self.report.add(issue);
        false
    }
}

/// Words that start a reference to something that is not a stage.
pub(super) const RESERVED: &[&str] = &[
    "params", "models", "inputs", "carry", "true", "false", "null", "in", "and", "or", "not",
];

fn duration(text: &str) -> Option<Duration> {
    let mut seconds: f64 = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        seconds += number
            * match rest[..units].trim() {
                "ms" => 0.001,
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return None,
            };
        rest = &rest[units..];
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_need_a_unit() {
        assert_eq!(duration("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        for text in ["", "90", "m", "1x", "-1s", "0s", "1h 30"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
