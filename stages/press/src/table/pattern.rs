//! How a cell is shown: text with `{mean:.3}` in it.

use kyobashi_stage::Failure;

use super::cells::Estimate;
use crate::numbers::format::Format;

/// A pattern in its parts.
pub(super) struct Pattern {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Field(Field, Format),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Mean,
    Ci,
    StdErr,
    Low,
    High,
    N,
}

const FIELDS: [(&str, Field); 6] = [
    ("mean", Field::Mean),
    ("ci", Field::Ci),
    ("stderr", Field::StdErr),
    ("low", Field::Low),
    ("high", Field::High),
    ("n", Field::N),
];

/// What stands where a single run has no interval.
const NOTHING: &str = "–";

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// An unknown field or format, or a brace alone.
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let wrong = |what: String| {
            Failure::new(format!("`format: {text}`: {what}"))
                .help("write fields as `{mean:.3}`: mean, ci, stderr, low, high, n")
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let close = after
                .find('}')
                .ok_or_else(|| wrong("a brace is not closed".to_owned()))?;
            let inner = &after[1..close];
            let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
            let field = FIELDS.iter().find(|(known, _)| *known == name.trim());
            let (_, field) = field.ok_or_else(|| wrong(format!("there is no field `{name}`")))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Field(*field, Format::read(format).map_err(wrong)?));
            rest = &after[close + 1..];
        }
        if rest.contains('}') || !parts.iter().any(|part| matches!(part, Part::Field(..))) {
            return Err(wrong("it shows no field".to_owned()));
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// A cell as text.
    pub(super) fn show(&self, estimate: &Estimate) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Field(field, format) => match field.of(estimate) {
                    Some(value) => text.push_str(&format.show(value)),
                    None => text.push_str(NOTHING),
                },
            }
        }
        text
    }

    /// What a cell shows, in words; `level` is that of the intervals.
    pub(super) fn words(&self, level: f64) -> String {
        let percent = Format::read("%").map_or_else(|_| level.to_string(), |f| f.show(level));
        let percent = percent.replace('%', " %");
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Field(field, _) => text.push_str(&match field {
                    Field::Mean => "mean".to_owned(),
                    Field::Ci => format!("half of the {percent} interval"),
                    Field::StdErr => "standard error".to_owned(),
                    Field::Low => format!("lower bound of the {percent} interval"),
                    Field::High => format!("upper bound of the {percent} interval"),
                    Field::N => "number of runs".to_owned(),
                }),
            }
        }
        text
    }
}

impl Field {
    fn of(self, estimate: &Estimate) -> Option<f64> {
        match self {
            Self::Mean => Some(estimate.mean),
            Self::Ci => Some((estimate.high? - estimate.low?) / 2.0),
            Self::StdErr => estimate.stderr,
            Self::Low => estimate.low,
            Self::High => estimate.high,
            Self::N => Some(estimate.n),
        }
    }
}
