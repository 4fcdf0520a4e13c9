//! The reader against serde_yaml on every YAML file of ours: a pipeline means the same to both. Asked
//! through the front door: every parameter of a file is a value that was read.

use kyobashi_engine::spec::{Param, Template};
use serde_json::{Map, Value};

use crate::space::{Space, told};

/// What our reader makes of a YAML value.
fn ours(yaml: &str) -> Value {
    let indented = yaml.replace('\n', "\n      ");
    let text = format!(
        "kyobashi: 1\nparams:\n  x:\n    type: json\n    default:\n      {indented}\nstages: {{a: {{run: echo}}}}\n"
    );
    let checked = Space::one(&text).check("a.yaml");
    let Some(mut spec) = checked.spec else {
        panic!("{}\n{text}", told(&checked.problems));
    };
    match spec.params.remove("x") {
        Some(Param {
            value: Template::Literal(value),
            ..
        }) => value,
        other => panic!("{other:?}"),
    }
}

/// Without references, which a parameter cannot hold, and as numbers that compare.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "(")),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, plain(value)))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

#[test]
fn our_files_read_as_serde_yaml_reads_them() {
    let space = Space::examples();
    let mut read = 0;
    for (path, text) in &space.files {
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let theirs: Value = serde_yaml::from_str(text).unwrap();
        let text = text.replace("${", "(");
        assert_eq!(ours(&text), plain(theirs), "{}", path.display());
        read += 1;
    }
    assert_eq!(read, 6);
}

#[test]
fn every_style_of_yaml_reads_as_serde_yaml_reads_it() {
    for yaml in [
        "a: |\n  line one\n  line two\nb: >-\n  folded\n  text\n",
        "a: 'it''s'\nb: \"tab\\tquote\\\"\"\nc: plain # comment\n",
        "a: [1, -2, 3.5, 1e-3, 0x1F, 0o10, true, null, ~, yes, 1_000, 010]\n",
        "- [a, {b: c}]\n-\n  - d\n- {}\n- []\n",
        "? a\n: b\n",
        "日本: 東京 # 首都\n\"key with: colon\": x\n",
        "a: &x {b: 1}\nc: *x\n",
        "a: plain over\n  two lines\n",
    ] {
        let theirs: Value = serde_yaml::from_str(yaml).unwrap();
        assert_eq!(ours(yaml), theirs, "{yaml}");
    }
}
