//! The AI Scientist with a model in every role, with real trainings in small: scripted replies stand for the
//! model, so what is proved is the way of the work and of the money, not anybody's talent.

use serde_json::{Value, json};

use crate::flow::set_up;
use crate::model_server::{KEY, ModelServer, Said};
use crate::screening::{planted, screened};
use crate::space::{Done, Space};

/// A study of one idea on one data set that trains in seconds.
pub(crate) const SMALL: &[&str] = &[
    "--set",
    "params.num_ideas=1",
    "--set",
    "params.datasets=[circle]",
    "--set",
    "params.points=600",
    "--set",
    "params.overrides={steps: 30, batch: 64, samples: 200, eval_batch: 600, log_every: 5}",
    "--set",
    "params.refine=0",
    "--set",
    "params.max_runs=2",
    "--set",
    "models.scientist=openai/gpt-4o-2024-05-13",
    "--set",
    "models.reviewer=openai/gpt-4o-mini",
];

const REVIEW: &str = r#"{"Summary": "Small.", "Strengths": ["Every number is traced."], "Weaknesses": ["Few seeds."],
 "Originality": 2, "Quality": 3, "Clarity": 3, "Significance": 2, "Questions": ["Why this width?"],
 "Limitations": ["One data set."], "Ethical Concerns": false, "Soundness": 3, "Presentation": 3,
 "Contribution": 2, "Overall": 5, "Confidence": 4, "Decision": "Reject"}"#;

/// A quote that stands in no paper.
pub(crate) const INVENTED: &str = "We trained nine hundred networks on a moon base.";

const META: &str = r#"{"points": [
 {"kind": "agreement", "text": "The numbers can be traced, and the seeds are few.", "reviews": [1]},
 {"kind": "decisive", "text": "One data set bears no general claim.", "reviews": [1]}]}"#;

/// The sections of a paper that refers to every result, by their names.
const SECTIONS: &[(&str, &str)] = &[
    (
        "Abstract",
        r"We ask whether a wider first layer helps. Of \val{comparison.counts.total} comparisons the variant is better in \val{comparison.counts.better}, worse in \val{comparison.counts.worse} and cannot be told from the baseline in \val{comparison.counts.inconclusive}.",
    ),
    (
        "Introduction",
        "Diffusion models turn noise into data [@ho2020ddpm]. We change one layer and measure.",
    ),
    (
        "Related work",
        "The method is that of denoising diffusion [@ho2020ddpm]. The literature was not searched.",
    ),
    (
        "Background",
        r"A noisy point is $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$.",
    ),
    (
        "Method",
        "The first layer is made wider. All else is the baseline's.",
    ),
    (
        "Experimental set-up",
        r"Every result is the mean over \val{trial.by.circle.kl.n} seeds, trained for \cfg{config.steps} steps.",
    ),
    (
        "Results",
        "[@tab:results] holds the results, [@fig:curves] the training and [@fig:samples] the points.\n\n| set | metric | baseline | variant |\n| :-- | :-- | --: | --: |\n| circle | evaluation loss | \\val{baseline.by.circle.eval_loss.mean}{.3} | \\val{trial.by.circle.eval_loss.mean}{.3} |\n| circle | KL | \\val{baseline.by.circle.kl.mean}{.3} | \\val{trial.by.circle.kl.mean}{.3} |\n\nTable: Baseline and variant, means over the seeds. {#tab:results}\n\nThe difference in loss is \\val{comparison.by.circle.eval_loss}{.3}, that in divergence \\val{comparison.by.circle.kl}{.3}.\n\n![Training loss](curves)\n\n![Points drawn](samples)",
    ),
    (
        "Limitations",
        r"The experiments are small. With \val{comparison.counts.total} comparisons, some intervals exclude zero by chance.",
    ),
    (
        "Conclusion",
        "A wider layer was tried, and what came out is reported.",
    ),
];

fn fenced(text: &str) -> String {
    format!("````markdown\n{text}\n````")
}

