//! The gallery: every published idea is a diff and some settings, and runs against its baseline. Here in
//! the smallest size; what the ideas are worth is measured at the sizes of `docs/gallery.md`.

use serde_json::Value;

use crate::flow::set_up;
use crate::space::{Done, Space, home};

const POINTS: &[&str] = &["dual_scale", "dual_expert", "gan", "grid_noise"];
const EQUATIONS: &[&str] = &[
    "augmentation",
    "description_length",
    "layerwise_rates",
    "weight_initialisation",
];
const CHARACTERS: &[&str] = &["q_learning", "style_adapter"];

fn space() -> Space {
    set_up();
    let space = Space::new();
    space.copy("examples", "examples");
    space.copy("pipelines", "pipelines");
    space
}

fn run(space: &Space, name: &str, settings: &[&str]) -> Done {
    let file = format!("examples/gallery/{name}.yaml");
    let set = settings.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> = set.chain(["--out", "out"]).collect();
    space.run(&file, &arguments)
}

fn comparison(space: &Space, file: &str) -> Value {
    serde_json::from_str(&space.read(file)).unwrap()
}

#[test]
fn the_gallery_holds_the_ten_published_ideas() {
    let mut files: Vec<String> = std::fs::read_dir(home().join("examples/gallery"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    files.sort();
    let mut known = [POINTS, EQUATIONS, CHARACTERS].concat();
    known.sort_unstable();
    assert_eq!(files, known);
    assert_eq!(files.len(), 10);
    let page = std::fs::read_to_string(home().join("docs/gallery.md")).unwrap();
    for name in files {
        assert!(page.contains(&format!("gallery/{name}.yaml")), "{name}");
    }
}

#[test]
fn ideas_on_point_sets_train_and_share_their_baseline() {
    let space = space();
    let small = [
        "params.datasets=[circle]",
        "params.seeds=[0, 1]",
        "params.steps=10",
        "params.points=300",
        "params.samples=40",
    ];
    for (index, name) in POINTS.iter().enumerate() {
        let done = run(&space, name, &small);
        let trained = done.count("ran")["train/program"];
        assert_eq!(trained, if index == 0 { 4 } else { 2 }, "{name}");
        let found = comparison(&space, "out/comparison.json");
        let row = &found["by"]["circle"]["eval_loss"];
        assert_ne!(row["difference"], 0.0, "{name} is not its baseline");
        assert!(row["ci"][0].is_number(), "{name}: {row}");
        assert!(space.read("out/comparison.md").contains("kl"), "{name}");
    }
}

#[test]
fn ideas_on_equations_train_and_a_measure_alone_changes_nothing() {
    let space = space();
    let small = [
        "params.operations=[x_minus_y]",
        "params.seeds=[0]",
        "params.modulus=7",
        "params.overrides={steps: 20, batch: 16, dim: 32, eval_batch: 16}",
    ];
    for name in EQUATIONS {
        let done = run(&space, name, &small);
        let several = *name == "weight_initialisation";
        let file = if several {
            "out/comparisons.json"
        } else {
            "out/comparison.json"
        };
        let found = comparison(&space, file);
        let found = if several {
            assert_eq!(done.count("ran")["train/program"], 3);
            assert_eq!(found.as_array().unwrap().len(), 3);
            found[0].clone()
        } else {
            found
        };
        let row = &found["by"]["x_minus_y"];
        assert!(row["goal_step"]["difference"].is_number(), "{name}: {row}");
        if *name == "description_length" {
            for metric in ["goal_step", "accuracy"] {
                assert_eq!(row[metric]["difference"], 0.0, "measuring changes nothing");
            }
            assert!(space.read("out/description.svg").contains("<svg"));
        }
    }
}

#[test]
fn ideas_on_characters_train() {
    let space = space();
    space.write(
        "corpus.txt",
        &"the bridge is old. a road is long.\n".repeat(40),
    );
    let small = [
        "params.corpus=corpus.txt",
        "params.seeds=[0]",
        "params.overrides={steps: 30, dim: 32, heads: 2, layers: 1, window: 16, batch: 16, \
         eval_every: 5, eval_batch: 16, eval_batches: 2}",
    ];
    for name in CHARACTERS {
        run(&space, name, &small);
        let found = comparison(&space, "out/comparison.json");
        let row = &found["by"]["all"]["best_eval_loss"];
        assert_ne!(row["difference"], 0.0, "{name} is not its baseline");
    }
}

#[test]
fn a_diff_that_no_longer_fits_says_so() {
    let space = space();
    let program = "pipelines/templates/2d_diffusion/program.py";
    let text = space.read(program).replace("unsqueeze", "squeeze");
    space.write(program, &text);
    let done = space.kyo(&[
        "run",
        "examples/gallery/gan.yaml",
        "--set",
        "params.datasets=[circle]",
        "--set",
        "params.seeds=[0]",
        "--set",
        "params.steps=2",
        "--set",
        "params.points=300",
        "--set",
        "params.samples=40",
    ]);
    assert_eq!(done.code, 1);
    assert!(done.stderr.contains("does not fit"), "{}", done.stderr);
}
