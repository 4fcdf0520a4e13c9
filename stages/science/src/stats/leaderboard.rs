//! `stats/leaderboard`: the ideas of a study, ranked by what their experiments showed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Call, Cell, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::improvement::Improvement;
use super::preferred::{Preferred, Ranking, preferred, told};
use super::table::markdown;
use super::{Comparison, Direction, improvement};
use crate::gathered::cells;
use crate::shapes::Idea;

/// The word for ranking by the reviewers' overall score instead of a metric.
const OVERALL: &str = "overall";

/// What `stats/leaderboard` makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Board {
    /// The metric ranked by, or `overall`.
    pub(crate) sort: String,
    pub(crate) rows: Vec<BoardRow>,
}

/// One idea on the board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoardRow {
    pub(crate) rank: usize,
    pub(crate) name: String,
    pub(crate) title: String,
    /// The place of the idea in the stage's inputs, which `paper/best` picks by.
    pub(crate) index: usize,
    /// The mean relative improvement of each declared metric.
    pub(crate) improvements: BTreeMap<String, Improvement>,
    /// The summary of the reviews of the first draft, if there was one.
    #[serde(default)]
    pub(crate) first: Option<Value>,
    /// The summary of the reviews of the paper, if there was one.
    pub(crate) review: Option<Value>,
    /// How the paper stands to the others, if papers were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preferred: Option<Preferred>,
}

pub(crate) struct Leaderboard;

impl Stage for Leaderboard {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "ideas",
                    "list<Idea>",
                    "the ideas, in the order of the other lists",
                ),
                Port::new(
                    "comparisons",
                    "list<json>",
                    "the comparison of each idea with the baseline",
                ),
                Port::new(
                    "reviews",
                    "list<json>?",
                    "the summary of each paper's reviews",
                ),
                Port::new(
                    "first",
                    "list<json>?",
                    "the summary of the reviews of each first draft",
                ),
                Port::new("ranking", "json?", "the papers compared, by `review/rank`"),
            ],
            with: vec![
                Port::new(
                    "sort",
                    "str",
                    "the metric to rank by, or `overall` for the reviewers' score",
                ),
                Port::new(
                    "directions",
                    "json",
                    "the metrics to show and which way each improves",
                ),
            ],
            outs: vec![
                Port::new(
                    "board",
                    "json",
                    "ranked rows with improvements, intervals, counts and reviews",
                ),
                Port::new("markdown", "text", "the same as a table for people"),
            ],
            ..Signature::new(
                "stats/leaderboard",
                3,
                "Rank ideas by mean relative improvement, with intervals",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let sort: String = call.get("sort")?;
        let directions: BTreeMap<String, Direction> = call.get("directions")?;
        if sort != OVERALL && !directions.contains_key(&sort) {
            let known: Vec<&str> = directions.keys().map(String::as_str).collect();
            return Err(
                Failure::new(format!("`sort` names `{sort}`, which has no direction"))
                    .help(format!("use one of {}, or `{OVERALL}`", known.join(", "))),
            );
        }
        let ideas: Vec<Idea> = call.get("ideas")?;
        let comparisons = aligned(&cells(call, "comparisons")?, &ideas, "comparisons")?;
        let summaries = |name: &str| {
            if call.has(name) {
                aligned(&cells(call, name)?, &ideas, name)
            } else {
                Ok(vec![None; ideas.len()])
            }
        };
        let ranking: Option<Ranking> = if call.has("ranking") {
            Some(call.get("ranking")?)
        } else {
            None
        };
        let standing = |name: &str| {
            let all = ranking.iter().flat_map(|ranking| &ranking.papers);
            all.into_iter().find(|paper| paper.name == name).cloned()
        };
        let reviews = summaries("first")?.into_iter().zip(summaries("reviews")?);
        let mut rows = Vec::new();
        for (index, ((idea, comparison), (first, review))) in
            ideas.iter().zip(comparisons).zip(reviews).enumerate()
        {
            let Some(comparison) = comparison else {
                continue;
            };
            let comparison: Comparison = serde_json::from_value(comparison).map_err(|error| {
                Failure::new(format!("the comparison of `{}`: {error}", idea.name))
            })?;
            rows.push(BoardRow {
                rank: 0,
                name: idea.name.clone(),
                title: idea.title.clone(),
                index,
                improvements: directions
                    .keys()
                    .filter_map(|metric| Some((metric.clone(), improvement(&comparison, metric)?)))
                    .collect(),
                first,
                review,
                preferred: standing(&idea.name),
            });
        }
        rank(&mut rows, &sort);
        let board = Board { sort, rows };
        let mut text = render(&board, &directions);
        if let Some(ranking) = ranking.filter(|ranking| ranking.pairs > 0) {
            text += &told(&ranking);
        }
        let value =
            serde_json::to_value(&board).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("board".to_owned(), Output::value(value)),
            ("markdown".to_owned(), Output::bytes(text)),
        ]))
    }
}

