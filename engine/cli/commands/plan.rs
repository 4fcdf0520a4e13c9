//! `kyo plan`

use kyobashi_engine::run::estimate::Estimator;
use kyobashi_engine::run::preview::{self, Planned};
use kyobashi_engine::spec::Keys;
use kyobashi_science::Providers;

use super::budget;
use crate::arguments::{Global, Pipeline, Plan};
use crate::exit::{self, Code, Stopped};
use crate::past::{Head, Past};
use crate::surroundings::{self, Surroundings};
use crate::workspace::{self, Catalogue};
use crate::{outline, talk};

pub(super) fn plan(global: &Global, arguments: &Plan) -> Result<Code, Stopped> {
    let plan = planned(global, &arguments.pipeline, None)?;
    if global.json {
        talk::json(&plan.nodes)?;
        return Ok(exit::DONE);
    }
    let changes = outline::changes(&plan.nodes);
    match &plan.before {
        Some(head) => {
            let count = talk::plural(changes.len() as u64, "change");
            let count = if changes.is_empty() {
                "no change"
            } else {
                &count
            };
            talk::data(&format!(
                "against {}: {count}",
                head.said(surroundings::now_ms())
            ))?;
        }
        None => talk::data("this pipeline has not run in this store before")?,
    }
    for change in &changes {
        talk::data(&format!("  {change}"))?;
    }
    for row in outline::rows(&plan.nodes, arguments.all) {
        talk::data(&row)?;
    }
    talk::data(&outline::total(&plan.nodes))?;
    let calls = budget::sum(&plan.nodes);
    if calls.calls > 0 {
        talk::data(&format!(
            "Model calls that are known and not stored: {} (the prompts alone, to every reply at its limit)",
            budget::said(&calls)
        ))?;
    }
    Ok(exit::DONE)
}

/// What a run of a pipeline would do, and the run that it is compared with.
pub(super) struct Planning {
    pub(super) nodes: Vec<Planned>,
    pub(super) before: Option<Head>,
}

/// Plans, with every field of the node at `detail`.
pub(super) fn planned(
    global: &Global,
    pipeline: &Pipeline,
    detail: Option<&str>,
) -> Result<Planning, Stopped> {
    let surroundings = Surroundings::read();
    let catalogue = Catalogue::new(Providers::default());
    let spec = workspace::spec(global, pipeline, &catalogue, &surroundings, Keys::Wanted)?;
    let glance = workspace::glance(global, &pipeline.file)?;
    let store = &glance.store;
    let sources = workspace::sources(&spec, store)?;
    let past = Past::of(store, &spec.name);
    let machine = surroundings::machine();
    let stages = Catalogue::new(surroundings.servers(&spec)).stages;
    let scratch = tempfile::tempdir().map_err(Stopped::fault)?;
    let estimator = Estimator::new(store, &stages, &spec.shapes, scratch.path());
    let nodes = preview::preview(
        &spec,
        &sources,
        store,
        &machine,
        &past.keys,
        &preview::Detail {
            address: detail,
            estimator: Some(&estimator),
        },
    )?;
    Ok(Planning {
        nodes,
        before: past.head,
    })
}
