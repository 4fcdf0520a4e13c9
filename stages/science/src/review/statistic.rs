//! How the scores of several reviewers become one.

use kyobashi_stage::Failure;

/// A rule that takes scores together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistic {
    Mean,
    /// Which one generous or one strict reviewer cannot move.
    Median,
    /// The mean as a whole number, halves up, as The AI Scientist reports it.
    RoundedMean,
}

impl Statistic {
    const WORDS: [(&'static str, Self); 3] = [
        ("mean", Self::Mean),
        ("median", Self::Median),
        ("rounded_mean", Self::RoundedMean),
    ];

    /// # Errors
    /// If there is no such rule, with those that there are.
    pub(crate) fn read(word: &str) -> Result<Self, Failure> {
        let found = Self::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, own)| *own).ok_or_else(|| {
            let known: Vec<&str> = Self::WORDS.iter().map(|(known, _)| *known).collect();
            Failure::new(format!("`statistic: {word}` is unknown"))
                .help(format!("known are {}", known.join(", ")))
        })
    }

    pub(crate) fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, own)| *own == self);
        found.map_or("mean", |(word, _)| word)
    }

    /// The one score of at least one value.
    pub(crate) fn of(self, values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        match self {
            Self::Mean => mean,
            Self::RoundedMean => (mean + 0.5).floor(),
            Self::Median => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let n = sorted.len();
                f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])
            }
        }
    }
}
