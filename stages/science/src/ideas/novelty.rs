//! `ideas/novelty`: which ideas are new, judged by what they would run and by their texts.
//!
//! Code compares with the earlier ideas of the study and with the template's known ideas. The literature
//! is searched where an engine or a folder is named: by code, which knows an idea again by its words, or by
//! a model, which decides after what it reads. Where nothing could be searched, the verdict is `unknown`;
//! where nothing was to be searched, the reason says so.

use kyobashi_stage::{BASELINE, Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde::Serialize;

use super::examine::Examiner;
use super::published::{KNOWN, Literature, NOVEL, UNKNOWN, published};
use super::similar::{Plan, likeness};
use crate::literature::{Desk, settings as literature};
use crate::llm::{Client, set, settings};
use crate::shapes::Idea;
use crate::template::Template;

/// From this likeness on, two ideas without a plan of their own count as one.
const ALIKE: f64 = 0.9;

pub(crate) struct Novelty(pub(crate) Client);

/// The judgement of one idea.
#[derive(Debug, PartialEq, Serialize)]
struct Judged {
    name: String,
    /// `novel`, `known`, or `unknown` where nothing could be searched or no decision was reached.
    verdict: &'static str,
    reason: String,
    nearest: Option<Nearest>,
    /// What was looked up; none if nothing was.
    literature: Option<Literature>,
    /// Who proposed and judged it.
    provenance: &'static str,
}

/// The idea that comes nearest.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Nearest {
    name: String,
    /// `study`, `archive` or `baseline`.
    of: &'static str,
    /// Distance of the plans: one per other program, decade of a number or other setting.
    distance: f64,
    /// Likeness of the texts, 0 to 1.
    likeness: f64,
}

