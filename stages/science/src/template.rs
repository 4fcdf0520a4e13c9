//! Reads a template folder: the baseline, its settings and metrics, and the space of ideas.
//!
//! It knows the files of the folder (`pipelines/templates/README.md`), not what a program does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kyobashi_stage::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::shapes::Idea;
use crate::stats::Direction;

/// `template.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    #[serde(skip)]
    folder: PathBuf,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) task: String,
    /// The baseline's program file.
    pub(crate) program: String,
    /// Every setting of the baseline.
    pub(crate) config: Map<String, Value>,
    pub(crate) metrics: BTreeMap<String, Metric>,
    /// Settings that no edit may change: how long is trained, and how it is measured.
    #[serde(default)]
    pub(crate) fixed: Vec<String>,
    /// The point sets (or whatever else) that the pipeline runs over.
    #[expect(
        dead_code,
        reason = "a template must say it, though no stage reads it yet"
    )]
    datasets: Vec<String>,
    /// Facts of the task and the method, as sentences for papers.
    #[serde(default)]
    pub(crate) background: Vec<String>,
    #[serde(default)]
    pub(crate) method: Vec<String>,
    #[serde(default)]
    pub(crate) references: Vec<Reference>,
}

/// One metric that a run reports.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    pub(crate) direction: Direction,
    #[serde(default)]
    pub(crate) unit: String,
    /// What it measures, as a noun phrase.
    #[serde(default)]
    pub(crate) doc: String,
    /// A short name for tables; the metric's key in words if absent.
    #[serde(default)]
    pub(crate) label: Option<String>,
}

/// A publication that papers of this template may cite.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) key: String,
    pub(crate) authors: String,
    pub(crate) title: String,
    pub(crate) venue: String,
    pub(crate) year: i64,
}

/// `space.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Space {
    /// Written ideas, the most promising first.
    #[serde(default)]
    pub(crate) ideas: Vec<Idea>,
    /// Settings that may be changed alone.
    #[serde(default)]
    pub(crate) vary: Vec<Vary>,
}

/// One setting with the values to try. In the texts `{value}` stands for the value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vary {
    pub(crate) key: String,
    pub(crate) values: Vec<Value>,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) experiment: String,
    #[serde(default)]
    pub(crate) interestingness: Option<i64>,
    #[serde(default)]
    pub(crate) feasibility: Option<i64>,
    #[serde(default)]
    pub(crate) novelty: Option<i64>,
}

/// What the text of a `template.yaml` says of its metrics: the unit, empty where it has none, and the
/// better direction. Nothing of a text that is no template.
#[must_use]
pub fn declared_metrics(text: &str) -> BTreeMap<String, (String, Direction)> {
    let template: Option<Template> = serde_yaml::from_str(text).ok();
    let metrics = template
        .map(|template| template.metrics)
        .unwrap_or_default();
    metrics
        .into_iter()
        .map(|(name, metric)| (name, (metric.unit, metric.direction)))
        .collect()
}

impl Template {
    /// Reads `template.yaml` of `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let template: Self = yaml(&folder.join("template.yaml"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            ..template
        })
    }

    /// Reads `space.yaml`; a template without one has an empty space.
    pub(crate) fn space(&self) -> Result<Space, Failure> {
        let path = self.folder.join("space.yaml");
        if path.exists() {
            yaml(&path)
        } else {
            Ok(Space {
                ideas: Vec::new(),
                vary: Vec::new(),
            })
        }
    }

    /// The ideas of `seed_ideas.json`, which count as known.
    pub(crate) fn known(&self) -> Result<Vec<Idea>, Failure> {
        let path = self.folder.join("seed_ideas.json");
        if !path.exists() {
            return Ok(Vec::new());
        }
        serde_json::from_str(&read(&path)?)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    }

    /// The program file of an idea (the baseline's if it names none), which must lie in the folder.
    pub(crate) fn program_of(&self, idea: Option<&Idea>) -> Result<PathBuf, Failure> {
        let name = idea
            .and_then(|idea| idea.program.as_deref())
            .unwrap_or(&self.program);
        let inside = !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
        let path = self.folder.join(name);
        if inside && path.is_file() {
            return Ok(path);
        }
        Err(Failure::new(format!(
            "template `{}` has no program `{name}`",
            self.name
        )))
    }

    /// The settings of an idea: the template's, patched by the idea's.
    pub(crate) fn config_of(&self, idea: Option<&Idea>) -> Result<Map<String, Value>, Failure> {
        let mut config = self.config.clone();
        let patch = idea
            .and_then(|idea| idea.config.clone())
            .unwrap_or_default();
        let own_program = idea.is_some_and(|idea| idea.program.is_some());
        for (key, value) in patch {
            if !own_program {
                self.knows(&key)?;
            }
            config.insert(key, value);
        }
        Ok(config)
    }

    /// Fails, with the nearest name, if there is no such setting.
    pub(crate) fn knows(&self, key: &str) -> Result<(), Failure> {
        if self.config.contains_key(key) || key == STACK {
            return Ok(());
        }
        let failure = Failure::new(format!("template `{}` has no setting `{key}`", self.name));
        let near = self
            .config
            .keys()
            .map(|known| (strsim::jaro_winkler(known, key), known))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Err(match near {
            Some((alike, known)) if alike > 0.8 => failure.help(format!("did you mean `{known}`?")),
            _ => failure,
        })
    }
}

/// A setting of the harness that no template lists: how seeds are computed, not what is trained.
const STACK: &str = "stack";

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

fn yaml<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_yaml::from_str(&read(path)?)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}
