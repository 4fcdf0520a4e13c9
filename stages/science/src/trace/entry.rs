//! What is found of one number of a paper.

use serde::Serialize;

use super::results::Value;

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    /// A measured value.
    Result,
    /// Computed from measured values: a change, a ratio, a mean.
    Derived,
    /// A setting of the experiments.
    Configuration,
    /// The number of a figure, a run, a list item.
    Structural,
    Year,
    /// Part of a name: `GPT-4`, `2D`, `PyTorch 1.9`.
    Name,
    /// `95 % interval`, `p < 0.05`.
    Convention,
    Formula,
}

/// Where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// A result of this value was found.
    Traced,
    /// It follows from results or settings.
    Derived,
    /// A setting, or of a kind that needs no origin.
    Literal,
    /// It leads nowhere.
    Untraced,
    /// The values lead to results, but these went the other way than the text says.
    WrongDirection,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    Pass,
    /// For a person to look at.
    Warning,
    Error,
}

/// One number of a paper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Entry {
    /// As it stands in the paper, freed of markup.
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) col: usize,
    pub(super) class: Class,
    pub(super) verdict: Verdict,
    pub(super) severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    /// A sentence for people.
    pub(super) why: String,
    /// The share of numbers of this form that the same results would explain: 0.01 is a strong match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) chance: Option<f64>,
    pub(super) section: String,
    /// The sentence or the row that it stands in.
    pub(super) context: String,
}

/// What a judge says of a number, without its place.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) class: Class,
    pub(super) verdict: Verdict,
    pub(super) severity: Severity,
    pub(super) source: Option<String>,
    pub(super) why: String,
    pub(super) chance: Option<f64>,
    /// The value it was traced to, for changes between such values.
    pub(super) base: Option<Base>,
    /// The names of the two ends of a change.
    pub(super) ends: Vec<Vec<String>>,
    /// Whether something speaks against it, so that nothing else is looked for.
    pub(super) refuted: bool,
}

/// A traced value: what it is a value of, and whether of the baseline.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) names: Vec<String>,
    /// The runs in which a fitting result has this value.
    pub(super) runs: Vec<String>,
    /// The names of every result in a data file that fits.
    pub(super) fits: Vec<Vec<String>>,
    /// The factor between the value in its file and as it is shown.
    pub(super) scale: f64,
}

impl Finding {
    pub(super) fn new(class: Class, verdict: Verdict, why: impl Into<String>) -> Self {
        Self {
            class,
            verdict,
            severity: match verdict {
                Verdict::Untraced | Verdict::WrongDirection => Severity::Error,
                _ => Severity::Pass,
            },
            source: None,
            why: why.into(),
            chance: None,
            base: None,
            ends: Vec::new(),
            refuted: false,
        }
    }

    pub(super) fn literal(class: Class, why: impl Into<String>) -> Self {
        Self::new(class, Verdict::Literal, why)
    }

    pub(super) fn untraced(class: Class, why: impl Into<String>) -> Self {
        Self::new(class, Verdict::Untraced, why)
    }

    pub(super) fn from(self, source: impl Into<String>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// Whether nothing was found, and nothing that speaks against it either.
    pub(super) fn open(&self) -> bool {
        self.verdict == Verdict::Untraced && !self.refuted
    }

    pub(super) fn refuted(self) -> Self {
        Self {
            refuted: true,
            ..self
        }
    }

    /// A change between two values.
    pub(super) fn between(self, a: &Value, b: &Value) -> Self {
        Self {
            ends: vec![a.names.clone(), b.names.clone()],
            ..self
        }
    }

    pub(super) fn warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }

    pub(super) fn chance(self, chance: f64) -> Self {
        Self {
            chance: Some((chance * 1e4).round() / 1e4),
            ..self
        }
    }
}
