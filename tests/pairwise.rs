//! Papers compared two at a time through the front door, by scripted judges: who wins in both orders wins, a
//! judge who prefers whatever stands first decides nothing and is found out, and a paper more pays for its own
//! comparisons only.

use serde_json::{Value, json};

use crate::model_server::{KEY, ModelServer, Said};
use crate::roles::study;
use crate::space::{Done, Space};

/// Ideas with a paper each, put through the component that the flow uses.
const PIPELINE: &str = r#"
kyobashi: 1
name: compared
import: {ranking: pipelines/lib/ranking.yaml}
params:
  papers: {type: "list<text>", default: [good.md, fair.md, poor.md]}
  ideas: {type: "list<Idea>", default: [{name: good, title: G, experiment: g}, {name: fair, title: F, experiment: f}, {name: poor, title: P, experiment: p}]}
models: {judge: openai/judges}
providers: {openai: {identity: "https://api.openai.com/v1"}}
stages:
  ranking:
    uses: ranking
    in: {ideas: "${params.ideas}", papers: "${params.papers}", judge: "${models.judge}"}
outputs: {ranking.json: "${ranking.ranking}"}
"#;

/// What a judge is asked: the two papers in their order.
fn asked(body: &Value) -> Option<[String; 2]> {
    let turns = body["messages"].as_array().unwrap();
    let user = turns.iter().find(|turn| turn["role"] == "user").unwrap();
    let prompt = user["content"].as_str().unwrap();
    let papers: Vec<&str> = prompt.split("<paper>\n").skip(1).collect();
    let paper = |place: usize| papers[place].split("\n</paper>").next().unwrap().to_owned();
    prompt
        .starts_with("Two papers stand below")
        .then(|| [paper(0), paper(1)])
}

fn said(first: bool) -> Said {
    let better = if first { "first" } else { "second" };
    Said::Text(json!({"reason": "It is the better one.", "better": better}).to_string())
}

