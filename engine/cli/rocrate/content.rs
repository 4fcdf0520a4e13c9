//! The crate itself, the workflow with its files and parameters, and what the run was given.

use std::path::Path;

use serde_json::{Value, json};

use super::Wishes;
use super::files::{Files, Wanted};
use super::graph::{Graph, to};
use super::parameters;
use crate::exit::Stopped;
use crate::history::Told;
use crate::talk;

/// The profiles that the crate keeps to: name, id, version.
const PROFILES: [(&str, &str, &str); 4] = [
    (
        "Process Run Crate",
        "https://w3id.org/ro/wfrun/process/0.5",
        "0.5",
    ),
    (
        "Workflow Run Crate",
        "https://w3id.org/ro/wfrun/workflow/0.5",
        "0.5",
    ),
    (
        "Provenance Run Crate",
        "https://w3id.org/ro/wfrun/provenance/0.5",
        "0.5",
    ),
    (
        "Workflow RO-Crate",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
        "1.0",
    ),
];

/// The name under which a journal keeps the words of the command line as a file.
const COMMAND_LINE: &str = "command line";

/// The ids of what actions refer to.
pub(super) struct Run {
    pub(super) root: String,
    pub(super) workflow: String,
    pub(super) engine: String,
    pub(super) author: Option<String>,
    /// The file with the run's events.
    pub(super) journal: Option<String>,
    /// What the run was given, and what it came to.
    pub(super) given: Vec<String>,
    pub(super) made: Vec<String>,
}

pub(super) fn describe(
    graph: &mut Graph,
    files: &mut Files<'_>,
    told: &Told,
    wishes: &Wishes<'_>,
) -> Result<Run, Stopped> {
    let begun = told.begun.as_ref().ok_or_else(|| {
        Stopped::wrong(format!(
            "the journal of run {} has no beginning",
            told.number
        ))
    })?;
    let begin_s = begun.at_ms as f64 / 1000.0;
    let title = format!("Run {} of {}", told.number, begun.pipeline);
    let end = talk::rfc3339(begin_s + told.sum().seconds);
    graph.add(json!({
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": to("./"),
        "conformsTo": [to("https://w3id.org/ro/crate/1.1"), to(PROFILES[3].1)],
    }));
    let license = license(graph, wishes.license);
    let author = wishes
        .author
        .map(|name| graph.add(json!({ "@id": "#author", "@type": "Person", "name": name })));
    let root = graph.add(json!({
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": format!("What `{}` was made from, did and came to, with who made what.", begun.words()),
        "datePublished": end,
        "license": license,
        "author": author.as_deref().map(to),
        "conformsTo": PROFILES.map(|(_, id, _)| to(id)),
    }));
    for (name, id, version) in PROFILES {
        graph.add(json!({ "@id": id, "@type": "CreativeWork", "name": name, "version": version }));
    }
    let engine = engine(graph, &told.made_from.kyo);
    let workflow = workflow(graph, files, told)?;
    graph.link(&root, "mainEntity", std::slice::from_ref(&workflow));
    let mut run = Run {
        root,
        workflow,
        engine,
        author,
        journal: None,
        given: Vec::new(),
        made: Vec::new(),
    };
    parameters::inputs(graph, files, told, &mut run)?;
    parameters::outputs(graph, files, told, &mut run)?;
    let journal = files.store().runs().events(told.number);
    if let Ok(text) = std::fs::read_to_string(journal) {
        run.journal = Some(files.text(
            &text,
            &Wanted {
                name: "journal.jsonl",
                extension: ".jsonl",
                about: "Every event of the run, as `kyo` wrote it.",
                always: true,
            },
        )?);
    }
    let about = format!(
        "# {title}\n\nAn RO-Crate of what `{}` was made from, did and came to: \
         `ro-crate-metadata.json` says what each file is and which action made it.\n\n\
         - `pipeline/`: the pipeline, as it was run\n- `data/`: what it was given\n\
         - `outputs/`: what it came to\n- `stages/`: what its stages made on the way\n\
         - `journal.jsonl`: every event of the run\n",
        begun.words()
    );
    let id = files.text(
        &about,
        &Wanted {
            name: "README.md",
            extension: "",
            about: "What is where in this crate.",
            always: true,
        },
    )?;
    let readme = files.take(&id, json!({ "about": to("./") }));
    graph.add(readme);
    Ok(run)
}

fn license(graph: &mut Graph, given: Option<&str>) -> Value {
    let Some(given) = given else {
        return json!("None is stated; ask the author.");
    };
    let id = match given.contains("://") {
        true => given.to_owned(),
        false => format!("https://spdx.org/licenses/{given}"),
    };
    to(&graph.add(json!({ "@id": id, "@type": "CreativeWork", "name": given })))
}

/// The language of pipelines, and the program that carries them out.
fn engine(graph: &mut Graph, version: &str) -> String {
    graph.add(json!({
        "@id": "#kyobashi",
        "@type": "ComputerLanguage",
        "name": "Kyobashi",
        "alternateName": "Kyobashi pipeline",
        "version": "1",
    }));
    graph.add(json!({
        "@id": "#kyo",
        "@type": "SoftwareApplication",
        "name": "kyo",
        "description": "Kyobashi, a dataflow engine: pipelines in YAML, every result kept by its content",
        "softwareVersion": version,
    }))
}

/// The pipeline's file as the workflow, with the files that it imports.
fn workflow(graph: &mut Graph, files: &mut Files<'_>, told: &Told) -> Result<String, Stopped> {
    let begun = told.begun.as_ref();
    let main = begun.map(|begun| begun.file.as_str()).unwrap_or_default();
    let (mut workflow, mut parts) = (None, Vec::new());
    for (name, digest) in &told.made_from.files {
        let named = format!("pipeline/{}", relative(name, told));
        let wanted = Wanted {
            name: &named,
            extension: match name.as_str() {
                COMMAND_LINE => ".txt",
                _ => ".yaml",
            },
            about: match name.as_str() {
                "command line" => {
                    "The words of the command line that say something of the pipeline."
                }
                _ if name == main => "The pipeline.",
                _ => "Read as part of the pipeline.",
            },
            always: true,
        };
        let id = files.put(digest, false, &wanted, None)?;
        match name == main {
            true => workflow = Some(id),
            false => parts.push(id),
        }
    }
    let Some(id) = workflow else {
        return Err(Stopped::wrong(format!(
            "the journal of run {} does not say what its pipeline was",
            told.number
        ))
        .help("it was written by an older kyo; run the pipeline again"));
    };
    let entity = files.take(
        &id,
        json!({
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": told.pipeline(),
            "programmingLanguage": to("#kyobashi"),
            "version": format!("blake3:{}", told.made_from.files[main]),
            "conformsTo": to("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
        }),
    );
    graph.add(entity);
    graph.link(&id, "isBasedOn", &parts);
    Ok(id)
}

/// A path as it is seen from where the run was asked for.
pub(super) fn relative(path: &str, told: &Told) -> String {
    let dir = told.begun.as_ref().map(|begun| begun.asked.dir.clone());
    let path = Path::new(path);
    let short = path.strip_prefix(dir.unwrap_or_default()).unwrap_or(path);
    short.display().to_string()
}
