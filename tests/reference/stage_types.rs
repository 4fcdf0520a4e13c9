//! The stage types, from their signatures.

use std::collections::BTreeMap;
use std::fmt::Write;

use kyobashi_stage::{Description, Port, Shape, Signature};

use crate::space::home;

/// Of this program and of the trainer.
fn signatures() -> BTreeMap<String, Signature> {
    let own = kyobashi_science::stages(kyobashi_science::Providers::default())
        .into_iter()
        .chain(kyobashi_press::stages())
        .map(|stage| stage.signature());
    let trainer = std::fs::read_to_string(home().join("stages/trainer/describe.json")).unwrap();
    let trainer: Description = serde_json::from_str(&trainer).unwrap();
    own.chain(trainer.stages)
        .map(|one| (one.name.clone(), one))
        .collect()
}

pub(super) fn text() -> String {
    let signatures = signatures();
    let mut page = String::from(
        "# Stage types\n\nWhat may stand after `uses:`. Made from the signatures that `kyo check` reads. An input or a setting without a default has to be given, unless its type ends in `?`.\n\n| stage type | what it does |\n|---|---|\n",
    );
    for (name, signature) in &signatures {
        let anchor = name.replace('/', "");
        let _ = writeln!(
            page,
            "| [`{name}`](#{anchor}) | {} |",
            super::cell(&signature.doc)
        );
    }
    for signature in signatures.values() {
        one(&mut page, signature);
    }
    page += "\n# Built-in shapes\n\nNamed types that need no entry under `types:`.\n";
    for (name, shape) in kyobashi_science::shapes() {
        let _ = write!(page, "\n## {name}\n\n{}", fields(&shape));
    }
    page
}

fn one(page: &mut String, signature: &Signature) {
    let _ = write!(
        page,
        "\n## {}\n\n{}.",
        signature.name,
        signature.doc.trim_end_matches('.')
    );
    for (holds, says) in [
        (signature.model, "Needs `model:`."),
        (
            signature.open_ins,
            "Takes inputs of any further name under `in:`.",
        ),
        (
            signature.open_outs,
            "The pipeline declares its outputs under `out:`.",
        ),
        (
            signature.machine,
            "Its key holds facts of the machine (libtorch, device, instruction set).",
        ),
    ] {
        if holds {
            let _ = write!(page, " {says}");
        }
    }
    page.push('\n');
    for (key, ports) in [
        ("in", &signature.ins),
        ("with", &signature.with),
        ("out", &signature.outs),
    ] {
        if ports.is_empty() {
            continue;
        }
        let given = key != "out";
        let (head, rule) = if given {
            (" default |", "---|")
        } else {
            ("", "")
        };
        let _ = write!(
            page,
            "\n| `{key}` | type |{head} what it is |\n|---|---|{rule}---|\n"
        );
        for port in ports {
            let default = if given {
                format!(" {} |", default(port))
            } else {
                String::new()
            };
            let _ = writeln!(
                page,
                "| `{}` | `{}` |{default} {} |",
                port.name,
                super::cell(&port.ty.to_string()),
                super::cell(&port.doc)
            );
        }
    }
}

fn default(port: &Port) -> String {
    match &port.default {
        Some(value) => format!("`{}`", super::cell(&value.to_string())),
        None if port.required() => "required".to_owned(),
        None => String::new(),
    }
}

fn fields(shape: &Shape) -> String {
    let mut text = String::new();
    if !shape.fields.is_empty() {
        text += "| field | type | allowed |\n|---|---|---|\n";
    }
    for (name, field) in &shape.fields {
        let allowed = match (field.min, field.max) {
            _ if !field.choices.is_empty() => field
                .choices
                .iter()
                .map(|choice| format!("`{choice}`"))
                .collect::<Vec<_>>()
                .join(", "),
            (Some(min), Some(max)) if max < f64::from(u32::MAX) => format!("{min} to {max}"),
            (Some(min), _) => format!("from {min}"),
            (None, Some(max)) => format!("to {max}"),
            (None, None) => String::new(),
        };
        let _ = writeln!(text, "| `{name}` | `{}` | {allowed} |", field.ty);
    }
    if shape.open {
        text += if shape.fields.is_empty() {
            "An object with any fields.\n"
        } else {
            "\nFurther fields are allowed.\n"
        };
    }
    text
}
