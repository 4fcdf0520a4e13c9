//! p-values: which numbers are told to be one, and what the results hold of them.

use super::entry::{Class, Finding, Verdict};
use super::evidence::Evidence;
use super::fit::fit;
use super::results::{Value, Weight};
use super::stems::stems;
use super::token::{Number, Share};

/// What a text says of a p-value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Equal,
    Below,
    Above,
}

/// Whether the words right before a number make it a p-value: `p = `, `(p < `, `a p-value of `.
fn told(before: &str) -> Option<Told> {
    let from = before.char_indices().rev().nth(24).map_or(0, |(at, _)| at);
    let near = before[from..].to_lowercase();
    let left = near.trim_end();
    let signs = ['<', '>', '=', '≤', '≥', '≈', '~', ' ', '-', '∼'];
    let mut head = left.trim_end_matches(signs);
    let marks = &left[head.len()..];
    let told = if marks.contains(['<', '≤']) {
        Told::Below
    } else if marks.contains(['>', '≥']) {
        Told::Above
    } else if marks.contains(['=', '≈', '∼', '~']) {
        Told::Equal
    } else {
        head = head
            .strip_suffix(" of")
            .or_else(|| head.strip_suffix(" is"))?;
        if !(head.ends_with("p-value") || head.ends_with("p value")) {
            return None;
        }
        Told::Equal
    };
    let word = head
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .next()
        .unwrap_or_default();
    let is = ["p", "p-value", "value", "p-values", "p_adj", "padj"].contains(&word);
    (is && (word != "value" || head.ends_with("p value"))).then_some(told)
}

/// Whether a value is a p-value, by its names.
fn is_p(value: &Value) -> bool {
    let told = value.names.iter().flat_map(|name| stems(name));
    told.into_iter()
        .any(|word| ["p", "pval", "pvalue", "padj", "pvalues"].contains(&word.as_str()))
}

/// Levels that are conventions.
const USUAL: [f64; 5] = [0.05, 0.01, 0.001, 0.1, 0.0001];

/// What a number is that is told to be a p-value; nothing if it is told to be something else.
pub(super) fn judge(evidence: &Evidence, number: &Number, before: &str) -> Option<Finding> {
    if number.share != Share::None || number.whole {
        return None;
    }
    let told = told(before)?;
    let values = &evidence.results.values;
    let known = || {
        values
            .iter()
            .filter(|value| value.weight < Weight::Point && is_p(value))
    };
    let agrees = |value: &&Value| match told {
        Told::Equal => fit(value.value, number).is_some(),
        Told::Below => value.value < number.value * (1.0 + 1e-9),
        Told::Above => value.value > number.value * (1.0 - 1e-9),
    };
    if let Some(value) = known().find(agrees) {
        let why = format!("{}, a p-value", value.value);
        return Some(Finding::new(Class::Result, Verdict::Traced, why).from(value.source.clone()));
    }
    let usual = USUAL
        .iter()
        .any(|level| (level - number.value).abs() < 1e-12);
    let note = || {
        values
            .iter()
            .any(|value| value.weight == Weight::Note && fit(value.value, number).is_some())
    };
    Some(if known().next().is_some() {
        Finding::untraced(Class::Result, "no p-value of the results agrees with it")
    } else if usual || note() {
        let why = "a p-value, of which the results say nothing";
        Finding::literal(Class::Convention, why).warning()
    } else {
        Finding::untraced(Class::Result, "a p-value that no file holds").warning()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_told_by_their_letter() {
        for (before, wanted) in [
            ("(p = ", Some(Told::Equal)),
            ("a difference ($p<", None),
            ("significant (p < ", Some(Told::Below)),
            ("with a p-value of ", Some(Told::Equal)),
            ("a loss of ", None),
            ("top = ", None),
        ] {
            assert_eq!(told(&before.replace("($p", "(q")), wanted, "{before}");
        }
    }
}
