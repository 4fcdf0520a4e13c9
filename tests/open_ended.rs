//! Round after round of ideas: whoever has the next ones knows what came of those before.

use serde_json::{Value, json};

use crate::model_server::{KEY, ModelServer, Said};
use crate::scientist::{SMALL, answer, space};

const FLOW: &str = "pipelines/open-ended.yaml";

/// The first question of a talk.
fn prompt(body: &Value) -> &str {
    let turns = body["messages"].as_array().unwrap();
    let asked = turns.iter().find(|turn| turn["role"] == "user").unwrap();
    asked["content"].as_str().unwrap()
}

#[test]
fn the_ideas_of_a_round_know_those_before_with_their_scores_and_more_rounds_go_on_from_there() {
    let server = ModelServer::with(|body, _| {
        let text = prompt(body);
        if text.contains("Propose one new idea") && text.contains("`wide_start`") {
            return Said::Text(
                json!({"name": "steep_rate", "title": "Three times the learning rate",
                    "experiment": "Train at a rate of 0.001 and look at the averaged weights.",
                    "interestingness": 4, "feasibility": 10, "novelty": 2, "done": true})
                .to_string(),
            );
        }
        Said::Text(answer(body))
    });
    let mut space = space();
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    let run = |rounds: &str| {
        let rounds = format!("params.rounds={rounds}");
        space.run(FLOW, &[SMALL, &["--set", &rounds, "--out", "out"]].concat())
    };
    run("1");
    let once = server.bodies().len();
    let second = run("2");
    let again: Vec<String> = second
        .ended("ran")
        .into_iter()
        .filter(|address| address.starts_with("rounds[1]"))
        .collect();
    assert_eq!(again, [""; 0], "what the first round made stays");
    let bodies = server.bodies();
    let asked: Vec<&str> = bodies[once..]
        .iter()
        .map(prompt)
        .filter(|prompt| prompt.contains("Propose one new idea"))
        .collect();
    assert!(!asked.is_empty());
    for part in [
        "`wide_start`: A wider first layer.",
        "What came of it: of 2 comparisons with the baseline",
        "its paper: overall 5.0",
    ] {
        assert!(asked[0].contains(part), "{part}\n{}", asked[0]);
    }
    let archive: Value = serde_json::from_str(&space.read("out/archive.json")).unwrap();
    let known: Vec<(&str, u64)> = archive
        .as_array()
        .unwrap()
        .iter()
        .map(|idea| {
            (
                idea["name"].as_str().unwrap(),
                idea["round"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(known, [("wide_start", 1), ("steep_rate", 2)]);
    let board = space.read("out/leaderboard.md");
    assert!(
        board.contains("wide_start") && board.contains("steep_rate"),
        "{board}"
    );
    assert_eq!(
        std::fs::read_dir(space.path("out/papers")).unwrap().count(),
        2
    );
    // The papers of all rounds against each other: two in two orders, and nothing else.
    let before = server.bodies().len();
    let sets = [
        "--set",
        "params.rounds=2",
        "--set",
        "params.pairwise=true",
        "--out",
        "out",
    ];
    let ran = space.run(FLOW, &[SMALL, &sets].concat()).count("ran");
    assert_eq!((ran["llm/compare"], server.bodies().len() - before), (2, 2));
    assert!(!ran.contains_key("llm/review"), "{ran:?}");
    let board = space.read("out/leaderboard.md");
    for said in [
        "won 0, lost 0, undecided 1",
        "from 1 pair that openai/gpt-4o-mini compared in both orders",
        "preferred in 1.00 [0.34, 1.00] of 2 answers",
    ] {
        assert!(board.contains(said), "{said}\n{board}");
    }
    // A calibration is shown, and no question of a later round is another one for it.
    let calibration = json!({"version": 1, "source": "made-up papers", "form": "neurips", "score": "overall",
        "statistic": "median", "reviewers": ["openai/gpt-4o-mini"], "provenances": ["scripted"], "reviews_a_paper": [1, 1],
        "papers": 40, "accepted": 20, "threshold": 4.0, "map": [{"score": 5.0, "chance": 0.5, "papers": 40}],
        "brier": {"value": 0.25, "ci95": 0.01}, "brier_of_base_rate": 0.25, "balanced_accuracy": {"value": 0.5, "ci95": 0.1}});
    space.write("c.json", &calibration.to_string());
    let before = server.bodies().len();
    let given = [
        "--set",
        "params.rounds=2",
        "--set",
        "params.held_out_calibration=c.json",
        "--out",
        "out",
    ];
    space.run(FLOW, &[SMALL, &given].concat());
    assert_eq!(server.bodies().len(), before, "somebody was asked again");
    let board = space.read("out/leaderboard.md");
    assert!(
        board.contains("accept (threshold 4.0), chance of acceptance 0.50"),
        "{board}"
    );
}
