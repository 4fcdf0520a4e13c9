//! Papers: every number leads to its origin, and everything wrong is refused with its place.

use kyobashi_stage::{Failure, Output, Outputs};
use serde_json::{Value, json};

use crate::desk::{Desk, bytes, list, text, value};

const DRAFT: &str = include_str!("data/draft.md");
const WORKS: &str = include_str!("data/works.bib");
const RESULTS: &str = include_str!("data/results.json");
const NUMBERS: &str = include_str!("data/numbers.json");
const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="238pt" height="100pt" viewBox="0 0 238 100"><path d="M10 10L228 90" stroke="#0072B2"/></svg>"##;

fn desk(draft: &str) -> Desk {
    Desk::default()
        .with("draft", draft)
        .with("results", serde_json::from_str::<Value>(RESULTS).unwrap())
        .with("bibliography", WORKS)
        .datum("figures", list(&[SVG]))
        .with("figure_names", json!(["curves"]))
}

fn set(draft: &str) -> Result<Outputs, Failure> {
    desk(draft).run("paper/set")
}

/// A short draft with a body of its own.
fn short(body: &str) -> String {
    format!("---\ntitle: A\nprovenance: baseline\n---\n\n{body}\n")
}

fn refused(body: &str) -> Failure {
    set(&short(body)).expect_err("the draft is refused")
}

#[test]
fn every_number_is_listed_with_its_origin() {
    let outputs = set(DRAFT).unwrap();
    let numbers = value(&outputs, "numbers");
    // Compared as text: reading a double back from JSON may move its last digit.
    assert_eq!(format!("{numbers:#}"), NUMBERS.trim_end());
}

#[test]
fn equal_calls_give_equal_bytes() {
    let (a, b) = (set(DRAFT).unwrap(), set(DRAFT).unwrap());
    assert_eq!(a, b);
    assert!(bytes(&a, "pdf").starts_with(b"%PDF-1.7"));
}

#[test]
fn the_pdf_says_who_wrote_and_carries_the_list_of_numbers() {
    let outputs = set(DRAFT).unwrap();
    let pdf = String::from_utf8_lossy(&bytes(&outputs, "pdf")).into_owned();
    // The metadata packet is stored as plain XML.
    assert!(
        pdf.contains("Produced WITHOUT a language model: ideas enumerated"),
        "no sentence"
    );
    assert!(pdf.contains("numbers.json"), "no attachment");
    assert!(pdf.contains("/StructTreeRoot"), "not tagged");
    assert!(
        pdf.contains("<pdfuaid:part>1</pdfuaid:part>"),
        "not PDF/UA-1"
    );
    assert!(
        text(&outputs, "text").contains("Provenance: baseline. Produced WITHOUT a language model")
    );
    let Output::List { items } = &outputs["pages"] else {
        panic!("pages are a list")
    };
    assert_eq!(items.len(), 2);
    assert!(matches!(&items[0], Output::Bytes { bytes } if bytes.starts_with(b"\x89PNG")));
}