impl Stage for Novelty {
    fn signature(&self) -> Signature {
        let mut with = literature();
        with.extend([
            Port::or(
                "rounds",
                "int",
                3,
                "questions to the literature for one idea at most",
            ),
            Port::or(
                "unknown",
                "str",
                "keep",
                "keep: an idea that could not be judged goes on; drop: it does not",
            ),
        ]);
        Signature {
            ins: vec![
                Port::new("ideas", "list<Idea>", "the ideas, in order of preference"),
                Port::new(
                    "template",
                    "dir",
                    "the template folder, with the ideas that are already known",
                ),
            ],
            with: settings(with),
            outs: vec![
                Port::new("novel", "list<Idea>", "the ideas that are new"),
                Port::new(
                    "judged",
                    "list<json>",
                    "every idea with its verdict, the reason and its nearest neighbours",
                ),
            ],
            model: true,
            ..Signature::new("ideas/novelty", 3, "Tell new ideas from known ones")
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let template = Template::read(call.path("template")?)?;
        let ideas: Vec<Idea> = call.get("ideas")?;
        let keep = match call.get::<String>("unknown")?.as_str() {
            "keep" => true,
            "drop" => false,
            other => {
                return Err(Failure::new(format!("`unknown: {other}` is unknown"))
                    .help("known are keep, drop"));
            }
        };
        let desk = Desk::open(call)?;
        let rounds: usize = call.get("rounds")?;
        let mut judged = judge(&ideas, &template)?;
        let model = call.model.as_ref().filter(|model| !model.is_baseline());
        for (idea, judged) in ideas.iter().zip(&mut judged) {
            if judged.verdict == KNOWN {
                continue;
            }
            let looked = match model {
                Some(model) => Some(
                    Examiner {
                        client: &self.0,
                        model,
                        settings: set(call, model)?,
                        sample: call.get("sample")?,
                        desk: &desk,
                        rounds,
                    }
                    .examine(idea, &template, context)?,
                ),
                None if desk.staffed() => Some(published(idea, &desk, rounds, context)?),
                None => None,
            };
            if let Some(looked) = looked {
                judged.verdict = looked.verdict;
                judged.reason = looked.reason;
                judged.literature = looked.literature;
            }
            judged.provenance = model.map_or(BASELINE, |model| self.0.provenance(model));
        }
        let novel: Vec<&Idea> = ideas
            .iter()
            .zip(&judged)
            .filter(|(_, judged)| judged.verdict == NOVEL || (judged.verdict == UNKNOWN && keep))
            .map(|(idea, _)| idea)
            .collect();
        let value = |value: Result<serde_json::Value, serde_json::Error>| {
            value
                .map(Output::value)
                .map_err(|error| Failure::bug(error.to_string()))
        };
        Ok(Outputs::from([
            ("novel".to_owned(), value(serde_json::to_value(novel))?),
            ("judged".to_owned(), value(serde_json::to_value(judged))?),
        ]))
    }
}

/// Compares every idea with the template's known ones and with those before it.
fn judge(ideas: &[Idea], template: &Template) -> Result<Vec<Judged>, Failure> {
    let baseline = Idea {
        name: "baseline".to_owned(),
        title: template.title.clone(),
        experiment: template.task.clone(),
        interestingness: None,
        feasibility: None,
        novelty: None,
        config: None,
        program: None,
    };
    let mut seen: Vec<(&'static str, Idea, Plan)> =
        vec![("baseline", baseline, plan(None, template)?)];
    for idea in template.known()? {
        let plan = plan(Some(&idea), template)?;
        seen.push(("archive", idea, plan));
    }
    let mut judged = Vec::new();
    for idea in ideas {
        let plan = plan(Some(idea), template)?;
        let (known, reason) = compare(idea, &plan, &seen);
        judged.push(Judged {
            name: idea.name.clone(),
            verdict: if known { KNOWN } else { NOVEL },
            reason,
            nearest: nearest(idea, &plan, &seen),
            literature: None,
            provenance: BASELINE,
        });
        seen.push(("study", idea.clone(), plan));
    }
    Ok(judged)
}

fn plan(idea: Option<&Idea>, template: &Template) -> Result<Plan, Failure> {
    let program = idea
        .and_then(|idea| idea.program.clone())
        .unwrap_or_else(|| template.program.clone());
    Ok(Plan {
        program,
        config: template.config_of(idea)?,
    })
}

/// Whether the idea is known, and why.
fn compare(idea: &Idea, plan: &Plan, seen: &[(&'static str, Idea, Plan)]) -> (bool, String) {
    let place = |of: &str| match of {
        "archive" => "the template's known ideas",
        "study" => "an earlier idea of this study",
        _ => "the baseline",
    };
    if let Some((of, other, _)) = seen.iter().find(|(_, other, _)| other.name == idea.name) {
        return (
            true,
            format!("has the name of `{}`, {}", other.name, place(of)),
        );
    }
    // An idea that is a text alone has no plan yet: a model will edit the program for it.
    let bare = |idea: &Idea| idea.config.is_none() && idea.program.is_none();
    let same = seen.iter().find(|(of, other, known)| {
        !bare(idea) && known == plan && (*of == "baseline" || !bare(other))
    });
    if let Some((of, other, _)) = same {
        let why = if *of == "baseline" {
            "changes neither program nor settings of the baseline".to_owned()
        } else {
            format!(
                "runs the same program with the same settings as `{}`, {}",
                other.name,
                place(of)
            )
        };
        return (true, why);
    }
    // Enumerated ideas share their wording and differ in a value; their plans tell them apart.
    let twin = seen.iter().find(|(of, other, _)| {
        *of != "baseline" && (bare(idea) || bare(other)) && likeness(idea, other) >= ALIKE
    });
    if let Some((of, other, _)) = twin {
        return (
            true,
            format!("says nearly the same as `{}`, {}", other.name, place(of)),
        );
    }
    (false, "differs from the baseline, the known ideas and the earlier ones; the literature was not searched".into())
}

fn nearest(idea: &Idea, plan: &Plan, seen: &[(&'static str, Idea, Plan)]) -> Option<Nearest> {
    seen.iter()
        .map(|(of, other, other_plan)| Nearest {
            name: other.name.clone(),
            of,
            distance: plan.distance(other_plan),
            likeness: likeness(idea, other),
        })
        .min_by(|a, b| {
            a.distance
                .total_cmp(&b.distance)
                .then(b.likeness.total_cmp(&a.likeness))
        })
}
