//! A bench on which one stage runs at a time, as the engine would run it.

#![allow(dead_code, reason = "each test binary uses a part of the bench")]
#![allow(clippy::unwrap_used, reason = "a bench that breaks is a failed test")]

pub(crate) mod library;
pub(crate) mod reviewing;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use kyobashi_science::{Providers, stages};
use kyobashi_stage::{
    Call, Cell, Context, Datum, Failure, Model, Note, Outbox, Output, Outputs, Reply, Request,
};
use serde_json::Value;

/// Runs stages and remembers their calls to the world, as the engine's store does.
pub(crate) struct Bench {
    scratch: tempfile::TempDir,
    providers: Providers,
    pub(crate) secrets: BTreeMap<String, String>,
    /// Every request in order, with whether its reply was already known.
    pub(crate) requests: Mutex<Vec<(Request, bool)>>,
    replies: Mutex<Vec<(Request, Reply)>>,
    pub(crate) notes: Mutex<Vec<Note>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Providers::default())
    }

    pub(crate) fn with(providers: Providers) -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
            providers,
            secrets: BTreeMap::new(),
            requests: Mutex::default(),
            replies: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Runs a stage with plain values and files; defaults are filled in as the engine does.
    pub(crate) fn run(
        &self,
        uses: &str,
        model: Option<Model>,
        given: Vec<(&str, Datum)>,
    ) -> Result<Outputs, Failure> {
        let stage = stages(self.providers.clone())
            .into_iter()
            .find(|stage| stage.signature().name == uses)
            .unwrap_or_else(|| panic!("no stage `{uses}`"));
        let signature = stage.signature();
        let mut given: BTreeMap<String, Datum> = given
            .into_iter()
            .map(|(name, datum)| (name.to_owned(), datum))
            .collect();
        let mut fill = |ports: &[kyobashi_stage::Port]| -> BTreeMap<String, Datum> {
            ports
                .iter()
                .map(|port| {
                    assert!(
                        given.contains_key(&port.name) || !port.required(),
                        "{uses} needs `{}`",
                        port.name
                    );
                    let default = Datum::value(port.default.clone().unwrap_or(Value::Null));
                    (
                        port.name.clone(),
                        given.remove(&port.name).unwrap_or(default),
                    )
                })
                .collect()
        };
        let call = Call {
            uses: uses.to_owned(),
            ins: fill(&signature.ins),
            with: fill(&signature.with),
            model,
            outs: signature.outs.clone(),
            shapes: BTreeMap::new(),
        };
        assert!(given.is_empty(), "{uses} does not take {:?}", given.keys());
        let outputs = stage.run(&call, self)?;
        let made: Vec<&String> = outputs.keys().collect();
        let mut promised: Vec<&String> = signature.outs.iter().map(|port| &port.name).collect();
        promised.sort();
        assert_eq!(made, promised, "{uses} makes what it promised");
        Ok(outputs)
    }

    /// Every stored reply with its request.
    pub(crate) fn replies(&self) -> Vec<(Request, Reply)> {
        self.replies.lock().unwrap().clone()
    }

    /// A file of the bench.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Datum {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, content).unwrap();
        Datum::File {
            path,
            digest: String::new(),
        }
    }
}

/// Nobody counts what leaves.
struct Silent;

impl Outbox for Silent {
    fn leaves(&self) -> Result<(), Failure> {
        Ok(())
    }
    fn came_back(&self) {}
}

impl Context for Bench {
    fn call(
        &self,
        request: &Request,
        perform: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        let known = self
            .replies
            .lock()
            .unwrap()
            .iter()
            .find(|(asked, _)| asked == request)
            .map(|(_, reply)| reply.clone());
        self.requests
            .lock()
            .unwrap()
            .push((request.clone(), known.is_some()));
        if let Some(reply) = known {
            return Ok(reply);
        }
        let reply = perform(&Silent)?;
        self.replies
            .lock()
            .unwrap()
            .push((request.clone(), reply.clone()));
        Ok(reply)
    }

    fn note(&self, note: Note) {
        self.notes.lock().unwrap().push(note);
    }

    fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.secrets.get(name).cloned()
    }
}

/// The author without a model.
pub(crate) fn baseline() -> Option<Model> {
    Some(Model {
        provider: kyobashi_stage::BASELINE.to_owned(),
        id: String::new(),
        endpoint: String::new(),
        settings: BTreeMap::new(),
    })
}

/// A folder of the repository's `pipelines/`.
pub(crate) fn pipelines(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../pipelines")
        .join(path)
}

pub(crate) fn dir(path: PathBuf) -> Datum {
    Datum::Dir {
        path,
        digest: String::new(),
    }
}

/// The value of an output.
pub(crate) fn value(outputs: &Outputs, name: &str) -> Value {
    match &outputs[name] {
        Output::Value { value } => value.clone(),
        other => panic!("`{name}` is {other:?}"),
    }
}

/// The text of an output.
pub(crate) fn text(outputs: &Outputs, name: &str) -> String {
    match &outputs[name] {
        Output::Bytes { bytes } => String::from_utf8(bytes.clone()).unwrap(),
        Output::File { path } => std::fs::read_to_string(path).unwrap(),
        other => panic!("`{name}` is {other:?}"),
    }
}

/// Runs of a matrix over data sets and seeds; `shift` moves the metrics of some sets.
pub(crate) fn runs(seeds: usize, shift: &[(&str, &str, f64)]) -> Datum {
    let mut cells = Vec::new();
    for (place, dataset) in ["circle", "dino", "line", "moons"].into_iter().enumerate() {
        for seed in 0..seeds {
            let noise = [0.0, 0.01, -0.01, 0.004, -0.004][seed % 5];
            let value = |metric: &str, base: f64| {
                let moved: f64 = shift
                    .iter()
                    .filter(|(set, of, _)| *set == dataset && *of == metric)
                    .map(|(.., by)| by)
                    .sum();
                base + noise + moved
            };
            let metrics = serde_json::json!({
                "eval_loss": value("eval_loss", 0.44 + 0.1 * place as f64),
                "kl": value("kl", 0.35 + 0.2 * place as f64),
            });
            cells.push(Cell {
                at: BTreeMap::from([
                    ("dataset".into(), dataset.into()),
                    ("seed".into(), seed.into()),
                ]),
                datum: Datum::value(metrics),
            });
        }
    }
    Datum::Grid {
        axes: vec!["dataset".into(), "seed".into()],
        cells,
    }
}
