//! Every role of the AI Scientist is swapped by one line, and what has nothing to do with it is not done
//! again: no model is asked, nothing is trained. One study with scripted models in every role is made once;
//! each test swaps one role of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock};

use serde_json::Value;

use crate::flow::set_up;
use crate::model_server::{KEY, ModelServer, Said};
use crate::scientist::{INVENTED, answer};
use crate::space::{Done, Space};

/// A study of one idea on one data set that trains in seconds, with five models in six roles.
pub(crate) const STUDY: &[&str] = &[
    "params.num_ideas=1",
    "params.datasets=[circle]",
    "params.points=600",
    "params.overrides={steps: 30, batch: 64, samples: 200, eval_batch: 600, log_every: 5}",
    "params.refine=0",
    "params.max_runs=2",
    "params.n_reviews=2",
    "models.scientist=openai/thinks",
    "models.experimenter=openai/tries",
    "models.writer=openai/writes",
    "models.reviewer=openai/reviews",
    "models.area_chair=openai/weighs",
    "models.held_out=openai/sees-last",
];

pub(crate) struct Study {
    pub(crate) space: Space,
    server: ModelServer,
}

impl Study {
    fn run(&self, more: &[&str]) -> Done {
        let sets = STUDY.iter().chain(more).flat_map(|set| ["--set", set]);
        let all: Vec<&str> = sets.chain(["--out", "out"]).collect();
        self.space.run("pipelines/ai-scientist.yaml", &all)
    }

    /// What ran after a swap, and how often each model was asked for it.
    pub(crate) fn swapped(
        &self,
        more: &[&str],
    ) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
        let before = self.server.bodies().len();
        let done = self.run(more);
        let mut asked = BTreeMap::new();
        for body in &self.server.bodies()[before..] {
            let model = body["model"].as_str().unwrap().to_owned();
            *asked.entry(model).or_default() += 1;
        }
        (done.count("ran"), asked)
    }
}

/// The study as it was made, for one test at a time.
pub(crate) fn study() -> MutexGuard<'static, Study> {
    static STUDY: OnceLock<Mutex<Study>> = OnceLock::new();
    let made = STUDY.get_or_init(|| {
        set_up();
        let server = ModelServer::with(|body, _| Said::Text(answer(body)));
        let mut space = Space::new();
        space.copy("pipelines", "pipelines");
        space
            .set("OPENAI_BASE_URL", &server.url())
            .set("OPENAI_API_KEY", KEY);
        let study = Study { space, server };
        let (ran, asked) = study.swapped(&[]);
        assert_eq!(ran["llm/review"], 4, "two before and two after: {ran:?}");
        assert_eq!(
            (asked["reviews"], asked["sees-last"], asked["weighs"]),
            (2, 2, 2)
        );
        let made: Value = serde_json::from_str(&study.space.read("out/study.json")).unwrap();
        assert_eq!(made["scientist"], "openai/thinks");
        assert_eq!(
            (&made["ideas"], &made["experiments_passed"]),
            (&1.into(), &1.into())
        );
        let paper = &made["papers"][0];
        assert_eq!(
            (&paper["first"], &paper["improved"]),
            (&5.0.into(), &5.0.into())
        );
        let board = study.space.read("out/leaderboard.md");
        assert!(
            board.contains("first draft") && board.contains("overall 5.0 (5 to 5, n = 2)"),
            "{board}"
        );
        let page = study.space.read("out/report.html").replace("&#x2f;", "/");
        for said in [
            "Meta-review by openai/weighs",
            "Screened before the review",
            "2 reviews by openai/sees-last",
        ] {
            assert!(page.contains(said), "{said}");
        }
        Mutex::new(study)
    });
    made.lock().unwrap_or_else(|broken| broken.into_inner())
}

fn none(ran: &BTreeMap<String, usize>, kept: &[&str]) {
    for kept in kept {
        assert!(!ran.contains_key(*kept), "{kept} ran again: {ran:?}");
    }
}

fn only(asked: &BTreeMap<String, usize>, models: &[&str]) {
    let found: Vec<&str> = asked.keys().map(String::as_str).collect();
    assert_eq!(found, models, "who was asked");
}

#[test]
fn swapping_the_scientist_tries_nothing_anew_where_the_ideas_are_the_same() {
    let (ran, asked) = study().swapped(&["models.scientist=openai/thinks-otherwise"]);
    assert!(ran.contains_key("ideas/propose"), "{ran:?}");
    only(&asked, &["thinks-otherwise"]);
    none(
        &ran,
        &[
            "experiment/edit",
            "train/program",
            "paper/write",
            "llm/review",
        ],
    );
}

#[test]
fn swapping_the_experimenter_has_no_idea_anew_and_writes_nothing_where_the_runs_are_the_same() {
    let (ran, asked) = study().swapped(&["models.experimenter=openai/tries-otherwise"]);
    assert!(ran.contains_key("experiment/edit"), "{ran:?}");
    only(&asked, &["tries-otherwise"]);
    none(
        &ran,
        &[
            "ideas/propose",
            "ideas/novelty",
            "train/program",
            "paper/write",
            "llm/review",
        ],
    );
}

