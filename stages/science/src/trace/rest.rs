//! Errors told where accuracies were measured: `an error of 3.2 %` is the rest of 96.8 %.

use super::entry::{Base, Class, Finding, Verdict};
use super::evidence::Evidence;
use super::fit::fit;
use super::lookup::Asked;
use super::token::Share;

/// What a text calls errors, as the rest of a measured accuracy.
impl Evidence {
    pub(super) fn rest(&self, asked: &Asked<'_>) -> Option<Finding> {
        let number = asked.number;
        let told = ["error", "misclassif"]
            .iter()
            .any(|word| asked.around.to_lowercase().contains(word));
        if !told || number.spread || number.figures < 2 {
            return None;
        }
        let found = self.base[..self.means].iter().find(|value| {
            let accurate = value
                .names
                .iter()
                .any(|name| super::stems::stems(name).iter().any(|stem| stem == "acc"));
            let against = asked.near.against(value, &|depth| {
                (asked.matters)(value, depth) && depth < super::context::metric_depth(value)
            });
            let whole = if value.value > 1.0 { 100.0 } else { 1.0 };
            let rest = whole - value.value;
            let scale = if number.share == Share::Percent && whole == 1.0 {
                100.0
            } else {
                1.0
            };
            accurate && against.is_none() && fit(rest * scale, number).is_some()
        })?;
        let why = format!("the rest of {}, an accuracy", found.value);
        let mut finding =
            Finding::new(Class::Derived, Verdict::Derived, why).from(found.source.clone());
        finding.base = Some(Base {
            names: vec!["error".to_owned()],
            runs: Vec::new(),
            fits: Vec::new(),
            scale: 1.0,
        });
        Some(finding)
    }
}
