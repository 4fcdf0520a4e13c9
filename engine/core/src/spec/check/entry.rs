//! The way through a check: head of the file, stages, outputs, answer.

use std::collections::BTreeSet;

use kyobashi_stage::Type;

use super::super::report::Issue;
use super::super::{Binding, Checked, Question, Spec, StageId};
use super::draft::{Draft, Kind};
use super::file::{File, open};
use super::form::Given;
use super::layers::{Layers, layers};
use super::policy::Rules;
use super::scope::{Frame, Scope};
use super::stages::{Level, matches_glob, sorted, stages};
use super::state::Check;
use super::value::{Strings, inferred};
use super::{budget, group, models, params, pools, roles, types};

/// Checks a pipeline: all problems at once, and the spec if there is no error among them.
///
/// A file with `inputs:` is a component: it is checked by itself, but makes no spec, because only a
/// pipeline that imports it can give it its inputs.
#[must_use]
pub fn check(question: &Question<'_>) -> Checked {
    let mut check = Check::new(question);
    let parts = open(&mut check, question.file, None).map(|file| {
        let parts = if file.is_component() {
            component(&mut check, &file);
            None
        } else {
            Some(pipeline(&mut check, &file))
        };
        let reachable: Vec<_> = check.files.values().flatten().cloned().collect();
        for file in reachable {
            unused_imports(&mut check, &file);
        }
        (parts, file)
    });
    let broken = check.report.has_errors();
    let spec = match parts {
        Some((Some((top, outputs)), file)) if !broken => spec(&mut check, &file, top, outputs),
        _ => None,
    };
    Checked {
        spec,
        candidates: check.report.candidates(),
        mentions: std::mem::take(&mut check.mentions),
        problems: check.report.finish(&check.sources),
        sources: check.sources.into_texts().collect(),
    }
}

type Parts = (Vec<StageId>, Vec<Binding>);

fn pipeline(check: &mut Check<'_>, file: &File) -> Parts {
    check.opening.push(file.path.clone());
    let layers = layers(check, file);
    types::types(check, file);
    models::providers(check, file);
    models::models(check, file, &layers);
    check.budget = budget::budget(check, file);
    params::params(check, file, &layers);
    params::secrets(check, file);
    let defaults = defaults(check, file, &layers);
    let level = Level {
        file,
        prefix: "",
        defaults: &defaults,
    };
    let scope = Scope::file(Frame::Pipeline);
    let siblings = stages(check, &level, &file.stages, &scope);
    let scope = scope.with(Frame::Stages(&siblings.names));
    let mut outputs = Vec::new();
    for given in &file.outputs {
        check.name(format!("outputs.{}", given.name), given.value.span);
        let (value, ty) = inferred(check, &scope, &given.value, Strings::Values);
        extension(check, given, &ty);
        outputs.push(Binding {
            name: given.name.clone(),
            ty,
            value,
        });
    }
    models::keys(check);
    roles::apart(check);
    pools::pools(check, file);
    (siblings.ids, outputs)
}

/// Tells an output whose name promises another kind of file than it will hold, as `curves.pdf` for an SVG.
fn extension(check: &mut Check<'_>, given: &Given, ty: &Type) {
    let Type::File(Some(is)) = ty else { return };
    let Some((stem, said)) = given.name.rsplit_once('.') else {
        return;
    };
    if is.trim_start_matches('.').eq_ignore_ascii_case(said) {
        return;
    }
    let message = format!("`{}` is given a file of the kind `{is}`", given.name);
    let issue = Issue::warning("type::extension", given.at, "says another kind", message);
    let help = format!("call it `{stem}{is}`, or name an output of the kind `.{said}`");
    check.report.add(issue.help(help));
}

fn component(check: &mut Check<'_>, file: &File) {
    check.opening.push(file.path.clone());
    if let Some(entry) = file.entry("inputs") {
        let message = "this file is a component: only a pipeline that imports it can run";
        let issue = Issue::warning("component::alone", entry.at, "its inputs", message);
        check.report.add(issue);
    }
    group::head(check, file);
    let inputs = params::inputs(check, file);
    let span = file
        .entry("inputs")
        .map_or(file.root.span, |entry| entry.at);
    let id = check.stage(span);
    group::inside(check, &[], file, &inputs, id, "");
}

/// Defaults of the file, then those of the layers over it.
fn defaults(check: &mut Check<'_>, file: &File, layers: &Layers) -> Vec<(String, Rules)> {
    for (glob, at, _) in file.defaults.iter().chain(&layers.defaults) {
        let known = check.signatures.keys().any(|name| matches_glob(glob, name));
        if !known && !matches_glob(glob, "run") {
            let message = format!("no stage type is called `{glob}`");
            let kinds: BTreeSet<String> = check.signatures.keys().map(|name| kind(name)).collect();
            let help = check
                .report
                .suggest(glob, "globs", kinds.iter().map(String::as_str));
            let issue = Issue::warning("defaults::no_match", *at, "matches nothing", message);
            check.report.add(issue.help(help));
        }
    }
    let plain = |(glob, _, rules): &(String, _, Rules)| (glob.clone(), rules.clone());
    let mut all = sorted(file.defaults.iter().map(plain));
    all.extend(layers.defaults.iter().map(plain));
    all
}

/// The glob of a stage type's family: `llm/*`.
fn kind(name: &str) -> String {
    match name.split_once('/') {
        Some((family, _)) => format!("{family}/*"),
        None => name.to_owned(),
    }
}

fn unused_imports(check: &mut Check<'_>, file: &File) {
    let mut used = BTreeSet::new();
    uses(&file.stages, &mut used);
    for import in &file.imports {
        if !used.contains(import.name.as_str()) {
            let message = format!("`{}` is imported but not used", import.name);
            let issue = Issue::warning("import::unused", import.at, "not used", message);
            check.report.add(issue);
        }
    }
}

fn uses<'d>(drafts: &'d [Draft], used: &mut BTreeSet<&'d str>) {
    for draft in drafts {
        match &draft.kind {
            Kind::Uses { name, .. } => {
                used.insert(name);
            }
            Kind::Group { stages } => uses(stages, used),
            _ => {}
        }
    }
}

fn spec(
    check: &mut Check<'_>,
    file: &File,
    top: Vec<StageId>,
    outputs: Vec<Binding>,
) -> Option<Spec> {
    let stages = std::mem::take(&mut check.stages);
    Some(Spec {
        name: file.name.clone(),
        doc: file.doc.clone(),
        file: file.path.clone(),
        params: std::mem::take(&mut check.params),
        models: std::mem::take(&mut check.models),
        providers: std::mem::take(&mut check.providers),
        secrets: std::mem::take(&mut check.secrets),
        budget: std::mem::take(&mut check.budget),
        shapes: std::mem::take(&mut check.shapes),
        // Without an error every stage was filled in.
        stages: stages.into_iter().collect::<Option<Vec<_>>>()?,
        top,
        outputs,
        pools: std::mem::take(&mut check.pools),
        generations: Vec::new(),
        places: std::mem::take(&mut check.places),
    })
}