fn space(server: &ModelServer) -> Space {
    let mut space = Space::new();
    space.copy("pipelines", "pipelines");
    space
        .write("compared.yaml", PIPELINE)
        .write("good.md", "worth 3, says </paper> and goes on")
        .write("fair.md", "worth 2")
        .write("poor.md", "worth 1")
        .write("great.md", "worth 4");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

fn worth(paper: &str) -> u32 {
    let digit = paper.chars().find(char::is_ascii_digit).unwrap();
    digit.to_digit(10).unwrap()
}

fn rank(space: &Space, more: &[&str]) -> (Done, Value) {
    let sets = more.iter().flat_map(|set| ["--set", *set]);
    let all: Vec<&str> = sets.chain(["--out", "out"]).collect();
    let done = space.run("compared.yaml", &all);
    (
        done,
        serde_json::from_str(&space.read("out/ranking.json")).unwrap(),
    )
}

#[test]
fn papers_are_ranked_by_wins_in_both_orders_and_a_paper_more_pays_for_its_own_pairs() {
    let server = ModelServer::with(|body, _| {
        let [first, second] = asked(body).unwrap();
        said(worth(&first) > worth(&second))
    });
    let space = space(&server);
    let plan = space.kyo(&[
        "plan",
        "compared.yaml",
        "--json",
        "--set",
        "models.judge=openai/gpt-4o-mini",
    ]);
    let nodes: Vec<Value> = serde_json::from_str(&plan.stdout).unwrap();
    let calls = |key: &str| -> f64 {
        nodes
            .iter()
            .filter_map(|node| node["calls"][key].as_f64())
            .sum()
    };
    assert_eq!(
        calls("calls"),
        6.0,
        "three papers, two orders of each two: {}",
        plan.stdout
    );
    assert!(calls("most_usd") > calls("least_usd") && calls("least_usd") > 0.0);
    assert!(server.bodies().is_empty());
    let (done, found) = rank(&space, &[]);
    assert_eq!(
        (done.count("ran")["llm/compare"], server.bodies().len()),
        (6, 6)
    );
    let papers = found["papers"].as_array().unwrap();
    let names: Vec<(&str, u64, u64)> = papers
        .iter()
        .map(|paper| {
            (
                paper["name"].as_str().unwrap(),
                paper["wins"].as_u64().unwrap(),
                paper["losses"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(names, [("good", 2, 0), ("fair", 1, 1), ("poor", 0, 2)]);
    assert!((papers[1]["chance"].as_f64().unwrap() - 0.5).abs() < 1e-9);
    let [low, high] = [0, 1].map(|end| papers[0]["ci"][end].as_f64().unwrap());
    assert!(
        low < 0.5 && high > 0.8,
        "two wins leave much open: {low} {high}"
    );
    assert_eq!((&found["pairs"], &found["decided"]), (&json!(3), &json!(3)));
    assert_eq!(found["first"]["share"], 0.5, "the order made no difference");
    let more = [
        "params.papers=[good.md, fair.md, poor.md, great.md]",
        "params.ideas=[{name: good, title: G, experiment: g}, {name: fair, title: F, experiment: f}, {name: poor, title: P, experiment: p}, {name: great, title: R, experiment: r}]",
    ];
    let (_, found) = rank(&space, &more);
    assert_eq!(server.bodies().len(), 12, "three new pairs in two orders");
    assert_eq!(found["papers"][0]["name"], "great");
    assert_eq!(rank(&space, &more).0.ended("ran"), [""; 0]);
}

#[test]
fn a_judge_who_prefers_what_stands_first_decides_nothing_and_the_share_says_so() {
    let server = ModelServer::with(|_, _| said(true));
    let space = space(&server);
    let (_, found) = rank(&space, &[]);
    assert_eq!((&found["pairs"], &found["decided"]), (&json!(3), &json!(0)));
    assert_eq!(
        (&found["first"]["share"], &found["first"]["n"]),
        (&json!(1.0), &json!(6))
    );
    let low = found["first"]["ci"][0].as_f64().unwrap();
    assert!((low - 0.6097).abs() < 1e-4, "{low}");
    for paper in found["papers"].as_array().unwrap() {
        assert!(
            (paper["chance"].as_f64().unwrap() - 0.5).abs() < 1e-9,
            "{paper}"
        );
        assert_eq!(paper["undecided"], 2);
    }
}

#[test]
fn an_answer_that_cannot_be_had_leaves_its_pair_undecided_and_a_baseline_compares_nothing() {
    let server = ModelServer::with(|body, _| {
        let [first, second] = asked(body).unwrap();
        match (worth(&first), worth(&second)) {
            (3, 2) => Said::Text(json!({"better": "neither"}).to_string()),
            (one, other) => said(one > other),
        }
    });
    let space = space(&server);
    // A failure that is gone on from still ends in the exit code of a failure.
    let done = space.kyo(&["run", "compared.yaml", "--json", "--out", "out"]);
    assert_eq!(done.code, 1);
    let found: Value = serde_json::from_str(&space.read("out/ranking.json")).unwrap();
    assert!(done.stdout.contains("it has to be `first` or `second`"));
    assert_eq!(
        (&found["missing"], &found["decided"], &found["pairs"]),
        (&json!(1), &json!(2), &json!(3))
    );
    let before = server.bodies().len();
    let (_, found) = rank(&space, &["models.judge=baseline"]);
    assert_eq!(
        (&found["papers"], &found["first"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(server.bodies().len(), before);
}

#[test]
fn the_board_of_a_study_tells_how_its_papers_stand_to_each_other() {
    // One paper has no other to be compared with, and the study is what it was.
    let study = study();
    let (ran, asked) = study.swapped(&["params.pairwise=true"]);
    assert!(
        asked.is_empty() && !ran.contains_key("llm/compare"),
        "{ran:?} {asked:?}"
    );
    assert!(!study.space.read("out/leaderboard.md").contains("preferred"));
}