#[test]
fn the_text_reads_as_the_paper_does() {
    let text = text(&set(DRAFT).unwrap(), "text");
    for part in [
        "On circle the loss is 7.3% lower than that of the baseline (0.409 [0.397, 0.421], n = 3)",
        "hand [1, 2]",
        "See Figure 1 and Table 1.",
        "| circle | 0.441 | 0.409 | \u{2212}0.032 |",
        "# \\val{not.a.reference} stays as written",
        "[2] Alexander Quinn Nichol",
        "\\eta = 3.0 × 10⁻⁴",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn an_unresolved_reference_is_refused_with_its_place_and_the_nearest_name() {
    let failure = refused("The loss is \\val{trial.by.circel.eval_loss}{.3}.");
    assert_eq!(
        failure.message.lines().collect::<Vec<_>>()[..3],
        [
            "draft.md:6:13: `trial.by.circel.eval_loss` is not in the results",
            "6 | The loss is \\val{trial.by.circel.eval_loss}{.3}.",
            "  |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        ]
    );
    assert_eq!(
        failure.help.as_deref(),
        Some("did you mean `trial.by.circle.eval_loss`?")
    );
}

#[test]
fn references_in_the_abstract_have_places_too() {
    let draft = "---\ntitle: A\nabstract: >\n  We find\n  \\val{nothing.here} in it.\nprovenance: live\n---\nText.\n";
    assert!(
        set(draft)
            .unwrap_err()
            .message
            .starts_with("draft.md:5:3: `nothing.here`")
    );
}

#[test]
fn placeholders_are_refused_and_mentions_are_not() {
    for (body, place) in [
        (
            "We improve by XX % here.",
            "draft.md:6:15: placeholder `XX`",
        ),
        ("See **{{ table }}** now.", "draft.md:6:7: placeholder `{{`"),
        (
            "- first\n- TODO: write this",
            "draft.md:7:3: placeholder `TODO`",
        ),
        (
            "| a | b |\n|---|---|\n| 1 | TBD |",
            "draft.md:8:7: placeholder `TBD`",
        ),
    ] {
        let failure = refused(body);
        assert!(failure.message.starts_with(place), "{}", failure.message);
    }
    assert!(set(&short("The word `TODO` is mentioned, and `{{` too.")).is_ok());
}

#[test]
fn what_cannot_be_typeset_is_refused_with_its_place() {
    for (body, message) in [
        (
            "a <b>bold</b> word",
            "draft.md:6:3: raw HTML cannot be typeset",
        ),
        (
            "![A caption](curvs)",
            "draft.md:6:1: there is no figure `curvs`",
        ),
        (
            "As shown [@ho2021].",
            "draft.md:6:10: `ho2021` is not in the bibliography",
        ),
        (
            "See [@tab:none].",
            "draft.md:6:5: nothing is labelled `tab:none`",
        ),
        ("A \\valu{x} here.", "draft.md:6:3: unknown macro `\\valu`"),
        (
            "The $\\foo{x}$ is",
            "draft.md:6:5: formula: unknown command: \\foo",
        ),
        (
            "A share of $5% of x$ is",
            "draft.md:6:12: formula: `% of x`: an unescaped `%` hides what follows it; write `\\%`",
        ),
        (
            "\\val{trial.by.circle.eval_loss}{3}",
            "draft.md:6:1: unknown format `3`",
        ),
        (
            "\\calc{1 + 2}{sum}",
            "draft.md:6:1: `1 + 2` is computed from no reference",
        ),
        (
            "\\calc{trial.by.circle.eval_loss / 0}{x}",
            "draft.md:6:1: the expression divides by zero",
        ),
        (
            "\\val{trial.by.circle}",
            "draft.md:6:1: `trial.by.circle` is an object without `mean`",
        ),
        (
            "# One\n\n# One",
            "draft.md:8:1: section `One` is there twice",
        ),
        (
            "![a](curves)\n\n![b](curves)",
            "draft.md:8:1: figure `curves` is shown twice",
        ),
    ] {
        let failure = refused(body);
        assert!(
            failure.message.starts_with(message),
            "{body}\n{}",
            failure.message
        );
        assert!(failure.message.contains("\n6 | ") || failure.message.contains("\n8 | "));
    }
}

#[test]
fn all_problems_are_shown_at_once() {
    let failure = refused("\\val{a}\n\n<b>\n\n\\val{b}");
    assert_eq!(
        failure.message.matches("draft.md:").count(),
        3,
        "{}",
        failure.message
    );
}

#[test]
fn a_draft_must_say_who_wrote_it() {
    let failure = set("---\ntitle: A\n---\nText.").unwrap_err();
    assert!(failure.message.contains("does not say who wrote it"));
    let worse = desk("---\ntitle: A\nprovenance: live\n---\nText.").with("provenance", "scripted");
    let text = text(&worse.run("paper/set").unwrap(), "text");
    assert!(text.contains("SCRIPTED"), "{text}");
}

#[test]
fn a_figure_that_the_draft_does_not_show_is_a_warning() {
    let numbers = value(&set(&short("Text.")).unwrap(), "numbers");
    assert_eq!(
        numbers["warnings"][0]["message"],
        "figure `curves` was given but is not in the draft"
    );
}

#[test]
fn the_direction_word_follows_the_numbers() {
    let text = |body: &str| text(&set(&short(body)).unwrap(), "text");
    let (low, high) = ("trial.by.circle.eval_loss", "baseline.by.circle.eval_loss");
    assert!(text(&format!("It is \\change{{{high}}}{{{low}}}.")).contains("It is 7.3% lower."));
    assert!(text(&format!("It is \\change{{{low}}}{{{high}}}.")).contains("It is 7.9% higher."));
    assert!(
        text(&format!("It is \\change{{{low}}}{{{high}}}{{.3}}.")).contains("It is 0.032 higher.")
    );
    assert!(text(&format!("It is \\change{{{low}}}{{{low}}}.")).contains("It is unchanged."));
}

#[test]
fn references_survive_all_markup() {
    let reference = "\\val{trial.by.circle.eval_loss.mean}{.3}";
    let body = format!(
        "**{reference}** _{reference}_ [{reference}](https://a.b) ~~{reference}~~ ${reference} \\times 2$ \"{reference}\"\n\n> {reference}\n\n- {reference}\n\n| {reference} |\n|---|\n| x |\n\nNote.[^n]\n\n[^n]: {reference}"
    );
    let numbers = value(&set(&short(&body)).unwrap(), "numbers");
    let numbers = numbers["numbers"].as_array().unwrap();
    assert_eq!(numbers.len(), 10);
    assert!(
        numbers
            .iter()
            .all(|number| number["shown"] == "0.409" && number["page"] == 1),
        "{numbers:?}"
    );
}

#[test]
fn a_formula_wider_than_its_column_is_refused_or_a_warning_where_that_was_asked() {
    let long = "a + b + c + d + e + f + ".repeat(12);
    let draft = short(&format!("Text.\n\n$$ {long} g $$"));
    let told = "draft.md:8:1: this is wider than its column and runs over it";
    let failure = set(&draft).unwrap_err();
    assert!(failure.message.starts_with(told), "{failure}");
    assert_eq!((failure.places[0].line, failure.places[0].col), (8, 1));
    let numbers = value(
        &desk(&draft)
            .with("overfull", "warn")
            .run("paper/set")
            .unwrap(),
        "numbers",
    );
    let mut warnings = numbers["warnings"].as_array().unwrap().iter();
    assert!(
        warnings.any(|warning| warning["message"] == told),
        "{numbers}"
    );
}

#[test]
fn hostile_drafts_come_back_as_failures_or_papers() {
    for piece in [
        "> ", "*a_b", "**a _b ", "[a ", "- ", "\\val{", "${", "|a", "`", "<b>", "# ", "\u{e000}",
        "1. ", "[^a] ", "\\", "![", "\u{0}",
    ] {
        let _ = set(&short(&piece.repeat(1000)));
        let _ = set(&format!("---\n{}", piece.repeat(300)));
    }
    assert!(set("").is_err());
}

#[test]
fn a_claim_needs_an_interval_without_zero_and_the_right_direction() {
    let refuse = |body: &str| desk(&short(body)).run("paper/set");
    let from = |set: &str| {
        format!(
            "from \\val{{baseline.by.{set}.eval_loss.mean}}{{.3}} to \\val{{trial.by.{set}.eval_loss.mean}}{{.3}}"
        )
    };
    for borne in [
        format!("The trial improves the loss {}.", from("circle")),
        format!("It reduces the loss {}.", from("circle")),
        "On circle it is \\val{comparison.by.circle.eval_loss.verdict}.".to_owned(),
        "It is \\change{baseline.by.circle.eval_loss}{trial.by.circle.eval_loss}.".to_owned(),
        format!("On dino it does not improve: {}.", from("dino")),
        format!("On dino the loss goes {}.", from("dino")),
        format!("It improves much. On dino the loss goes {}.", from("dino")),
    ] {
        assert!(refuse(&borne).is_ok(), "{borne}: {:?}", refuse(&borne));
    }
    for unborne in [
        format!("The trial improves the loss {}.", from("dino")),
        format!("It increases the loss {}.", from("circle")),
        format!("It is worse {}.", from("circle")),
        "It is \\change{baseline.by.dino.eval_loss}{trial.by.dino.eval_loss}.".to_owned(),
        format!(
            "On **circle and dino it improves** {} and {}.",
            from("circle"),
            from("dino")
        ),
    ] {
        assert!(refuse(&unborne).is_err(), "{unborne}");
    }
    let failure = refuse(&format!(
        "Text. The trial improves the loss {}.",
        from("dino")
    ))
    .unwrap_err();
    assert!(
        failure.message.starts_with("draft.md:6:17: `improves` is not borne out: `comparison.by.dino.eval_loss` differs by \u{2212}0.00181 [\u{2212}0.0203, 0.0167], n = 3 and 3, lower is better"),
        "{}",
        failure.message
    );
}

#[test]
fn a_claim_at_two_runs_is_refused_or_a_warning_where_that_was_asked() {
    let mut results: Value = serde_json::from_str(RESULTS).unwrap();
    results["comparison"]["by"]["circle"]["eval_loss"]["trial"]["n"] = json!(2);
    let draft = short("It is \\val{comparison.by.circle.eval_loss.verdict}.");
    let refused = desk(&draft)
        .with("results", results.clone())
        .run("paper/set")
        .unwrap_err();
    let told =
        |text: &str| text.contains("`better` is not borne out") && text.contains("n = 3 and 2");
    assert!(told(&refused.message), "{}", refused.message);
    let set = desk(&draft)
        .with("results", results)
        .with("claims", "warn")
        .run("paper/set")
        .unwrap();
    let warnings = value(&set, "numbers")["warnings"].clone();
    let mut warnings = warnings.as_array().unwrap().iter();
    assert!(
        warnings.any(|warning| told(warning["message"].as_str().unwrap())),
        "{warnings:?}"
    );
}

#[test]
fn every_number_has_its_place_on_a_page() {
    let outputs = set(DRAFT).unwrap();
    let (numbers, areas) = (value(&outputs, "numbers"), value(&outputs, "areas"));
    let pages = areas["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 2);
    let areas = areas["areas"].as_array().unwrap();
    for number in numbers["numbers"].as_array().unwrap() {
        let own = areas
            .iter()
            .find(|area| area["row"] == number["row"] && area["page"] == number["page"]);
        let own = own.unwrap_or_else(|| panic!("{number} is nowhere"));
        let at = |name: &str| own[name].as_f64().unwrap();
        let page = &pages[number["page"].as_u64().unwrap() as usize - 1];
        assert!(
            at("x") > 0.0 && at("x") + at("width") < page[0].as_f64().unwrap(),
            "{own}"
        );
        assert!(
            at("y") > 0.0 && at("y") + at("height") < page[1].as_f64().unwrap(),
            "{own}"
        );
        assert!(at("width") > 3.0 && at("height") > 3.0, "{own}");
    }
}
