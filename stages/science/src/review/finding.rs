//! What a check found: passed or not, where, and what would mend it.

use serde::{Deserialize, Serialize};

/// How much a failed check weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// The paper says something that its results do not bear.
    Error,
    /// The paper leaves out something that a reader needs.
    Warning,
}

/// One finding of `review/checks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    /// The name of the check, `claims_supported`.
    pub(crate) check: String,
    pub(crate) passed: bool,
    pub(crate) severity: Severity,
    pub(crate) place: Option<Spot>,
    /// A sentence for people.
    pub(crate) message: String,
    /// What would make the check pass.
    #[serde(default)]
    pub(crate) remedy: Option<String>,
    /// The words of the draft that it is about, verbatim.
    #[serde(default)]
    pub(crate) quote: Option<String>,
    /// The compared results that it is about.
    #[serde(default)]
    pub(crate) rows: Vec<RowName>,
    /// What else it is about: a figure's name, a section.
    #[serde(default)]
    pub(crate) subject: Option<String>,
}

/// A place in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spot {
    pub(crate) section: String,
    /// From 1.
    pub(crate) line: usize,
}

/// A compared result by name: `comparison.by.<place>.<metric>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowName {
    pub(crate) place: String,
    pub(crate) metric: String,
}

impl Finding {
    /// A check that found nothing wrong.
    pub(crate) fn pass(check: &str, message: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            passed: true,
            severity: Severity::Warning,
            place: None,
            message: message.into(),
            remedy: None,
            quote: None,
            rows: Vec::new(),
            subject: None,
        }
    }

    /// Something wrong, with what would mend it.
    pub(crate) fn fail(
        check: &str,
        severity: Severity,
        message: impl Into<String>,
        remedy: &str,
    ) -> Self {
        Self {
            passed: false,
            severity,
            remedy: Some(remedy.to_owned()),
            ..Self::pass(check, message)
        }
    }

    /// The findings of a check: the failures, or one pass if there are none.
    pub(crate) fn or_pass(
        check: &str,
        failures: Vec<Self>,
        passed: impl Into<String>,
    ) -> Vec<Self> {
        if failures.is_empty() {
            vec![Self::pass(check, passed)]
        } else {
            failures
        }
    }
}
