//! `kyo why`

use std::path::PathBuf;

use kyobashi_engine::run::preview::Planned;

use crate::arguments::{Global, Pipeline, Values, Why};
use crate::exit::{self, Code, Stopped};
use crate::{outline, past, surroundings, talk, workspace};

use super::plan;

pub(super) fn why(global: &Global, arguments: &Why) -> Result<Code, Stopped> {
    let (global, pipeline, address) = asked(global, arguments)?;
    let plan = plan::planned(&global, &pipeline, Some(&address))?;
    let within = |node: &&Planned| {
        let rest = node.address.strip_prefix(&address);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '/', '.']))
    };
    let nodes: Vec<_> = plan.nodes.iter().filter(within).cloned().collect();
    let [node] = &nodes[..] else {
        if nodes.is_empty() {
            return Err(unknown(&plan.nodes, &address));
        }
        if global.json {
            talk::json(&nodes)?;
            return Ok(exit::DONE);
        }
        for row in outline::rows(&nodes, true) {
            talk::data(&row)?;
        }
        return Ok(exit::DONE);
    };
    if global.json {
        talk::json(node)?;
        return Ok(exit::DONE);
    }
    let place = outline::at(node.place.as_ref());
    let word = outline::word(node.state);
    talk::data(&format!("{}  {word}  {}  {place}", node.address, node.uses))?;
    if let (Some(head), Some(seconds)) = (&plan.before, node.seconds) {
        let cost = talk::money(node.usd.unwrap_or(0.0));
        talk::data(&format!(
            "against {}; it took {} and cost {cost}",
            head.said(surroundings::now_ms()),
            talk::duration(seconds)
        ))?;
    }
    let fields = outline::fields(&node.fields);
    if node.fields.is_empty() {
        talk::data(outline::rows(&nodes, true).first().map_or("", |row| row))?;
    }
    for row in fields.iter().filter(|_| !node.fields.is_empty()) {
        talk::data(&format!("  {row}"))?;
    }
    Ok(exit::DONE)
}

/// Which node of which pipeline: that of the last run, asked for as it was, where no file is given.
fn asked(global: &Global, arguments: &Why) -> Result<(Global, Pipeline, String), Stopped> {
    if let [file, address] = &arguments.what[..] {
        let pipeline = Pipeline {
            file: PathBuf::from(file),
            values: arguments.values.clone(),
        };
        return Ok((global.clone(), pipeline, address.clone()));
    }
    let address = arguments.what.first().cloned().unwrap_or_default();
    let dir = std::path::absolute(workspace::store_dir(global, None)).map_err(Stopped::fault)?;
    let none = || {
        Stopped::wrong(format!("nothing has run yet in {}", dir.display())).help(
            "name the pipeline, `kyo why FILE ADDRESS`, or choose the store with `--store DIR`",
        )
    };
    if !dir.join("version").exists() {
        return Err(none());
    }
    let global = Global {
        store: Some(dir.clone()),
        ..global.clone()
    };
    let head = past::newest(&workspace::look(&global)?).ok_or_else(none)?;
    let given = arguments.values.values.as_ref();
    let given = given.map(std::path::absolute).transpose();
    let given = given.map_err(Stopped::fault)?;
    // Paths among the settings are seen from where the run was asked for.
    if !head.asked.dir.is_empty() {
        std::env::set_current_dir(&head.asked.dir).map_err(|error| {
            Stopped::wrong(format!("{}: {error}", head.asked.dir))
                .help("the last run was asked for there; name the pipeline: `kyo why FILE ADDRESS`")
        })?;
    }
    let over = Values {
        values: given,
        ..arguments.values.clone()
    };
    Ok((global, head.pipeline(&over), address))
}

fn unknown(nodes: &[Planned], address: &str) -> Stopped {
    let names = nodes.iter().map(|node| node.address.as_str());
    let likeness = |name: &&str| (1000.0 * strsim::jaro_winkler(name, address)) as u64;
    let error = Stopped::wrong(format!("nothing has the address `{address}`"));
    match names.max_by_key(likeness) {
        Some(near) => error.help(format!(
            "did you mean `{near}`? `kyo plan --all` lists them all"
        )),
        None => error,
    }
}
