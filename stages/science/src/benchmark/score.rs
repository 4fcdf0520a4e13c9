//! `review/score`: how good a reviewer is, against decisions that are known.

use std::collections::{BTreeMap, BTreeSet};

use kyobashi_stage::{
    Call, Context, Datum, Failure, Note, Output, Outputs, Port, Signature, Stage,
};
use serde_json::json;

use super::bootstrap::Bootstrap;
use super::calibrate::source;
use super::calibrated::Calibrated;
use super::calibration::calibration;
use super::contamination::{Contamination, contamination};
use super::correlation::{among_people, among_samples, person_and_rest, with_people};
use super::dirt::Dirty;
use super::document::{Correlation, Counts, Dirt, Document, Drawn, Figure, Published, Screening};
use super::judged::{Judged, Matched, Rule, majority, matched};
use super::measures::{Case, Measures, NAMES, Tally, ranked};
use super::ratings::Ratings;
use super::reviews::{Reviews, read};
use super::scale::Scales;
use super::sheet::{plain, text};
use super::spread::{retest, scores};
use super::tables;
use crate::review::Statistic;

/// More resamples than this change no second digit and only cost time.
const MOST_RESAMPLES: usize = 1_000_000;

pub(crate) struct Score;

impl Stage for Score {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![
                Port::new(
                    "ratings",
                    "file",
                    "a table: `paper_id`, `decision`, and people's scores in any further columns",
                ),
                Port::new(
                    "reviews",
                    "any",
                    "a table or JSON file of reviews, or a list of `Review`, each with its `paper_id`",
                ),
                Port::new(
                    "made",
                    "any",
                    "the reviews of panels, a list for each paper: taken where `reviews` is nothing",
                ),
            ],
            with: vec![
                Port::new(
                    "form",
                    "file(.json)",
                    "the review form, whose scales say which values are dirty",
                ),
                Port::or("threshold", "float", 6.0, "accept from this score on"),
                Port::or(
                    "score",
                    "str",
                    "overall",
                    "the score of the form that decides",
                ),
                Port::or(
                    "rule",
                    "str",
                    "score",
                    "score: by the threshold; decision: by the decision field",
                ),
                Port::or(
                    "statistic",
                    "str",
                    "mean",
                    "how the scores of several reviews become one: mean, median, rounded_mean",
                ),
                Port::or("resamples", "int", 10_000, "draws of the bootstrap"),
                Port::or("seed", "int", 0, "of the bootstrap"),
                Port::or(
                    "name",
                    "str",
                    "reviewer",
                    "the reviewer's name in tables and figures",
                ),
                Port::new(
                    "source",
                    "str?",
                    "which papers these are, in words, for whoever uses the calibration",
                ),
                Port::new(
                    "cutoff",
                    "str?",
                    "until when the reviewer's training data reach: `2023-10`",
                ),
                Port::new(
                    "published",
                    "file(.json)?",
                    "figures of others to show beside: name → measures and `source`",
                ),
            ],
            outs: vec![
                Port::new(
                    "metrics",
                    "json",
                    "the seven measures with intervals; counts, correlations, dirty values",
                ),
                Port::new(
                    "calibration",
                    "json",
                    "what a score means, for `review/calibration`",
                ),
                Port::new("summary", "text", "the same as a Markdown table"),
                Port::new(
                    "bars",
                    "table(measure, reviewer, value, low, high)",
                    "the measures, for a figure",
                ),
                Port::new(
                    "violins",
                    "table(decision, reviewer, score)",
                    "the scores by decision, for a figure",
                ),
                Port::new(
                    "thresholds",
                    "table(threshold, measure, value)",
                    "the measures at every threshold",
                ),
                Port::new(
                    "papers",
                    "table(paper_id, decided, reviewer, score, reviews, people_mean)",
                    "every paper that was scored",
                ),
            ],
            ..Signature::new(
                "review/score",
                4,
                "Score a reviewer against known decisions",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let scales = Scales::read(&call.text("form")?)?;
        let score = plain(&call.get::<String>("score")?);
        let bounds = scales.of(&score)?;
        let rule = rule(call)?;
        let bootstrap = bootstrap(call)?;
        let name: String = call.get("name")?;
        let published = published(call)?;
        let ratings = Ratings::read(&text(call.path("ratings")?, "ratings")?, bounds)?;
        let reviews = read(given(call)?, &scales, &score)?;
        let statistic = Statistic::read(&call.get::<String>("statistic")?)?;
        let found = matched(&ratings, &reviews, &score, &rule, statistic)?;
        let dirty: Vec<Dirty> = [ratings.dirty.clone(), reviews.dirty.clone()].concat();
        if !dirty.is_empty() {
            context.note(Note {
                message: Some(format!(
                    "{} dirty values, used nowhere; the first: {}",
                    dirty.len(),
                    dirty[0].sentence()
                )),
                ..Note::default()
            });
        }
        let (tally, measured) = measured(&found.papers, |paper| paper.predicted, &bootstrap);
        let [
            balanced_accuracy,
            accuracy,
            f1,
            auc_decision,
            auc_score,
            fpr,
            fnr,
        ] = measured;
        let papers = &found.papers;
        let rejected = papers.iter().filter(|paper| !paper.accepted).count();
        let document = Document {
            balanced_accuracy,
            accuracy,
            f1,
            auc_decision,
            auc_score,
            fpr,
            fnr,
            rule: match rule {
                Rule::Threshold(least) => format!("accept if {score} ≥ {least}"),
                Rule::Decision => "accept if the decision field says so".to_owned(),
            },
            statistic: statistic.word(),
            calibration: calibration(papers, &bootstrap),
            counts: counts(&tally, &found, &ratings, &reviews),
            always_reject: BTreeMap::from([
                ("accuracy", rejected as f64 / papers.len() as f64),
                ("balanced_accuracy", 0.5),
            ]),
            by_decision_field: by_decision_field(papers, &reviews, &bootstrap),
            correlation: Correlation {
                reviewer_and_mean_person: with_people(papers, &bootstrap),
                person_and_other_person: among_people(papers, &bootstrap),
                person_and_mean_of_others: person_and_rest(papers, &bootstrap),
                review_and_other_review: among_samples(papers, &bootstrap),
            },
            scores: scores(&scales, &reviews),
            retest: retest(papers, &rule),
            contamination: contaminated(call, papers, &ratings, &bootstrap)?,
            screening: Screening::of(&reviews),
            reviewers: reviews.reviewers.clone(),
            provenances: reviews.provenances.clone(),
            bootstrap: Drawn {
                resamples: bootstrap.resamples,
                seed: bootstrap.seed,
                strata: ["accepted", "rejected"],
            },
            dirty: Dirt {
                rows: dirty
                    .iter()
                    .map(|dirty| (dirty.file, dirty.line))
                    .collect::<BTreeSet<_>>()
                    .len(),
                values: dirty,
            },
            published,
        };
        let counts = papers.iter().map(|paper| paper.samples.len());
        let reviews_a_paper = [counts.clone().min(), counts.max()].map(Option::unwrap_or_default);
        let calibration = Calibrated::of(
            &document,
            &scales.name,
            &score,
            &source(call)?,
            reviews_a_paper,
        )?;
        let value =
            serde_json::to_value(&document).map_err(|error| Failure::bug(error.to_string()))?;
        Ok(Outputs::from([
            ("metrics".to_owned(), Output::value(value)),
            ("calibration".to_owned(), Output::value(calibration)),
            (
                "summary".to_owned(),
                Output::bytes(tables::summary(&document, &name)),
            ),
            ("bars".to_owned(), tables::bars(&document, &name)?),
            ("violins".to_owned(), tables::violins(papers, &name)?),
            ("thresholds".to_owned(), tables::thresholds(papers)?),
            ("papers".to_owned(), tables::papers(papers)?),
        ]))
    }
}

