//! `report/html`: the whole study on one page, with every image and paper inside it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kyobashi_stage::{Call, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage};
use minijinja::value::Serde;
use serde_json::{Value, json};

use super::origins::{Sheet, cited, origins, spots};
use super::reviewed;
use super::view::{self, Card, Page, Picture, Study};
use crate::shapes::Idea;
use crate::stats::{Board, Comparison};

const TEMPLATE: &str = include_str!("page.html");

pub(crate) struct Html;

impl Stage for Html {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new("board", "json", "the board of `stats/leaderboard`"),
                Port::new(
                    "papers",
                    "list<file(.pdf)>",
                    "the papers, in the order of the board's ideas",
                ),
                Port::new("ideas", "list<Idea>?", "the ideas, in the same order"),
                Port::new(
                    "comparisons",
                    "list<json>?",
                    "their comparisons with the baseline",
                ),
                Port::new(
                    "before",
                    "list<json>?",
                    "summaries of the reviews of the first drafts",
                ),
                Port::new(
                    "after",
                    "list<json>?",
                    "summaries of the reviews of the papers",
                ),
                Port::new(
                    "judged",
                    "list<json>?",
                    "every proposed idea with its verdict, by `ideas/novelty`",
                ),
                Port::new(
                    "figures",
                    "list<list<file(.png)>>?",
                    "for each kind of figure, the figure of each idea",
                ),
                Port::new(
                    "pages",
                    "list<list<file(.png)>>?",
                    "for each idea, the pages of its paper",
                ),
                Port::new(
                    "numbers",
                    "list<json>?",
                    "for each idea, the numbers of its paper, by `paper/set`",
                ),
                Port::new(
                    "areas",
                    "list<json>?",
                    "for each idea, where they stand on its pages, by `paper/set`",
                ),
                Port::new(
                    "works",
                    "list<json>?",
                    "for each idea, the works that its paper cites, by `literature/verify`",
                ),
            ],
            with: vec![
                Port::or("title", "str", "Study", "the page's title"),
                Port::or(
                    "captions",
                    "list<str>",
                    json!([]),
                    "what each kind of figure shows",
                ),
            ],
            outs: vec![Port::new(
                "html",
                "file(.html)",
                "one page that needs nothing beside itself",
            )],
            ..Signature::new("report/html", 4, "Make a report of a study")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let page = page(call)?;
        let mut environment = minijinja::Environment::new();
        // The name's ending makes every text escaped.
        environment
            .add_template("page.html", TEMPLATE)
            .and_then(|()| environment.get_template("page.html")?.render(Serde(page)))
            .map_err(|error| Failure::bug(format!("the report's page: {error:#}")))
            .and_then(|html| {
                let path = context.scratch().join("report.html");
                std::fs::write(&path, html)?;
                Ok(Outputs::from([("html".to_owned(), Output::File { path })]))
            })
    }
}

