//! What the reviewer said of the papers: rows of a table, or reviews as `llm/review` makes them.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{Cell, Datum, Failure};
use serde_json::{Map, Value};

use super::dirt::{Dirty, accepts, number};
use super::scale::Scales;
use super::sheet::{Sheet, plain, text};
use crate::gathered::apart;

/// The name of this file in messages.
const WHAT: &str = "reviews";

/// The names under which a review says which paper it is of.
const IDS: [&str; 2] = ["paper_id", "paper"];

/// One review, with only what may be used of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reviewed {
    /// The values that lie on the form's scales.
    pub(crate) scores: BTreeMap<String, f64>,
    /// The decision field, if it holds one.
    pub(crate) decision: Option<bool>,
    /// Who reviewed; empty where the file does not say.
    pub(crate) reviewer: String,
    /// Whether a failed check forbids acceptance, whatever the scores.
    pub(crate) capped: bool,
    /// Whether the screening found something that speaks to the reviewer; none if it was not screened.
    pub(crate) flagged: Option<bool>,
}

/// Every review by its paper, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Reviews {
    pub(crate) papers: BTreeMap<String, Vec<Reviewed>>,
    pub(crate) dirty: Vec<Dirty>,
    /// Rows or reviews that were read, dirty or not.
    pub(crate) read: usize,
    pub(crate) reviewers: BTreeSet<String>,
    pub(crate) provenances: BTreeSet<String>,
}

/// A review before it is judged: names in the form's spelling.
struct Raw {
    line: u64,
    fields: BTreeMap<String, String>,
}

/// Reads reviews from a table, a JSON file, or a list that a pipeline gathered.
///
/// # Errors
/// If they are neither, or lack the paper's id or the score that decides.
pub(crate) fn read(datum: &Datum, scales: &Scales, score: &str) -> Result<Reviews, Failure> {
    let raw = match datum {
        Datum::File { path, .. } => {
            let text = text(path, WHAT)?;
            if text.trim_start().starts_with(['[', '{']) {
                listed(&json(&text)?)?
            } else {
                rows(&text, score)?
            }
        }
        // Reviews of several panels, one list a paper, are one list.
        other => listed(&flat(apart(other)))?,
    };
    if raw.is_empty() {
        return Err(Failure::new("there are no reviews to score"));
    }
    let found = judge(raw, scales);
    let scored = |review: &Reviewed| review.scores.contains_key(score);
    if !found.papers.values().flatten().any(scored) {
        let failure = Failure::new(format!("no review has a usable `{score}`"));
        return Err(match found.dirty.first() {
            Some(first) => failure.help(format!("the first fault: {}", first.sentence())),
            None => failure.help("reviews by the checks alone have no scores; let a model review"),
        });
    }
    Ok(found)
}

/// Lists inside of the list, each member with the coordinates of both.
fn flat(cells: Vec<Cell>) -> Vec<Cell> {
    let inner = |cell: Cell| match &cell.datum {
        Datum::Grid { .. }
        | Datum::List { .. }
        | Datum::Value {
            value: Value::Array(_),
        } => {
            let members = apart(&cell.datum).into_iter();
            let with = |mut member: Cell| {
                member.at.extend(cell.at.clone());
                member
            };
            members.map(with).collect()
        }
        _ => vec![cell],
    };
    cells.into_iter().flat_map(inner).collect()
}

fn rows(text: &str, score: &str) -> Result<Vec<Raw>, Failure> {
    let sheet = Sheet::read(text, WHAT)?;
    sheet.need("paper_id", WHAT)?;
    sheet.need(score, WHAT)?;
    let raw = |row: &super::sheet::Row| Raw {
        line: row.line,
        fields: sheet
            .header
            .iter()
            .enumerate()
            .map(|(place, name)| (plain(name), row.cell(place).to_owned()))
            .collect(),
    };
    Ok(sheet.rows.iter().map(raw).collect())
}