/// The documents of a list in the order of the ideas. Members that carry a coordinate are matched with
/// the idea of that name, so an idea whose study failed only loses its own row; others go by position.
fn aligned(cells: &[Cell], ideas: &[Idea], what: &str) -> Result<Vec<Option<Value>>, Failure> {
    let value = |cell: &Cell| match &cell.datum {
        kyobashi_stage::Datum::Value { value } => Ok(value.clone()),
        _ => Err(Failure::bug(format!("`{what}` holds a file"))),
    };
    if !cells.is_empty() && cells.iter().all(|cell| !cell.at.is_empty()) {
        return ideas
            .iter()
            .map(|idea| {
                let own = |cell: &&Cell| cell.at.values().any(|at| names(at, &idea.name));
                cells.iter().find(own).map(value).transpose()
            })
            .collect();
    }
    if cells.len() != ideas.len() {
        return Err(
            Failure::new(format!("{} ideas, but {} {what}", ideas.len(), cells.len()))
                .help("take the lists from one `foreach`, so that they have the same members"),
        );
    }
    cells.iter().map(|cell| value(cell).map(Some)).collect()
}

fn names(at: &Value, name: &str) -> bool {
    at.as_str() == Some(name) || at.get("name").and_then(Value::as_str) == Some(name)
}

fn rank(rows: &mut [BoardRow], sort: &str) {
    let score = |row: &BoardRow| {
        if sort == OVERALL {
            row.review.as_ref().and_then(overall)
        } else {
            row.improvements.get(sort).map(|found| found.mean)
        }
    };
    rows.sort_by(|a, b| {
        let (a_score, b_score) = (score(a), score(b));
        b_score
            .unwrap_or(f64::NEG_INFINITY)
            .partial_cmp(&a_score.unwrap_or(f64::NEG_INFINITY))
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.name.cmp(&b.name))
    });
    for (place, row) in rows.iter_mut().enumerate() {
        row.rank = place + 1;
    }
}

fn render(board: &Board, directions: &BTreeMap<String, Direction>) -> String {
    let mut header = vec!["#".to_owned(), "idea".to_owned()];
    let metrics: Vec<&String> = directions
        .keys()
        .filter(|metric| **metric == board.sort)
        .chain(directions.keys().filter(|metric| **metric != board.sort))
        .collect();
    for metric in &metrics {
        header.push(format!("{metric}: mean improvement"));
        header.push("better / worse / open".to_owned());
    }
    header.extend(["places", "n"].map(str::to_owned));
    // One column where only one review was made.
    let both = board.rows.iter().any(|row| row.first.is_some());
    header.extend(both.then(|| "first draft".to_owned()));
    header.push(if both { "improved draft" } else { "review" }.to_owned());
    let compared = board.rows.iter().any(|row| row.preferred.is_some());
    header.extend(compared.then(|| "preferred".to_owned()));
    let rows: Vec<Vec<String>> = board
        .rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.rank.to_string(), format!("`{}`", row.name)];
            for metric in &metrics {
                let found = row.improvements.get(*metric);
                cells.push(found.map(interval).unwrap_or_default());
                cells.push(found.map(tally).unwrap_or_default());
            }
            let any = row.improvements.values().next();
            cells.push(
                any.map(|found| found.places.to_string())
                    .unwrap_or_default(),
            );
            cells.push(any.map(|found| found.n.to_string()).unwrap_or_default());
            if both {
                cells.push(row.first.as_ref().map(judgement).unwrap_or_default());
            }
            cells.push(row.review.as_ref().map(judgement).unwrap_or_default());
            if compared {
                cells.push(row.preferred.as_ref().map(preferred).unwrap_or_default());
            }
            cells
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    markdown(&header, &rows) + &calibrations(board)
}

