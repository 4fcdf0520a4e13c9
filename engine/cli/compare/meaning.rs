//! What a pipeline declares of its metrics: units and the better direction. They are found where they
//! are written: `metrics:` of a template folder, `directions` of the statistics, the axes of plots.

use std::collections::BTreeMap;

use kyobashi_cache::Store;
use kyobashi_engine::artifact::Artifact;
use kyobashi_science::declared_metrics;
use kyobashi_science::stats::Direction;
use serde_json::Value;

use super::spec::sources;
use crate::exit::Stopped;
use crate::history::{self, Told};

/// Stage types whose settings say something of metrics.
const SAYING: &[&str] = &["stats/compare", "stats/leaderboard", "report/plot"];

/// What is declared of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meaning {
    /// Empty where none is declared.
    pub(crate) unit: String,
    /// Whether less is better.
    pub(crate) lower: Option<bool>,
}

/// By the name of the metric.
pub(crate) struct Meanings(BTreeMap<String, Meaning>);

impl Meanings {
    /// Reads what two runs declare.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn of(store: &Store, runs: [&Told; 2]) -> Result<Self, Stopped> {
        let mut found = Self(BTreeMap::new());
        for told in runs {
            for artifact in sources(store, told).values() {
                if let Some(text) = template(store, artifact) {
                    for (name, (unit, direction)) in declared_metrics(&text) {
                        let lower = Some(direction == Direction::Lower);
                        found.0.insert(name, Meaning { unit, lower });
                    }
                }
            }
            let saying = told.finished.iter();
            for one in saying.filter(|one| SAYING.contains(&one.uses.as_str())) {
                let Some(record) = history::record(store, one)? else {
                    continue;
                };
                let recipe: Value = serde_json::from_str(&record.recipe).unwrap_or_default();
                found.hear(&recipe);
            }
        }
        Ok(found)
    }

    /// Takes what a recipe says; what a template says of the same wins.
    fn hear(&mut self, recipe: &Value) {
        let said = |field: &str| recipe.get(field).and_then(|field| field.get("value"));
        for (name, direction) in said("with.directions")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let meaning = self.0.entry(name.clone()).or_default();
            meaning.lower.get_or_insert(direction == "lower");
        }
        for axis in ["x", "y"] {
            let name = said(&format!("with.{axis}")).and_then(Value::as_str);
            let unit = said(&format!("with.{axis}_unit")).and_then(Value::as_str);
            if let (Some(name), Some(unit)) = (name, unit) {
                let meaning = self.0.entry(name.to_owned()).or_default();
                if meaning.unit.is_empty() {
                    unit.clone_into(&mut meaning.unit);
                }
            }
        }
    }

    /// What is declared of the metric at the end of a path: `metrics.kl`, `rows[0].kl.mean`.
    pub(super) fn of_path(&self, path: &str) -> Option<&Meaning> {
        let mut names = path.rsplit('.');
        let bare = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
        let last = bare(names.next()?);
        let own = self.0.get(&last);
        own.or_else(|| {
            let around = bare(names.next()?);
            let place = ["mean", "median", "min", "max"].contains(&last.as_str());
            self.0.get(&around).filter(|_| place)
        })
    }
}

/// The text of a template folder's `template.yaml`, if it is one and in the store.
fn template(store: &Store, artifact: &Artifact) -> Option<String> {
    let Artifact::Dir(folder) = artifact else {
        return None;
    };
    let tree = store.tree(&folder.digest).ok()?;
    let entry = tree
        .entries
        .iter()
        .find(|entry| entry.path == "template.yaml")?;
    String::from_utf8(store.read(&entry.digest?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_of_statistics_and_plots_say_what_numbers_mean() {
        let mut found = Meanings(BTreeMap::new());
        found.hear(&json!({"with.directions": {"value": {"kl": "lower", "accuracy": "higher"}}}));
        found.hear(&json!({"with.y": {"value": "kl"}, "with.y_unit": {"value": "bits"}}));
        let of = |path| {
            found
                .of_path(path)
                .map(|meaning| (meaning.unit.as_str(), meaning.lower))
        };
        assert_eq!(of("metrics.kl"), Some(("bits", Some(true))));
        assert_eq!(of("rows[2].kl.mean"), Some(("bits", Some(true))));
        assert_eq!(of("accuracy"), Some(("", Some(false))));
        assert_eq!(of("kl.n"), None);
        assert_eq!(of("steps"), None);
    }
}
