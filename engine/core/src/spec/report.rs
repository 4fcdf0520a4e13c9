//! Collects what is wrong: each problem once, sorted by place, never more than anybody would read.
//! It does not know the rules that were broken.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet};

use super::source::{Sources, Span};
use super::{Label, Problem, Severity};

/// Problems kept; more are only counted. The screen shows 20.
const MOST: usize = 500;

/// Words compared for "did you mean" in one check: a spec of 10,000 stages with 1,000 mistakes must
/// not become a hundred million comparisons.
const COMPARISONS: usize = 200_000;

/// A list of what there is helps up to this length.
const MOST_NAMES: usize = 24;

/// A problem under construction.
pub(super) struct Issue {
    code: &'static str,
    severity: Severity,
    message: String,
    labels: Vec<(Span, String)>,
    help: Option<String>,
}

impl Issue {
    /// An error whose header points at `span`.
    pub(super) fn error(
        code: &'static str,
        span: Span,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![(span, label.into())],
            help: None,
        }
    }

    /// A warning whose header points at `span`.
    pub(super) fn warning(
        code: &'static str,
        span: Span,
        label: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, label, message)
        }
    }

    /// Marks another piece.
    pub(super) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// Says what to do.
    pub(super) fn help(mut self, help: impl Into<Help>) -> Self {
        self.help = help.into().0;
        self
    }
}

/// What to do about a problem, if that is known.
pub(super) struct Help(Option<String>);

impl From<Option<String>> for Help {
    fn from(help: Option<String>) -> Self {
        Self(help)
    }
}

impl From<String> for Help {
    fn from(help: String) -> Self {
        Self(Some(help))
    }
}

impl From<&str> for Help {
    fn from(help: &str) -> Self {
        Self(Some(help.to_owned()))
    }
}

/// The problems of one check.
#[derive(Default)]
pub(super) struct Report {
    issues: Vec<Issue>,
    seen: HashSet<(&'static str, Span, String)>,
    dropped: usize,
    errors: usize,
    compared: Cell<usize>,
    /// The word at an editor's cursor.
    cursor: Option<String>,
    /// What could stand there.
    candidates: RefCell<BTreeSet<String>>,
}

impl Report {
    /// A report that also collects what a word could have been.
    pub(super) fn at_cursor(cursor: Option<&str>) -> Self {
        Self {
            cursor: cursor.map(str::to_owned),
            ..Self::default()
        }
    }

    /// The names that could stand at the cursor.
    pub(super) fn candidates(&self) -> Vec<String> {
        self.candidates.borrow().iter().cloned().collect()
    }

    /// Takes in a problem, unless it was told before.
    pub(super) fn add(&mut self, issue: Issue) {
        if self.is_full() {
            self.errors += usize::from(issue.severity == Severity::Error);
            self.dropped += 1;
            return;
        }
        let key = (issue.code, issue.labels[0].0, issue.message.clone());
        if !self.seen.insert(key) {
            return;
        }
        if issue.severity == Severity::Error {
            self.errors += 1;
        }
        self.issues.push(issue);
    }

    /// Whether further problems are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.issues.len() >= MOST
    }

    /// Whether any error was told.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The candidate that `word` was most likely meant to be.
    pub(super) fn nearest<'c>(
        &self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        if self.cursor.as_deref() == Some(word) {
            let names = candidates.into_iter().map(str::to_owned);
            self.candidates.borrow_mut().extend(names);
            return None;
        }
        let length = word.chars().count();
        if length > 64 || self.is_full() {
            return None;
        }
        // One letter is as near to every other letter, so short words must agree but for their case.
        let allowed = length / 3;
        let mut best: Option<(usize, &str)> = None;
        for candidate in candidates {
            if self.compared.get() >= COMPARISONS {
                break;
            }
            self.compared.set(self.compared.get() + 1);
            if candidate.len().abs_diff(word.len()) > 4 * allowed.max(1) {
                continue;
            }
            let same = word.eq_ignore_ascii_case(candidate);
            let distance = if same {
                0
            } else {
                strsim::osa_distance(word, candidate)
            };
            let found = (distance, candidate);
            if found.0 <= allowed && best.is_none_or(|best| found < best) {
                best = Some(found);
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// `did you mean `x`?`, or a list of what there is where that is short.
    pub(super) fn suggest<'c>(
        &self,
        word: &str,
        what: &str,
        candidates: impl IntoIterator<Item = &'c str> + Clone,
    ) -> Option<String> {
        if let Some(name) = self.nearest(word, candidates.clone()) {
            return Some(format!("did you mean `{name}`?"));
        }
        let mut names: Vec<&str> = candidates.into_iter().take(MOST_NAMES + 1).collect();
        if names.is_empty() || names.len() > MOST_NAMES || self.is_full() {
            return None;
        }
        names.sort_unstable();
        Some(format!("{what}: `{}`", names.join("`, `")))
    }

    /// All problems, with places, sorted.
    pub(super) fn finish(self, sources: &Sources) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self
            .issues
            .into_iter()
            .map(|issue| place(issue, sources))
            .collect();
        let key = |problem: &Problem| {
            let label = &problem.labels[0];
            (label.place.file.clone(), label.place.line, label.place.col)
        };
        problems.sort_by_cached_key(|problem| (key(problem), problem.code));
        if let (Some(last), true) = (problems.last(), self.dropped > 0) {
            let labels = last.labels.clone();
            problems.push(Problem {
                code: "limit::problems",
                severity: Severity::Error,
                message: format!("{} more problems are not shown", self.dropped),
                labels,
                help: Some("mend the first ones, then check again".to_owned()),
            });
        }
        problems
    }
}

fn place(issue: Issue, sources: &Sources) -> Problem {
    let label = |(span, text): (Span, String)| {
        let span = sources.first_line(span);
        Label {
            place: sources.place(span),
            start: span.start as usize,
            end: span.end as usize,
            text,
        }
    };
    Problem {
        code: issue.code,
        severity: issue.severity,
        message: issue.message,
        labels: issue.labels.into_iter().map(label).collect(),
        help: issue.help,
    }
}