/// A JSON array, or one JSON value a line.
fn json(text: &str) -> Result<Vec<Cell>, Failure> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect();
    let values =
        values.map_err(|error| Failure::new(format!("the {WHAT} are not JSON: {error}")))?;
    let all = match values.as_slice() {
        [Value::Array(items)] => items.clone(),
        _ => values,
    };
    Ok(apart(&Datum::value(Value::Array(all))))
}

fn listed(cells: &[Cell]) -> Result<Vec<Raw>, Failure> {
    let mut found = Vec::new();
    for (place, cell) in cells.iter().enumerate() {
        let value = match &cell.datum {
            Datum::Value { value } => value,
            _ => return Err(Failure::bug(format!("the {WHAT} are files"))),
        };
        let Some(review) = value.as_object() else {
            return Err(
                Failure::new(format!("item {} of the {WHAT} is not a review", place + 1)).help(
                    "give a list of objects as `llm/review` makes them, each with its `paper_id`",
                ),
            );
        };
        let mut fields: BTreeMap<String, String> = review
            .iter()
            .map(|(name, value)| (plain(name), shown(value)))
            .collect();
        let id = IDS.iter().find_map(|name| named(review, name));
        let id = id.or_else(|| cell.at.get("paper").and_then(coordinate));
        let id = id.or_else(|| cell.at.values().find_map(coordinate));
        fields.insert("paper_id".to_owned(), id.unwrap_or_default());
        found.push(Raw {
            line: place as u64 + 1,
            fields,
        });
    }
    if found.iter().all(|raw| raw.fields["paper_id"].is_empty()) {
        return Err(Failure::new("no review says which paper it is of")
            .help("add a `paper_id` to each review"));
    }
    Ok(found)
}

fn named(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = object.get(name)?.as_str()?;
    Some(text.to_owned())
}

