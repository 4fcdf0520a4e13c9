//! Who made what from what: the stage runs behind some results, back to files and settings.

use std::collections::{BTreeMap, VecDeque};

use kyobashi_cache::{Digest, Store};
use kyobashi_engine::run::Finished;
use serde_json::{Map, Value, json};

use crate::exit::Stopped;
use crate::history::{self, Told};
use crate::makers::{self, Makers};
use crate::talk;

/// Stage runs that the page tells of in full.
const MOST: usize = 3000;

/// Letters of a setting that are shown; a program's text would fill the page.
const SHOWN: usize = 400;

/// The stage runs behind some digests.
pub(super) struct Lineage {
    /// By address.
    stages: BTreeMap<String, Value>,
    /// Who made a content: `address.output`, or a path in the workspace.
    makers: BTreeMap<Digest, String>,
}

impl Lineage {
    /// Follows `roots` back as far as the journal and the store tell.
    pub(super) fn of(
        store: &Store,
        told: &Told,
        roots: impl Iterator<Item = Digest>,
    ) -> Result<Self, Stopped> {
        let makers = Makers::of(store, told);
        let mut owners: BTreeMap<String, &Finished> = BTreeMap::new();
        for one in told.finished.iter().rev() {
            for name in one.outputs.keys() {
                owners.insert(format!("{}.{name}", one.address), one);
            }
        }
        let mut lineage = Self {
            stages: BTreeMap::new(),
            makers: BTreeMap::new(),
        };
        let mut next: VecDeque<String> = VecDeque::new();
        for root in roots {
            if let Some(maker) = makers.maker(&root) {
                lineage.makers.insert(root, maker.clone());
                next.push_back(maker.clone());
            }
        }
        while let Some(maker) = next.pop_front() {
            let Some(one) = owners.get(&maker) else {
                continue;
            };
            if lineage.stages.contains_key(&one.address) || lineage.stages.len() >= MOST {
                continue;
            }
            let stage = stage(store, one, &makers, &mut next)?;
            lineage.stages.insert(one.address.clone(), stage);
        }
        Ok(lineage)
    }

    pub(super) fn document(&self) -> Value {
        let makers: BTreeMap<String, &String> = self
            .makers
            .iter()
            .map(|(digest, maker)| (digest.to_string(), maker))
            .collect();
        json!({"stages": self.stages, "makers": makers})
    }
}

/// A stage run with its settings and inputs; whom it leads to goes into `next`.
fn stage(
    store: &Store,
    one: &Finished,
    makers: &Makers,
    next: &mut VecDeque<String>,
) -> Result<Value, Stopped> {
    let record = history::record(store, one)?.unwrap_or_default();
    let recipe: BTreeMap<String, Value> = serde_json::from_str(&record.recipe).unwrap_or_default();
    let mut inputs = Vec::new();
    let mut settings = Map::new();
    for (field, said) in &recipe {
        if let Some(name) = field.strip_prefix("in.") {
            let from = makers.whose(said).into_iter().map(|(_, maker)| maker);
            let from: Vec<String> = from.collect();
            next.extend(from.iter().cloned());
            let mut input = json!({"name": name, "from": from});
            match said.get("value") {
                Some(value) if from.is_empty() => input["value"] = shown(value),
                _ => input["digest"] = makers::digest(said).map(|digest| digest.to_string()).into(),
            }
            input["members"] = said.get("members").cloned().unwrap_or_default();
            inputs.push(input);
        } else if let Some(name) = field.strip_prefix("with.")
            && let Some(value) = said.get("value").filter(|value| !value.is_null())
        {
            settings.insert(name.to_owned(), shown(value));
        } else if field == "model" || field == "run" {
            settings.insert(field.clone(), shown(said.get("value").unwrap_or(said)));
        }
    }
    Ok(json!({
        "address": one.address,
        "uses": one.uses,
        "state": one.state,
        "place": one.place,
        "key": one.key,
        "seconds": talk::duration(record.seconds),
        "usd": record.usd,
        "made_in": history::noted(&record.note, "run"),
        "provenance": history::noted(&record.note, "provenance"),
        "inputs": inputs,
        "settings": settings,
        "outputs": one.outputs,
    }))
}

fn shown(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
