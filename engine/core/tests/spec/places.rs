//! Where things are written, and which value is in force.

use kyobashi_engine::spec::{Place, Spec, Template};
use serde_json::json;

use crate::space::{Ask, Space, told};

const PIPELINE: &str = "kyobashi: 1
# 学習率
params: {lr: 0.1, n: {type: int, default: 3}}
models: {judge: baseline}
profiles: {fast: {params: {lr: 1}}}
stages:
  学習:
    matrix: {seed: [1, 2]}
    with: {lr: \"${params.lr}\", seed: \"${seed}\"}
    version: 2
    when: ${params.n > 1}
    run: echo $lr > $o
    out: {o: text}
outputs: {o.txt: \"${学習.o}\"}
";

fn spec(ask: &Ask<'_>) -> Spec {
    let space = Space::one(PIPELINE).file("v.yaml", "params:\n  lr: 2\n");
    let checked = space.ask("a.yaml", ask);
    assert_eq!(told(&checked.problems), "");
    checked.spec.unwrap()
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.col)
}

#[test]
fn every_part_of_a_stage_has_a_place() {
    let spec = spec(&Ask::default());
    let parts = spec.places.parts.all().iter();
    let parts: Vec<String> = parts
        .map(|((_, part), place)| format!("{part} {}", at(place)))
        .collect();
    let wanted = [
        "matrix a.yaml:8:5",
        "matrix.seed a.yaml:8:20",
        "run a.yaml:12:10",
        "version a.yaml:10:14",
        "when a.yaml:11:11",
        "with.lr a.yaml:9:16",
        "with.seed a.yaml:9:38",
    ];
    assert_eq!(parts, wanted);
    assert_eq!(at(&spec.places.stages[0]), "a.yaml:7:3");
    assert_eq!(at(&spec.places.names["outputs.o.txt"]), "a.yaml:14:18");
    assert_eq!(at(&spec.places.names["models.judge"]), "a.yaml:4:17");
}

#[test]
fn the_strongest_layer_gives_the_value_and_the_place() {
    let lr = |ask: &Ask<'_>| {
        let spec = spec(ask);
        let value = spec.params["lr"].value.clone();
        (value, at(&spec.places.names["params.lr"]))
    };
    let number = |number: f64| Template::Literal(json!(number));
    assert_eq!(lr(&Ask::default()), (number(0.1), "a.yaml:3:14".to_owned()));
    let ask = Ask {
        profile: Some("fast"),
        ..Ask::default()
    };
    assert_eq!(lr(&ask), (number(1.0), "a.yaml:5:32".to_owned()));
    let ask = Ask {
        profile: Some("fast"),
        values: Some("v.yaml"),
        ..Ask::default()
    };
    assert_eq!(lr(&ask), (number(2.0), "v.yaml:2:7".to_owned()));
    let ask = Ask {
        values: Some("v.yaml"),
        set: &["params.n=2", "params.lr=3"],
        ..Ask::default()
    };
    assert_eq!(lr(&ask), (number(3.0), "command line:2:17".to_owned()));
}

#[test]
fn setting_all_models_sets_each_role() {
    let ask = Ask {
        set: &["models.*=ollama/llama3:8b"],
        ..Ask::default()
    };
    let spec = spec(&ask);
    assert_eq!(spec.models["judge"].to_string(), "ollama/llama3:8b");
    assert_eq!(spec.models["judge"].endpoint, "http://localhost:11434");
}
