//! Everything that happens in a run, as one closed type. The run journal, `--json`, the bars, the log
//! and the report are readers of it; nothing else tells them anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kyobashi_cache::{Digest, Key};
use kyobashi_stage::{Failure, Model, Note, Tokens};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Raised when an event changes its meaning.
pub const JOURNAL_VERSION: u32 = 1;

/// One event; a line of the journal and of `--json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RunStarted {
        version: u32,
        run: u64,
        pipeline: String,
        file: String,
        /// How it was asked for, so that it can be asked for again.
        #[serde(default)]
        asked: Asked,
        /// Milliseconds since 1970, for people; nothing is computed from it.
        at_ms: u64,
        /// Stage runs known so far; fan-outs over results add to them.
        known: u64,
    },
    /// What the run is made from; follows its start.
    MadeFrom(MadeFrom),
    /// A fan-out was opened or a round began: more stage runs are known.
    Grown {
        known: u64,
    },
    NodeStarted {
        address: String,
        uses: String,
        /// What it alone has of indexed pools: `gpu` → `GPU-5d2a…`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        things: BTreeMap<String, Vec<String>>,
    },
    /// Progress; not kept in the journal.
    NodeNoted {
        address: String,
        note: Note,
    },
    /// A keyed call to the world was made or reused within a stage.
    Called {
        address: String,
        kind: String,
        /// Who was asked: `openai/gpt-4o-mini`.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        who: String,
        key: Key,
        state: CallState,
        /// Paid now, US dollars.
        usd: f64,
        /// What a reply that was reused once cost, US dollars.
        #[serde(default, skip_serializing_if = "is_zero")]
        saved_usd: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tokens: Option<Tokens>,
    },
    /// A call did not fit into the budget: nothing more is started, and the stage run waits for the next
    /// run.
    BudgetReached {
        address: String,
        failure: Failure,
    },
    /// Another try follows after a failure that may pass.
    NodeRetried {
        address: String,
        failure: Failure,
        attempt: u32,
    },
    NodeFinished(Finished),
    /// What the pipeline's `outputs:` came to, as far as they were reached; precedes the end.
    OutputsMade {
        outputs: BTreeMap<String, Digest>,
        /// The blob with the outputs themselves, as artifacts by name; absent where it could not
        /// be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Digest>,
    },
    RunFinished(Totals),
}

/// What a run is made from, beside the words that asked for it. What is long is in the store and
/// stands here by its digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// The version of the program.
    pub kyo: String,
    /// Every file that was read as part of the pipeline, by its name: a blob.
    pub files: BTreeMap<String, Digest>,
    /// Effective values of the parameters.
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    /// Effective models, by role.
    #[serde(default)]
    pub models: BTreeMap<String, Model>,
    /// A blob with the files and folders that the pipeline names as data: a JSON object of
    /// artifacts by path. Absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Digest>,
    /// Facts of the machine that may enter keys.
    #[serde(default)]
    pub machine: BTreeMap<String, String>,
    /// The stage runs that were asked for anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refresh: Vec<String>,
}

/// The words with which a run was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The working folder, from which paths on the command line are seen.
    pub dir: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The file of `--values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<String>,
    /// The arguments of `--set`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// The arguments of `--pool`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool: Vec<String>,
    /// The argument of `--jobs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
}

/// The end of one stage run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub address: String,
    /// The stage type, or `run`.
    pub uses: String,
    pub state: FinalState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Wall time of this run of the stage; 0 when reused.
    pub seconds: f64,
    /// Paid now, US dollars.
    pub usd: f64,
    /// What an earlier run spent on what was reused now.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved_seconds: f64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saved_usd: f64,
    /// The digest of each output.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Tries that were made of one that failed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub tries: u32,
    /// What the stage wrote to its output, if it wrote anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
    /// Why it was skipped: the address of the failure, or `when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// `file:line:col` of the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the stage took part in: the worst provenance of it and its inputs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// How a stage run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalState {
    Ran,
    Reused,
    Failed,
    /// By `when`, or because what it needs failed or was skipped.
    Skipped,
}

/// Whether a call was made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    Made,
    Reused,
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub ran: u64,
    pub reused: u64,
    pub failed: u64,
    pub skipped: u64,
    /// Paid now, US dollars.
    pub usd: f64,
    /// Wall time of the whole run.
    pub seconds: f64,
    /// Whether it was stopped before its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// Whether it was stopped because the budget was used up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_budget: bool,
}

impl Totals {
    /// Counts one finished node.
    pub fn count(&mut self, finished: &Finished) {
        match finished.state {
            FinalState::Ran => self.ran += 1,
            FinalState::Reused => self.reused += 1,
            FinalState::Failed => self.failed += 1,
            FinalState::Skipped => self.skipped += 1,
        }
        self.usd += finished.usd;
    }
}

/// Receives events; nothing in the engine asks it anything.
pub trait Observer: Send {
    /// One event, in order.
    fn see(&mut self, event: &Event);

    /// Events of an earlier run that happen again: JSON lines, and what they come to.
    fn again(&mut self, lines: &[u8], totals: &Totals);
}