#[test]
fn swapping_the_writer_trains_nothing_again() {
    let (ran, asked) = study().swapped(&["models.writer=openai/writes-otherwise"]);
    assert!(
        ran.contains_key("paper/write") && ran.contains_key("paper/improve"),
        "{ran:?}"
    );
    assert_eq!(
        asked["writes-otherwise"], 10,
        "nine sections and the improvement"
    );
    // The paper names who wrote it, so it is another text to its reviewers.
    only(&asked, &["reviews", "sees-last", "writes-otherwise"]);
    none(
        &ran,
        &[
            "ideas/propose",
            "experiment/edit",
            "train/program",
            "report/plot",
        ],
    );
}

#[test]
fn swapping_the_reviewer_makes_no_draft_again() {
    let (ran, asked) = study().swapped(&["models.reviewer=openai/reviews-otherwise"]);
    assert_eq!(
        ran["llm/review"], 2,
        "the second reviewer is another: {ran:?}"
    );
    // Other reviews in the same words are one question to the chair and to the writer.
    only(&asked, &["reviews-otherwise"]);
    none(
        &ran,
        &[
            "ideas/propose",
            "experiment/edit",
            "train/program",
            "paper/write",
            "review/screen",
        ],
    );
}

#[test]
fn swapping_the_area_chair_asks_no_reviewer_again() {
    let (ran, asked) = study().swapped(&["models.area_chair=openai/weighs-otherwise"]);
    assert_eq!(ran["review/meta"], 2, "{ran:?}");
    only(&asked, &["weighs-otherwise"]);
    none(
        &ran,
        &[
            "llm/review",
            "review/aggregate",
            "paper/write",
            "train/program",
        ],
    );
}

#[test]
fn swapping_the_held_out_reviewer_leaves_the_first_reviews_and_the_improvement() {
    let (ran, asked) = study().swapped(&["models.held_out=openai/sees-otherwise"]);
    assert_eq!(ran["llm/review"], 2, "{ran:?}");
    only(&asked, &["sees-otherwise"]);
    none(
        &ran,
        &["paper/improve", "paper/set", "paper/write", "train/program"],
    );
}

#[test]
fn a_model_more_in_the_panel_asks_nobody_else_again() {
    let (ran, asked) = study().swapped(&["params.panel=[reviewer, scientist]"]);
    assert_eq!(ran["llm/review"], 2, "{ran:?}");
    assert_eq!(asked["thinks"], 2);
    assert!(
        !asked.contains_key("reviews") && !asked.contains_key("sees-last"),
        "{asked:?}"
    );
}

#[test]
fn the_held_out_reviewer_draws_its_own_samples_also_where_it_is_the_same_model() {
    let study = study();
    let (_, asked) = study.swapped(&["models.held_out=openai/reviews"]);
    // The same question to the same model, but other draws: the stored replies are not taken again.
    assert_eq!(asked.get("reviews"), Some(&2), "{asked:?}");
    let review: Value = serde_json::from_str(&study.space.read("out/reviews_after.json")).unwrap();
    let samples: Vec<&Value> = review[0]["weaknesses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["sample"])
        .collect();
    assert_eq!(samples, [1000, 1001]);
    let sets: Vec<&str> = STUDY.iter().flat_map(|set| ["--set", set]).collect();
    let check = study.space.kyo(
        &[
            &["check", "pipelines/ai-scientist.yaml"][..],
            &sets,
            &["--set", "models.held_out=openai/reviews"],
        ]
        .concat(),
    );
    assert_eq!(check.code, 0);
    assert!(
        check
            .stderr
            .contains("`held_out` and `reviewer` are both played by openai/reviews"),
        "{}",
        check.stderr
    );
}

#[test]
fn reviewers_that_have_to_quote_are_looked_up_and_nothing_is_trained_or_written_for_it() {
    let study = study();
    let (ran, asked) = study.swapped(&["params.review_evidence=true"]);
    assert_eq!(ran["llm/review"], 4, "{ran:?}");
    assert_eq!((asked["reviews"], asked["sees-last"]), (2, 2), "{asked:?}");
    none(&ran, &["ideas/propose", "train/program", "paper/write"]);
    let reviews: Value = serde_json::from_str(&study.space.read("out/reviews_after.json")).unwrap();
    let evidence = &reviews[0]["evidence"];
    assert_eq!(evidence["quotes"], 4, "two of each reviewer: {evidence}");
    let unverified = evidence["unverified"].as_array().unwrap();
    assert!(
        unverified.len() == 2 && unverified.iter().all(|quote| quote["text"] == INVENTED),
        "{evidence}"
    );
    let page = study.space.read("out/report.html");
    for said in [
        "2 of 4 quotes that the reviews rest on are not in the paper",
        INVENTED,
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn each_draft_is_screened_by_the_screener_who_stays_where_the_reviewer_is_swapped() {
    let study = study();
    let screened = [
        "params.screen_by_model=true",
        "models.screener=openai/screens",
    ];
    let (ran, asked) = study.swapped(&screened);
    assert_eq!(
        ran["llm/screen"], 2,
        "before and after the improvement: {ran:?}"
    );
    only(&asked, &["screens"]);
    none(&ran, &["ideas/propose", "train/program", "paper/write"]);
    let page = study.space.read("out/report.html").replace("&#x2f;", "/");
    let said = "Screened before the review by code and by openai/screens: nothing speaks";
    assert!(page.contains(said));
    let swapped = [&screened[..], &["models.reviewer=openai/reviews-anew"]].concat();
    let (ran, asked) = study.swapped(&swapped);
    only(&asked, &["reviews-anew"]);
    none(&ran, &["llm/screen", "review/screen", "paper/write"]);
}
