//! `ideas/novelty`: which ideas are new, judged by what they would run and by their texts.
//!
//! It compares with the earlier ideas of the study and with the template's known ideas. It does not
//! search the literature, and its reasons say so.

use kyobashi_stage::{BASELINE, Call, Context, Failure, Output, Outputs, Port, Signature, Stage};
use serde::Serialize;

use super::similar::{Plan, likeness};
use crate::author::baseline_only;
use crate::shapes::Idea;
use crate::template::Template;

/// From this likeness on, two ideas without a plan of their own count as one.
const ALIKE: f64 = 0.9;

pub(crate) struct Novelty;

/// The judgement of one idea.
#[derive(Debug, PartialEq, Serialize)]
struct Judged {
    name: String,
    /// `novel` or `known`.
    verdict: &'static str,
    reason: String,
    nearest: Option<Nearest>,
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
        Signature {
            ins: vec![
                Port::new("ideas", "list<Idea>", "the ideas, in order of preference"),
                Port::new(
                    "template",
                    "dir",
                    "the template folder, with the ideas that are already known",
                ),
            ],
            outs: vec![
                Port::new("novel", "list<Idea>", "the ideas that are new"),
                Port::new(
                    "judged",
                    "list<json>",
                    "every idea with its verdict, the reason and its nearest neighbour",
                ),
            ],
            model: true,
            ..Signature::new("ideas/novelty", 2, "Tell new ideas from known ones")
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        baseline_only(call)?;
        let template = Template::read(call.path("template")?)?;
        let ideas: Vec<Idea> = call.get("ideas")?;
        let (novel, judged) = judge(&ideas, &template)?;
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

fn judge(ideas: &[Idea], template: &Template) -> Result<(Vec<Idea>, Vec<Judged>), Failure> {
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
    let (mut novel, mut judged) = (Vec::new(), Vec::new());
    for idea in ideas {
        let plan = plan(Some(idea), template)?;
        let (known, reason) = compare(idea, &plan, &seen);
        judged.push(Judged {
            name: idea.name.clone(),
            verdict: if known { "known" } else { "novel" },
            reason,
            nearest: nearest(idea, &plan, &seen),
            provenance: BASELINE,
        });
        if !known {
            novel.push(idea.clone());
        }
        seen.push(("study", idea.clone(), plan));
    }
    Ok((novel, judged))
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
    if let Some((of, other, _)) = seen.iter().find(|(_, _, other)| other == plan) {
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
    let bare = |idea: &Idea| idea.config.is_none() && idea.program.is_none();
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
