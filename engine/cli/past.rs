//! Earlier runs of a pipeline, as their journals tell of them: what `plan` and `why` compare with.

use std::path::PathBuf;

use kyobashi_cache::Store;
use kyobashi_engine::run::preview::Last;
use kyobashi_engine::run::{Asked, Event};

use crate::arguments::{Pipeline, Values};
use crate::{journal, talk};

/// How many runs are read, newest first.
const RUNS: usize = 20;

/// The head of a run's journal.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) run: u64,
    pub(crate) pipeline: String,
    pub(crate) file: String,
    pub(crate) asked: Asked,
    pub(crate) at_ms: u64,
}

/// The runs of one pipeline.
pub(crate) struct Past {
    /// The newest.
    pub(crate) head: Option<Head>,
    /// The key at every address, from the newest run in which it ended well.
    pub(crate) keys: Last,
}

impl Past {
    /// Reads the newest runs of the pipeline of this name.
    pub(crate) fn of(store: &Store, pipeline: &str) -> Self {
        let mut past = Self {
            head: None,
            keys: Last::new(),
        };
        let runs = store.runs();
        let numbers = runs.list().unwrap_or_default();
        for number in numbers.into_iter().rev().take(RUNS) {
            let mut events = journal::events(&runs.events(number));
            let Some(head) = events.find_map(|event| head(&event)) else {
                continue;
            };
            if head.pipeline != pipeline {
                continue;
            }
            past.head.get_or_insert(head);
            for event in events {
                if let Event::NodeFinished(finished) = event
                    && let (Some(key), None) = (finished.key, finished.failure)
                {
                    past.keys.entry(finished.address).or_insert(key);
                }
            }
        }
        past
    }
}

/// The newest run of any pipeline.
pub(crate) fn newest(store: &Store) -> Option<Head> {
    let runs = store.runs();
    let numbers = runs.list().unwrap_or_default();
    let heads = |number| journal::events(&runs.events(number)).find_map(|event| head(&event));
    numbers.into_iter().rev().find_map(heads)
}

impl Head {
    /// The pipeline as this run was asked for, seen from its working folder, with other values over it.
    pub(crate) fn pipeline(&self, over: &Values) -> Pipeline {
        let asked = &self.asked;
        Pipeline {
            file: PathBuf::from(&self.file),
            values: Values {
                profile: over.profile.clone().or_else(|| asked.profile.clone()),
                values: over
                    .values
                    .clone()
                    .or(asked.values.clone().map(PathBuf::from)),
                set: [&asked.set[..], &over.set].concat(),
                pool: [&asked.pool[..], &over.pool].concat(),
                jobs: over.jobs.or(asked.jobs),
            },
        }
    }

    /// `run 14, 3 h 5 min ago`.
    pub(crate) fn said(&self, now_ms: u64) -> String {
        let seconds = now_ms.saturating_sub(self.at_ms) as f64 / 1000.0;
        format!("run {}, {} ago", self.run, talk::duration(seconds))
    }
}

fn head(event: &Event) -> Option<Head> {
    match event {
        Event::RunStarted {
            run,
            pipeline,
            file,
            asked,
            at_ms,
            ..
        } => Some(Head {
            run: *run,
            pipeline: pipeline.clone(),
            file: file.clone(),
            asked: asked.clone(),
            at_ms: *at_ms,
        }),
        _ => None,
    }
}
