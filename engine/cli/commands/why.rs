//! `kyo why`

use crate::arguments::{Global, Why};
use crate::exit::{self, Code, Stopped};
use crate::talk;

use super::plan;

pub(super) fn why(global: &Global, arguments: &Why) -> Result<Code, Stopped> {
    let planned = plan::planned(global, &arguments.pipeline)?;
    let Some(node) = planned
        .iter()
        .find(|node| node.address == arguments.address)
    else {
        let names = planned.iter().map(|node| node.address.as_str());
        let near = names
            .max_by_key(|name| (1000.0 * strsim::jaro_winkler(name, &arguments.address)) as u64);
        let error = Stopped::wrong(format!("nothing has the address `{}`", arguments.address));
        return Err(match near {
            Some(near) => error.help(format!("did you mean `{near}`? `kyo plan` lists them all")),
            None => error,
        });
    };
    if global.json {
        talk::json(node)?;
        return Ok(exit::DONE);
    }
    let state = serde_json::to_value(node.state).map_err(Stopped::fault)?;
    talk::data(&format!(
        "{}  {}",
        node.address,
        state.as_str().unwrap_or_default()
    ))?;
    if node.because.is_empty() {
        talk::data("  every input is as it was recorded")?;
    }
    for change in &node.because {
        talk::data(&format!("  {}", plan::said(change)))?;
    }
    Ok(exit::DONE)
}
