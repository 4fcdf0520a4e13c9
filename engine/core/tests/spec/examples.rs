//! Every worked example of the language's design passes, with the types that it promises.

use kyobashi_engine::spec::{Fan, Root, Spec, Stage, Template, Work};
use kyobashi_stage::Type;

use crate::space::{Ask, Space, told};

fn passes(file: &str) -> Spec {
    let checked = Space::examples().check(file);
    let errors: Vec<_> = checked
        .problems
        .into_iter()
        .filter(|p| p.code != "import::unused")
        .collect();
    assert_eq!(told(&errors), "");
    checked.spec.unwrap()
}

fn stage<'s>(spec: &'s Spec, path: &str) -> &'s Stage {
    spec.stages.iter().find(|stage| stage.path == path).unwrap()
}

#[test]
fn every_example_passes() {
    for file in [
        "hello.yaml",
        "ablation.yaml",
        "ai-scientist.yaml",
        "reuse.yaml",
    ] {
        passes(file);
    }
}