/// The reviews that were given, or those that were made.
fn given(call: &Call) -> Result<&Datum, Failure> {
    let empty = |datum: &Datum| datum.members().is_empty() || *datum == Datum::value(json!([]));
    match (call.has("reviews"), call.datum("made")?) {
        (true, _) => call.datum("reviews"),
        (false, made) if call.has("made") && !empty(made) => Ok(made),
        _ => Err(Failure::new("there are no reviews to score").help(
            "give a file with `params.reviews`, or a folder of papers with `params.papers` and a model as the reviewer",
        )),
    }
}

fn rule(call: &Call) -> Result<Rule, Failure> {
    match call.get::<String>("rule")?.as_str() {
        "score" => Ok(Rule::Threshold(call.get("threshold")?)),
        "decision" => Ok(Rule::Decision),
        other => {
            Err(Failure::new(format!("`rule: {other}` is unknown"))
                .help("known are score, decision"))
        }
    }
}

fn bootstrap(call: &Call) -> Result<Bootstrap, Failure> {
    let resamples: usize = call.get("resamples")?;
    if !(1..=MOST_RESAMPLES).contains(&resamples) {
        return Err(Failure::new(format!(
            "`resamples: {resamples}` is not between 1 and {MOST_RESAMPLES}"
        )));
    }
    Ok(Bootstrap {
        resamples,
        seed: call.get("seed")?,
    })
}