/// The paper that a coordinate of a fan-out names.
fn coordinate(at: &Value) -> Option<String> {
    let own = |object: &Map<String, Value>| IDS.iter().find_map(|name| named(object, name));
    at.as_str()
        .map(str::to_owned)
        .or_else(|| at.as_object().and_then(own))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn judge(raws: Vec<Raw>, scales: &Scales) -> Reviews {
    let fractional = fractional(&raws, scales);
    let mut found = Reviews {
        read: raws.len(),
        ..Reviews::default()
    };
    let mut seen = BTreeSet::new();
    for raw in raws {
        let field = |name: &str| raw.fields.get(name).map_or("", |text| text.trim());
        let paper = field("paper_id");
        let dirt = |column: &str, why: &str| Dirty {
            file: WHAT,
            line: raw.line,
            paper_id: paper.to_owned(),
            column: column.to_owned(),
            value: field(column).to_owned(),
            why: why.to_owned(),
        };
        if paper.is_empty() {
            found.dirty.push(dirt("paper_id", "is missing"));
            continue;
        }
        let [reviewer, sample] = [field("reviewer"), field("sample")].map(str::to_owned);
        if !seen.insert((paper.to_owned(), reviewer.clone(), sample)) {
            let why = "was reviewed before by the same reviewer under the same `sample`";
            found.dirty.push(dirt("paper_id", why));
            continue;
        }
        found
            .reviewers
            .extend((!reviewer.is_empty()).then(|| reviewer.clone()));
        let provenance = field("provenance").to_owned();
        found
            .provenances
            .extend((!provenance.is_empty()).then_some(provenance));
        // The checks have a form of their own, without scores: nothing of theirs is missing.
        if field("form") == "checks" {
            continue;
        }
        let mut review = Reviewed {
            reviewer,
            capped: capped(field("failed")),
            flagged: flagged(field("screening")),
            ..Reviewed::default()
        };
        for (name, bounds) in &scales.scores {
            if !raw.fields.contains_key(name) {
                continue;
            }
            match number(field(name), *bounds) {
                Ok(value) => {
                    if value.fract() != 0.0 && !fractional.contains(name) {
                        found.dirty.push(dirt(name, "is not a whole number"));
                    } else {
                        review.scores.insert(name.clone(), value);
                    }
                }
                Err(why) => found.dirty.push(dirt(name, &why)),
            }
        }
        for name in scales
            .flags
            .iter()
            .filter(|name| raw.fields.contains_key(*name))
        {
            if !["true", "false"].contains(&field(name).to_lowercase().as_str()) {
                found.dirty.push(dirt(name, "is neither true nor false"));
            }
        }
        if raw.fields.contains_key("decision") {
            review.decision = accepts(field("decision"));
            if review.decision.is_none() {
                found
                    .dirty
                    .push(dirt("decision", "is neither Accept nor Reject"));
            }
        }
        found
            .papers
            .entry(paper.to_owned())
            .or_default()
            .push(review);
    }
    found
}

/// Whether a list of failed checks holds an error.
fn capped(failed: &str) -> bool {
    let failed: Vec<Value> = serde_json::from_str(failed).unwrap_or_default();
    failed.iter().any(|check| check["severity"] == "error")
}

fn flagged(screening: &str) -> Option<bool> {
    let screening: Value = serde_json::from_str(screening).ok()?;
    screening["clean"].as_bool().map(|clean| !clean)
}

/// Columns that hold means rather than scores: in them a fraction is no fault. A column counts as such
/// when more than a tenth of it is fractions; a stray one is a slip.
fn fractional(raws: &[Raw], scales: &Scales) -> BTreeSet<String> {
    let share = |name: &str| {
        let values = raws
            .iter()
            .filter_map(|raw| raw.fields.get(name)?.trim().parse::<f64>().ok());
        let fractions = values.filter(|value| value.fract() != 0.0).count();
        fractions * 10 > raws.len()
    };
    scales
        .scores
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| share(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scales() -> Scales {
        Scales {
            name: "made_up".to_owned(),
            scores: vec![("overall".to_owned(), [1.0, 10.0])],
            flags: Vec::new(),
        }
    }

    #[test]
    fn gathered_reviews_take_their_paper_from_the_fan_out() {
        let cell = |paper: serde_json::Value, sample: u64, overall: serde_json::Value| Cell {
            at: BTreeMap::from([
                ("item".to_owned(), paper),
                ("sample".to_owned(), sample.into()),
            ]),
            datum: Datum::value(json!({
                "form": "neurips", "reviewer": "openai/m", "provenance": "scripted",
                "sample": sample, "overall": overall, "decision": "Reject",
            })),
        };
        let grid = Datum::Grid {
            axes: vec!["item".to_owned(), "sample".to_owned()],
            cells: vec![
                cell(json!("a"), 0, json!(7)),
                cell(json!("a"), 1, json!(4)),
                cell(json!({"paper_id": "b", "pdf": "x"}), 0, json!(null)),
            ],
        };
        let found = read(&grid, &scales(), "overall").unwrap();
        let scores: Vec<f64> = found.papers["a"]
            .iter()
            .map(|review| review.scores["overall"])
            .collect();
        assert_eq!(scores, [7.0, 4.0]);
        assert_eq!(found.dirty.len(), 1);
        assert_eq!(
            found.dirty[0].sentence(),
            "reviews line 3 (b): `overall` is ``, which is missing"
        );
        assert_eq!(found.provenances.len(), 1);
    }

    #[test]
    fn reviews_by_the_checks_alone_cannot_be_scored() {
        let checks =
            json!([{"paper_id": "a", "form": "checks", "reviewer": "baseline", "sample": 0}]);
        let failure = read(&Datum::value(checks), &scales(), "overall").unwrap_err();
        assert!(failure.help.unwrap().contains("let a model review"));
    }

    #[test]
    fn a_column_of_means_is_clean_and_a_stray_fraction_is_not() {
        let sheet = |scores: &[&str]| {
            let lines = scores.iter().enumerate();
            let lines: Vec<Value> = lines
                .map(|(place, score)| json!({"paper_id": place.to_string(), "overall": score}))
                .collect();
            read(&Datum::value(Value::Array(lines)), &scales(), "overall")
                .unwrap()
                .dirty
                .len()
        };
        assert_eq!(sheet(&["5.5", "6", "4.25"]), 0);
        let mut whole = vec!["5"; 20];
        whole[3] = "5.5";
        assert_eq!(sheet(&whole), 1);
    }
}
