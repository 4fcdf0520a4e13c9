//! How near two ideas are, by what they would run and by what they say.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::shapes::Idea;

/// What an idea comes down to: its program file and every setting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) program: String,
    pub(super) config: Map<String, Value>,
}

impl Plan {
    /// The distance to another plan: 1 for another program, the number of decades between two positive
    /// numbers, 1 for any other change of a setting.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let keys: BTreeSet<&String> = self.config.keys().chain(other.config.keys()).collect();
        let settings: f64 = keys
            .into_iter()
            .map(|key| apart(self.config.get(key), other.config.get(key)))
            .sum();
        settings
            + if self.program == other.program {
                0.0
            } else {
                1.0
            }
    }
}

fn apart(a: Option<&Value>, b: Option<&Value>) -> f64 {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    match (number(a), number(b)) {
        (Some(a), Some(b)) if a == b => 0.0,
        (Some(a), Some(b)) if a > 0.0 && b > 0.0 => (a / b).log10().abs(),
        _ if a == b => 0.0,
        _ => 1.0,
    }
}

/// How alike the texts of two ideas are, from 0 to 1: the Sørensen–Dice coefficient over pairs of
/// letters of title and experiment.
pub(super) fn likeness(a: &Idea, b: &Idea) -> f64 {
    let text = |idea: &Idea| format!("{} {}", idea.title, idea.experiment).to_lowercase();
    strsim::sorensen_dice(&text(a), &text(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenfold_setting_is_one_away_and_so_is_another_program() {
        let plan = |program: &str, lr: f64| Plan {
            program: program.to_owned(),
            config: Map::from_iter([
                ("lr".to_owned(), lr.into()),
                ("schedule".to_owned(), "cosine".into()),
            ]),
        };
        assert!((plan("a.py", 0.001).distance(&plan("a.py", 0.01)) - 1.0).abs() < 1e-12);
        assert!((plan("a.py", 0.001).distance(&plan("b.py", 0.001)) - 1.0).abs() < 1e-12);
        assert!(plan("a.py", 1.0).distance(&plan("a.py", 1.0)).abs() < f64::EPSILON);
    }
}