/// Figures of others, as they stand in the file.
fn published(call: &Call) -> Result<BTreeMap<String, Published>, Failure> {
    if !call.has("published") {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(&call.text("published")?)
        .map_err(|error| Failure::new(format!("the published figures cannot be read: {error}")))
}

/// The measures of papers under a decision, each with its interval.
fn measured(
    papers: &[Judged],
    predicted: impl Fn(&Judged) -> bool,
    bootstrap: &Bootstrap,
) -> (Tally, [Figure; NAMES.len()]) {
    let all: Vec<f64> = papers.iter().map(|paper| paper.score).collect();
    let (distinct, ranks) = ranked(&all);
    let cases: Vec<Case> = papers
        .iter()
        .zip(ranks)
        .map(|(paper, rank)| Case {
            accepted: paper.accepted,
            predicted: predicted(paper),
            rank,
        })
        .collect();
    let strata = [true, false].map(|kind| {
        (0..cases.len())
            .filter(|place| cases[*place].accepted == kind)
            .collect::<Vec<_>>()
    });
    let intervals = bootstrap.intervals(&strata, |drawn| {
        Tally::of(drawn.iter().map(|place| cases[*place]), distinct.len()).measures()
    });
    let tally = Tally::of(cases.iter().copied(), distinct.len());
    let values: Measures = tally.measures();
    let figures = std::array::from_fn(|place| Figure::new(values[place], intervals[place]));
    (tally, figures)
}

fn contaminated(
    call: &Call,
    papers: &[Judged],
    ratings: &Ratings,
    bootstrap: &Bootstrap,
) -> Result<Contamination, Failure> {
    let given: Option<String> = call.get("cutoff")?;
    contamination(papers, ratings, given.as_deref(), &|part| {
        let both = [true, false].map(|kind| part.iter().any(|paper| paper.accepted == kind));
        let [figure, ..] = both
            .iter()
            .all(|there| *there)
            .then(|| measured(part, |paper| paper.predicted, bootstrap).1)?;
        Some(figure)
    })
}

/// The same papers judged by the decision field, if every one of them has it.
fn by_decision_field(
    papers: &[Judged],
    reviews: &Reviews,
    bootstrap: &Bootstrap,
) -> Option<BTreeMap<&'static str, Figure>> {
    let said: BTreeMap<&str, bool> = papers
        .iter()
        .map(|paper| {
            Some((
                paper.paper.as_str(),
                majority(reviews.papers.get(&paper.paper)?)?,
            ))
        })
        .collect::<Option<_>>()?;
    let (_, figures) = measured(papers, |paper| said[paper.paper.as_str()], bootstrap);
    Some(NAMES.into_iter().zip(figures).collect())
}

fn counts(tally: &Tally, found: &Matched, ratings: &Ratings, reviews: &Reviews) -> Counts {
    let accepted = found.papers.iter().filter(|paper| paper.accepted).count();
    Counts {
        papers: found.papers.len(),
        accepted,
        rejected: found.papers.len() - accepted,
        true_accepts: tally.true_accepts,
        false_accepts: tally.false_accepts,
        true_rejects: tally.true_rejects,
        false_rejects: tally.false_rejects,
        capped: found
            .papers
            .iter()
            .filter(|paper| paper.capped)
            .map(|paper| paper.paper.clone())
            .collect(),
        rated: ratings.papers.len(),
        reviews: reviews.read,
        rated_without_review: found.unreviewed.clone(),
        reviewed_without_rating: found.unrated.clone(),
        ignored_columns: ratings.ignored.clone(),
    }
}