fn page(call: &Call) -> Result<Page, Failure> {
    let board: Board = call.get("board")?;
    let papers = files(call.datum("papers")?);
    let optional = |name: &str| -> Result<Vec<Value>, Failure> {
        if call.has(name) {
            call.get(name)
        } else {
            Ok(Vec::new())
        }
    };
    let ideas: Vec<Idea> = if call.has("ideas") {
        call.get("ideas")?
    } else {
        Vec::new()
    };
    let comparisons = optional("comparisons")?;
    let (before, after, judged) = (optional("before")?, optional("after")?, optional("judged")?);
    let nested = |name: &str| -> Result<Vec<Vec<&Datum>>, Failure> {
        if !call.has(name) {
            return Ok(Vec::new());
        }
        Ok(call
            .datum(name)?
            .members()
            .into_iter()
            .map(Datum::members)
            .collect())
    };
    let (figures, pages) = (nested("figures")?, nested("pages")?);
    let (numbers, areas) = (optional("numbers")?, optional("areas")?);
    let works = optional("works")?;
    let captions: Vec<String> = call.get("captions")?;

    let mut studies = Vec::new();
    for row in &board.rows {
        let place = row.index;
        let mut study = ideas
            .get(place)
            .filter(|idea| idea.name == row.name)
            .map_or_else(
                || Study {
                    name: row.name.clone(),
                    title: row.title.clone(),
                    ..Study::default()
                },
                view::study,
            );
        study.rank = row.rank;
        if let Some(value) = comparisons.get(place) {
            let comparison: Comparison =
                serde_json::from_value(value.clone()).map_err(|error| {
                    Failure::new(format!("the comparison of `{}`: {error}", row.name))
                })?;
            study.rows = view::lines(&comparison);
        }
        for (kind, of_ideas) in figures.iter().enumerate() {
            if let Some(figure) = of_ideas.get(place) {
                let caption = captions.get(kind).cloned().unwrap_or_default();
                study.figures.push(Picture {
                    uri: embed(figure, "image/png")?,
                    caption,
                });
            }
        }
        study.works = works.get(place).map(cited).unwrap_or_default();
        study.origins = numbers.get(place).map(origins).unwrap_or_default();
        for (number, image) in pages.get(place).into_iter().flatten().enumerate() {
            let caption = format!("Page {}", number + 1);
            let areas = areas.get(place).unwrap_or(&Value::Null);
            study.pages.push(Sheet {
                uri: embed(image, "image/png")?,
                caption,
                spots: spots(areas, &study.origins, number + 1),
            });
        }
        study.pdf = papers
            .get(place)
            .map(|paper| embed(paper, "application/pdf"))
            .transpose()?;
        for (version, summaries) in [("First draft", &before), ("Improved draft", &after)] {
            study.reviews.extend(
                summaries
                    .get(place)
                    .map(|summary| reviewed::reviewed(version, summary)),
            );
        }
        studies.push(study);
    }
    let scale = view::board_scale(&board.rows);
    Ok(Page {
        title: call.get("title")?,
        subtitle: format!("Ideas ranked by {}", words(&board.sort)),
        provenance: worst(before.iter().chain(&after).chain(&judged))
            .and_then(|word| view::provenance(&word)),
        cards: cards(&board, &judged, &comparisons, &after),
        sort: words(&board.sort),
        board: board
            .rows
            .iter()
            .map(|row| view::board_line(row, &board.sort, scale))
            .collect(),
        judged: judged.iter().map(view::judged).collect(),
        studies,
    })
}

fn words(sort: &str) -> String {
    match sort {
        "overall" => "the reviewers' overall score".to_owned(),
        metric => format!(
            "mean relative improvement in {}",
            crate::paper::label(metric, None)
        ),
    }
}

fn files(datum: &Datum) -> Vec<&Datum> {
    datum.members()
}

/// A file as a data URI.
fn embed(datum: &Datum, kind: &str) -> Result<String, Failure> {
    let Datum::File { path, .. } = datum else {
        return Err(Failure::bug("a report embeds files, not values"));
    };
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::passing(format!("cannot read {}: {error}", path.display())))?;
    Ok(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
}

fn worst<'v>(summaries: impl Iterator<Item = &'v Value>) -> Option<String> {
    const ORDER: [&str; 4] = ["live", "local", "scripted", "baseline"];
    let words: BTreeSet<usize> = summaries
        .filter_map(|summary| summary["provenance"].as_str())
        .filter_map(|word| ORDER.iter().position(|known| *known == word))
        .collect();
    words.last().map(|rank| ORDER[*rank].to_owned())
}

fn cards(board: &Board, judged: &[Value], comparisons: &[Value], after: &[Value]) -> Vec<Card> {
    let mut cards = Vec::new();
    let mut card = |value: String, label: &str| {
        cards.push(Card {
            value,
            label: label.to_owned(),
        })
    };
    if !judged.is_empty() {
        card(judged.len().to_string(), "ideas proposed");
        card(
            judged
                .iter()
                .filter(|idea| idea["verdict"] == "novel")
                .count()
                .to_string(),
            "judged new",
        );
    }
    card(board.rows.len().to_string(), "studied to the end");
    let count = |key: &str| -> u64 {
        comparisons
            .iter()
            .filter_map(|comparison| comparison["counts"][key].as_u64())
            .sum()
    };
    if !comparisons.is_empty() {
        card(count("total").to_string(), "comparisons");
        card(
            format!("{} / {}", count("better"), count("worse")),
            "better / worse",
        );
    }
    let checks: Vec<(u64, u64)> = after
        .iter()
        .filter_map(|summary| {
            Some((
                summary["checks"]["passed"].as_u64()?,
                summary["checks"]["total"].as_u64()?,
            ))
        })
        .collect();
    if !checks.is_empty() {
        let (passed, total) = checks
            .iter()
            .fold((0, 0), |(a, b), (passed, total)| (a + passed, b + total));
        card(format!("{passed} / {total}"), "final checks passed");
    }
    cards
}
