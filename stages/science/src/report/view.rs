//! What the page shows, as text: documents of a study turned into the rows of its tables.

use serde::Serialize;
use serde_json::Value;

use super::forest::{Whisker, draw, reach};
use super::origins::{Cited, Origin, Sheet};
use super::reviewed::Reviewed;
use crate::paper::label;
use crate::shapes::Idea;
use crate::stats::{BoardRow, Comparison, Direction, Estimate, Improvement, Row, Verdict};

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) provenance: Option<Provenance>,
    pub(super) cards: Vec<Card>,
    /// The metric that the board is sorted by, in words.
    pub(super) sort: String,
    pub(super) board: Vec<BoardLine>,
    pub(super) judged: Vec<Judged>,
    pub(super) studies: Vec<Study>,
}

#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    pub(super) word: String,
    pub(super) sentence: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Card {
    pub(super) value: String,
    pub(super) label: String,
}

#[derive(Debug, Serialize)]
pub(super) struct BoardLine {
    pub(super) rank: usize,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) improvements: Vec<Gain>,
    /// The verdicts on the versions of its paper.
    pub(super) reviews: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Gain {
    pub(super) metric: String,
    pub(super) text: String,
    pub(super) drawing: String,
    pub(super) better: usize,
    pub(super) worse: usize,
    pub(super) open: usize,
    pub(super) n: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) reason: String,
    pub(super) nearest: String,
}

/// One idea with everything that happened to it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Study {
    pub(super) rank: usize,
    pub(super) name: String,
    pub(super) title: String,
    pub(super) experiment: String,
    pub(super) changes: Vec<String>,
    pub(super) rows: Vec<Line>,
    pub(super) figures: Vec<Picture>,
    pub(super) pages: Vec<Sheet>,
    pub(super) origins: Vec<Origin>,
    pub(super) works: Vec<Cited>,
    pub(super) pdf: Option<String>,
    pub(super) reviews: Vec<Reviewed>,
}

/// One compared result.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) place: String,
    pub(super) metric: String,
    pub(super) better: &'static str,
    pub(super) baseline: String,
    pub(super) trial: String,
    pub(super) difference: String,
    pub(super) n: String,
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
    pub(super) drawing: String,
}

/// An embedded image.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    pub(super) uri: String,
    pub(super) caption: String,
}

pub(super) fn board_line(row: &BoardRow, sort: &str, scale: f64) -> BoardLine {
    let mut metrics: Vec<(&String, &Improvement)> = row.improvements.iter().collect();
    metrics.sort_by_key(|(metric, _)| *metric != sort);
    let gain = |(metric, found): (&String, &Improvement)| {
        let percent = |value: f64| shown(value * 100.0, 1, true);
        let text = match found.ci {
            Some([low, high]) => format!(
                "{} % [{}, {}]",
                percent(found.mean),
                percent(low),
                percent(high)
            ),
            None => format!("{} %", percent(found.mean)),
        };
        Gain {
            metric: label(metric, None),
            text,
            drawing: draw(&gain_whisker(found), scale),
            better: found.counts.better,
            worse: found.counts.worse,
            open: found.counts.inconclusive + found.counts.too_few,
            n: found.n,
        }
    };
    BoardLine {
        rank: row.rank,
        name: row.name.clone(),
        title: row.title.clone(),
        improvements: metrics.into_iter().map(gain).collect(),
        reviews: [("first draft", &row.first), ("improved draft", &row.review)]
            .into_iter()
            .filter_map(|(version, review)| {
                let judgement = crate::stats::judgement(review.as_ref()?);
                Some(format!("{version}: {judgement}"))
            })
            .chain(row.preferred.iter().map(|found| {
                let words = crate::stats::preferred(found);
                format!("preferred over a paper in the middle: {words}")
            }))
            .collect(),
    }
}

/// The common scale of every improvement on the board.
pub(super) fn board_scale(rows: &[BoardRow]) -> f64 {
    let whiskers: Vec<Whisker> = rows
        .iter()
        .flat_map(|row| row.improvements.values())
        .map(gain_whisker)
        .collect();
    reach(whiskers.iter())
}

fn gain_whisker(found: &Improvement) -> Whisker {
    let class = match found.ci {
        Some([low, _]) if low > 0.0 => "better",
        Some([_, high]) if high < 0.0 => "worse",
        _ => "open",
    };
    Whisker {
        mean: found.mean,
        ci: found.ci,
        class,
    }
}

