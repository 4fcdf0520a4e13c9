//! Whether an idea is new, as the literature says: known, novel, or unknown where none could be searched.

#![allow(clippy::unwrap_used, reason = "a test that breaks is a failed test")]

mod support;

use kyobashi_science::Dialect;
use kyobashi_stage::{Datum, Outputs};
use serde_json::{Value, json};
use support::library::{Library, openalex};
use support::reviewing::{bench, model, provider};
use support::server::{Act, Server as ModelServer};
use support::{Bench, baseline, dir, pipelines, value};

fn idea(name: &str, title: &str) -> Value {
    json!({"name": name, "title": title, "experiment": "Train with another noise schedule and compare.", "config": {"lr": name.len() as f64 * 1e-3}})
}

fn novelty(bench: &Bench, ideas: Value, more: Vec<(&str, Datum)>) -> Outputs {
    let mut given = vec![
        ("ideas", Datum::value(ideas)),
        ("template", dir(pipelines("templates/2d_diffusion"))),
    ];
    given.extend(more);
    bench.run("ideas/novelty", baseline(), given).unwrap()
}

#[test]
fn an_idea_that_a_folder_holds_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let bib = "@article{smith2021, title={Learned noise schedules for point sets}, author={Smith, Ann}, year={2021}}";
    std::fs::write(folder.path().join("own.bib"), bib).unwrap();
    let ideas = json!([
        idea("one", "Learned noise schedules for point sets"),
        idea("other", "Gradient echoes in tiny networks")
    ]);
    let outputs = novelty(
        &Bench::new(),
        ideas,
        vec![("folder", dir(folder.path().to_owned()))],
    );
    let judged = value(&outputs, "judged");
    assert_eq!(
        (&judged[0]["verdict"], &judged[1]["verdict"]),
        (&json!("known"), &json!("novel"))
    );
    assert!(judged[0]["reason"].as_str().unwrap().contains("(2021)"));
    assert_eq!(judged[1]["literature"]["answered"], json!(["folder"]));
    assert_eq!(value(&outputs, "novel").as_array().unwrap().len(), 1);
}

#[test]
fn where_nothing_could_be_searched_the_verdict_is_unknown() {
    let away = Library::start(vec![(403, None, "no".to_owned())]);
    let asked = |unknown: &str| {
        vec![
            ("engine", Datum::value("crossref")),
            ("servers", Datum::value(json!({"crossref": away.url}))),
            ("unknown", Datum::value(unknown)),
        ]
    };
    let ideas = json!([idea("one", "A title"), idea("other", "Another title")]);
    let kept = novelty(&Bench::new(), ideas.clone(), asked("keep"));
    let judged = value(&kept, "judged");
    for one in judged.as_array().unwrap() {
        assert_eq!(one["verdict"], "unknown", "{one:#}");
        assert!(
            one["reason"]
                .as_str()
                .unwrap()
                .contains("could not be searched")
        );
    }
    assert_eq!(away.seen().len(), 1, "a library that is away is asked once");
    assert_eq!(value(&kept, "novel").as_array().unwrap().len(), 2);
    let dropped = novelty(&Bench::new(), ideas.clone(), asked("drop"));
    assert!(value(&dropped, "novel").as_array().unwrap().is_empty());
    let offline = novelty(&Bench::new(), ideas, vec![]);
    let judged = value(&offline, "judged");
    assert_eq!(judged[0]["verdict"], "novel");
    assert!(
        judged[0]["reason"]
            .as_str()
            .unwrap()
            .contains("the literature was not searched")
    );
}

#[test]
fn a_model_searches_before_it_decides_and_must_name_a_paper_that_was_found() {
    let say = |decision: &str, query: &str, paper: u64| {
        Act::Say(
            json!({"reason": "It is near.", "decision": decision, "query": query, "paper": paper})
                .to_string(),
        )
    };
    let server = ModelServer::start(vec![
        say("novel", "", 0),
        say("search", "noise schedule", 0),
        say("known", "", 7),
        say("known", "", 1),
    ]);
    let library = Library::start(vec![(200, None, openalex())]);
    let bench = bench(provider(Dialect::OpenaiChat, &server.url));
    let given = vec![
        ("ideas", Datum::value(json!([idea("one", "A title")]))),
        ("template", dir(pipelines("templates/2d_diffusion"))),
        ("engine", Datum::value("openalex")),
        ("servers", Datum::value(json!({"openalex": library.url}))),
    ];
    let outputs = bench.run("ideas/novelty", model(json!({})), given).unwrap();
    let judged = value(&outputs, "judged");
    assert_eq!(judged[0]["verdict"], "known", "{judged:#}");
    let reason = judged[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("Denoising Diffusion Probabilistic Models"),
        "{reason}"
    );
    assert_eq!(
        judged[0]["literature"]["queries"],
        json!(["noise schedule"])
    );
    let seen = server.seen();
    assert_eq!(
        seen.len(),
        4,
        "it was told to search first, and to name a paper that was found"
    );
    assert!(seen[2].body.to_string().contains("[1] Denoising Diffusion"));
}