/// Which papers the calibrations of the board were made on, each once.
fn calibrations(board: &Board) -> String {
    let reviews = board.rows.iter().flat_map(|row| [&row.first, &row.review]);
    let told: BTreeSet<String> = reviews
        .flatten()
        .filter_map(|review| {
            let found = &review["calibrated"];
            let accepted = found["accepted"].as_u64()?;
            let rejected = found["papers"].as_u64()?.saturating_sub(accepted);
            let measured = &found["balanced_accuracy"];
            let half = measured["ci95"].as_f64();
            Some(format!(
                "Calibrated on {} ({accepted} accepted and {rejected} rejected papers): the calibrated threshold has a balanced accuracy of {:.2}{} on papers left out.\n",
                found["source"].as_str()?,
                measured["value"].as_f64()?,
                half.map(|half| format!(" ± {half:.2}")).unwrap_or_default(),
            ))
        })
        .collect();
    told.into_iter().map(|line| format!("\n{line}")).collect()
}

fn interval(found: &Improvement) -> String {
    let percent = |value: f64| format!("{:+.1}", value * 100.0);
    match found.ci {
        Some([low, high]) => format!(
            "{} % [{}, {}]",
            percent(found.mean),
            percent(low),
            percent(high)
        ),
        None => format!("{} % (no interval)", percent(found.mean)),
    }
}

fn tally(found: &Improvement) -> String {
    let counts = found.counts;
    format!(
        "{} / {} / {}",
        counts.better,
        counts.worse,
        counts.inconclusive + counts.too_few
    )
}

/// The overall score of a review summary, by its statistic; none where no model reviewed.
pub(crate) fn overall(review: &Value) -> Option<f64> {
    let score = review.pointer("/scores/overall")?;
    score.get("value").or(score.get("mean"))?.as_f64()
}

/// What a calibration says of the score, after a semicolon; none where there was none.
pub(crate) fn calibrated(found: &Value) -> Option<String> {
    let accept = found["accept"].as_bool()?;
    Some(format!(
        "; calibrated (n = {} papers): {} (threshold {:.1}), chance of acceptance {:.2}",
        found["papers"],
        if accept { "accept" } else { "reject" },
        found["threshold"].as_f64()?,
        found["chance"].as_f64()?,
    ))
}

/// The verdict with what a calibration says of it, for people. Models are told the verdict alone, so that a
/// calibration asks none of them anew.
pub(crate) fn judgement(review: &Value) -> String {
    verdict(review) + &calibrated(&review["calibrated"]).unwrap_or_default()
}

/// One review summary in a few words: the overall score of model reviewers with its range and n and what
/// follows, or checks passed.
pub(crate) fn verdict(review: &Value) -> String {
    if let Some(score) = overall(review) {
        let spread = &review["scores"]["overall"];
        let end = |key: &str| spread[key].as_f64();
        let range = match (end("min"), end("max"), spread["n"].as_u64()) {
            (Some(least), Some(most), Some(n)) if n > 1 => {
                format!(" ({least} to {most}, n = {n})")
            }
            _ => String::new(),
        };
        let reaches = review["threshold"]
            .as_f64()
            .is_some_and(|least| score >= least);
        let decision = match review["accept"].as_bool() {
            Some(true) => ", accept",
            // The score alone would not say why.
            Some(false) if reaches => ", reject: a check failed",
            Some(false) => ", reject",
            None => "",
        };
        return format!("overall {score:.1}{range}{decision}");
    }
    match (
        review.pointer("/checks/passed"),
        review.pointer("/checks/total"),
    ) {
        (Some(passed), Some(total)) => format!("{passed} of {total} checks"),
        _ => String::new(),
    }
}
