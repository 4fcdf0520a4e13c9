//! `kyo check`

use kyobashi_engine::spec::{Fan, Keys, Severity, Spec, Stage, Work};
use serde_json::{Value, json};

use kyobashi_science::Providers;

use crate::arguments::{Check, Format, Global};
use crate::exit::{self, Code, Stopped};
use crate::surroundings::Surroundings;
use crate::workspace::{self, Catalogue};
use crate::{generations, problems, talk};

pub(super) fn check(global: &Global, arguments: &Check) -> Result<Code, Stopped> {
    let surroundings = Surroundings::read();
    let checked = workspace::checked(
        &arguments.pipeline,
        &Catalogue::new(Providers::default()),
        &surroundings,
        Keys::Required,
    )?;
    let format = if global.json {
        Format::Json
    } else {
        arguments.format
    };
    let text = problems::render(&checked, format, talk::colored(global));
    if arguments.types && global.json {
        // Problems would not be data of the same kind: they are said, the types are printed.
        let text = problems::render(&checked, Format::Text, talk::colored(global));
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes())?;
    } else if format == Format::Text {
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes())?;
        if checked.problems.is_empty() {
            talk::say(
                global,
                &format!("{}: no problems", arguments.pipeline.file.display()),
            );
        }
    } else {
        talk::data(text.trim_end())?;
    }
    if let (true, Some(spec)) = (arguments.types, &checked.spec) {
        types(global, spec)?;
    }
    if let Some(spec) = checked.spec.clone() {
        generations::put(spec, &arguments.pipeline.file)?;
    }
    let wrong = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    Ok(if wrong { exit::WRONG_USE } else { exit::DONE })
}

/// Prints what one instance of every stage gives: `train matrix[lr x seed] -> metrics: Metrics`.
fn types(global: &Global, spec: &Spec) -> Result<(), Stopped> {
    let mut all = serde_json::Map::new();
    let top = spec.outputs.iter();
    let outputs: Vec<_> = top
        .map(|out| (out.name.clone(), out.ty.to_string()))
        .collect();
    for stage in &spec.stages {
        let made = made(stage);
        if global.json {
            let fields = made.into_iter().map(|(name, ty)| (name, Value::from(ty)));
            let fields: serde_json::Map<_, _> = fields.collect();
            all.insert(
                stage.path.clone(),
                json!({ "fan": fan(stage), "out": fields }),
            );
        } else {
            let depth = "  ".repeat(stage.path.matches('/').count());
            let fan = fan(stage).map(|fan| format!(" {fan}")).unwrap_or_default();
            talk::data(&format!("{depth}{}{fan} -> {}", stage.name, list(&made)))?;
        }
    }
    if global.json {
        let fields = outputs
            .into_iter()
            .map(|(name, ty)| (name, Value::from(ty)));
        let outputs: serde_json::Map<_, _> = fields.collect();
        talk::json(&json!({ "stages": all, "outputs": outputs }))?;
    } else if !outputs.is_empty() {
        talk::data(&format!("outputs -> {}", list(&outputs)))?;
    }
    Ok(())
}

fn list(made: &[(String, String)]) -> String {
    let each: Vec<_> = made
        .iter()
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    each.join(", ")
}

fn fan(stage: &Stage) -> Option<String> {
    match &*stage.fan {
        Fan::Once => None,
        Fan::Matrix { axes, .. } => {
            let names: Vec<_> = axes.iter().map(|axis| axis.name.as_str()).collect();
            Some(format!("matrix[{}]", names.join(" x ")))
        }
        Fan::Foreach { variable, .. } => Some(format!("foreach[{variable}]")),
        Fan::Repeat { .. } => Some("repeat".to_owned()),
    }
}

/// The outputs of one instance.
fn made(stage: &Stage) -> Vec<(String, String)> {
    match &stage.work {
        Work::Run { outs, .. } | Work::Uses { outs, .. } => {
            let ports = outs.iter();
            ports
                .map(|port| (port.name.clone(), port.ty.to_string()))
                .collect()
        }
        Work::Group { out, .. } => {
            let bindings = out.iter();
            bindings
                .map(|out| (out.name.clone(), out.ty.to_string()))
                .collect()
        }
    }
}
