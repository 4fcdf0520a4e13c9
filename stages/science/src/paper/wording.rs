//! Sentences about compared results that say what their intervals bear, and no more.

use crate::paper::label;
use crate::review::RowName;
use crate::stats::{Comparison, Row, Verdict};

/// The format in which a row's numbers show two digits of the interval's half width.
pub(crate) fn format(row: &Row) -> String {
    let half = row
        .ci
        .map(|[low, high]| (high - low) / 2.0)
        .filter(|half| *half > 0.0);
    let decimals = half.map_or(3.0, |half| (-half.log10()).ceil() + 1.0);
    format!(".{}", decimals.clamp(2.0, 6.0))
}

/// One result in a sentence.
pub(crate) fn sentence(name: &RowName, row: &Row) -> String {
    let format = format(row);
    let label = label(&name.metric, None);
    let place = &name.place;
    let path = |document: &str| format!("{document}.by.{}.{}", name.place, name.metric);
    let difference = format!("\\val{{{}}}{{{format}}}", path("comparison"));
    match row.verdict {
        Verdict::Inconclusive => format!(
            "On {place} the difference in {label} between variant and baseline, {difference}, cannot be told from zero."
        ),
        Verdict::TooFew => format!(
            "On {place} the {label} is \\val{{{}}}{{{format}}} for the baseline and \\val{{{}}}{{{format}}} for the variant; these are too few runs to name a direction.",
            path("baseline"),
            path("trial"),
        ),
        Verdict::Better => {
            format!("On {place} the variant is better in {label}: the difference is {difference}.")
        }
        Verdict::Worse => {
            format!("On {place} the variant is worse in {label}: the difference is {difference}.")
        }
    }
}

/// The whole outcome in a sentence, by counts.
pub(crate) fn outcome(comparison: &Comparison) -> String {
    let counts = comparison.counts;
    let val = |key: &str| format!("\\val{{comparison.counts.{key}}}");
    if counts.too_few == counts.total {
        return format!(
            "All {} comparisons rest on too few runs to name a direction.",
            val("total")
        );
    }
    let few = if counts.too_few > 0 {
        format!(", and {} rest on too few runs", val("too_few"))
    } else {
        String::new()
    };
    format!(
        "Of {} comparisons with the baseline, by intervals at the \\val{{comparison.rows.0.level}}{{%}} level, the variant is better in {}, worse in {} and cannot be told from it in {}{few}.",
        val("total"),
        val("better"),
        val("worse"),
        val("inconclusive"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Direction, Estimate};

    #[test]
    fn the_format_follows_the_width_of_the_interval() {
        let estimate = Estimate::of(&[1.0, 1.1, 1.2], 0.95).unwrap();
        let row = |ci| Row {
            at: Default::default(),
            metric: "kl".into(),
            direction: Direction::Lower,
            baseline: estimate.clone(),
            trial: estimate.clone(),
            difference: 0.0,
            ci,
            level: 0.95,
            relative: None,
            verdict: Verdict::Inconclusive,
        };
        assert_eq!(format(&row(Some([-0.012, 0.012]))), ".3");
        assert_eq!(format(&row(Some([-0.0004, 0.0004]))), ".5");
        assert_eq!(format(&row(Some([-3.0, 3.0]))), ".2");
        assert_eq!(format(&row(None)), ".3");
    }
}
