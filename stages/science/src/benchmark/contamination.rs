//! Whether a reviewer may have read the papers, and what became of them, when it was trained: papers from before
//! its training cut-off are told apart from later ones. No list of models says reliably when their data end, so the
//! date is given by whoever asks, and where it or the papers' dates are missing, the answer is that it is unknown.

use kyobashi_stage::Failure;
use serde::Serialize;

use super::document::Figure;
use super::judged::Judged;
use super::ratings::Ratings;

/// A year, and the month where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    year: u32,
    month: Option<u32>,
}

/// When a paper is from, seen from a cut-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Of the cut-off's month or earlier.
    Before,
    After,
    /// Without a date, or of the cut-off's year where one of both has no month.
    Unknown,
}

/// What can be said of a benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Contamination {
    /// Until when the reviewer's training data reach, as it was given.
    pub(crate) cutoff: Option<String>,
    /// Papers from before and after it, and those of which that is not known.
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) unknown: usize,
    /// The balanced accuracy on each part; none without papers of both kinds in it.
    pub(crate) balanced_accuracy_before: Option<Figure>,
    pub(crate) balanced_accuracy_after: Option<Figure>,
    /// Why nothing can be said, where that is so.
    pub(crate) why_unknown: Option<&'static str>,
}

impl Date {
    /// Reads `2023`, `2023-10` or `2023-10-31`; none of anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let mut part = |digits: usize, range: std::ops::RangeInclusive<u32>| match parts.next() {
            None => Some(None),
            Some(text)
                if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let value = text.parse().ok().filter(|value| range.contains(value))?;
                Some(Some(value))
            }
            Some(_) => None,
        };
        let year = part(4, 1900..=2199)??;
        let month = part(2, 1..=12)?;
        part(2, 1..=31)?;
        parts.next().is_none().then_some(Self { year, month })
    }

    /// When a paper of this date is from.
    pub(crate) fn seen_from(self, cutoff: Self) -> When {
        match (self.year.cmp(&cutoff.year), self.month, cutoff.month) {
            (std::cmp::Ordering::Less, ..) => When::Before,
            (std::cmp::Ordering::Greater, ..) => When::After,
            (_, Some(own), Some(last)) if own <= last => When::Before,
            (_, Some(_), Some(_)) => When::After,
            _ => When::Unknown,
        }
    }
}

/// The cut-off of a setting.
///
/// # Errors
/// If it is no date.
pub(crate) fn cutoff(text: &str) -> Result<Date, Failure> {
    Date::read(text).ok_or_else(|| {
        Failure::new(format!("`cutoff: {text}` is no date"))
            .help("write a year, or a year and a month: `2023-10`")
    })
}

/// What can be said of these papers; `accuracy` gives the balanced accuracy of some of them.
pub(crate) fn contamination(
    papers: &[Judged],
    ratings: &Ratings,
    given: Option<&str>,
    accuracy: &dyn Fn(&[Judged]) -> Option<Figure>,
) -> Result<Contamination, Failure> {
    let cutoff = given.map(cutoff).transpose()?;
    let when = |paper: &Judged| {
        let date = ratings
            .papers
            .get(&paper.paper)
            .and_then(|rated| rated.date);
        match (date, cutoff) {
            (Some(date), Some(cutoff)) => date.seen_from(cutoff),
            _ => When::Unknown,
        }
    };
    let part = |wanted: When| -> Vec<Judged> {
        let own = papers.iter().filter(|paper| when(paper) == wanted);
        own.cloned().collect()
    };
    let [before, after] = [part(When::Before), part(When::After)];
    Ok(Contamination {
        cutoff: given.map(str::to_owned),
        before: before.len(),
        after: after.len(),
        unknown: papers.len() - before.len() - after.len(),
        balanced_accuracy_before: accuracy(&before),
        balanced_accuracy_after: accuracy(&after),
        why_unknown: match (cutoff, ratings.dated) {
            (None, _) => {
                Some("the training cut-off of the reviewer is not given (`params.cutoff=2023-10`)")
            }
            (_, false) => Some("the ratings have no column `date` or `year`"),
            _ => None,
        },
    })
}

/// The same in sentences.
pub(crate) fn told(found: &Contamination) -> String {
    if let Some(why) = found.why_unknown {
        return format!("Contamination: unknown, because {why}.\n");
    }
    let cutoff = found.cutoff.as_deref().unwrap_or_default();
    let all = found.before + found.after + found.unknown;
    let mut text = format!(
        "Contamination: {} of {all} papers are from before the reviewer's training cut-off ({cutoff}), {} from after it, of {} it is not known.",
        found.before, found.after, found.unknown
    );
    if found.before > 0 {
        text += " It may have read those before, and what became of them.";
    }
    let parts = [
        ("before", &found.balanced_accuracy_before, found.before),
        ("after", &found.balanced_accuracy_after, found.after),
    ];
    for (part, figure, n) in parts {
        if let Some(figure) = figure {
            let half = figure.ci95.map(|half| format!(" ± {half:.2}"));
            text += &format!(
                " Balanced accuracy {part} it: {:.2}{} (n = {n}).",
                figure.value,
                half.unwrap_or_default()
            );
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_compared_as_far_as_both_are_known() {
        let when = |paper: &str, cutoff: &str| {
            Date::read(paper)
                .unwrap()
                .seen_from(Date::read(cutoff).unwrap())
        };
        for (paper, cutoff, expected) in [
            ("2021", "2023-10", When::Before),
            ("2023-10-31", "2023-10", When::Before),
            ("2023-11", "2023-10", When::After),
            ("2023", "2023-10", When::Unknown),
            ("2023-01", "2023", When::Unknown),
            ("2024", "2023", When::After),
        ] {
            assert_eq!(when(paper, cutoff), expected, "{paper} {cutoff}");
        }
        for wrong in [
            "",
            "23",
            "2023-13",
            "2023-1",
            "October 2023",
            "2023-10-31-1",
            "2023.0",
            "+202",
        ] {
            assert_eq!(Date::read(wrong), None, "{wrong}");
        }
    }
}
