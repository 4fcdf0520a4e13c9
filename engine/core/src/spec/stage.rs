//! One stage of a checked pipeline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kyobashi_stage::{Port, Signature, Type};

use super::{Expression, Template};

/// The index of a stage in [`super::Spec::stages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(pub u32);

impl StageId {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A stage: what it does ([`Work`]), how often ([`Fan`]) and under which rules ([`Policy`]).
#[derive(Clone, Debug)]
pub struct Stage {
    pub id: StageId,
    pub name: String,
    /// Names from the top level, `study/first/reviewer`.
    pub path: String,
    pub fan: Arc<Fan>,
    pub work: Work,
    pub when: Option<Box<Expression>>,
    /// Order without data.
    pub needs: Vec<StageId>,
    pub policy: Arc<Policy>,
}

impl Stage {
    /// Whether it asks a model.
    #[must_use]
    pub fn asks(&self) -> bool {
        matches!(&self.work, Work::Uses { signature, .. } if signature.model)
    }
}

/// How often a stage runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Fan {
    Once,
    /// The product of the axes, less `exclude`, plus `include`.
    Matrix {
        axes: Vec<Axis>,
        /// Cells that agree with all named coordinates are left out.
        exclude: Vec<BTreeMap<String, Template>>,
        /// Whole cells that are added.
        include: Vec<BTreeMap<String, Template>>,
    },
    Foreach {
        variable: String,
        list: Expression,
        /// The stable address of an instance; the index if absent.
        key: Option<Template>,
    },
    Repeat {
        max: Template,
        /// Seen from inside the group, after the round.
        until: Option<Expression>,
        at_max: AtMax,
        carry: Vec<Carry>,
    },
}

/// One axis of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub name: String,
    /// A list; each member may hold references.
    pub values: Template,
}

/// A value that goes from round to round.
#[derive(Clone, Debug, PartialEq)]
pub struct Carry {
    pub name: String,
    pub ty: Type,
    /// For the first round, seen from outside.
    pub first: Template,
    /// For the next round, seen from inside.
    pub next: Template,
}

/// What using up every round of a `repeat` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtMax {
    Keep,
    Fail,
}

/// What runs a script that names no shell.
pub const SHELL: [&str; 3] = ["sh", "-eu", "-c"];

/// What a stage does.
#[derive(Clone, Debug)]
pub enum Work {
    /// A script, given verbatim to `sh -eu -c` (or to `shell`).
    Run {
        script: String,
        /// The interpreter and its arguments; [`SHELL`] where none is named.
        shell: Arc<Vec<String>>,
        ins: Vec<Binding>,
        with: Vec<Binding>,
        env: Vec<Binding>,
        outs: Arc<Vec<Port>>,
    },
    /// A stage type. Every port of the signature is bound: given, or its default, or null.
    Uses {
        signature: Arc<Signature>,
        ins: Vec<Binding>,
        with: Vec<Binding>,
        model: Option<Template>,
        outs: Arc<Vec<Port>>,
    },
    /// Stages with a face of their own.
    Group {
        /// For a component: its inputs, seen from outside. Its inside sees nothing else.
        inputs: Option<Vec<Binding>>,
        stages: Vec<StageId>,
        /// Seen from inside.
        out: Vec<Binding>,
    },
}

/// A name with a type and a value.
#[derive(Clone, Debug)]
pub struct Binding {
    pub name: String,
    /// The type wanted here.
    pub ty: Type,
    pub value: Template,
}

/// The rules of a stage that never enter its key (`cache` and `version` aside).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    pub on_error: OnError,
    pub may_fail: bool,
    pub cache: CachePolicy,
    /// Raised by hand; enters the key.
    pub version: u32,
    /// Further tries after a failure that may pass.
    pub retries: u32,
    pub timeout: Option<Duration>,
    pub resources: Resources,
    pub secrets: Vec<String>,
    pub tags: Vec<String>,
    pub doc: Option<String>,
}

/// What a failed instance of a fan-out, or a failed stage, does to the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    #[default]
    Fail,
    Continue,
}

/// How results are reused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CachePolicy {
    /// By content key.
    #[default]
    Auto,
    /// Neither read nor written.
    Never,
    /// The last result is kept even if inputs changed.
    Frozen,
}

/// The pool of stages that ask models: each takes one place of it, and no core.
pub const MODEL_POOL: &str = "model";

/// What a stage occupies while it runs, by pool: `cpu` (default 1; none for one that asks a model), `gpu`, `memory` (bytes), and pools
/// of the user's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources(pub BTreeMap<String, f64>);

/// What there is of something that stages take while they run.
#[derive(Clone, Debug, PartialEq)]
pub enum Pool {
    /// So much of it: cores, bytes, licences.
    Sum(f64),
    /// These things by name: whoever takes one is told which, and nobody else has it meanwhile.
    Indexed(Vec<String>),
}

impl Pool {
    /// How much there is in all.
    #[must_use]
    pub fn size(&self) -> f64 {
        match self {
            Self::Sum(size) => *size,
            Self::Indexed(names) => names.len() as f64,
        }
    }
}
