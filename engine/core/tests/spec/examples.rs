//! Every worked example of the language's design passes, with the types that it promises.

use std::time::Duration;

use kyobashi_engine::spec::{AtMax, CachePolicy, Fan, OnError, Spec, Stage, Template, Work};
use kyobashi_stage::Type;
use serde_json::json;

use crate::space::{Space, signatures, told};

fn passes(file: &str) -> Spec {
    let checked = Space::examples().check(file);
    let problems: Vec<_> = checked
        .problems
        .into_iter()
        .filter(|problem| problem.code != "import::unused")
        .collect();
    assert_eq!(told(&problems), "");
    let spec = checked.spec.expect("no error, so there is a spec");
    let kept = Spec::unpack(&spec.pack(), &signatures()).expect("it was packed whole");
    assert_eq!(format!("{kept:?}"), format!("{spec:?}"), "kept as it was");
    spec
}

fn stage<'s>(spec: &'s Spec, path: &str) -> &'s Stage {
    let found = spec.stages.iter().find(|stage| stage.path == path);
    found.unwrap_or_else(|| panic!("no stage {path}"))
}

/// `name: type` of what a group makes.
fn outs(spec: &Spec, path: &str) -> Vec<String> {
    let Work::Group { out, .. } = &stage(spec, path).work else {
        panic!("{path} is no group");
    };
    out.iter()
        .map(|out| format!("{}: {}", out.name, out.ty))
        .collect()
}

#[test]
fn hello_has_three_stages_in_the_order_of_the_file() {
    let spec = passes("hello.yaml");
    let names: Vec<&str> = spec
        .top
        .iter()
        .map(|id| spec.stage(*id).name.as_str())
        .collect();
    assert_eq!(names, ["greet", "shout", "count"]);
    let types: Vec<String> = spec
        .outputs
        .iter()
        .map(|output| format!("{}: {}", output.name, output.ty))
        .collect();
    assert_eq!(types, ["loud: text", "bytes: int"]);
}

#[test]
fn an_ablation_gathers_a_grid() {
    let spec = passes("ablation.yaml");
    let Fan::Matrix { axes, exclude, .. } = &*stage(&spec, "train").fan else {
        panic!("train has a matrix");
    };
    assert_eq!(axes[1].values, Template::Literal(json!([0.1, 0.01, 0.001])));
    assert_eq!(exclude[0]["lr"], Template::Literal(json!(0.001)));
    let Work::Uses { ins, with, .. } = &stage(&spec, "summary").work else {
        panic!("summary uses a stage type");
    };
    assert_eq!(ins[0].ty, Type::parse("list<json>").unwrap());
    assert_eq!(
        with[1].value,
        Template::Literal(json!(["val_loss", "val_acc"]))
    );
    let policy = &stage(&spec, "train").policy;
    assert_eq!(
        (policy.timeout, policy.retries),
        (Some(Duration::from_secs(1200)), 1)
    );
    assert_eq!(policy.resources.0["gpu"], 1.0);
}

#[test]
fn the_ai_scientist_infers_the_types_of_its_groups() {
    let spec = passes("ai-scientist.yaml");
    assert_eq!(outs(&spec, "study/lab/runs"), ["workspace: dir"]);
    let attempt = outs(&spec, "study/lab/runs/attempt");
    assert_eq!(
        attempt,
        [
            "workspace: dir",
            "history: json",
            "report: text",
            "done: bool"
        ]
    );
    let review = outs(&spec, "study/first");
    assert_eq!(
        review,
        [
            "review: Review",
            "all: grid<Review; model, sample>",
            "scores: list<int>",
            "dropped: list<json>"
        ]
    );
    let study = outs(&spec, "study");
    assert_eq!(
        study,
        [
            "title: str",
            "pdf: file(.pdf)",
            "before: Review",
            "after: Review",
            "scores: list<int>",
            "line: str"
        ]
    );
    let outputs: Vec<String> = spec
        .outputs
        .iter()
        .map(|output| format!("{}: {}", output.name, output.ty))
        .collect();
    let promised = [
        "papers: list<file(.pdf)>",
        "board: text",
        "failed: list<json>",
        "mean_before: float",
        "mean_after: float",
    ];
    assert_eq!(outputs, promised);
}

#[test]
fn a_carried_value_has_the_type_that_it_will_have() {
    let spec = passes("ai-scientist.yaml");
    let Fan::Repeat {
        carry,
        at_max,
        until,
        ..
    } = &*stage(&spec, "study/lab/runs").fan
    else {
        panic!("runs repeats");
    };
    let types: Vec<String> = carry
        .iter()
        .map(|carry| format!("{}: {}", carry.name, carry.ty))
        .collect();
    assert_eq!(types, ["workspace: dir", "history: json", "feedback: text"]);
    // A JSON file that stands for a value is the value; an empty text is no path.
    assert_eq!(carry[1].first, Template::Literal(json!([])));
    assert_eq!(carry[2].first, Template::Literal(json!("")));
    assert_eq!(*at_max, AtMax::Keep);
    assert!(until.is_some());
}

#[test]
fn each_use_of_a_component_has_stages_of_its_own() {
    let spec = passes("ai-scientist.yaml");
    let (first, second) = (
        stage(&spec, "study/first/reviewer"),
        stage(&spec, "study/second/reviewer"),
    );
    assert_ne!(first.id, second.id);
    assert_eq!(first.policy.on_error, OnError::Continue);
    assert_eq!(
        spec.places.stages[first.id.index()],
        spec.places.stages[second.id.index()]
    );
}

#[test]
fn rules_of_the_most_special_default_win() {
    let spec = passes("reuse.yaml");
    let judge = &stage(&spec, "judge").policy;
    assert_eq!(
        (judge.timeout, judge.retries, judge.version),
        (Some(Duration::from_secs(600)), 5, 2)
    );
    let corpus = &stage(&spec, "corpus").policy;
    assert_eq!(
        (corpus.timeout, corpus.cache),
        (Some(Duration::from_secs(3600)), CachePolicy::Frozen)
    );
    assert_eq!(corpus.secrets, ["s2"]);
}
