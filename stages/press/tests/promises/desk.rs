//! Calls a stage with the defaults of its signature filled in, as the engine does.

use std::collections::BTreeMap;
use std::path::Path;

use kyobashi_stage::{
    Call, Cell, Context, Datum, Failure, Note, Outbox, Output, Outputs, Reply, Request,
};
use serde_json::Value;

/// A context without engine: nothing is stored, nothing is asked.
struct Alone<'p>(&'p Path);

impl Context for Alone<'_> {
    fn call(
        &self,
        _: &Request,
        _: &mut dyn FnMut(&dyn Outbox) -> Result<Reply, Failure>,
    ) -> Result<Reply, Failure> {
        Err(Failure::bug("no stage of the press asks anybody"))
    }
    fn note(&self, _: Note) {}
    fn scratch(&self) -> &Path {
        self.0
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

/// Inputs and settings of one call.
#[derive(Default)]
pub(crate) struct Desk {
    given: BTreeMap<String, Datum>,
}

impl Desk {
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.given.insert(name.to_owned(), Datum::value(value));
        self
    }

    pub(crate) fn datum(mut self, name: &str, datum: Datum) -> Self {
        self.given.insert(name.to_owned(), datum);
        self
    }

    /// What was given under a name.
    pub(crate) fn given(&self, name: &str) -> Datum {
        self.given[name].clone()
    }

    pub(crate) fn run(&self, uses: &str) -> Result<Outputs, Failure> {
        self.run_in(uses, Path::new("/nonexistent"))
    }

    pub(crate) fn run_in(&self, uses: &str, scratch: &Path) -> Result<Outputs, Failure> {
        let stages = kyobashi_press::stages();
        let stage = stages
            .iter()
            .find(|stage| stage.signature().name == uses)
            .expect("the stage type exists");
        let signature = stage.signature();
        let fill = |ports: &[kyobashi_stage::Port]| {
            ports
                .iter()
                .map(|port| {
                    let default = || Datum::value(port.default.clone().unwrap_or(Value::Null));
                    let datum = self.given.get(&port.name).cloned().unwrap_or_else(default);
                    (port.name.clone(), datum)
                })
                .collect::<BTreeMap<String, Datum>>()
        };
        for name in self.given.keys() {
            let known = signature
                .ins
                .iter()
                .chain(&signature.with)
                .any(|port| port.name == *name);
            assert!(known, "{uses} has no port {name}");
        }
        let call = Call {
            uses: uses.to_owned(),
            ins: fill(&signature.ins),
            with: fill(&signature.with),
            model: None,
            outs: signature.outs.clone(),
            shapes: BTreeMap::new(),
        };
        stage.run(&call, &Alone(scratch))
    }
}

/// Files given as values: the stages take both.
pub(crate) fn list(files: &[&str]) -> Datum {
    Datum::List {
        items: files.iter().map(|text| Datum::value(*text)).collect(),
    }
}

/// A grid of tables over `seed` and one more axis.
pub(crate) fn grid(axis: &str, cells: &[(&str, u64, &str)]) -> Datum {
    Datum::Grid {
        axes: vec![axis.to_owned(), "seed".to_owned()],
        cells: cells
            .iter()
            .map(|(value, seed, table)| Cell {
                at: BTreeMap::from([
                    (axis.to_owned(), Value::from(*value)),
                    ("seed".to_owned(), Value::from(*seed)),
                ]),
                datum: Datum::value(*table),
            })
            .collect(),
    }
}

pub(crate) fn bytes(outputs: &Outputs, name: &str) -> Vec<u8> {
    match &outputs[name] {
        Output::Bytes { bytes } => bytes.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

pub(crate) fn text(outputs: &Outputs, name: &str) -> String {
    String::from_utf8(bytes(outputs, name)).unwrap()
}

pub(crate) fn value(outputs: &Outputs, name: &str) -> Value {
    match &outputs[name] {
        Output::Value { value } => value.clone(),
        other => panic!("{name} is {other:?}"),
    }
}