/// The lines of a comparison. Each is drawn in units of the baseline's mean, better to the right.
pub(super) fn lines(comparison: &Comparison) -> Vec<Line> {
    let whisker = |row: &Row| {
        let unit = row.baseline.mean.abs();
        let turn = if row.direction == Direction::Lower {
            -1.0
        } else {
            1.0
        };
        let scaled = |value: f64| if unit > 0.0 { turn * value / unit } else { 0.0 };
        let ci = row.ci.map(|[low, high]| {
            let (a, b) = (scaled(low), scaled(high));
            [a.min(b), a.max(b)]
        });
        Whisker {
            mean: scaled(row.difference),
            ci,
            class: class(row.verdict),
        }
    };
    let rows: Vec<(&String, &Row)> = comparison
        .by
        .iter()
        .flat_map(|(place, metrics)| metrics.values().map(move |row| (place, row)))
        .collect();
    let whiskers: Vec<Whisker> = rows.iter().map(|(_, row)| whisker(row)).collect();
    let scale = reach(whiskers.iter());
    rows.iter()
        .zip(&whiskers)
        .map(|((place, row), whisker)| {
            let digits = digits(row);
            Line {
                place: (*place).clone(),
                metric: label(&row.metric, None),
                better: if row.direction == Direction::Lower {
                    "lower"
                } else {
                    "higher"
                },
                baseline: estimate(&row.baseline, digits),
                trial: estimate(&row.trial, digits),
                difference: interval(row.difference, row.ci, digits, true),
                n: format!("{} / {}", row.baseline.n, row.trial.n),
                verdict: match row.verdict {
                    Verdict::Better => "better",
                    Verdict::Worse => "worse",
                    Verdict::Inconclusive => "open",
                    Verdict::TooFew => "too few runs",
                },
                class: class(row.verdict),
                drawing: draw(whisker, scale),
            }
        })
        .collect()
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Inconclusive | Verdict::TooFew => "open",
    }
}

/// Decimals that show two digits of the interval's half width.
fn digits(row: &Row) -> usize {
    crate::paper::format(row)
        .trim_start_matches('.')
        .parse()
        .unwrap_or(3)
}

fn estimate(estimate: &Estimate, digits: usize) -> String {
    interval(estimate.mean, estimate.ci, digits, false)
}

fn interval(mean: f64, ci: Option<[f64; 2]>, digits: usize, signed: bool) -> String {
    let show = |value: f64| shown(value, digits, signed);
    match ci {
        Some([low, high]) => format!("{} [{}, {}]", show(mean), show(low), show(high)),
        None => show(mean),
    }
}

/// A number with a fixed number of decimals; one that rounds to zero has no sign.
fn shown(value: f64, digits: usize, signed: bool) -> String {
    let size = format!("{:.digits$}", value.abs());
    let zero = !size.contains(|c: char| ('1'..='9').contains(&c));
    let mark = match (value < 0.0, signed) {
        _ if zero => "",
        (true, _) => "−",
        (false, true) => "+",
        (false, false) => "",
    };
    format!("{mark}{size}")
}

pub(super) fn study(idea: &Idea) -> Study {
    let mut changes: Vec<String> = idea
        .program
        .iter()
        .map(|program| format!("program {program}"))
        .collect();
    let settings = idea.config.iter().flatten();
    changes.extend(settings.map(|(key, value)| format!("{key} = {}", crate::stats::plain(value))));
    Study {
        name: idea.name.clone(),
        title: idea.title.clone(),
        experiment: idea.experiment.clone(),
        changes,
        ..Study::default()
    }
}

pub(super) fn judged(value: &Value) -> Judged {
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let nearest = value["nearest"]["name"].as_str().map(|name| {
        format!(
            "{name} (distance {:.1})",
            value["nearest"]["distance"].as_f64().unwrap_or(0.0)
        )
    });
    Judged {
        name: word("name"),
        verdict: word("verdict"),
        reason: word("reason"),
        nearest: nearest.unwrap_or_default(),
    }
}

/// What a provenance word means, for the banner; nothing for a live model.
pub(super) fn provenance(word: &str) -> Option<Provenance> {
    let sentence = match word {
        "baseline" => {
            "Produced WITHOUT a language model: ideas enumerated from a declared space, prose from templates, scores from automatic checks. Experimental numbers are from real runs."
        }
        "scripted" => {
            "Produced with SCRIPTED model replies, not by a live language model. Experimental numbers are from real runs."
        }
        "local" => {
            "Written with a language model that ran locally. Experimental numbers are from real runs."
        }
        _ => return None,
    };
    Some(Provenance {
        word: word.to_owned(),
        sentence,
    })
}
