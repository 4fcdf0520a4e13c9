//! What a stage type says of its data names them by their place in the store, which nobody knows. People
//! are told the file of their own, or which input it is.

use kyobashi_stage::{Call, Datum, Failure};

use crate::artifact::Artifact;
use crate::plan::key::Resolved;

/// The failure with the user's names of the data in place of the store's.
#[must_use]
pub fn renamed(mut failure: Failure, call: &Call, resolved: &Resolved) -> Failure {
    for (group, data) in [("in", &call.ins), ("with", &call.with)] {
        for (name, datum) in data {
            let artifact = resolved.get(&format!("{group}.{name}"));
            rename(&mut failure.message, name, datum, artifact);
        }
    }
    failure
}

fn rename(message: &mut String, name: &str, datum: &Datum, artifact: Option<&Artifact>) {
    match datum {
        Datum::File { path, .. } | Datum::Dir { path, .. } => {
            let stored = path.display().to_string();
            if !message.contains(&stored) {
                return;
            }
            let own = match artifact {
                Some(Artifact::File(file) | Artifact::Dir(file)) => file.origin.as_ref(),
                _ => None,
            };
            let known = match own {
                Some(origin) => origin.display().to_string(),
                None => format!("the input `{name}`"),
            };
            *message = message.replace(&stored, &known);
        }
        Datum::List { items } => {
            let artifacts = match artifact {
                Some(Artifact::List(artifacts)) => artifacts.as_slice(),
                _ => &[],
            };
            for (index, item) in items.iter().enumerate() {
                rename(
                    message,
                    &format!("{name}[{index}]"),
                    item,
                    artifacts.get(index),
                );
            }
        }
        Datum::Grid { cells, .. } => {
            for (index, cell) in cells.iter().enumerate() {
                rename(message, &format!("{name}[{index}]"), &cell.datum, None);
            }
        }
        Datum::Value { .. } => {}
    }
}
