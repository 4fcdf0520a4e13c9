//! `kyo export`

use std::collections::BTreeMap;

use crate::arguments::{Export, Global};
use crate::exit::{self, Code, Stopped};
use crate::history::{self, Told};
use crate::rocrate::{self, Payload, Wishes};
use crate::{talk, workspace};

/// Missing files that are named before they are only counted.
const NAMED: usize = 5;

pub(super) fn export(global: &Global, arguments: &Export) -> Result<Code, Stopped> {
    let store = workspace::look_closely(global)?;
    let runs = store.runs();
    let number = history::find(&runs, &arguments.run)?;
    let told = Told::read(&runs, number, &BTreeMap::new());
    if told.live {
        return Err(Stopped::wrong(format!("run {number} is still at work"))
            .help("wait until it has ended"));
    }
    let wishes = Wishes {
        payload: match arguments.outputs_only {
            true => Payload::Outputs,
            false => Payload::Everything,
        },
        license: arguments.license.as_deref(),
        author: arguments.author.as_deref(),
    };
    let written = rocrate::write(&store, &told, &wishes, &arguments.out)?;
    if global.json {
        talk::json(&written)?;
        return Ok(exit::DONE);
    }
    talk::data(&format!(
        "{}: {}, {}, {}",
        arguments.out.display(),
        talk::plural(written.files, "file"),
        talk::size(written.bytes),
        talk::plural(written.actions, "action")
    ))?;
    if !written.missing.is_empty() {
        let mut named = written.missing[..written.missing.len().min(NAMED)].join(", ");
        if written.missing.len() > NAMED {
            named.push_str(&format!(" and {} more", written.missing.len() - NAMED));
        }
        talk::say(
            global,
            &format!("no longer in the store, and only described: {named}"),
        );
    }
    Ok(exit::DONE)
}
