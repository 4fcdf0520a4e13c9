//! What a paper must not have: typed results, claims without a comparison, signs that nothing prints.

use kyobashi_stage::{Failure, Outputs};
use serde_json::json;

use crate::desk::{Desk, value};

fn set(body: &str) -> Result<Outputs, Failure> {
    desk(body).run("paper/set")
}

fn desk(body: &str) -> Desk {
    let draft = format!("---\ntitle: T\nprovenance: live\n---\n\n# Results\n\n{body}\n");
    Desk::default().with("draft", draft).with(
        "results",
        json!({
            "config": {"lr": 0.0003, "dropout": 0.1},
            "baseline": {"loss": {"mean": 0.5, "ci": [0.4, 0.6], "n": 2}},
            "trial": {"loss": {"mean": 0.4, "ci": [0.3, 0.5], "n": 2}}
        }),
    )
}

#[test]
fn a_typed_result_is_refused_with_its_place_or_a_warning_where_that_was_asked() {
    let failure = set("The loss is 0.41 and falls by 12.3 % (2× in GPT-4.1).").unwrap_err();
    for word in ["0.41", "12.3 %", "2×"] {
        let told = format!("`{word}` is typed and leads to no result");
        assert!(failure.message.contains(&told), "{word}: {failure}");
    }
    assert_eq!(failure.places.len(), 3, "{failure}");
    assert_eq!((failure.places[0].line, failure.places[0].col), (8, 13));
    let warned = desk("The loss is 0.41.")
        .with("typed", "warn")
        .run("paper/set")
        .unwrap();
    let warnings = value(&warned, "numbers")["warnings"].to_string();
    assert!(warnings.contains("`0.41` is typed"), "{warnings}");
    set("Version 1.2 of the rate 0.0003 with 10% dropout, over 3 seeds; the 95 % interval.")
        .unwrap();
}

#[test]
fn a_typed_whole_number_that_stands_among_the_results_is_refused() {
    let reached = |text: &str| {
        let results = json!({
            "config": {"steps": 7500},
            "trial": {"first_step": {"mean": 4193.3, "n": 3}, "last": {"mean": 7500}}
        });
        desk(text).with("results", results).run("paper/set")
    };
    let failure = reached("Of 7,500 updates it takes 4193, on 3 seeds.").unwrap_err();
    assert!(failure.message.contains("`4193` is typed"), "{failure}");
    assert_eq!(failure.places.len(), 1, "{failure}");
    reached("Of 7,500 updates it takes \\val{trial.first_step.mean}{.0}, on 3 of 97 seeds.")
        .unwrap();
}

#[test]
fn a_claim_about_values_that_nothing_compares_is_refused() {
    let values = "from \\val{baseline.loss.mean}{.2} to \\val{trial.loss.mean}{.2}";
    let failure = set(&format!("The trial improves the loss {values}.")).unwrap_err();
    let told = "`improves` is not borne out: the results hold no comparison of `baseline.loss.mean` (n = 2) and `trial.loss.mean` (n = 2)";
    assert!(failure.message.contains(told), "{failure}");
    let failure = set("It is \\change{baseline.loss}{trial.loss}.").unwrap_err();
    assert!(
        failure.message.contains("hold no comparison of"),
        "{failure}"
    );
    set(&format!("The loss goes {values}.")).unwrap();
    set("A lower loss than the \\val{trial.loss.mean}{.2} at n = \\val{trial.loss.n} is likely.")
        .unwrap();
}

#[test]
fn a_sign_that_no_font_has_is_refused_not_printed_as_a_box() {
    let failure = set("By 明, naïve — αβ Ж ≤ ∞.").unwrap_err();
    assert!(
        failure
            .message
            .contains("draft.md:8:4: no font here has the sign `明` (U+660E)"),
        "{failure}"
    );
    assert_eq!(failure.places.len(), 1, "{failure}");
    set("naïve — αβ Ж ≤ ∞, soft\u{ad}hyphen").unwrap();
    let work = "@misc{a, title={深 title}, year=2020}";
    let cited = desk("See [@a].")
        .with("bibliography", work)
        .run("paper/set")
        .unwrap();
    let warnings = value(&cited, "numbers")["warnings"].to_string();
    assert!(
        warnings.contains("works.bib: no font here has the sign `深`"),
        "{warnings}"
    );
}