/// A scripted scientist and reviewer, whatever the models are called. The first edit has a mistake that the compiler finds.
pub(crate) fn answer(body: &Value) -> String {
    let turns = body["messages"].as_array().unwrap();
    let of = |role: &str| turns.iter().find(|turn| turn["role"] == role);
    let prompt = of("user").unwrap()["content"].as_str().unwrap();
    if prompt.starts_with("Review the paper below") {
        return if prompt.contains("- `evidence`:") {
            quoting(prompt)
        } else {
            REVIEW.to_owned()
        };
    }
    // A judge who prefers whatever stands first.
    if prompt.starts_with("Two papers stand below") {
        return json!({"reason": "It comes first.", "better": "first"}).to_string();
    }
    if let Some(prompt) = screened(body) {
        let mut named = vec![planted(&prompt)];
        named.extend(
            (body["model"] == "names-a-sentence").then_some("We change one layer and measure."),
        );
        let span = |text: &&str| json!({"kind": "verdict_asked", "text": text});
        return json!({"spans": named.iter().map(span).collect::<Vec<_>>()}).to_string();
    }
    if prompt.contains("Write the meta-review") {
        return META.to_owned();
    }
    if prompt.contains("Propose one new idea") {
        return json!({"name": "wide_start", "title": "A wider first layer", "experiment": "Make the first layer wider and compare the loss at equal steps.",
            "interestingness": 5, "feasibility": 9, "novelty": 2, "done": true}).to_string();
    }
    if prompt.starts_with("Is this idea new?") {
        return json!({"reason": "Widths are often varied.", "decision": "novel", "query": "", "paper": 0}).to_string();
    }
    if prompt.contains("write the whole new program") {
        let program = std::fs::read_to_string(
            crate::space::home().join("pipelines/templates/2d_diffusion/program.py"),
        )
        .unwrap();
        let wide = program.replace(
            "hidden = int(cfg[\"hidden\"])",
            "hidden = int(cfg[\"wide\"])",
        );
        let broken = wide.replace(
            "torch.relu(h))\n\n\ndef loss",
            "torch.sine(h))\n\n\ndef loss",
        );
        assert_ne!(wide, broken);
        let program = if prompt.contains("Find the cause and mend it") {
            wide
        } else {
            broken
        };
        let plan =
            json!({"what": "Makes the layers wider.", "changes": [{"key": "wide", "value": 32}]});
        return format!("````python program.py\n{program}````\n{plan}");
    }
    if prompt.contains("laboratory notes on this run") {
        return json!({"notes": "It ran; the differences are small.", "main": 1, "next": "", "done": true}).to_string();
    }
    if let Some(at) = prompt.rfind("write the section **") {
        let name = prompt[at + 20..].split('*').next().unwrap();
        let (_, text) = SECTIONS.iter().find(|(known, _)| *known == name).unwrap();
        return fenced(text);
    }
    assert!(
        prompt.contains("Write the next version"),
        "an unknown prompt: {prompt}"
    );
    let start = prompt.find("````markdown\n").unwrap() + 13;
    let draft = &prompt[start..prompt[start..].find("\n````").unwrap() + start];
    fenced(&draft.replace(
        "The experiments are small.",
        "The experiments are small, and so is the number of seeds.",
    ))
}

/// The review with two quotes: a line of the paper, and one that nobody wrote.
fn quoting(prompt: &str) -> String {
    let paper = &prompt[prompt.rfind("<paper>").unwrap() + 7..];
    let is_prose = |line: &&str| line.len() > 60 && line.is_ascii();
    let line = paper.lines().find(is_prose).unwrap();
    let mut review: Value = serde_json::from_str(REVIEW).unwrap();
    review["Evidence"] = json!([line, INVENTED]);
    review.to_string()
}

pub(crate) fn space() -> Space {
    set_up();
    let space = Space::new();
    space.copy("pipelines", "pipelines");
    space
}

fn run(space: &Space, more: &[&str]) -> Done {
    space.run("pipelines/ai-scientist.yaml", &[SMALL, more].concat())
}

#[test]
fn a_model_goes_from_an_idea_to_a_reviewed_paper_and_nothing_is_paid_twice() {
    let mut space = space();
    let server = ModelServer::with(|body, _| Said::Text(answer(body)));
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    let first = run(&space, &["--out", "out"]);
    let ran = first.count("ran");
    assert_eq!(ran["experiment/edit"], 2, "the first try failed: {ran:?}");
    assert_eq!(
        first.ended("failed"),
        [""; 0],
        "a failed try is a result for who edits it"
    );
    let edits: Vec<Value> = server
        .bodies()
        .into_iter()
        .filter(|body| body.to_string().contains("write the whole new program"))
        .collect();
    assert!(
        edits[1].to_string().contains("torch.sine"),
        "the failure is shown to the next try"
    );
    assert!(
        std::fs::read(space.path("out/paper.pdf"))
            .unwrap()
            .starts_with(b"%PDF")
    );
    assert!(
        !space
            .read("out/report.html")
            .contains("WITHOUT a language model")
    );
    let calls = server.bodies().len();

    let again = run(&space, &["--out", "out"]);
    assert_eq!(again.ended("ran"), [""; 0]);
    assert_eq!(server.bodies().len(), calls, "nothing is asked again");

    // Another reviewer: no idea, edit, training or section is made again.
    let swapped = run(&space, &["--set", "models.reviewer=baseline"]);
    let ran = swapped.count("ran");
    for kept in [
        "ideas/propose",
        "ideas/novelty",
        "experiment/edit",
        "experiment/note",
        "train/program",
        "paper/write",
    ] {
        assert!(!ran.contains_key(kept), "{kept} ran again: {ran:?}");
    }
}
