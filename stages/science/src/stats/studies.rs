//! `stats/studies`: studies side by side, as Tables 3 to 5 of *The AI Scientist* have them: one line for each
//! template and model.

use std::path::Path;

use kyobashi_stage::{Call, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage};
use serde_json::{Value, json};

use super::estimate::Estimate;
use super::table::{csv, markdown, number};
use super::tally::Study;

/// The confidence level of every interval.
const LEVEL: f64 = 0.95;

pub(crate) struct Studies;

impl Stage for Studies {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "studies",
                    "list<file>",
                    "the `study.json` of each, by `stats/tally`",
                ),
                Port::new(
                    "costs",
                    "list<file>?",
                    "what each cost, in the same order: the output of `kyo cost --json`",
                ),
            ],
            outs: vec![
                Port::new(
                    "board",
                    "json",
                    "{rows, scored}: every column, with intervals",
                ),
                Port::new("markdown", "text", "the same as a table for people"),
                Port::new(
                    "scores",
                    "table(template, scientist, version, paper, score)",
                    "every overall score, for a figure",
                ),
                Port::new("scored", "int", "how many scores there are"),
            ],
            ..Signature::new("stats/studies", 1, "Put studies side by side")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let studies = files(call.datum("studies")?)
            .into_iter()
            .map(|path| {
                serde_json::from_str(&read(path)?).map_err(|error| {
                    Failure::new(format!("{} is no study: {error}", path.display()))
                        .help("give the `study.json` that `pipelines/ai-scientist.yaml` puts out")
                })
            })
            .collect::<Result<Vec<Study>, Failure>>()?;
        if studies.is_empty() {
            return Err(Failure::new("there are no studies to put side by side"));
        }
        let costs = if call.has("costs") {
            files(call.datum("costs")?)
                .into_iter()
                .map(cost)
                .collect::<Result<Vec<_>, _>>()?
        } else {
            Vec::new()
        };
        if !costs.is_empty() && costs.len() != studies.len() {
            return Err(Failure::new(format!(
                "{} studies, but {} costs",
                studies.len(),
                costs.len()
            ))
            .help("give the costs in the order of the studies, one each"));
        }
        let mut rows = Vec::new();
        let mut scores = Vec::new();
        for (place, study) in studies.iter().enumerate() {
            rows.push(row(study, costs.get(place).copied()));
            for paper in &study.papers {
                for (version, score) in [
                    ("first draft", paper.first),
                    ("improved draft", paper.improved),
                ] {
                    if let Some(score) = score {
                        scores.push(vec![
                            study.template.clone(),
                            study.scientist.clone(),
                            version.to_owned(),
                            paper.name.clone(),
                            number(Some(score)),
                        ]);
                    }
                }
            }
        }
        let header = ["template", "scientist", "version", "paper", "score"].map(str::to_owned);
        let scored = scores.len();
        let board = json!({"rows": rows, "scored": scored});
        Ok(Outputs::from([
            ("markdown".to_owned(), Output::bytes(table(&rows))),
            ("board".to_owned(), Output::value(board)),
            ("scores".to_owned(), csv(&header, &scores)?),
            ("scored".to_owned(), Output::value(scored)),
        ]))
    }
}

fn files(datum: &Datum) -> Vec<&Path> {
    let members = datum.members();
    members
        .into_iter()
        .filter_map(|member| match member {
            Datum::File { path, .. } => Some(path.as_path()),
            _ => None,
        })
        .collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

/// What a study cost whoever paid for it first, in US dollars: paid in this run, and saved by stored replies.
fn cost(path: &Path) -> Result<f64, Failure> {
    let bill: Value = serde_json::from_str(&read(path)?)
        .map_err(|error| Failure::new(format!("{} is no JSON: {error}", path.display())))?;
    let usd = |key: &str| bill[key].as_f64();
    match (usd("paid_usd"), usd("saved_usd")) {
        (Some(paid), Some(saved)) => Ok(paid + saved),
        _ => Err(Failure::new(format!("{} is no bill", path.display()))
            .help("write it with `kyo cost --json RUN > cost.json`")),
    }
}

fn row(study: &Study, usd: Option<f64>) -> Value {
    let scores = |version: &dyn Fn(&super::tally::Paper) -> Option<f64>| -> Value {
        let values: Vec<f64> = study.papers.iter().filter_map(version).collect();
        match Estimate::of(&values, LEVEL) {
            Ok(found) => json!({
                "mean": found.mean,
                "ci": found.ci,
                "max": values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                "n": found.n,
            }),
            Err(_) => Value::Null,
        }
    };
    json!({
        "template": study.template,
        "scientist": study.scientist,
        "reviewers": study.reviewers,
        "held_out": study.held_out,
        "ideas": study.ideas,
        "novel": study.novel,
        "experiments_passed": study.experiments_passed,
        "papers": study.papers.len(),
        "first": scores(&|paper| paper.first),
        "improved": scores(&|paper| paper.improved),
        "usd": usd,
        "usd_per_paper": usd.filter(|_| !study.papers.is_empty()).map(|usd| usd / study.papers.len() as f64),
    })
}

fn table(rows: &[Value]) -> String {
    let header = [
        "template",
        "model",
        "ideas",
        "novel",
        "experiments passed",
        "papers",
        "first draft: mean score",
        "max",
        "improved draft: mean score",
        "max",
        "cost (USD)",
    ];
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let plain = |key: &str| match &row[key] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let mut cells: Vec<String> = [
                "template",
                "scientist",
                "ideas",
                "novel",
                "experiments_passed",
                "papers",
            ]
            .map(plain)
            .to_vec();
            for version in ["first", "improved"] {
                cells.push(mean(&row[version]));
                cells.push(
                    row[version]["max"]
                        .as_f64()
                        .map(|max| format!("{max:.1}"))
                        .unwrap_or_default(),
                );
            }
            cells.push(
                row["usd"]
                    .as_f64()
                    .map_or("not told".to_owned(), |usd| format!("{usd:.2}")),
            );
            cells
        })
        .collect();
    let mut text = markdown(&header, &lines);
    text += "\nScores are overall scores from 1 to 10: of the first draft by the panel, of the improved draft by the held-out reviewer; means over papers with their 95 % interval and n.\n";
    for row in rows {
        let names = |key: &str| {
            let names = row[key]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let names: Vec<&str> = names.collect();
            if names.is_empty() {
                "checks alone".to_owned()
            } else {
                names.join(", ")
            }
        };
        text += &format!(
            "\n- {}, {}: reviewed by {}; held out: {}",
            row["template"].as_str().unwrap_or_default(),
            row["scientist"].as_str().unwrap_or_default(),
            names("reviewers"),
            names("held_out"),
        );
    }
    text + "\n"
}

fn mean(scores: &Value) -> String {
    let Some(mean) = scores["mean"].as_f64() else {
        return String::new();
    };
    let n = &scores["n"];
    match (scores["ci"][0].as_f64(), scores["ci"][1].as_f64()) {
        (Some(low), Some(high)) => format!("{mean:.2} [{low:.2}, {high:.2}], n = {n}"),
        _ => format!("{mean:.2}, n = {n}"),
    }
}
